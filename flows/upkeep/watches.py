"""Flow: the watched embedding specifications over everything that was rendered since."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl
from prefect import flow

from cole_core.encodings.base import NO_CONTEXT
from cole_core.encodings.registry import make_text_encoding
from cole_core.errors import InputError
from cole_core.hashing import hash_json
from flows.resolve.models import check_model
from flows.resolve.requests import HOME, AskedEmbeddings, Device, Home, request
from flows.resolve.spaces import base_name, find_space, known_space, stored_name, stored_space
from flows.running.names import run_name
from flows.running.runs import recorded_run
from flows.stages.embed import EmbedRequest, embed
from flows.stages.render import RenderRequest, render
from warehouse import Warehouse

# Options that a watch always names; the others only where they are not as usual. A watch_id is a
# hash of them, so what is added later must leave it as it is.
_ALWAYS = ("pooling", "precision", "max_length", "layers", "normalize", "echo", "instruction")


@request
class Watch:
    """An embedding specification and which renderings it is kept up to date on.

    Attributes:
        options: Of the vectors.
        space: Only this search space: with its parameters, or by its bare name with any.
        encoding: Only this encoding.
        context: Only this context.
        device: auto, cpu or cuda.
    """

    options: AskedEmbeddings = AskedEmbeddings()
    space: str | None = None
    encoding: str | None = None
    context: str | None = None
    device: Device = "auto"

    @property
    def arguments(self) -> dict[str, Any]:
        """The options as they are stored."""
        given: dict[str, Any] = {"name_or_path": self.options.lm}
        for option in fields(self.options):
            value = getattr(self.options, option.name)
            named = option.name in (*_ALWAYS, "revision") or value != option.default
            if named and option.name != "lm":
                given[option.name] = list(value) if isinstance(value, tuple) else value
        return given

    @property
    def watch_id(self) -> str:
        """Content hash of all but the device."""
        return hash_json(
            {
                "arguments": self.arguments,
                "space": self.space,
                "encoding": self.encoding,
                "context": self.context,
            }
        )

    @classmethod
    def stored(cls, row: dict[str, Any]) -> "Watch":
        """A watch from its row in the catalog."""
        arguments = json.loads(row["arguments"])
        options = AskedEmbeddings(
            lm=arguments.pop("name_or_path"),
            layers=None if (layers := arguments.pop("layers", None)) is None else tuple(layers),
            **arguments,
        )
        about = {name: row[name] for name in ("space", "encoding", "context", "device")}
        return cls(options=options, **about)

    def fits(self, rendered: dict[str, Any]) -> bool:
        """Whether it is kept up to date on a rendering.

        Args:
            rendered: space (its full name), encoding, context.
        """
        base = base_name(rendered["space"])
        asked = {"encoding": self.encoding, "context": self.context}
        named = None if self.space is None else stored_name(self.space)
        return named in (None, base, rendered["space"]) and all(
            value is None or rendered[name] == value for name, value in asked.items()
        )


def add_watch(home: Path, watch: Watch) -> dict[str, Any]:
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
            make_text_encoding(space, watch.encoding, watch.context or NO_CONTEXT)
    specification = watch.options.specification()
    check_model(warehouse, specification, watch.device)
    spec_id = specification.spec_id
    with recorded_run(home, "watch", watch) as run:
        row = {
            "watch_id": watch.watch_id,
            "spec_id": spec_id,
            "space": watch.space,
            "encoding": watch.encoding,
            "context": watch.context,
            "device": watch.device,
            "arguments": json.dumps(watch.arguments, sort_keys=True),
        }
        with run.warehouse.writer("cole watch add", run.run_id) as writer:
            added = writer.add_watch(row)
        run.summary = {"watches": added, "watch_id": watch.watch_id, "spec_id": spec_id}
    return run.summary


def remove_watch(home: Path, name: str) -> dict[str, Any]:
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
        problem = "nothing watched" if fitting.is_empty() else "several watches"
        listed = ", ".join((watches if fitting.is_empty() else fitting)["watch_id"])
        remedy = f"give one of the ids {listed}" if listed else "add a watch with 'cole watch add'"
        raise InputError(f"{problem} named '{name}': {remedy}")
    watch_id = fitting["watch_id"][0]
    with recorded_run(home, "unwatch", {"watch_id": watch_id}) as run:
        with run.warehouse.writer("cole watch remove", run.run_id) as writer:
            writer.remove_watch(watch_id)
        run.summary = {"removed": 1, "watch_id": watch_id}
    return run.summary


@request
class KeepCurrentRequest:
    """The warehouse whose watched specifications are brought up to date.

    Attributes:
        home: The warehouse's directory.
    """

    home: Home = HOME


@flow(name="keep-embeddings-current", flow_run_name=run_name("home"))
def keep_embeddings_current(request: KeepCurrentRequest) -> dict[str, Any]:
    """Renders new architectures as the others, and embeds all texts under each watched
    specification that has no vector of them yet.

    A rendering that was made of a sample alone is not extended.

    Returns:
        What was rendered, and embedded by which model of what.

    Raises:
        InputError: A watched model is not to be had, or is not what it was; the others are done.
    """
    home = request.home
    warehouse = Warehouse(home)
    failed: list[str] = []
    with recorded_run(home, "keep-embeddings-current", request) as run:
        rendered = 0
        for kind in _kinds(warehouse):
            if kind.whole and not kind.is_absent and _has_missing(warehouse, kind):
                made = render(
                    RenderRequest(
                        space=kind.space, home=home, encoding=kind.encoding, context=kind.context
                    )
                )
                rendered += made["renderings"]
        embedded: list[dict[str, Any]] = []
        for row in warehouse.watches().iter_rows(named=True):
            watch = Watch.stored(row)
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


@dataclass(frozen=True)
class _Kind:
    """One rendering of a space.

    Attributes:
        space: The space's full name.
        encoding, context: How it is written.
        whole: Whether it was made of the whole space once.
        is_absent: Whether only the file of somebody's own could write more of it.
    """

    space: str
    encoding: str
    context: str
    whole: bool
    is_absent: bool


def _kinds(warehouse: Warehouse) -> list[_Kind]:
    found = []
    for row in warehouse.rendered_kinds().iter_rows(named=True):
        space = stored_space(warehouse, row)
        about = (space.full_name, row["encoding"], row["context"], row["whole"])
        found.append(_Kind(*about, space.is_absent))
    return found


def _has_missing(warehouse: Warehouse, kind: _Kind) -> bool:
    space = known_space(warehouse, kind.space)
    return not warehouse.missing_renderings(space, kind.encoding, kind.context).is_empty()


def _check_model(watch: Watch, spec_id: str) -> None:
    if watch.options.specification().spec_id != spec_id:
        raise InputError(
            f"the language model '{watch.options.lm}' is not the one that is watched as {spec_id}: "
            f"'cole watch remove {spec_id[:8]}' and add it anew"
        )


def _embed(home: Path, watch: Watch, spec_id: str) -> list[dict[str, Any]]:
    """Embeds what is missing of each rendering; nothing is loaded where nothing is."""
    warehouse = Warehouse(home)
    done = []
    for kind in _kinds(warehouse):
        about: dict[str, Any] = {
            name: getattr(kind, name) for name in ("space", "encoding", "context")
        }
        if not watch.fits(about):
            continue
        space = known_space(warehouse, kind.space)
        if not warehouse.count_missing_texts(space, kind.encoding, kind.context, spec_id):
            continue
        summary = embed(
            EmbedRequest(**about, home=home, options=watch.options, device=watch.device)
        )
        counts = {name: summary[name] for name in ("embedded", "skipped")}
        done.append({"language_model": watch.options.lm, **about, **counts})
    return done
