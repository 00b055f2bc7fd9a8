"""Comparisons of searches: stored searches, resuming, same starts, tables, refusals."""

import json
from dataclasses import replace
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.experiments.search_comparison import make_search_comparison, reading
from cole_core.experiments.search_labels import describe_search, search_labels
from cole_core.experiments.searches import (
    EXPERIMENTS,
    SearchConfiguration,
    make_experiment,
    parse_search_configuration,
)
from cole_core.search import Step
from cole_core.search import processes as search_workers
from cole_core.search.bananas import Bananas
from cole_core.statistics import corrected_paired_t_test
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.requests import Measured
from flows.resolve.values import one_target
from flows.resolve.vectors import find_labelled
from flows.stages import compare_searches as comparing_searches
from flows.stages.compare_searches import CompareSearchesRequest, compare_searches
from flows.stages.enumerate import EnumerateRequest, enumerate_architectures
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.report import ReportRequest, report
from flows.stages.search import SearchRequest, search
from tests.flows.conftest import SIZE, SPACE, Cole, Small

CIFAR10 = Measured(dataset="cifar10")
BASE = SearchConfiguration(precision="fp32")
DEFAULT, PATH, GRAF = "encoding=code.bare", "encoding=path", "encoding=graf"
PAPER = "preset=paper,encoding=path,epochs=5"
RANDOM = "algorithm=random_search"


def asked(small: Small, *configurations: str, **changes: Any) -> CompareSearchesRequest:
    """A quick comparison of searches on vectors in fp32, in this process."""
    usual: dict[str, Any] = {
        "home": small.home,
        "measured": CIFAR10,
        "configuration": configurations,
        "precision": "fp32",
        "seeds": 3,
        "budget": 24,
        "percent": (97.0, 99.0, 100.0),
        "margin": (0.5,),
        "processes": 1,
    }
    return CompareSearchesRequest(**(usual | changes))


def compare(small: Small, *configurations: str, **changes: Any) -> dict[str, Any]:
    return compare_searches(asked(small, *(configurations or (PATH, RANDOM)), **changes))


def stored_searches(small: Small) -> dict[tuple[str, str, int], list[tuple[str, float]]]:
    """Natives and values of each search in their order, by algorithm, encoding and seed."""
    rows = small.warehouse.sql(
        "SELECT algorithm, encoding, seed, native, value FROM searches ORDER BY search_id, step"
    )
    found: dict[tuple[str, str, int], list[tuple[str, float]]] = {}
    for algorithm, encoding, seed, native, value in rows.iter_rows():
        found.setdefault((algorithm, encoding, seed), []).append((native, value))
    return found


@pytest.mark.parametrize(
    ("configuration", "vectors", "algorithm"),
    [
        (DEFAULT, Vectors(precision="fp32"), AlgorithmOptions()),
        (
            PAPER,
            Vectors(encoding="path"),
            AlgorithmOptions(
                head="mlp",
                acquisition="its",
                candidates="mutation",
                initial=20,
                batch=10,
                parameter=("epochs=5",),
            ),
        ),
        (RANDOM, Vectors(precision="fp32"), AlgorithmOptions(name="random_search")),
    ],
)
def test_searches_are_those_of_cole_search(
    small: Small, configuration: str, vectors: Vectors, algorithm: AlgorithmOptions
) -> None:
    """In both orders: what one ran the other reuses, and their steps are the same."""

    def alone(*seeds: int) -> dict[str, Any]:
        return search(
            SearchRequest(
                space="nasbench201",
                home=small.home,
                measured=CIFAR10,
                vectors=vectors,
                algorithm=algorithm,
                budget=24,
                seeds=seeds,
            )
        )

    one = alone(1)["searches"][0]["search_id"]
    summary = compare(small, configuration, GRAF)
    assert (summary["skipped"], summary["evaluations"]) == (24, 5 * 24)
    again = alone(0, 1, 2)
    assert (again["skipped"], again["evaluations"]) == (72, 0)
    ids = [each["search_id"] for each in again["searches"]]
    assert ids[1] == one
    assert summary["rows"][0]["search_ids"] == ids

    before = small.warehouse.sql(f"SELECT native FROM searches WHERE search_id = '{ids[2]}'")
    with small.warehouse.catalog.write() as connection:
        connection.execute("DELETE FROM store.search_steps WHERE search_id = ?", [ids[2]])
    alone(2)
    after = small.warehouse.sql(f"SELECT native FROM searches WHERE search_id = '{ids[2]}'")
    assert after.equals(before)


