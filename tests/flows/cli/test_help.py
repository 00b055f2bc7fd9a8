"""The help pages: every option is explained, names and defaults stand there, at any width."""

import inspect
import io
import re

import pytest
from rich.console import Console

from cole_core.experiments import predictors as predictor_experiments
from cole_core.experiments import searches as search_experiments
from cole_core.predictors import heads
from cole_core.search import searches
from cole_core.search.acquisitions import acquisitions
from flows.cli.app import make_app
from tests.flows.cli.commands import command_paths
from tests.flows.conftest import Cole

COMMANDS = sorted(command_paths(make_app()))
GROUPS = [(), ("compare",), ("watch",)]


def options_of(path: tuple[str, ...]) -> dict[str, str]:
    """The help of each option by each of its names."""
    app = root = make_app(path[0])
    for name in path:
        app = app[name]
    arguments = app.assemble_argument_collection(
        default_parameter=root.default_parameter, parse_docstring=True
    )
    return {
        name: argument.parameter.help or ""
        for argument in arguments.filter_by(show=True)
        for name in argument.names
    }


def page(path: tuple[str, ...], width: int = 80) -> str:
    """What `cole PATH --help` prints on a terminal so wide, or into a pipe."""
    console = Console(file=io.StringIO(), width=width)
    make_app(*path[:1]).help_print([*path], console=console)
    return console.file.getvalue()


def flat(said: str) -> str:
    """A page without its frames and line breaks."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", said).split())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_is_explained(path: tuple[str, ...]) -> None:
    options = options_of(path)
    assert "--json" in options or path in {("deploy",), ("ui",)}  # which serve
    for name, said in options.items():
        assert re.fullmatch(r"\S.{3,}\.", " ".join(said.split())), (name, said)


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("path", [*GROUPS, *COMMANDS], ids=lambda path: " ".join(path) or "cole")
def test_pages_fit_and_say_defaults_as_people_give_them(path: tuple[str, ...], width: int) -> None:
    said = page(path, width)
    assert max(map(len, said.splitlines())) <= width
    assert "\x1b" not in said
    words = flat(said)
    assert words.startswith(f"Usage: {' '.join(('cole', *path))} ")
    assert not re.search(r"\[default: *(\(|\[|\]|None|False|\"\"|'|.{0,40},\])", words)
    if path in COMMANDS:
        for name in options_of(path):
            assert re.search(rf"(?<!\S){re.escape(name)}(?!\S)", words), name


@pytest.mark.parametrize(
    ("path", "name", "default"),
    [
        (("train",), "-n", "220"),
        (("train",), "--dataset", None),
        (("compare", "predictors"), "-n", "14, 55, 220, 879"),
        (("compare", "search"), "--percent", "98, 98.5, 99, 99.5"),
        (("compare", "search"), "--regret-at", None),
        (("optimize",), "--older-than", "24"),
        (("evaluate",), "--weight-decay", "0.0005"),
        (("search",), "--seed", "0"),
        (("search",), "--parameter", None),
        (("embed",), "--instruction", None),
        (("best",), "--canonical", None),
        (("deploy",), "--heads", "0 2 * * *"),
    ],
)
def test_defaults(path: tuple[str, ...], name: str, default: str | None) -> None:
    (line,) = re.findall(rf"^│(?: \*)? +{name}[ .].*$", page(path, 400), re.MULTILINE)
    found = re.search(r"\[default: (.*?)\]", line)
    assert (found[1] if found else None) == default


@pytest.mark.parametrize(
    ("path", "option", "names"),
    [
        (("train",), "--head", list(heads)),
        (("search",), "--algorithm", list(searches)),
        (("search",), "--head", list(heads)),
        (("search",), "--acquisition", list(acquisitions)),
        (("compare", "predictors"), "--experiment", list(predictor_experiments.EXPERIMENTS)),
        (("compare", "predictors"), "--head", list(heads)),
        (("compare", "search"), "--experiment", list(search_experiments.EXPERIMENTS)),
        (("deploy",), "--experiment", list(predictor_experiments.EXPERIMENTS)),
    ],
)
def test_an_option_that_takes_a_registered_name_lists_all(
    path: tuple[str, ...], option: str, names: list[str]
) -> None:
    said = options_of(path)[option]
    assert len(names) >= 4
    for name in names:
        assert re.search(rf"\b{name}\b", said), (name, said)


def test_what_a_package_registers_stands_in_the_help() -> None:
    """Where its help is made: from the registry, and not from a list that somebody wrote."""
    from flows.resolve.requests import one_of

    with heads.registered("of_somebody", lambda: None):
        assert "of_somebody" in str(one_of(heads, "The head").help)


def test_the_list_of_commands_says_what_their_pages_begin_with() -> None:
    app = make_app()
    names = [name for name in app if not name.startswith("-")]
    assert len(names) >= 20
    for name in names:
        short = app[name].help
        command = make_app(name)[name]
        function = command.default_command
        whole = inspect.getdoc(function) if function is not None else command.help
        assert " ".join(str(whole).split()).startswith(str(short).rstrip(".")), name


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("models",), "hub ids and local paths work as well"),
        (("search",), "with --train by training networks"),
        (("evaluate",), 'cole sql "SELECT * FROM trainings"'),
        (
            ("deploy",),
            "A schedule is a cron line ('0 3 * * *', UTC), 'every 30 minutes', or 'never'.",
        ),
        (("run",), "In order: enumerate, render, embed"),
    ],
)
def test_a_page_says_what_the_list_leaves_out(path: tuple[str, ...], words: str) -> None:
    assert words in flat(page(path))
    assert words not in flat(page(()))


def test_stages_stand_in_the_order_of_the_data() -> None:
    listed = re.findall(r"^│ (\w+) ", page(()), re.MULTILINE)
    stages = ["enumerate", "render", "embed", "ingest", "evaluate", "proxies"]
    stages += ["train", "search", "report"]
    assert listed[: len(stages) + 1] == ["run", *stages]


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(path) or "cole")
def test_a_group_alone_prints_its_help(cole: Cole, path: tuple[str, ...]) -> None:
    code, out, err = cole(*path)
    assert (code, err) == (0, "")
    assert flat(out) == flat(page(path))
    assert cole(*path, "--help") == (0, out, "")


def test_help_comes_before_what_is_wrong(cole: Cole) -> None:
    code, out, _ = cole("train", "--help", "--epoch", "3")
    assert (code, flat(out)) == (0, flat(page(("train",))))
