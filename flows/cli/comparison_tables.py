"""What comparisons print for people: tables and a finding."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

import polars as pl

from flows.cli.layout import Page
from flows.cli.next_steps import Step, possible
from flows.cli.words import NOTHING, count, measured, number, p_value, spread, stored

_Column = tuple[str, Callable[[dict[str, Any]], str]]


def print_predictors(summary: dict[str, Any], following: Step) -> None:
    """A comparison's table and finding, for people."""
    page = Page()
    said = stored(summary["trials"], summary["skipped"], "trial", "run")
    page.say(said, title="compare predictors: ")
    page.fact("values", summary["values"])
    _old_tasks(page, summary)
    title = f"{summary['experiment']}: {summary['architectures']:,} architectures"
    if summary["population"] == "canonical":
        title += ", one of each canonical form"
    page.say(title)
    rows = pl.DataFrame(summary["rows"], infer_schema_length=None).sort("n", "position").to_dicts()
    shown = [column for column in _PREDICTORS if any(column[1](row) for row in rows)]
    for n, of_size in groupby(rows, key=lambda row: row["n"]):
        page.say("")
        page.heading(f"n = {n:,} labelled")
        _table(page, shown, of_size)
    _finding(page, summary["finding"], following)


def print_searches(summary: dict[str, Any], following: Step) -> None:
    """A comparison's tables and finding, for people."""
    page = Page()
    said = stored(summary["evaluations"], summary["skipped"], "evaluation", "made")
    page.say(said, title="compare search: ")
    page.fact("values", summary["values"])
    _old_tasks(page, summary)
    page.say(
        f"{summary['experiment']}: {summary['seeds']:,} seeds × {summary['budget']:,} evaluations, "
        f"{summary['architectures']:,} architectures, best {measured(summary['best'])}"
    )
    for (threshold, value), rows in groupby(
        summary["rows"], key=lambda row: (row["threshold"], row["threshold_value"])
    ):
        page.say("")
        page.heading(f"evaluations until {threshold} ({measured(value)})")
        _table(page, _THRESHOLDS, rows)
    page.say("")
    _print_regrets(page, summary)
    _finding(page, summary["finding"], following)


def _old_tasks(page: Page, summary: dict[str, Any]) -> None:
    for old in summary.get("transfer", ()):
        page.fact("old task", f"{old['task']}: {count(old['values'], 'value')}")


def _table(page: Page, columns: Sequence[_Column], rows: Iterable[dict[str, Any]]) -> None:
    """A row for each configuration, which the first column names."""
    page.table(
        [name for name, _ in columns],
        [[cell_of(row) for _, cell_of in columns] for row in rows],
        numbers=range(1, len(columns)),
        prose=(0,),
        flowing=True,
        indent=2,
    )


def _finding(page: Page, finding: str, following: Step) -> None:
    page.say("")
    page.say(finding)
    if (command := possible(following)) is not None:
        page.command(command)


def _collapsed(row: dict[str, Any]) -> str:
    return f"{row['collapsed']:,} of {row['trials']:,}" if row["collapsed"] else ""


def _counts(row: dict[str, Any]) -> str:
    return "" if row["wins"] is None else f"{row['wins']}/{row['ties']}/{row['losses']}"


def _tested(row: dict[str, Any], said: str) -> str:
    return said if row["position"] else "ref."


_PREDICTORS: tuple[_Column, ...] = (
    ("configuration", lambda row: str(row["label"])),
    ("Kendall tau", lambda row: spread(row["kendall_tau"], row["kendall_tau_std"], ".3f")),
    ("collapsed", _collapsed),
    ("Spearman", lambda row: number(row["spearman"], ".3f")),
    ("MSE", lambda row: number(row["mse"], ".3g")),
    ("best tenth", lambda row: number(row["top_recall"], ".1%")),
    ("p", lambda row: _tested(row, p_value(row["p_value"]))),
    ("win/tie/loss", _counts),
)


def _evaluations(row: dict[str, Any]) -> str:
    said = spread(row["evaluations"], row["standard_error"], ".1f")
    return f"≥ {said}" if row["censored"] else said


def _crossing(row: dict[str, Any]) -> str:
    if row["crossing"] is None:
        return NOTHING
    bound = "≥ " if row["crossing_below"] > 0.025 else ""
    low, high = row["crossing_low"], row["crossing_high"]
    return f"{row['crossing']:,} ({low:.0f} to {bound}{high:.0f})"


def _change(change: float | None, p: float | None) -> str:
    return f"{number(change, '+.0%')}, p {p_value(p)}"


_THRESHOLDS: tuple[_Column, ...] = (
    ("configuration", lambda row: str(row["label"])),
    ("per seed", _evaluations),
    ("95 %", lambda row: f"{row['low']:.0f} to {row['high']:.0f}"),
    ("median", lambda row: number(row["median"], "g")),
    ("never there", lambda row: f"{row['censored']:,}"),
    ("change", lambda row: _tested(row, _change(row["change"], row["p_value"]))),
    ("win/tie/loss", _counts),
    ("mean curve", _crossing),
    ("its change", lambda row: _tested(row, _change(*_of_crossing(row)))),
)


def _of_crossing(row: dict[str, Any]) -> tuple[float | None, float | None]:
    return row["crossing_change"], row["crossing_p_value"]


def _print_regrets(page: Page, summary: dict[str, Any]) -> None:
    regrets = pl.DataFrame(summary["regrets"], infer_schema_length=None).sort("evaluations")
    counts = regrets["evaluations"].unique().sort().to_list()
    seconds = {row["position"]: row["seconds"] for row in summary["rows"]}
    rows = []
    for position, label in regrets.select("position", "label").unique().sort("position").rows():
        of_it = regrets.filter(position=position).iter_rows(named=True)
        cells = [
            f"{'≤ ' if row['ended_early'] else ''}{measured(row['regret'])} ± "
            f"{measured(row['standard_error'])}"
            for row in of_it
        ]
        took = NOTHING if seconds[position] is None else f"{seconds[position]:,.0f} s"
        rows.append([label, *cells, took])
    page.heading("distance of the best so far from the best, by evaluations")
    page.table(
        ["configuration", *(f"after {count:,}" for count in counts), "time"],
        rows,
        numbers=range(1, len(counts) + 2),
        prose=(0,),
        flowing=True,
        indent=2,
    )
