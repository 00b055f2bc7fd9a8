"""The commands of sources: `cole sources` and `cole forget`."""

from typing import Annotated

from cyclopts import Parameter

from flows.cli.options import HOME, InHome, Json
from flows.cli.printing import Printer
from flows.questions.sources import in_words, sources
from flows.upkeep.forgetting import forget, plan, plan_in_words


def sources_(*, home: InHome = HOME, as_json: Json = False) -> None:
    """Lists what measured values were taken in: from which file, when, as what, by which run."""
    found = sources(home)
    lines = [line for source in found["sources"] for line in in_words(source)]
    nothing = "No measured values yet: take some in with 'cole ingest SPACE FILE'."
    Printer(as_json).lines(found, lines or [nothing])


def forget_(
    source: str,
    *,
    home: InHome = HOME,
    yes: Annotated[
        bool, Parameter(negative=(), help="Do it; without it nothing is changed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Takes a source of measured values back, and says first what was made from them.

    Heads, trials, searches, comparisons and reports of its values go with them, in one step.
    Architectures, their texts and vectors stay. What was taken back can be taken in again.

    Args:
        source: As 'cole sources' names it.
    """
    planned = plan(home, source)
    printer = Printer(as_json)
    lines = plan_in_words(planned)
    if not yes:
        lines.append("Nothing is changed. Take it back: add --yes.")
    elif not as_json:
        printer.lines({}, lines)
    if yes:
        lines = [f"Taken back: {forget(home, source):,} values from {source}."]
    printer.lines({"stage": "forget", "done": yes, **planned}, lines)
