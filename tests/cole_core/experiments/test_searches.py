"""Named lists of what `cole compare search` compares, written in the roles of a space."""

import pytest

from cole_core.encodings import TextEncoding
from cole_core.errors import InputError
from cole_core.experiments.searches import (
    EXPERIMENTS,
    SearchConfiguration,
    SearchProtocol,
    make_experiment,
    parse_search_configuration,
)
from cole_core.search import make_algorithm
from cole_core.spaces import get_space, spaces

BASE = SearchConfiguration()

# As they were when they were written for this space alone.
CELLS = {
    "encodings": [
        "preset=paper,encoding=path",
        "preset=paper,encoding=code.expression",
        "preset=paper,encoding=code.exclude_helper",
        "preset=paper,encoding=graf",
    ],
    "defaults": ["preset=paper,encoding=path", "preset=recommended"],
    "ablation": [
        f"preset=paper,encoding={encoding}{changes}"
        for encoding in ("path", "code.expression")
        for changes in (
            "",
            ",head=gaussian_process",
            ",head=gaussian_process,acquisition=ucb",
            ",head=gaussian_process,acquisition=ucb,candidates=space",
            ",head=gaussian_process,acquisition=ucb,candidates=space,initial=10,batch=5",
        )
    ],
    "algorithms": [
        "algorithm=random_search",
        "algorithm=regularized_evolution",
        "algorithm=local_search",
        "algorithm=bananas",
    ],
    "objectives": ["algorithm=pareto", "algorithm=nsga2", "algorithm=random_search"],
}


def test_every_experiment_is_written_down_here() -> None:
    assert list(CELLS) == list(EXPERIMENTS)


@pytest.mark.parametrize("name", CELLS)
def test_in_roles_they_are_what_they_were_for_nasbench201(name: str) -> None:
    before = get_space("nasbench201").with_reference("code.expression")
    made = make_experiment(name, before.roles, BASE)
    assert made == [parse_search_configuration(text, BASE) for text in CELLS[name]]


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("space_name", spaces)
def test_every_space_has_what_an_experiment_compares(space_name: str, name: str) -> None:
    space = get_space(space_name)
    made = make_experiment(name, space.roles, SearchConfiguration(encoding=space.roles.reference))
    assert len(set(made)) == len(made) >= 2
    for each in made:
        encoding = space.encoding(each.encoding)
        make_algorithm(each.algorithm, **each.parameters())
        if isinstance(encoding, TextEncoding):
            assert each.context in encoding.contexts


def test_what_varies_keeps_the_rest_of_the_base() -> None:
    base = SearchConfiguration(lm="mpnet", pooling="mean", precision="fp32", context="comment")
    for name in EXPERIMENTS:
        for each in make_experiment(name, get_space("nasbench201").roles, base):
            vectors = (each.lm, each.pooling, each.precision, each.context)
            assert vectors == ("mpnet", "mean", "fp32", "comment")


def test_the_last_step_of_the_ablation_is_the_default_search() -> None:
    made = make_experiment("ablation", get_space("nasbench201").roles, BASE)
    assert made[-1].parameters() == BASE.parameters()
    assert made[0].parameters() == {}
    with_changes = [len(each.given) for each in made]
    assert with_changes == [0, 1, 2, 3, 5] * 2


def test_an_unknown_experiment_lists_the_known_ones() -> None:
    said = "unknown experiment 'colours': choose one of encodings, defaults, ablation, algorithms, "
    with pytest.raises(InputError, match=said):
        make_experiment("colours", get_space("nasbench201").roles, BASE)


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        (SearchProtocol(seeds=1), "--seeds 1: at least 2"),
        (SearchProtocol(first_seed=-1), "--first-seed -1: give 0 or more"),
        (SearchProtocol(percent=(0.0,)), "--percent 0: give more than 0 and at most 100"),
        (SearchProtocol(percent=(101.0,)), "--percent 101: give more than 0 and at most 100"),
        (SearchProtocol(margin=(-1.0,)), "--margin -1: give 0 or more points from the best"),
        (SearchProtocol(percent=(), margin=()), "no threshold to reach: give --percent or --m"),
        (SearchProtocol(budget=9, regret_at=(10,)), "--regret-at 10: give 1 to the budget of 9"),
    ],
)
def test_protocols_that_make_no_sense_are_refused(protocol: SearchProtocol, said: str) -> None:
    SearchProtocol().check()
    with pytest.raises(InputError, match=said):
        protocol.check()


def test_thresholds_are_of_the_best_and_below_it() -> None:
    protocol = SearchProtocol(percent=(99.0,), margin=(1.0, 0.5))
    assert protocol.thresholds(80.0) == {"99 %": 79.2, "within 1": 79.0, "within 0.5": 79.5}


@pytest.mark.parametrize(
    ("budget", "asked", "told"),
    [
        (500, None, [50, 100, 200, 500]),
        (30, None, [30]),
        (30, (9, 9, 3), [3, 9]),
    ],
)
def test_the_regret_is_told_where_the_budget_reaches(
    budget: int, asked: tuple[int, ...] | None, told: list[int]
) -> None:
    assert SearchProtocol(budget=budget, regret_at=asked).all_regret_at == told
