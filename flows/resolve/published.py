"""What a published protocol is run on: which values, which vectors, in which order."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from cole_core.encodings.vectors import (
    ArchitectureVectors,
    LabelledVectors,
    Vectors,
    label,
    share,
)
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.experiments.published.protocols import PublishedProtocol, Values
from cole_core.experiments.published.rankings import (
    Measurements,
    Ours,
    Ranking,
    check_whole,
    make_ranking,
    places_in_order,
    population,
)
from cole_core.experiments.search_comparison import (
    SearchComparison,
    make_search_comparison,
    reading,
)
from cole_core.experiments.searches import SearchConfiguration, SearchProtocol
from cole_core.sources import take
from cole_core.spaces.base import SearchSpace
from flows.resolve.vectors import find_labelled, find_vectors, load_vectors
from warehouse import Warehouse

FIRST = "first"


def at_hand(
    warehouse: Warehouse, space: SearchSpace, values: Values, tables: Sequence[str]
) -> Target | None:
    """The stored values of a kind; None where there are none.

    Args:
        warehouse: Where they are.
        space: The search space.
        values: Which kind.
        tables: The files that were named: of several sources theirs is meant.

    Raises:
        InputError: Several sources hold them, and none is of those files.
    """
    rows = warehouse.targets(space)
    for name, value in vars(values).items():
        rows = rows.filter(pl.col(name) == value)
    found = [Target(**row) for row in rows.drop("architectures").iter_rows(named=True)]
    names = {Path(table).name for table in tables}
    fitting = [each for each in found if each.source in names] or found
    if len(fitting) > 1:
        sources = ", ".join(each.source for each in fitting)
        raise InputError(
            f"several sources hold {values.words}: {sources}; give the one that is meant with "
            "--table"
        )
    return fitting[0] if fitting else None


def lacking(
    protocol: PublishedProtocol, there: Sequence[Values], tables: Sequence[str]
) -> str | None:
    """What a protocol lacks, in words that name what a table must hold; None: nothing.

    Args:
        protocol: Which.
        there: The kinds of values that are at hand.
        tables: The files that were named.
    """
    kinds = [each for each in protocol.needs if each not in there]
    if kinds:
        named = " and ".join(each.words for each in kinds)
        headings = " and ".join(each.heading for each in kinds)
        return f"no {named}: give --table FILE with a column {headings}"
    if protocol.labelled == FIRST and not tables:
        return "no file whose order is meant: give --table FILE, in the order of the official file"
    return None


def split_by_values(
    warehouse: Warehouse,
    space: SearchSpace,
    protocols: Sequence[PublishedProtocol],
    tables: Sequence[str],
) -> tuple[list[PublishedProtocol], dict[str, str]]:
    """The protocols whose values are at hand, and what each of the others lacks.

    Raises:
        InputError: None has its values.
    """
    needed = dict.fromkeys(kind for each in protocols for kind in each.needs)
    there = [kind for kind in needed if at_hand(warehouse, space, kind, tables) is not None]
    return split_by_lacking(protocols, there, tables)


def split_by_lacking(
    protocols: Sequence[PublishedProtocol], there: Sequence[Values], tables: Sequence[str]
) -> tuple[list[PublishedProtocol], dict[str, str]]:
    """As `split_by_values`, of kinds that are known to be at hand."""
    lacks = {each.name: lacking(each, there, tables) for each in protocols}
    missing = {name: said for name, said in lacks.items() if said is not None}
    ready = [each for each in protocols if each.name not in missing]
    if not ready:
        raise InputError("; ".join(f"{name}: {said}" for name, said in missing.items()))
    return ready, missing


def find_rankings(
    warehouse: Warehouse,
    space: SearchSpace,
    protocols: Sequence[PublishedProtocol],
    vectors: Vectors,
    ours: Ours,
    tables: Sequence[str],
) -> list[tuple[str, Ranking]]:
    """The trials of a head by each protocol, with what the head is called.

    Raises:
        InputError: Vectors are missing, or there are not the architectures that a protocol is of.
    """
    if not protocols:
        return []
    [source] = find_vectors(warehouse, space, [vectors], whole=True)
    loaded = load_vectors(warehouse, space, source)
    called = f"{ours.head.replace('_', ' ')} on {source.encoding}"
    if source.language_model is not None:
        called += f" · {source.language_model}"
    made = []
    for protocol in protocols:
        measured = measure(warehouse, space, protocol, loaded, tables)
        made.append((called, make_ranking(space, protocol, source, measured, ours)))
    return made


def measure(
    warehouse: Warehouse,
    space: SearchSpace,
    protocol: PublishedProtocol,
    vectors: ArchitectureVectors,
    tables: Sequence[str],
) -> Measurements:
    """The architectures with both kinds of values, in the space's order.

    Raises:
        InputError: They are not the architectures that the protocol is of.
    """
    targets = [
        _target(warehouse, space, kind, tables) for kind in (protocol.learned, protocol.judged)
    ]
    labelled = [_label(warehouse, space, vectors, target) for target in targets]
    learned, judged = share(labelled, canonical=False)
    order = None
    if protocol.labelled == FIRST:
        check_whole(protocol, learned)
        order = places_in_order(learned, take(tables[0], space).rows["native"].to_list())
    return Measurements(learned, judged, targets[0], targets[1], order)


def find_search_comparison(
    warehouse: Warehouse,
    space: SearchSpace,
    protocol: PublishedProtocol,
    configurations: Sequence[SearchConfiguration],
    seeds: int,
    tables: Sequence[str],
) -> SearchComparison:
    """The searches that stand beside those of a protocol.

    Raises:
        InputError: Vectors are missing, a name is unknown, or there are not the architectures that
            the protocol is of.
    """
    target = _target(warehouse, space, protocol.judged, tables)
    found = find_labelled(warehouse, space, reading(configurations), target)
    for _, labelled in found.values():
        check_whole(protocol, labelled)
    rows = warehouse.specifications().iter_rows(named=True)
    return make_search_comparison(
        space,
        population(protocol),
        configurations,
        found,
        target,
        SearchProtocol(seeds=seeds, budget=max(protocol.sizes)),
        {row["spec_id"]: row for row in rows},
    )


def _target(
    warehouse: Warehouse, space: SearchSpace, values: Values, tables: Sequence[str]
) -> Target:
    target = at_hand(warehouse, space, values, tables)
    assert target is not None  # `split_by_values` left only protocols that have theirs
    return target


def _label(
    warehouse: Warehouse, space: SearchSpace, vectors: ArchitectureVectors, target: Target
) -> LabelledVectors:
    sign = target.sign
    values = {id_: sign * value for id_, value in warehouse.labels(space, target).iter_rows()}
    return label(vectors, values)
