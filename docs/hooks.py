"""Pages that the site makes when it is built: the references, and what stands beside docs/."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from flows.cli.app import make_app

ROOT = Path(__file__).resolve().parents[1]

# What a package of somebody's is made of stands after what people ask.
PYTHON = (
    "cole.notebook.Warehouse",
    "cole_core.spaces.base.SearchSpace",
    "cole_core.encodings.base.TextEncoding",
    "cole_core.encodings.base.VectorEncoding",
    "cole_core.predictors.base.Head",
    "cole_core.search.base.SearchAlgorithm",
    "cole_core.sources.base.Source",
)


def command_line() -> str:
    """Every command with all that its help says, as Markdown."""
    names = [name for name in make_app() if not name.startswith("-")]
    pages = [
        make_app(name)[name].generate_docs(heading_level=2, usage_name=f"cole {name}")
        for name in sorted(names)
    ]
    return "\n\n".join(("# The command line", *pages))


COMMAND_LINE = command_line()
"""Made while no logger of the build's listens: Prefect reads every flow's docstring by itself, and
what its reader misses there is no fault of a page."""


def python() -> str:
    """What mkdocstrings fills in from docstrings."""
    return "\n\n".join(("# Python", *(f"::: {name}" for name in PYTHON)))


def beside(name: str) -> str:
    """A file beside docs/, as it is."""
    return (ROOT / name).read_text(encoding="utf-8")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages to those of docs/."""
    pages = {
        "reference/command-line.md": COMMAND_LINE,
        "reference/python.md": python(),
        "inside.md": beside("CONTRIBUTING.md"),
        "changes.md": beside("CHANGELOG.md"),
    }
    for place, content in pages.items():
        files.append(File.generated(config, place, content=content))
    return files
