"""The command line of search comparisons: `cole compare search`."""

import json
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.choices import Measured
from flows.server import run_flow


def search(
    experiment: Annotated[
        str | None,
        typer.Argument(
            help="encodings, defaults, ablation or algorithms; or give two or more --configuration."
        ),
    ] = None,
    space: Annotated[str, typer.Option(help="The search space.")] = "nasbench201",
    home: Annotated[
        Path, typer.Option(envvar="COLE_HOME", help="The warehouse's directory.")
    ] = Path("cole-home"),
    dataset: Annotated[str | None, typer.Option(help="Dataset of the measured values.")] = None,
    metric: Annotated[str | None, typer.Option(help="Metric of the measured values.")] = None,
    split: Annotated[str | None, typer.Option(help="valid or test.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of training behind them.")] = None,
    source: Annotated[str | None, typer.Option(help="Source of the values.")] = None,
    configuration: Annotated[
        list[str] | None,
        typer.Option(
            "--configuration",
            "-c",
            help="One more to compare, as encoding=path,preset=paper,batch=5: algorithm, preset "
            "(recommended or paper), encoding, lm, context, pooling, precision, random_init, and "
            "parameters of the algorithm or of its surrogate. May be repeated.",
        ),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Of those that name none.")] = "code.expression",
    lm: Annotated[str, typer.Option("--lm", help="Language model, or a spec_id.")] = "minilm",
    context: Annotated[str, typer.Option(help="none, network or comment.")] = "none",
    pooling: Annotated[str, typer.Option(help="avg_avg, mean, last_token or cls.")] = "avg_avg",
    precision: Annotated[str, typer.Option(help="bf16 or fp32.")] = "bf16",
    seeds: Annotated[int, typer.Option(help="Searches of each configuration.")] = 50,
    first_seed: Annotated[int, typer.Option(help="Their first seed.")] = 0,
    budget: Annotated[int, typer.Option(help="Evaluations of each search.")] = 500,
    percent: Annotated[
        list[float] | None,
        typer.Option(help="Threshold in percent of the best; may be repeated."),
    ] = None,
    margin: Annotated[
        list[float] | None,
        typer.Option(help="Threshold in points below the best; may be repeated."),
    ] = None,
    regret_at: Annotated[
        list[int] | None,
        typer.Option(help="Evaluations at which the regret is told; may be repeated."),
    ] = None,
    until_reached: Annotated[
        bool,
        typer.Option(
            "--until-reached",
            help="A seed that is at every threshold ends once the mean curve is there too, after "
            "which neither moves; regrets beyond are upper bounds.",
        ),
    ] = False,
    processes: Annotated[
        int | None, typer.Option(help="Processes side by side; by default one for each core.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Compares how soon searches find the best, over the same seeds; stored searches are continued.

    The first is the reference that the others are tested against, seed by seed. All begin with the
    same architectures at the same seed.
    """
    from flows.search_experiments import (
        MARGIN,
        PERCENT,
        SearchConfiguration,
        SearchProtocol,
        parse_search_configuration,
    )

    base = SearchConfiguration(
        encoding=encoding, context=context, lm=lm, pooling=pooling, precision=precision
    )
    protocol = SearchProtocol(
        seeds=seeds,
        budget=budget,
        percent=tuple(PERCENT if percent is None else percent),
        margin=tuple(MARGIN if margin is None else margin),
        regret_at=None if regret_at is None else tuple(regret_at),
        until_reached=until_reached,
        first_seed=first_seed,
    )
    arguments: dict[str, Any] = {
        "home": str(home),
        "space": space,
        "measured": Measured(dataset, metric, split, epochs, source),
        "experiment": experiment,
        "base": base,
        "configurations": [parse_search_configuration(text, base) for text in configuration or []],
        "protocol": protocol,
        "processes": processes,
    }
    summary = run_flow("comparing_searches", "compare_searches", arguments)
    if as_json:
        print(json.dumps({"stage": "compare search", **summary}))
    else:
        print_comparison(summary)


def print_comparison(summary: dict[str, Any]) -> None:
    """A comparison's tables and finding, for people."""
    console = Console()
    console.print(
        f"[bold]compare search[/]: evaluations {summary['evaluations']:,}, "
        f"skipped {summary['skipped']:,}",
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
