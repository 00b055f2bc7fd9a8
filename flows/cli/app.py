"""The commands of `cole`; each is imported when it is called."""

import gc
import importlib
import platform
import sys
from collections.abc import Sequence
from typing import Any

from cyclopts import App, Group, Parameter

from cole_core.garbage import uncollected
from flows.cli import exit_codes, vectors_option
from flows.running.consoles import Console

_HELP = """Neural architectures as code, embedded by a frozen language model, kept to be searched.

Begin with **cole run nasbench201**: it fills the warehouse and writes a report.
Each stage also runs alone, does only what is missing, and says what it skipped:

enumerate → render → embed → ingest → train → search → report

Then ask: **cole best**, **cole similar**, **cole show**, **cole sql** (**cole schema**),
**cole status**.

Exit codes: 0 done, 2 bad input (one line says what to change), 1 a fault; 130, 143 and 129 ended
by Ctrl-C, SIGTERM or a closed terminal: what was stored is kept, and the same command goes on.
"""

# Command: where it is, and what it does: as its docstring begins, which is the page of its own.
_COMMANDS = {
    Group("All of it", sort_key=1): {
        "run": ("stages:run", "The whole pipeline, from a space's name to a report."),
    },
    Group("Stages, in the order of the data", sort_key=2): {
        "enumerate": ("stages:enumerate_", "Stores a space's architectures."),
        "render": ("stages:render_", "Writes the architectures as texts."),
        "embed": ("stages:embed_", "Embeds the texts that have no vector yet."),
        "ingest": (
            "stages:ingest_",
            "Stores measured values: accuracies, errors, latencies.",
        ),
        "evaluate": ("stages:evaluate", "Trains architectures on a dataset."),
        "proxies": ("stages:proxies_", "Computes what the encoding proxies is made of."),
        "train": ("stages:train", "Trains a head on stored vectors and tests how well it ranks."),
        "search": ("stages:search_", "Searches for the best architecture."),
        "report": ("stages:report_", "Writes what is known of a space into one HTML file."),
    },
    Group("Comparisons", sort_key=3): {
        "compare": ("compare:app", "Compares encodings, language models, heads and searches."),
    },
    Group("Questions", sort_key=4): {
        "best": ("questions:best_", "Lists the best architectures."),
        "models": ("questions:models", "Lists the language models that --lm knows by name."),
        "show": ("questions:show_", "Says everything about one architecture."),
        "schema": ("questions:schema", "Explains every view and column that 'cole sql' sees."),
        "similar": ("questions:similar_", "Finds the architectures whose vectors are nearest."),
        "sources": ("sources:sources_", "Lists what measured values were taken in."),
        "sql": ("questions:sql", "Queries the views that 'cole schema' explains."),
        "status": ("questions:status", "Counts what the warehouse holds."),
        "ui": ("explore:ui", "Serves a page to explore the warehouse."),
    },
    Group("Upkeep", sort_key=5): {
        "backup": ("upkeep:backup", "Copies the warehouse; the copy is one too."),
        "completion": ("completion:completion", "Prints a script that completes commands."),
        "deploy": ("upkeep:deploy", "Serves the schedules, until it is interrupted."),
        "doctor": ("upkeep:doctor", "Looks for everything that may be wrong."),
        "export": ("upkeep:export", "Writes the warehouse, or what a query names, as Parquet."),
        "forget": ("sources:forget_", "Takes a source of measured values back."),
        "import": ("upkeep:import_", "Adds an export to the warehouse."),
        "optimize": ("upkeep:optimize_", "Compacts the vector tables, drops old versions."),
        "watch": ("upkeep:watch", "Embedding specifications that 'cole deploy' keeps up to date."),
    },
}


def make_app(asked: str | None = None) -> App:
    """The command line.

    Args:
        asked: The command that is called: its page says all that its docstring does.
    """
    app = App(
        name="cole",
        help=_HELP,
        help_format="markdown",
        help_epilogue=vectors_option.ABOUT,
        version=_version,
        console=Console(),
        result_action="return_value",
        default_parameter=Parameter(negative=(), show_default=_default),
        print_error=False,
        exit_on_error=False,
    )
    options = Group("Options", sort_key=len(_COMMANDS) + 1)
    for flag in ("--help", "--version"):
        app[flag].group = options
    for group, commands in _COMMANDS.items():
        for position, (name, (place, about)) in enumerate(commands.items()):
            app.command(
                f"flows.cli.{place}",
                name=name,
                help=None if name == asked else about,
                group=group,
                sort_key=position,
            )
    return app


def _version() -> str:
    """What `cole --version` prints."""
    from importlib.metadata import version

    return f"cole-warehouse {version('cole-warehouse')}, Python {platform.python_version()}"


def _default(value: Any) -> str | None:
    """What a page says of a default: several as they are told apart, nothing of what is not there.

    A flag that is not given says enough by being one.
    """
    if value is False or value in (None, (), ""):
        return None
    if isinstance(value, tuple):
        return ", ".join(_default(each) or "" for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def import_command(asked: str | None = None) -> None:
    """Imports a command before it is called, which is quicker on its own.

    Args:
        asked: Its name; one that is not known is told where it is called.
    """
    for commands in _COMMANDS.values():
        if asked in commands:
            module = f"flows.cli.{commands[asked][0].partition(':')[0]}"
            if module not in sys.modules:
                with uncollected():
                    importlib.import_module(module)
                gc.freeze()  # modules are there to the end


def main() -> None:
    """The entry point; turns bad input into one line and exit code 2."""
    arguments = sys.argv[1:]
    app = make_app(*arguments[:1])

    def call(rest: Sequence[str]) -> None:
        import_command(*arguments[:1])
        app(rest)

    sys.exit(exit_codes.run(call, arguments))
