"""What `cole compare published` prints for people: ours beside theirs."""

import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from cole_core.experiments.published.protocols import PublishedProtocol
from flows.cli.layout import Page
from flows.cli.next_steps import Step, possible
from flows.cli.words import NOTHING, count, number, stored
from flows.stages.compare_published import ComparePublishedRequest

Row = Mapping[str, Any]


def print_published(
    summary: Mapping[str, Any], protocols: Mapping[str, PublishedProtocol], following: Step
) -> None:
    """A table for each protocol, with the sources of theirs; then what was not run, and why."""
    page = Page()
    said = stored(summary["trials"], summary["skipped"], "trial", "run")
    page.say(said, title="compare published: ")
    if summary["evaluations"] or summary["evaluations_skipped"]:
        page.say(
            stored(summary["evaluations"], summary["evaluations_skipped"], "evaluation", "made")
        )
    if summary.get("values"):
        page.say(f"{count(summary['values'], 'measured value')} stored")
    for name, rows in groupby(summary["rows"], key=lambda row: row["protocol"]):
        page.say("")
        _protocol(page, protocols[name], list(rows))
    for name, why in summary["missing"].items():
        page.say("")
        page.heading(f"{name}: {protocols[name].title}")
        page.say(f"not run: {why}", 2)
    page.say("")
    page.say(summary["finding"])
    if (command := possible(following)) is not None:
        page.command(command)


def write_results(
    output: Path,
    summary: Mapping[str, Any],
    protocols: Mapping[str, PublishedProtocol],
    request: ComparePublishedRequest,
) -> None:
    """Writes the page, and its picture beside it under the same name."""
    from flows.report.results import results_page, results_picture

    picture = output.with_suffix(".svg")
    page = results_page(
        summary["rows"],
        protocols,
        summary["missing"],
        partial(said, request),
        picture.name,
    )
    if summary["rows"]:
        picture.write_text(results_picture(summary["rows"], protocols), encoding="utf-8")
    output.write_text(page, encoding="utf-8")


def said(request: ComparePublishedRequest, protocol: str | None) -> str:
    """The command that asks for this, of one protocol or all; files by their names."""
    words = ["cole", "compare", "published", *filter(None, [protocol])]
    for table in request.table:
        words += ["--table", Path(table).name]
    usual = ComparePublishedRequest()
    for name in ("space", "head", "draws", "seeds", "seed"):
        if (value := getattr(request, name)) != getattr(usual, name):
            words += [f"--{name}", str(value)]
    for name, value in vars(request.vectors).items():
        if value != getattr(usual.vectors, name):
            words += [f"--{name.replace('_', '-')}", str(value)]
    for given in request.head_parameter:
        words += ["--head-parameter", given]
    for given in request.configuration:
        words += ["-c", given]
    return shlex.join(words)


def _protocol(page: Page, protocol: PublishedProtocol, rows: Sequence[Row]) -> None:
    page.heading(f"{protocol.name}: {protocol.title}")
    page.say(f"{protocol.about}; {rows[0]['score']}", 2)
    counted = "evaluations" if protocol.is_search else "labelled"
    columns = [counted, "ours", "draws"]
    if protocol.is_search:
        columns = [counted, "search", "ours", "seeds", "at the best form"]
    search = columns.index("search") if protocol.is_search else None
    page.table(
        [*columns, *(work.name for work in protocol.works)],
        [
            [
                f"{row['size']:,}",
                *([row["label"]] if protocol.is_search else []),
                figure(row),
                f"{row['draws']:,}",
                *([f"{row['at_best']:.0%}"] if protocol.is_search else []),
                *(_theirs(row, work.name) for work in protocol.works),
            ]
            for row in rows
        ],
        numbers=[place for place in range(len(columns) + len(protocol.works)) if place != search],
        flowing=True,
        indent=2,
    )
    if not protocol.is_search:
        page.say(f"ours: {rows[0]['label']}", 2)
    for work in protocol.works:
        page.say(f"{work.name}: {work.source}", 2)


def figure(row: Row) -> str:
    """Ours: a mean with its standard deviation over draws or seeds."""
    form = ".2f" if row["at_best"] is not None else ".3f"
    said = number(row["ours"], form)
    return said if row["deviation"] is None else f"{said} ± {row['deviation']:{form}}"


def _theirs(row: Row, work: str) -> str:
    form = "g" if row["at_best"] is not None else ".3f"
    figures = [each["figure"] for each in row["theirs"] if each["work"] == work]
    return number(figures[0], form) if figures else NOTHING
