"""Everything that is known of one architecture, and its network as a file that runs without us."""

from dataclasses import field
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import Parameter
from pydantic import Field

from cole_core.encodings.base import RenderingError
from cole_core.encodings.registry import make_text_encoding
from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.hashing import hash_text
from cole_core.spaces.base import SearchSpace
from flows.questions.asked import Asked, Question, read_asked
from flows.questions.network_file import write_network
from flows.questions.similar import SimilarRequest, similar
from flows.resolve.predicting import predict
from flows.resolve.requests import DEFAULT_SPACE, HOME, AskedVectors, Device, Home, request
from flows.resolve.values import describe
from warehouse import Warehouse

MOST = 1_000
"""Neighbours that are listed."""


@request
class ShowRequest:
    """Which architecture, and what of it.

    Attributes:
        what: A native string, or an architecture_id or its beginning.
        home: The warehouse's directory.
        space: The search space, unless an id tells it.
        k: How many neighbours.
        notation: How WHAT is written, where that is neither the space's way nor sure, such as
            naslib or index.
        vectors: By which of the stored vectors its neighbours are found.
        output: Write its network into this file, which runs with PyTorch alone.
        device: auto, cpu or cuda, to embed its text where it has no vector.
    """

    what: str = field(kw_only=False)
    home: Home = HOME
    space: str = DEFAULT_SPACE
    k: Annotated[int, Parameter(name="-k"), Field(ge=1, le=MOST)] = 5
    notation: str | None = None
    vectors: AskedVectors = Vectors()
    output: Path | None = None
    device: Device = "auto"


def show(request: ShowRequest) -> dict[str, Any]:
    """Gathers what is known of an architecture; with `output`, writes its network.

    Returns:
        architecture_id, space, native, read (what it was given as), stored (whether the warehouse
        has it), canonical_form (null: its space's file is not named), parameters and flops of the
        network that `build` makes (null: not known without making it; a training has its own), and
        the lists `values` (with ranks), `predictions`, `trainings`, `twins`, `neighbours` and
        `texts`. `output` is the file,
        `written` whether it is new.

    Raises:
        InputError: It is no architecture, or the file is there with something else in it.
    """
    warehouse = Warehouse(request.home)
    asked = _asked(warehouse, request)
    space, native = asked.space, asked.native
    assert native is not None
    id_ = asked.architecture_id or space.architecture_id(native)
    stored = warehouse.architectures_by_id(id_, limit=1)
    canonical = None if space.is_absent else space.canonical_form(native)
    alike = hash_text(canonical) if canonical is not None else str(stored["canonical_id"][0])
    trainings = warehouse.trainings_of(id_)
    found: dict[str, Any] = {
        "architecture_id": id_,
        "space": space.full_name,
        "native": native,
        "read": asked.read,
        "stored": not stored.is_empty(),
        "canonical_form": canonical,
        "parameters": space.parameter_count(native),
        "flops": space.flops(native),
        "values": values_of(warehouse, space, id_),
        "predictions": predictions_of(warehouse, space, id_),
        "trainings": trainings.to_dicts(),
        "twins": warehouse.twins_of(space, id_, alike).to_dicts(),
        "neighbours": show_neighbours(request, id_ if stored.height else native),
        "texts": texts_of(warehouse, space, native, id_),
    }
    if request.output is not None:
        found |= _write(request.output, write_network(space, native, found), request.home)
    return found


def _asked(warehouse: Warehouse, request: ShowRequest) -> Asked:
    question = Question(request.what, request.space, notation=request.notation)
    asked = read_asked(warehouse, question, Vectors())
    if asked.native is None:
        raise InputError(
            f"{asked.name} is a file: give an architecture or its id, or find what resembles the "
            "file with 'cole similar'"
        )
    return asked


def values_of(warehouse: Warehouse, space: SearchSpace, id_: str) -> list[dict[str, Any]]:
    """Measured values, each with its rank among all of its kind where a better one is known."""
    values = []
    for row in warehouse.values_of_architecture(space, id_).iter_rows(named=True):
        above, below = row.pop("above"), row.pop("below")
        better = {"higher": above, "lower": below}.get(row["direction"] or "")
        values.append(row | {"rank": None if better is None else better + 1})
    return values


def predictions_of(warehouse: Warehouse, space: SearchSpace, id_: str) -> list[dict[str, Any]]:
    """What the first head of each kind of values predicts, and the rank of that."""
    if not warehouse.has_catalog:
        return []
    predictions = []
    for row in warehouse.targets(space).drop("architectures").iter_rows(named=True):
        target = Target(**row)
        if target.direction is None:  # nobody could have trained one
            continue
        heads = warehouse.heads_of(space, target)
        if heads.is_empty():
            continue
        head = heads.row(0, named=True)
        try:
            rows = predict(warehouse, space, target, head)
        except InputError:  # its vectors or its file are not here any more
            continue
        rows = rows.with_columns(
            rank=pl.col("predicted").rank("min", descending=target.sign > 0).cast(pl.Int64)
        )
        own = rows.filter(pl.col("architecture_id") == id_)
        if own.is_empty():
            continue
        about = {name: head[name] for name in ("head_id", "head", "encoding", "n")}
        predictions.append(
            {"dataset": target.dataset, "target": describe(target), "unit": target.unit}
            | own.select("predicted", "std", "rank").row(0, named=True)
            | {"architectures": rows.height, **about}
        )
    return predictions


def show_neighbours(request: ShowRequest, what: str) -> dict[str, Any] | None:
    """The nearest by stored vectors, as `cole similar` finds them; None where there are none."""
    try:
        found = similar(
            SimilarRequest(
                what=what,
                home=request.home,
                space=request.space,
                k=request.k,
                vectors=request.vectors,
                device=request.device,
            )
        )
    except InputError:
        if request.vectors != Vectors():  # whoever names vectors wants to know why not
            raise
        return None
    kept = ("encoding", "spec_id", "values", "columns", "rows")
    return {name: found[name] for name in kept}


def texts_of(
    warehouse: Warehouse, space: SearchSpace, native: str, id_: str
) -> list[dict[str, Any]]:
    """Its stored texts, each with its tokens for each language model; else that of the usual
    encoding, written now."""
    stored = warehouse.texts_of(id_)
    texts: dict[tuple[str, str], dict[str, Any]] = {}
    for row in stored.iter_rows(named=True):
        about = {name: row[name] for name in ("encoding", "context", "text")}
        entry = texts.setdefault((row["encoding"], row["context"]), about | {"tokens": {}})
        if row["language_model"] is not None:
            entry["tokens"][row["language_model"]] = row["n_tokens"]
    if not texts:
        encoding = space.roles.reference
        try:
            text = make_text_encoding(space, encoding).render(native)
        except RenderingError:
            return []
        return [{"encoding": encoding, "context": "none", "text": text, "tokens": {}}]
    return list(texts.values())


def _write(output: Path, text: str, home: Path) -> dict[str, Any]:
    """Writes a file whole, unless it is there with just this in it."""
    if output.is_dir() or not output.parent.is_dir():
        raise InputError(f"--output {output}: name a file in a directory that is there")
    if output.resolve().is_relative_to(home.resolve()):
        raise InputError(f"--output {output} is inside the warehouse: name a place outside {home}")
    if output.exists():
        if output.read_bytes() != text.encode():
            raise InputError(
                f"--output {output}: there is another file of that name: name another, or remove it"
            )
        return {"output": str(output), "written": False}
    part = output.with_name(output.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    return {"output": str(output), "written": True}
