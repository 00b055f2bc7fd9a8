"""What every command prints, on terminals and in pipes of 60, 80 and 200 columns."""

import contextlib
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cole_core.spaces.nasbench201 import NASBench201
from flows.cli import compare, stages, upkeep
from flows.cli.app import main, make_app
from flows.cli.printing import Printer
from tests.flows.cli.commands import command_paths
from tests.flows.cli.printed import printed
from tests.flows.conftest import Small
from tests.flows.few_protocols import list_few

NB = "nasbench201"
CIFAR10 = ("--dataset", "cifar10")
FP32 = ("--precision", "fp32")

# Every command with arguments of its own, in an order in which each has what it needs; {n} is
# another number each time.
ARGUMENTS: dict[tuple[str, ...], tuple[object, ...]] = {
    ("enumerate",): (NB, "--samples", 5, "--seed", 9),
    ("render",): (NB,),
    ("embed",): (NB, *FP32),
    ("ingest",): (NB, "{table}"),
    ("evaluate",): ("einspace", "--dataset", "digits", "--samples", 2, "--epochs", 1),
    ("proxies",): ("einspace", "--images", 4),
    ("train",): (NB, *CIFAR10, "-n", 14, "-n", 20, "--draws", 2, "--head", "ridge"),
    ("search",): (NB, *CIFAR10, "--budget", 12, "--seed", 0, "--seed", 1),
    ("report",): (NB, *CIFAR10),
    ("run",): ("einspace", "--samples", 24, "--epochs", 1),
    ("compare", "predictors"): (
        *("--encoding", "code.bare", "--encoding", "graf", *FP32, *CIFAR10),
        *("-n", 14, "-n", 20, "--folds", 5, "--repeats", 1, "--head", "ridge"),
    ),
    ("compare", "search"): (
        *("-c", "algorithm=random_search", "-c", "encoding=graf,head=ridge,acquisition=exploit"),
        *("--seeds", 2, "--budget", 20, "--processes", 1, *CIFAR10),
    ),
    ("compare", "published"): (*("found", "--encoding", "graf", "--seeds", 2, "--processes", 1),),
    ("best",): (*CIFAR10, "-k", 3),
    ("sources",): (),
    ("forget",): ("{table_name}",),  # without --yes, so that it says what would be
    ("models",): (),
    ("schema",): ("trials",),
    ("show",): ("{native}", "-k", 2),
    ("similar",): ("{native}", "-k", 2),
    ("sql",): ("SELECT *, [1, 2] AS l, {{'a': 'nan'::DOUBLE}} AS s FROM evaluations LIMIT 3",),
    ("status",): (),
    ("watch", "add"): ("--space", NB),
    ("watch", "list"): (),
    ("watch", "remove"): ("minilm",),
    ("optimize",): (),
    ("doctor",): (),
    ("export",): ("{folder}/export-{n}",),
    ("import",): ("{folder}/export-1",),
    ("backup",): ("{folder}/backups",),
}
ENDLESS = {("deploy",), ("ui",)}  # serve until they are interrupted
SCRIPTS = {("completion",)}  # what it prints is for a shell
ANSWERS = {
    ("sql",),
    ("doctor",),
    ("export",),
    ("sources",),
    ("forget",),
}  # after which nothing follows by itself
SETTINGS = [(width, terminal) for width in (60, 80, 200) for terminal in (True, False)]

PYTHON = re.compile(
    r"\{'|\[\{|\['|\bNone\b|\bnan\b|Path\(|\bTrue\b|\bFalse\b| object at |Decimal\(|datetime\."
)
BOXES = re.compile(r"[\u2500-\u257f]")
BROKEN_NUMBER = re.compile(r"\d[,.]\n *\d{3}(?!\d)|\d\n *[,.]\d")

Said = dict[tuple[int, bool], str]


def test_every_command_is_here() -> None:
    assert set(ARGUMENTS) | ENDLESS | SCRIPTS == set(command_paths(make_app()))