def test_a_rerun_runs_what_is_missing(small: Small) -> None:
    first = compare(small)
    assert (first["evaluations"], first["skipped"]) == (6 * 24, 0)
    again = compare(small)
    assert (again["evaluations"], again["skipped"]) == (0, 6 * 24)
    assert again["rows"] == first["rows"]
    assert again["regrets"] == first["regrets"]
    longer = compare(small, seeds=4, budget=27)
    assert (longer["evaluations"], longer["skipped"]) == (2 * 4 * 27 - 6 * 24, 6 * 24)
    assert longer["comparison_id"] != first["comparison_id"]


def test_a_killed_comparison_goes_on_where_it_was(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The undisturbed steps, although one seed has gone further than the others."""
    compare(small, PATH, DEFAULT)
    undisturbed = stored_searches(small)
    first = small.warehouse.sql("SELECT min(search_id) AS id FROM searches")["id"][0]
    with small.warehouse.catalog.write() as connection:
        connection.execute(
            "DELETE FROM store.search_steps WHERE step > 12 OR search_id = ?", [first]
        )
    rounds, ran = search_workers.search_rounds, []

    def killed(*arguments: Any) -> Any:
        for rows in rounds(*arguments):
            if len(ran) == 2:
                raise KeyboardInterrupt
            ran.append(rows.height)
            yield rows

    monkeypatch.setattr(search_workers, "search_rounds", killed)
    with pytest.raises(KeyboardInterrupt):
        compare(small, PATH, DEFAULT)
    monkeypatch.undo()
    kept = sum(map(len, stored_searches(small).values()))
    assert kept == 5 * 12 + sum(ran)  # the interrupted one kept what it had evaluated
    summary = compare(small, PATH, DEFAULT)
    assert (summary["evaluations"], summary["skipped"]) == (6 * 24 - kept, kept)
    assert stored_searches(small) == undisturbed


def test_two_processes_run_what_one_does(small: Small) -> None:
    compare(small, PATH, RANDOM)
    one = stored_searches(small)
    with small.warehouse.catalog.write() as connection:
        connection.execute("DELETE FROM store.search_steps")
    summary = compare(small, PATH, RANDOM, processes=2)
    assert summary["evaluations"] == 6 * 24
    assert stored_searches(small) == one
    seconds = small.warehouse.sql("SELECT min(seconds) AS least FROM searches")["least"][0]
    assert seconds > 0


def test_all_begin_with_the_same_architectures(small: Small) -> None:
    """As far as each begins at random: 20, 10, 24 and 12 evaluations, and one."""
    others = ["regularized_evolution,population=12", "local_search"]
    compare(small, PAPER, DEFAULT, RANDOM, *(f"algorithm={name}" for name in others))
    found = stored_searches(small)
    for seed in range(3):
        at_random = [native for native, _ in found["random_search", "none", seed]]
        for key, initial in (
            (("bananas", "path", seed), 20),
            (("bananas", "code.bare", seed), 10),
            (("regularized_evolution", "none", seed), 12),
            (("local_search", "none", seed), 1),
        ):
            begun = [native for native, _ in found[key][:initial]]
            assert begun == at_random[:initial], key
    assert found["random_search", "none", 0][0] != found["random_search", "none", 1][0]


def test_the_tables_are_those_of_a_plain_loop_over_the_steps(small: Small) -> None:
    compare(small, RANDOM, DEFAULT)
    found = stored_searches(small)
    values = [
        np.array([[value for _, value in found[*key, seed]] for seed in range(3)])
        for key in (("random_search", "none"), ("bananas", "code.bare"))
    ]
    best = max(small.accuracies.values())
    stored = small.warehouse.sql("SELECT * FROM search_comparisons")
    assert stored["best"].to_list() == [best] * 8
    assert stored["threshold"].unique().sort().to_list() == ["100 %", "97 %", "99 %", "within 0.5"]
    for name, threshold in (("97 %", 0.97 * best), ("100 %", best), ("within 0.5", best - 0.5)):
        rows = stored.filter(pl.col("threshold") == name).sort("position")
        counts = []
        for table, row in zip(values, rows.iter_rows(named=True), strict=True):
            counts.append([])
            for curve in table:
                there = [i + 1 for i, value in enumerate(curve) if value >= threshold]
                counts[-1].append(there[0] if there else 24)
            never = sum(max(curve) < threshold for curve in table)
            assert row["evaluations"] == pytest.approx(np.mean(counts[-1]))
            assert row["standard_error"] == pytest.approx(np.std(counts[-1], ddof=1) / np.sqrt(3))
            assert row["censored"] == never
            means = [np.mean([max(c[: i + 1]) for c in table]) for i in range(24)]
            crossed = [i + 1 for i, mean in enumerate(means) if mean >= threshold - 1e-9]
            assert row["crossing"] == (crossed[0] if crossed else None)
        test = corrected_paired_t_test(counts[1], counts[0], test_fraction=0)
        row = rows.row(1, named=True)
        assert row["p_value"] == pytest.approx(test.p_value)
        assert row["change"] == pytest.approx(np.mean(counts[1]) / np.mean(counts[0]) - 1)
        assert rows["p_value"][0] is None
        assert row["wins"] + row["ties"] + row["losses"] == 3
    regrets = small.warehouse.sql("SELECT * FROM search_regrets ORDER BY position")
    assert regrets["evaluations"].to_list() == [24, 24]
    expected = [best - table.max(axis=1).mean() for table in values]
    assert regrets["regret"].to_list() == pytest.approx(expected)
    linked = small.warehouse.sql(
        "SELECT count(DISTINCT search_id) AS searches FROM searches JOIN search_comparisons "
        "ON list_contains(search_ids, search_id) WHERE position = 0"
    )
    assert linked["searches"][0] == 3


def test_ending_when_all_is_reached_moves_no_metric(small: Small) -> None:
    """The same counts and crossings for less, and regrets that say what they are."""
    protocol = {"budget": 40, "percent": (97.0, 98.0), "margin": (), "regret_at": (5, 40)}
    early = compare(small, DEFAULT, RANDOM, until_reached=True, **protocol)
    assert early["evaluations"] < 6 * 40
    assert compare(small, DEFAULT, RANDOM, until_reached=True, **protocol)["evaluations"] == 0
    full = compare(small, DEFAULT, RANDOM, **protocol)
    assert early["evaluations"] + full["evaluations"] == 6 * 40
    for name in ("evaluations", "median", "censored", "crossing", "p_value", "wins"):
        assert [row[name] for row in early["rows"]] == [row[name] for row in full["rows"]], name
    last = [row for row in early["regrets"] if row["evaluations"] == 40]
    assert any(row["ended_early"] for row in last)
    for row, other in zip(early["regrets"], full["regrets"], strict=True):
        assert row["regret"] >= other["regret"] - 1e-12
        assert other["ended_early"] == 0


def test_only_what_all_have_is_searched(small: Small) -> None:
    """A run of `enumerate` after `embed` leaves architectures without a vector."""
    enumerate_architectures(
        EnumerateRequest(space="nasbench201", home=small.home, samples=20, seed=1)
    )
    more = small.table.with_name("more_searched.csv")
    natives = small.warehouse.architectures(SPACE)["native"].to_list()
    pl.DataFrame(
        {"arch_str": natives, "cifar10_test_accuracy_200": np.linspace(80.0, 90.0, len(natives))}
    ).write_csv(more)
    ingest(IngestRequest(space="nasbench201", home=small.home, origin=str(more), source="more"))
    measured = Measured(dataset="cifar10", source="more")
    two = compare(small, DEFAULT, PATH, measured=measured)
    assert two["architectures"] == SIZE < len(natives)
    plain = compare(small, RANDOM, "algorithm=local_search", measured=measured)
    assert plain["architectures"] == len(natives)


def test_comparisons_stand_in_the_report(small: Small) -> None:
    summary = compare(small, PATH, DEFAULT, RANDOM)
    request = ReportRequest(space="nasbench201", home=small.home, measured=CIFAR10)
    html = Path(report(request)["report"]).read_text("utf-8")
    assert summary["finding"].split(" needs ")[0] in html
    assert f"{summary['rows'][0]['evaluations']:.1f}" in html
    assert "bananas · code.bare" in html
    assert report(request)["reports"] == 0
    compare(small, PATH, DEFAULT, RANDOM, percent=(95.0,))
    assert report(request)["reports"] == 1


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_varies_something(name: str) -> None:
    made = make_experiment(name, SPACE.roles, BASE)
    assert len(set(made)) == len(made) >= 2
    assert {each.precision for each in made} == {"fp32"}


def test_the_ablation_leads_from_the_papers_search_to_the_default() -> None:
    made = make_experiment("ablation", SPACE.roles, BASE)
    for start, end, encoding in ((made[0], made[4], "path"), (made[5], made[9], BASE.encoding)):
        assert start == SearchConfiguration(preset="paper", encoding=encoding, precision="fp32")
        assert end.parameters() == BASE.parameters()
        assert {start.encoding, end.encoding} == {encoding}


def test_a_configuration_is_read_from_its_text() -> None:
    text = "preset=paper, encoding=path,hidden=[64,32],batch=5,acquisition=ucb,random_init=3"
    read = parse_search_configuration(text, BASE)
    assert (read.preset, read.encoding, read.random_init) == ("paper", "path", 3)
    assert read.parameters() == {"hidden": (64, 32), "batch": 5, "acquisition": "ucb"}
    assert parse_search_configuration("batch=7", read).parameters()["batch"] == 7
    assert parse_search_configuration("beta=0.5", BASE).parameters() == (
        BASE.parameters() | {"beta": 0.5}
    )


def configuration(**parameters: Any) -> dict[str, Any]:
    made = Bananas(**parameters)
    return {
        "algorithm": "bananas",
        "encoding": "path",
        "context": "none",
        "parameters": json.loads(json.dumps(made.get_params())),
        "surrogate": json.loads(json.dumps(made.surrogate_params())),
    }


def test_labels_say_what_differs_and_no_two_are_the_same() -> None:
    quick = configuration(epochs=5)
    slow, reduced = configuration(), configuration(reduction="zscore")
    gaussian = configuration(head="gaussian_process", batch=5)
    described = [describe_search(each, None) for each in (quick, slow, reduced, gaussian)]
    assert search_labels(described, list("abcd")) == [
        "path · paper's but epochs 5",
        "path · paper's",
        "path · paper's but zscore",
        "path · paper's but gaussian process, batches of 5, whiten",
    ]
    same = search_labels(described[:1] * 2, ["first-id", "other-id"])
    assert same == ["path (first-)", "path (other-)"]


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ({"seeds": 1}, "--seeds 1: at least 2"),
        ({"budget": 61}, "--budget 61: "),
        ({"percent": (0.0,)}, "--percent 0: "),
        ({"percent": (100.5,)}, "--percent 100.5: "),
        ({"percent": (), "margin": ()}, "no threshold"),
        ({"margin": (-1.0,)}, "--margin -1: "),
        ({"budget": 20, "regret_at": (21,)}, "--regret-at 21: "),
        ({"first_seed": -1}, "--first-seed -1"),
    ],
)
def test_protocols_that_cannot_be_run(small: Small, protocol: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        compare(small, **protocol)
    assert small.warehouse.recent_runs(1)["flow"].to_list() == ["embed"]  # none was begun


def test_a_configuration_of_ones_own_stands_beside_an_experiment(small: Small) -> None:
    plain = comparing_searches.plan(asked(small, experiment="defaults"))
    made = comparing_searches.plan(asked(small, RANDOM, experiment="defaults"))
    ids = [each.configuration_id for each in made.searches]
    assert ids[:-1] == [each.configuration_id for each in plain.searches]
    assert made.labels[-1] == "random search"


def test_what_is_not_there_is_named_with_its_command(small: Small) -> None:
    with pytest.raises(InputError) as error:
        compare_searches(asked(small, experiment="encodings"))
    said = str(error.value)
    assert "\n" not in said
    assert "cole render nasbench201 --encoding code.exclude_helper; cole embed" in said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.full(SIZE, 5.0), "all 60 measured values are 5"),
        (np.append(np.arange(SIZE - 1.0), np.nan), "is NaN or infinite"),
    ],
)
def test_values_that_say_nothing(small: Small, values: np.ndarray, said: str) -> None:
    request = asked(small, PATH, RANDOM)
    configurations = request.configurations(SPACE)
    target = one_target(small.warehouse, SPACE, CIFAR10)
    found = find_labelled(small.warehouse, SPACE, reading(configurations), target)
    changed = {
        vectors: (source, replace(pool, values=values)) for vectors, (source, pool) in found.items()
    }
    with pytest.raises(InputError, match=said):
        make_search_comparison(
            SPACE, None, configurations, changed, target, request.protocol, specifications={}
        )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "unknown experiment 'nothing': choose one of encodings"),
        ([], "nothing to compare"),
        (["-c", "encoding=path", "-c", "encoding=path,batch=5"], "nothing to compare"),
        (["-c", "preset=paper,encoding=path,hidden=[8,8]"], "nothing to compare"),
        (["-c", "path"], "'path' is not name=value"),
        (["-c", "preset=best"], "no preset 'best', choose one of recommended, paper"),
        (["-c", "algorithm=hill", "-c", "encoding=path"], "unknown search algorithm 'hill'"),
        (["-c", "colour=red", "-c", "encoding=path"], "colour"),
        (["-c", "encoding=graf", "-c", "encoding=patth"], "unknown encoding"),
        (["-c", "encoding=graf", "-c", "encoding=path,head=forest"], "unknown head 'forest'"),
        (
            ["-c", "encoding=graf", "-c", "encoding=path,btach=5"],
            "no parameter 'btach': choose",
        ),
        (
            ["-c", "encoding=graf", "-c", "algorithm=random_search,batch=5"],
            "has no parameter 'batch': it takes none",
        ),
        (["-c", "encoding=graf,random_init=x"], "random_init is a number"),
        (["-c", "encoding=graf", "-c", "encoding=path", "--budget", "9999"], "--budget 9999"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    small: Small, cole: Cole, arguments: list[str], said: str
) -> None:
    code, _, printed = cole("compare", "search", *arguments, "--home", small.home)
    assert code == 2
    assert said in printed
    assert "\n" not in printed.strip()


def test_the_command_prints_tables_and_finding(small: Small, cole: Cole) -> None:
    command = ["compare", "search", "-c", "encoding=path", "-c", "algorithm=random_search"]
    command += ["--seeds", "2", "--budget", "20", "--percent", "98", "--processes", "1"]
    command += ["--home", str(small.home)]
    code, printed, _ = cole(*command)
    assert code == 0
    assert "80 evaluations made" in printed
    assert "ref." in printed
    assert "To be at 98 %" in printed
    summary = json.loads(cole(*command, "--json")[1])
    assert (summary["evaluations"], summary["skipped"]) == (0, 80)
    assert [row["label"] for row in summary["rows"]][:2] == ["bananas · path", "random search"]


def test_a_process_that_dies_is_noticed(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_workers, "_work", methodcaller("close"))
    made = comparing_searches.plan(asked(small, PATH, RANDOM))
    stack = search_workers.Stack(made.searches[0], 24, [0], [list[Step]()], None)
    with pytest.raises(RuntimeError, match="ended early"):
        list(search_workers.run_stacks([stack, stack], processes=2))
