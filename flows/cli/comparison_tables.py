"""What comparisons print for people: tables and a finding."""

from typing import Any

import polars as pl
from rich import box
from rich.markup import escape
from rich.table import Table

from flows.running.consoles import Console


def print_predictors(summary: dict[str, Any]) -> None:
    """A comparison's table and finding, for people."""
    console = Console()
    console.print(
        f"[bold]compare predictors[/]: trials {summary['trials']:,}, "
        f"skipped {summary['skipped']:,}, values {escape(summary['values'])}",
        highlight=False,
    )
    title = f"{summary['experiment']}: {summary['architectures']:,} architectures"
    if summary["population"] == "canonical":
        title += ", one of each canonical form"
    table = _table(title)
    table.add_column("n", justify="right")
    table.add_column("configuration")
    for column in ("Kendall tau", "Spear-\nman", "MSE", "best\ntenth", "p", "win/tie/\nloss"):
        table.add_column(column, justify="right", no_wrap=True)
    rows = pl.DataFrame(summary["rows"], infer_schema_length=None).sort("n", "position")
    for row in rows.iter_rows(named=True):
        if row["position"] == 0:
            table.add_section()
        table.add_row(*_predictor_cells(row))
    console.print(table)
    console.print(summary["finding"], highlight=False, markup=False)


def _predictor_cells(row: dict[str, Any]) -> list[str]:
    tau = _number(row["kendall_tau"], ".3f")
    if row["kendall_tau_std"] is not None:
        tau += f" ± {row['kendall_tau_std']:.3f}"
    if row["collapsed"]:
        tau += f"\ncollapsed {row['collapsed']} of {row['trials']}"
    counts = "" if row["wins"] is None else f"{row['wins']}/{row['ties']}/{row['losses']}"
    return [
        f"{row['n']:,}",
        row["label"],
        tau,
        _number(row["spearman"], ".3f"),
        _number(row["mse"], ".3g"),
        _number(row["top_recall"], ".3f"),
        "ref." if row["position"] == 0 else _number(row["p_value"], ".2g"),
        counts,
    ]


def print_searches(summary: dict[str, Any]) -> None:
    """A comparison's tables and finding, for people."""
    console = Console()
    console.print(
        f"[bold]compare search[/]: evaluations {summary['evaluations']:,}, "
        f"skipped {summary['skipped']:,}, values {escape(summary['values'])}",
        highlight=False,
    )
    console.print(_threshold_table(summary))
    console.print(_regret_table(summary))
    console.print(summary["finding"], highlight=False, markup=False)


def _threshold_table(summary: dict[str, Any]) -> Table:
    table = _table(
        f"{summary['experiment']}: {summary['seeds']} seeds × {summary['budget']} evaluations, "
        f"{summary['architectures']:,} architectures, best {summary['best']:.2f}"
    )
    table.add_column("configuration", overflow="fold")
    for column in ("evaluations\nper seed", "median", "change", "win/tie/\nloss"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("mean curve\ncrosses at", "change"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in summary["rows"]:
        if row["position"] == 0:
            table.add_section()
            table.add_row(f"[bold]{row['threshold']}[/] ({row['threshold_value']:.2f})")
        table.add_row(*_threshold_cells(row))
    return table


def _threshold_cells(row: dict[str, Any]) -> list[str]:
    evaluations = f"{row['evaluations']:.1f} ± {row['standard_error']:.1f}\n"
    evaluations += f"{row['low']:.0f} to {row['high']:.0f}"
    if row["censored"]:
        evaluations = f"≥ {evaluations}\n{row['censored']} never arrive"
    crossing = "–"
    if row["crossing"] is not None:
        bound = "≥ " if row["crossing_below"] > 0.025 else ""
        crossing = f"{row['crossing']}\n{row['crossing_low']:.0f} to "
        crossing += f"{bound}{row['crossing_high']:.0f}"
    tested = row["position"] > 0
    return [
        f"  {escape(row['label'])}",
        evaluations,
        _number(row["median"], "g"),
        _change(row["change"], row["p_value"]) if tested else "ref.",
        f"{row['wins']}/{row['ties']}/{row['losses']}" if tested else "",
        crossing,
        _change(row["crossing_change"], row["crossing_p_value"]) if tested else "ref.",
    ]


def _change(change: float | None, p: float) -> str:
    share = "–" if change is None else f"{change:+.0%}"
    return f"{share}\n{'p < 0.001' if p < 0.001 else f'p {p:.3f}'}"


def _regret_table(summary: dict[str, Any]) -> Table:
    table = _table("Best minus best so far, after so many evaluations")
    table.add_column("configuration", overflow="fold")
    regrets = pl.DataFrame(summary["regrets"], infer_schema_length=None)
    counts = regrets["evaluations"].unique().sort().to_list()
    for count in counts:
        table.add_column(f"{count:,}", justify="right", no_wrap=True)
    table.add_column("time", justify="right")
    seconds = {row["position"]: row["seconds"] for row in summary["rows"]}
    for (position, label), rows in regrets.sort("evaluations").group_by(
        "position", "label", maintain_order=True
    ):
        cells = [
            f"{'≤ ' if row['ended_early'] else ''}{row['regret']:.2f} ± {row['standard_error']:.2f}"
            for row in rows.iter_rows(named=True)
        ]
        took = seconds[position]
        table.add_row(escape(str(label)), *cells, "–" if took is None else f"{took:,.0f} s")
    return table


def _table(title: str) -> Table:
    # Without rules between the columns the names have room on a narrow terminal.
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
