"""Flow: the watched embedding specifications over everything that was rendered since."""

import json
from dataclasses import dataclass
from typing import Any

import polars as pl
from prefect import flow

from cole_core.errors import InputError
from cole_core.hashing import hash_json
from cole_core.language_models import EmbeddingSpecification, specify
from cole_core.spaces import get_space
from flows.embedding import check_device, embed
from flows.rendering import get_text_encoding, render
from flows.runs import recorded_run
from flows.spaces import find_space, full_name
from warehouse import Warehouse


@dataclass(frozen=True)
class Watch:
    """An embedding specification and which renderings it is kept up to date on.

    Attributes:
        arguments: Of `specify`, the language model's name as `name_or_path`.
        space: A search space, by its bare name with any parameters; None, as for what follows, is
            any.
        encoding: A text encoding.
        context: A context.
        device: auto, cpu or cuda.
    """

    arguments: dict[str, Any]
    space: str | None = None
    encoding: str | None = None
    context: str | None = None
    device: str = "auto"

    @property
    def watch_id(self) -> str:
        """Content hash of all but the device."""
        return hash_json({k: v for k, v in vars(self).items() if k != "device"})

    def specification(self) -> EmbeddingSpecification:
        """What the model is now.

        Raises:
            InputError: It is not to be had.
        """
        return specify(**self.arguments)

    def fits(self, rendered: dict[str, Any]) -> bool:
        """Whether it is kept up to date on a rendering.

        Args:
            rendered: space (its full name), encoding, context.
        """
        base, _, _ = rendered["space"].partition(":")
        asked = {"encoding": self.encoding, "context": self.context}
        return self.space in (None, base, rendered["space"]) and all(
            value is None or rendered[name] == value for name, value in asked.items()
        )


def add_watch(home: str, watch: Watch) -> dict[str, Any]:
    """Adds a watch; adding it again changes nothing.

    Raises:
        InputError: There is no such warehouse, model or encoding.
    """
    warehouse = Warehouse(home)
    if not warehouse.has_catalog:
        raise InputError(f"no warehouse at {home}: make one with 'cole enumerate'")
    if watch.space is not None:
        space = find_space(warehouse, watch.space)
        if watch.encoding is not None:
            get_text_encoding(space, watch.encoding, watch.context or "none")
    check_device(watch.device)
    spec_id = watch.specification().spec_id
    with recorded_run(home, "watch", {"watch": vars(watch)}) as run:
        row = vars(watch) | {
            "watch_id": watch.watch_id,
            "spec_id": spec_id,
            "arguments": json.dumps(watch.arguments, sort_keys=True),
        }
        with run.warehouse.writer("cole watch add", run.run_id) as writer:
            added = writer.add_watch(row)
        run.summary = {"watches": added, "watch_id": watch.watch_id, "spec_id": spec_id}
    return run.summary


def remove_watch(home: str, name: str) -> dict[str, Any]:
    """Removes a watch; its vectors stay.

    Args:
        home: The warehouse.
        name: A language model, or the beginning of a watch_id or a spec_id.

    Raises:
        InputError: Nothing or more than one watch fits.
    """
    watches = Warehouse(home).watches()
    model = pl.col("arguments").str.json_path_match("$.name_or_path")
    fitting = watches.filter(
        (model == name)
        | pl.col("watch_id").str.starts_with(name)
        | pl.col("spec_id").str.starts_with(name)
    )
    if fitting.height != 1 or not name:
        listed = ", ".join((watches if fitting.is_empty() else fitting)["watch_id"]) or "none"
        problem = "nothing watched" if fitting.is_empty() else "several watches"
        raise InputError(f"{problem} named '{name}': give one of the ids {listed}")
    watch_id = fitting["watch_id"][0]
    with recorded_run(home, "unwatch", {"watch_id": watch_id}) as run:
        with run.warehouse.writer("cole watch remove", run.run_id) as writer:
            writer.remove_watch(watch_id)
        run.summary = {"removed": 1, "watch_id": watch_id}
    return run.summary


@flow(name="keep-embeddings-current")
def keep_embeddings_current(home: str) -> dict[str, Any]:
    """Renders new architectures as the others, and embeds all texts under each watched
    specification that has no vector of them yet.

    A rendering that was made of a sample alone is not extended.

    Args:
        home: The warehouse.

    Returns:
        What was rendered, and embedded by which model of what.

    Raises:
        InputError: A watched model is not to be had, or is not what it was; the others are done.
    """
    warehouse = Warehouse(home)
    failed: list[str] = []
    with recorded_run(home, "keep-embeddings-current", {}) as run:
        rendered = 0
        for kind in _kinds(warehouse):
            if kind["whole"] and _has_missing(warehouse, kind):
                made = render(home, kind["space"], kind["encoding"], kind["context"])
                rendered += made["renderings"]
        embedded: list[dict[str, Any]] = []
        for row in warehouse.watches().iter_rows(named=True):
            watch = _watch(row)
            try:
                _check_model(watch, row["spec_id"])
                embedded += _embed(home, watch, row["spec_id"])
            except InputError as error:
                failed.append(str(error))
        run.summary = {
            "rendered": rendered,
            "embedded": sum(entry["embedded"] for entry in embedded),
            "of": embedded,
            "failed": failed,
        }
    if failed:
        raise InputError("; ".join(failed))
    return run.summary


def _kinds(warehouse: Warehouse) -> list[dict[str, Any]]:
    """space (its full name), encoding, context and whole of every rendering."""
    return [
        kind
        | {"space": full_name(get_space(kind["space"], **json.loads(kind["space_parameters"])))}
        for kind in warehouse.rendered_kinds().iter_rows(named=True)
    ]


def _has_missing(warehouse: Warehouse, kind: dict[str, Any]) -> bool:
    space = find_space(warehouse, kind["space"])
    return not warehouse.missing_renderings(space, kind["encoding"], kind["context"]).is_empty()


def _watch(row: dict[str, Any]) -> Watch:
    return Watch(
        json.loads(row["arguments"]), row["space"], row["encoding"], row["context"], row["device"]
    )


def _check_model(watch: Watch, spec_id: str) -> None:
    if watch.specification().spec_id != spec_id:
        raise InputError(
            f"the language model '{watch.arguments['name_or_path']}' is not the one that is "
            f"watched as {spec_id}: 'cole watch remove {spec_id[:8]}' and add it anew"
        )


def _embed(home: str, watch: Watch, spec_id: str) -> list[dict[str, Any]]:
    """Embeds what is missing of each rendering; nothing is loaded where nothing is."""
    warehouse = Warehouse(home)
    done = []
    for kind in filter(watch.fits, _kinds(warehouse)):
        space = find_space(warehouse, kind["space"])
        encoding, context = kind["encoding"], kind["context"]
        if not warehouse.count_missing_texts(space, encoding, context, spec_id):
            continue
        options = dict(watch.arguments)
        summary = embed(
            home,
            kind["space"],
            encoding,
            options.pop("name_or_path"),
            context,
            pooling=options.pop("pooling"),
            precision=options.pop("precision"),
            max_length=options.pop("max_length", None),
            device=watch.device,
            options=options,
        )
        done.append(
            {
                "language_model": watch.arguments["name_or_path"],
                "space": kind["space"],
                "encoding": encoding,
                "context": context,
                "embedded": summary["embedded"],
                "skipped": summary["skipped"],
            }
        )
    return done