def remembering(run: Callable[..., Any]) -> Callable[..., Any]:
    """What a stage did the first time, so that the same summary is printed at each width."""
    known: dict[str, Any] = {}

    def once(flow: Any, plan: Any, request: Any, *others: Any) -> Any:
        if (key := repr(request)) not in known:
            known[key] = run(flow, plan, request, *others)
        return known[key]

    return once


def exit_code(*arguments: object) -> object:
    """Runs `cole ARGUMENTS`."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["cole", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
    return exit_.value.code


def run(*arguments: object) -> None:
    """Runs `cole ARGUMENTS`, which must succeed."""
    assert exit_code(*arguments) in (0, None), arguments


@pytest.fixture(scope="module")
def house(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """A small warehouse that the environment names."""
    home = tmp_path_factory.mktemp("summaries") / "home"
    shutil.copytree(made.home, home)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COLE_HOME", str(home))
        patched.setattr(NASBench201, "published", list_few(home.parent / "listed.toml"))
        for module in (stages, compare, upkeep):
            patched.setattr(module, "run_stage", remembering(module.run_stage))
        yield Small(home, made.table)


@pytest.fixture(scope="module")
def said(house: Small) -> dict[tuple[str, ...], Said]:
    """What each command prints in each setting."""
    native = next(iter(house.accuracies))
    found: dict[tuple[str, ...], Said] = {}
    for path, arguments in ARGUMENTS.items():
        found[path] = {}
        for number, setting in enumerate(SETTINGS, start=1):
            given = [
                str(word).format(
                    n=number,
                    table=house.table,
                    table_name=house.table.name,
                    folder=house.home.parent,
                    native=native,
                )
                for word in arguments
            ]
            if path == ("watch", "remove") and number > 1:
                run("watch", "add", "--space", NB)
            found[path][setting] = printed(lambda: run(*path, *given), *setting)  # noqa: B023
    return found


@pytest.fixture(scope="module")
def values(house: Small, said: dict[tuple[str, ...], Said]) -> list[str]:
    """What must stay whole: hashes, paths and native strings of the warehouse."""
    columns = {
        "architectures": ("architecture_id", "native"),
        "embeddings": ("spec_id",),
        "trials": ("trial_id", "configuration_id"),
        "searches": ("search_id",),
        "runs": ("run_id",),
    }
    found = {str(path) for path in house.home.parent.rglob("*")}
    for view, names in columns.items():
        for name in names:
            found |= set(house.warehouse.sql(f"SELECT DISTINCT {name} FROM {view}")[name])
    return sorted(value for value in found if value)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def plain(text: str) -> str:
    """Without the styles of a terminal."""
    return re.sub(r"\x1b\[\d*m", "", text)


@pytest.mark.parametrize("path", ARGUMENTS, ids=" ".join)
def test_it_reads_well(
    said: dict[tuple[str, ...], Said], values: list[str], path: tuple[str, ...]
) -> None:
    for (width, terminal), text in said[path].items():
        assert ("\x1b" in text) <= terminal
        text = plain(text)
        assert text.strip()
        assert not BOXES.search(text)
        assert not PYTHON.search(text), (path, width, PYTHON.search(text))
        assert not BROKEN_NUMBER.search(text)
        together, lines = squeezed(text), [squeezed(line) for line in text.splitlines()]
        for value in values:
            whole = squeezed(value)
            if whole in together:
                assert any(whole in line for line in lines), (width, value)
        for line in text.splitlines():
            if len(line) > width:
                known = any(value in line for value in values)
                assert known or _one_value(line), (path, width, line)


def _one_value(line: str) -> bool:
    """Whether a line is a single value: a word, JSON or a line of code."""
    line = line.strip()
    return " " not in line or line[:1] in '{["' or line.startswith(("class ", "def ", "return "))


@pytest.mark.parametrize("path", ARGUMENTS, ids=" ".join)
def test_the_next_command_is_one(
    said: dict[tuple[str, ...], Said], house: Small, path: tuple[str, ...]
) -> None:
    commands = set()
    for text in said[path].values():
        _, mark, command = plain(text).partition("\nnext: ")
        assert bool(mark) == (path not in ANSWERS)
        commands.add(tuple(shlex.split(command)))
    if path == ("backup",):  # each copy has a name of its own
        return
    [words] = commands
    if words:
        assert words[0] == "cole"
        make_app(words[1]).parse_args(list(words[1:]))
        if words[1] == "best":
            run(*words[1:], "--json")


def test_json_has_no_next_command(house: Small, capsys: pytest.CaptureFixture[str]) -> None:
    run("status", "--json")
    assert "next" not in capsys.readouterr().out


# What a person sees, as it is to look.

TRAINED = {
    "trials": 4,
    "skipped": 2_000,
    "n_test": 1_563,
    "values": "cifar10 test accuracy, 200 epochs, from mine.csv",
    "kendall_tau": [
        {"n": 14, "mean": 0.6821, "std": 0.0021, "draws": 2},
        {"n": 3_516, "mean": None, "std": None, "draws": 2},
    ],
}
LOOKS: list[tuple[str, dict[str, Any], str]] = [
    (
        "enumerate",
        {"architectures": 0, "skipped": 15_625},
        "enumerate: nothing new: 15,625 architectures are there\nalready\n",
    ),
    (
        "render",
        {"renderings": 58, "skipped": 1, "failed": 2},
        "render: 58 texts written, 1 was there already\n"
        "2 architectures could not be written and will be tried\nagain.\n",
    ),
    (
        "embed",
        {
            "spec_id": "9efc9da90a056c9af18a2e13b7569f0f",
            "embedded": 4_878,
            "skipped": 52,
            "tokens": 366_064,
            "truncated": 0,
            "recovered": 0,
            "lost": 0,
        },
        "embed: 4,878 texts embedded, 52 were there already; 366,064\n"
        "tokens read\n"
        "specification: 9efc9da90a056c9af18a2e13b7569f0f\n",
    ),
    (
        "train",
        TRAINED,
        "train: 4 trials run, 2,000 were there already\n"
        "values: cifar10 test accuracy, 200 epochs, from mine.csv\n"
        "Ranks of 1,563 architectures held out:\n"
        "  labelled  draws  Kendall tau\n"
        "        14      2  0.682 ± 0.002\n"
        "     3,516      2  none: the head gives all one value\n",
    ),
    (
        "search",
        {
            "evaluations": 60,
            "skipped": 0,
            "searches": [
                {
                    "search_id": "a" * 32,
                    "seed": seed,
                    "evaluations": 30,
                    "skipped": 0,
                    "best": f"|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~{seed}|",
                    "best_value": 93.5 + seed,
                    "found_after": 21,
                }
                for seed in (0, 1)
            ],
        },
        "search: 60 evaluations made\n"
        "  seed  best value  found after  evaluations\n"
        "     0       93.50           21           30\n"
        "     1       94.50           21           30\n"
        "best, of seed 1:\n"
        "  |nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~1|\n",
    ),
    (
        "evaluate",
        {
            "trainings": 98,
            "skipped": 0,
            "trainings_diverged": 2,
            "trainings_source": "cole:0123456789ab",
        },
        "evaluate: 98 networks trained, 2 diverged\nsource of the values: cole:0123456789ab\n",
    ),
]


@pytest.mark.parametrize(("stage", "did", "look"), LOOKS, ids=[stage for stage, _, _ in LOOKS])
def test_how_it_looks(stage: str, did: dict[str, Any], look: str) -> None:
    assert printed(lambda: Printer(False).summary(stage, did), 60, terminal=False) == look


def test_how_a_small_warehouse_looks(made: Small) -> None:
    counts = made.warehouse.status() | {"home": "cole-home", "runs": 3}
    spec_id = counts["embeddings"][0]["spec_id"]
    texts, tokens = (counts["embeddings"][0][name] for name in ("vectors", "tokens"))
    canonical = counts["spaces"][NB]["canonical"]
    assert printed(lambda: Printer(False).status(counts), 60, terminal=False) == (
        "warehouse: cole-home\n"
        "\n"
        "spaces\n"
        "  space        architectures  canonical forms\n"
        f"  nasbench201             60               {canonical}\n"
        "\n"
        "renderings of nasbench201\n"
        "  encoding   context  architectures  distinct texts\n"
        f"  code.bare  none                60              {texts}\n"
        "\n"
        "evaluations of nasbench201\n"
        "  dataset  metric    split  epochs  source    values\n"
        "  cifar10  accuracy  test      200  mine.csv      60\n"
        "\n"
        "embeddings\n"
        f"  {spec_id}\n"
        "    language model minilm, pooling avg_avg, precision fp32,\n"
        f"    dimension 384, vectors {texts}, tokens {tokens:,}, truncated 0\n"
        "\n"
        "runs 3\n"
    )


def test_where_lower_is_better_the_lowest_is_named() -> None:
    searches = [
        {"best": native, "best_value": value, "found_after": 3, "seed": seed, "evaluations": 5,
         "skipped": 0}
        for seed, (native, value) in enumerate([("|good|", 0.0012), ("|bad|", 9.0)])
    ]  # fmt: skip
    did = {"evaluations": 10, "skipped": 0, "direction": "lower", "searches": searches}
    said = printed(lambda: Printer(False).summary("search", did), 80, terminal=False)
    assert "best, of seed 0: |good|" in said
    assert "0.0012" in said
    stages_ = {
        "train": {"trials": 0, "skipped": 6, "kendall_tau": TRAINED["kendall_tau"][:1]},
        "search (bananas)": did,
        "report": {"reports": 1, "skipped": 0, "report": "nasbench201.html"},
    }
    said = printed(lambda: Printer(False).pipeline(stages_), 80, terminal=False)
    assert "best architecture: |good|\n  0.0012 after 3 evaluations" in said


def test_how_a_pipeline_looks() -> None:
    found = {"best": "|a|", "best_value": 94.07, "found_after": 41, "seed": 2}
    stages_ = {
        "enumerate": {"architectures": 15_625, "skipped": 0},
        "train": {"trials": 0, "skipped": 6, **{"kendall_tau": TRAINED["kendall_tau"][:1]}},
        "search (bananas)": {"evaluations": 500, "skipped": 0, "searches": [found]},
        "report": {"reports": 1, "skipped": 0, "report": "cole-home/artifacts/nasbench201.html"},
    }
    assert printed(lambda: Printer(False).pipeline(stages_), 80, terminal=False) == (
        "stage             done                  already there\n"
        "enumerate         15,625 architectures              0\n"
        "train             0 trials                          6\n"
        "search (bananas)  500 evaluations                   0\n"
        "report            1 reports                         0\n"
        "\n"
        "  labelled  draws  Kendall tau\n"
        "        14      2  0.682 ± 0.002\n"
        "\n"
        "best architecture: |a|\n"
        "  94.07 after 41 evaluations, search (bananas), seed 2\n"
        "report: cole-home/artifacts/nasbench201.html\n"
    )


# Nothing to do is not nothing wrong.


@contextlib.contextmanager
def at(home: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COLE_HOME", str(home))
        yield


def test_what_has_no_input_says_what_makes_it(
    made: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    shutil.copytree(made.home, home)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    for arguments, line in (
        (
            ("embed", NB, "--encoding", "arch_str"),
            "no texts of nasbench201 in arch_str are stored, so there is nothing to embed: make "
            "them with: cole render nasbench201 --encoding arch_str",
        ),
        (
            ("embed", "einspace:1x8x8:10"),
            "no texts of einspace:1x8x8:10 in code.expression are stored, so there is nothing to "
            "embed: make them with: cole enumerate einspace:1x8x8:10 --samples N; cole render "
            "einspace:1x8x8:10",
        ),
        (
            ("render", "einspace:1x8x8:10"),
            "no architectures of einspace:1x8x8:10 are stored, so there is nothing to render: "
            "store some with 'cole enumerate einspace:1x8x8:10 --samples N'",
        ),
    ):
        with at(home):
            assert exit_code(*arguments) == 2
        assert capsys.readouterr().err == f"cole: {line}\n"
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    with at(tmp_path / "nowhere"):
        assert exit_code("embed", NB) == 2
    assert "no warehouse at" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
