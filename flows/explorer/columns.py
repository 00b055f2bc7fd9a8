"""What is known of each architecture of a map, by the names that conditions and colours use."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import polars as pl

from cole_core.encodings.vectors import VectorSource
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.spaces.base import SearchSpace
from flows.questions.best import predict
from flows.resolve.requests import Measured
from flows.resolve.values import column_names, describe, find_targets
from warehouse import Warehouse
from warehouse.reader import space_filter

KNOWN = ("architecture_id", "native", "canonical_id", "position")
_CALL = re.compile(r"(\w+)\(")
_OPERATIONS = 24  # of which a column counts each
_SAMPLE = 2_000  # texts in which they are looked for


@dataclass(frozen=True)
class Column:
    """A value of each architecture.

    Attributes:
        name: In SQL.
        about: In words.
        group: measured, predicted, operations, computed or known.
        read: Reads or computes it: a frame of architecture_id and value.
        unit: Of a measured or predicted value, where there is one.
    """

    name: str
    about: str
    group: str
    read: Callable[[], pl.DataFrame]
    unit: str | None = None


def columns_of(
    warehouse: Warehouse, space: SearchSpace, source: VectorSource, architectures: pl.DataFrame
) -> dict[str, Column]:
    """Every column of a space, those that people mean first; nothing is read of them yet.

    Args:
        warehouse: Where they are.
        space: The search space.
        source: The vectors of the map: operations are counted in their texts.
        architectures: architecture_id, native, canonical_id, position of those on the map.
    """
    ids = architectures["architecture_id"]
    columns = [
        *_measured(warehouse, space),
        *_operations(warehouse, space, source),
        *_computed(space, architectures),
        Column("source", "sources that measured it", "known", partial(_sources, warehouse, space)),
        *(
            Column(
                name,
                name.replace("_", " "),
                "known",
                partial(_with_ids, ids, architectures[name]),
            )
            for name in KNOWN
        ),
    ]
    return _first_of_each(columns)


def _first_of_each(columns: Iterable[Column]) -> dict[str, Column]:
    named: dict[str, Column] = {}
    for column in columns:
        named.setdefault(column.name, column)
    return named


def _with_ids(ids: pl.Series, values: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"architecture_id": ids, "value": values})


def _measured(warehouse: Warehouse, space: SearchSpace) -> list[Column]:
    """Measured values, and behind each kind what heads predict of it."""
    try:
        targets = find_targets(warehouse, space, Measured())
    except InputError:  # nothing was measured
        return []
    learned = set(warehouse.used_targets(space))
    short: dict[Target, str] = {}
    measured: list[Column] = []
    predicted: list[Column] = []
    for name, target in column_names(targets, KNOWN).items():
        about = f"{target.dataset} {describe(target)}"
        if target in short:  # its longer name, for conditions
            about += f" (as {short[target]})"
        read = partial(warehouse.labels, space, target)
        measured.append(Column(name, about, "measured", read, target.unit))
        if target not in short and target in learned:
            predicted += _predicted(warehouse, space, target, name)
        short.setdefault(target, name)
    return measured + predicted


def _predicted(
    warehouse: Warehouse, space: SearchSpace, target: Target, name: str
) -> Iterable[Column]:
    if target.direction is None:
        return
    heads = warehouse.heads_of(space, target)
    if heads.is_empty():
        return
    head = heads.row(0, named=True)

    def read(value: str) -> pl.DataFrame:
        rows = predict(warehouse, space, target, head)
        return rows.select("architecture_id", value=value)

    about = f"{head['head']} on {head['encoding']}, trained on {head['n']:,}"
    for column, value, words in (
        (f"predicted_{name}", "predicted", "predicted"),
        (f"deviation_{name}", "std", "deviation of the prediction of"),
    ):
        said = f"{words} {target.dataset} {target.metric} ({about})"
        yield Column(column, said, "predicted", partial(read, value), target.unit)


def _operations(warehouse: Warehouse, space: SearchSpace, source: VectorSource) -> list[Column]:
    """How often a text calls each name that not all texts call equally often."""
    if source.spec_id is None:
        return []
    where = space_filter(space) | {"encoding": source.encoding, "context": source.context}
    sample = warehouse.read("some_texts", **where, limit=_SAMPLE)["text"]
    seen: dict[str, set[int]] = {}
    for text in sample:
        called = _CALL.findall(text)
        for name in set(called):
            seen.setdefault(name, set()).add(called.count(name))
    totals = {name: len(counts) for name, counts in seen.items() if len(counts) > 1}
    for name in seen.keys() - totals.keys():  # equally often in all that have it, not in all
        if sum(f"{name}(" in text for text in sample) < len(sample):
            totals[name] = 1
    names = sorted(totals, key=lambda name: (-totals[name], name))[:_OPERATIONS]
    return [
        Column(
            name.lower(),
            f"how often {name} is called",
            "operations",
            partial(_count, warehouse, space, source, name),
        )
        for name in sorted(names)
    ]


def _count(
    warehouse: Warehouse, space: SearchSpace, source: VectorSource, name: str
) -> pl.DataFrame:
    texts = warehouse.texts(space, source.encoding, source.context)
    counts = texts.select(
        "text_hash", value=pl.col("text").str.count_matches(rf"\b{name}\(").cast(pl.Int32)
    )
    where = space_filter(space) | {"encoding": source.encoding, "context": source.context}
    rendered = warehouse.read("rendered", **where)
    return rendered.join(counts, on="text_hash").select("architecture_id", "value")


def _computed(space: SearchSpace, architectures: pl.DataFrame) -> list[Column]:
    """What the space tells of an architecture without building it."""
    if space.is_absent or architectures.is_empty():
        return []
    columns = []
    for name, about, ask in (
        ("parameters", "trainable parameters", space.parameter_count),
        ("flops", "multiply-accumulates", space.flops),
    ):
        if _tells(ask, str(architectures["native"][0])):
            read = partial(_ask_each, ask, architectures)
            columns.append(Column(name, about, "computed", read))
    return columns


def _tells(ask: Callable[[str], int | None], native: str) -> bool:
    try:
        return ask(native) is not None
    except InputError:  # what is stored is no architecture of the space any more
        return False


def _ask_each(ask: Callable[[str], int | None], architectures: pl.DataFrame) -> pl.DataFrame:
    values = pl.Series([ask(native) for native in architectures["native"]], dtype=pl.Int64)
    return _with_ids(architectures["architecture_id"], values)


def _sources(warehouse: Warehouse, space: SearchSpace) -> pl.DataFrame:
    return warehouse.read("sources_of_architectures", **space_filter(space))
