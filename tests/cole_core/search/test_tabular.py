"""Searches over stored vectors and values, against the search itself."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.search import SearchProblem, Step, make_algorithm, run_search
from cole_core.search.processes import Stack, run_stacks
from cole_core.search.tabular import (
    TabularSearch,
    check_budget,
    make_tabular_search,
    search_rounds,
)
from cole_core.statistics import evaluations_to_reach
from tests.cole_core.experiments.cells import SPACE, TARGET, labelled, source

PATH = labelled("path")
BANANAS = {"initial": 6, "batch": 4, "head": "ridge", "candidates": "space"}
RANDOM: dict[str, object] = {}


def make(algorithm: str = "bananas", **changes: object) -> TabularSearch:
    parameters = (BANANAS if algorithm == "bananas" else RANDOM) | changes
    return make_tabular_search(SPACE, source("path"), TARGET, PATH, algorithm, parameters)


def plain(budget: int, seed: int) -> list[Step]:
    """The search on dictionaries, without what is prepared and stacked."""
    row_of = {native: row for row, native in enumerate(PATH.natives)}
    problem = SearchProblem(
        space=SPACE,
        canonical=SPACE.canonical_form,
        vectors=lambda natives: np.stack([PATH.vectors[row_of[native]] for native in natives]),
        evaluate=lambda native: float(PATH.values[row_of[native]]),
        candidates=PATH.natives,
    )
    algorithm = make_algorithm("bananas", **BANANAS, structural=True)
    return list(run_search(algorithm, problem, budget, seed))


def collect(rounds: Iterable[pl.DataFrame]) -> dict[str, pl.DataFrame]:
    rows = pl.concat(rounds).sort("search_id", "step")
    return {str(id_): frame for (id_,), frame in rows.group_by("search_id")}


def test_rows_are_the_steps_of_the_search_counted_from_one() -> None:
    made = make()
    found = collect(search_rounds(made, 20, [0, 1], [(), ()]))
    for seed in (0, 1):
        rows, steps = found[made.search_id(seed)], plain(20, seed)
        assert rows["step"].to_list() == list(range(1, 21))
        assert rows["architecture_id"].to_list() == [
            SPACE.architecture_id(step.native) for step in steps
        ]
        assert rows["value"].to_list() == [step.value for step in steps]
        expected = [step.predicted_mean for step in steps]
        assert rows["predicted_mean"].to_list() == [
            None if mean is None else pytest.approx(mean, rel=1e-6) for mean in expected
        ]
        assert rows["seconds"].min() > 0  # type: ignore[operator]


def test_a_search_goes_on_from_its_steps() -> None:
    made, steps = make(), plain(20, 0)
    (rows,) = collect(search_rounds(made, 20, [0], [steps[:9]])).values()
    assert rows["step"].to_list() == list(range(10, 21))
    assert rows["value"].to_list() == [step.value for step in steps[9:]]


def test_searches_end_when_all_is_reached() -> None:
    made, threshold = make(), float(np.sort(PATH.values)[-5])
    seeds = list(range(5))
    whole = collect(search_rounds(made, 40, seeds, [()] * 5))
    ended = collect(search_rounds(made, 40, seeds, [()] * 5, until=threshold))
    assert sum(rows.height for rows in ended.values()) < 5 * 40
    for id_, rows in ended.items():
        assert rows["value"].to_list() == whole[id_]["value"].to_list()[: rows.height]
        counts = [
            evaluations_to_reach([frame["value"].to_list()], threshold).counts
            for frame in (rows, whole[id_])
        ]
        assert counts[0] == counts[1]


def test_two_processes_run_what_one_does() -> None:
    def run(processes: int) -> dict[str, pl.DataFrame]:
        made = make("random_search")
        stacks = [Stack(made, 12, [seed], [()], None) for seed in (0, 1)]
        return collect(run_stacks(stacks, processes))

    one, two, made = run(1), run(2), make("random_search")
    assert one.keys() == two.keys() == {made.search_id(seed) for seed in (0, 1)}
    for id_, rows in one.items():
        assert rows.drop("seconds").equals(two[id_].drop("seconds"))


def test_bad_input_in_a_process_is_bad_input_here() -> None:
    alike = replace(PATH, values=np.full(len(PATH.values), 5.0))
    made = make_tabular_search(SPACE, source("path"), TARGET, alike, "bananas", BANANAS)
    with pytest.raises(InputError, match="all 6 targets are 5: nothing can be ranked by them"):
        list(run_stacks([Stack(made, 12, [seed], [()], None) for seed in (0, 1)], processes=2))


def test_a_row_tells_what_the_search_reads() -> None:
    made = make()
    assert made.columns == {
        "space": "nasbench201",
        "algorithm": "bananas",
        "encoding": "path",
        "context": "none",
        "spec_id": None,
        "target": TARGET.to_json(),
    }
    assert made.row(3)["search_id"] == made.search_id(3) != made.search_id(4)
    blind = make("random_search").columns
    assert (blind["encoding"], blind["context"], blind["spec_id"]) == ("none", "none", None)


def test_ids_follow_what_decides_the_steps() -> None:
    ids = [
        make().configuration_id,
        make(batch=5).configuration_id,
        make(acquisition="ucb").configuration_id,
        make("random_search").configuration_id,
        make_tabular_search(
            SPACE, source("path"), TARGET, PATH.take(PATH.architecture_ids[1:]), "bananas", BANANAS
        ).configuration_id,
    ]
    assert len(set(ids)) == len(ids)
    assert make().configuration_id == ids[0]


def test_the_budget_is_at_most_the_canonical_forms() -> None:
    forms = len(set(PATH.canonical_ids))
    assert forms < len(PATH.natives)
    check_budget(PATH, forms)
    for budget in (0, forms + 1):
        with pytest.raises(InputError, match=rf"--budget {budget}: .* so ask for 1 to {forms}$"):
            check_budget(PATH, budget)
