"""The command line of comparisons: `cole compare`."""

import json
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from flows import compare_search_cli
from flows.choices import MAX_SEED, Measured
from flows.experiments import EXPERIMENTS, Configuration, parse_configuration
from flows.server import run_flow

app = typer.Typer(
    help="Compares encodings, language models, heads and searches, with tests of significance.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.callback()
def _comparisons() -> None:
    """Compares encodings, language models, heads and searches, with tests of significance."""


app.command(name="search")(compare_search_cli.search)


@app.command()
def predictors(
    experiment: Annotated[
        str | None,
        typer.Argument(help=f"{', '.join(EXPERIMENTS)}; or give two or more --encoding."),
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
    encoding: Annotated[
        list[str] | None,
        typer.Option(help="What an experiment varies; or, repeated, what to compare."),
    ] = None,
    configuration: Annotated[
        list[str] | None,
        typer.Option(
            "--configuration",
            "-c",
            help="One more to compare, as encoding=graf,head=ridge; what is not named is as the "
            "options say. May be repeated.",
        ),
    ] = None,
    lm: Annotated[str, typer.Option("--lm", help="Language model, or a spec_id.")] = "minilm",
    context: Annotated[str, typer.Option(help="none, network or comment.")] = "none",
    pooling: Annotated[str, typer.Option(help="avg_avg, mean, last_token or cls.")] = "avg_avg",
    precision: Annotated[str, typer.Option(help="bf16 or fp32.")] = "bf16",
    head: Annotated[
        str, typer.Option(help="mlp, xgboost, ridge, kernel_ridge, gaussian_process or perceiver.")
    ] = "mlp",
    loss: Annotated[str, typer.Option(help="Of the mlp head: mse or hinge.")] = "mse",
    reduction: Annotated[
        str | None, typer.Option(help="none, zscore, pca or whiten; by default the head's.")
    ] = None,
    components: Annotated[
        int | None, typer.Option(min=1, help="Largest number of components.")
    ] = None,
    n: Annotated[
        list[int] | None, typer.Option("-n", help="Labelled architectures; may be repeated.")
    ] = None,
    folds: Annotated[int, typer.Option(help="Folds of each shuffle.")] = 10,
    repeats: Annotated[int, typer.Option(help="Shuffles.")] = 10,
    canonical: Annotated[
        bool, typer.Option("--canonical", help="One architecture of each canonical form alone.")
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="Seed of every random choice.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Compares how well surrogates rank, on the same splits; stored trials are not run again.

    The first is the reference that the others are tested against (corrected paired t-test of
    Nadeau and Bengio), split by split.
    """
    from flows import comparing

    names = encoding or []
    base = Configuration(
        encoding=names[0] if names else Configuration().encoding,
        context=context,
        lm=lm,
        pooling=pooling,
        precision=precision,
        head=head,
        loss=loss,
        reduction=reduction,
        n_components=components,
    )
    listed = [parse_configuration(f"encoding={name}", base) for name in names]
    listed += [parse_configuration(text, base) for text in configuration or []]
    arguments: dict[str, Any] = {
        "home": str(home),
        "space": space,
        "measured": Measured(dataset, metric, split, epochs, source),
        "experiment": experiment,
        "base": base,
        "configurations": listed,
        "protocol": comparing.Protocol(
            tuple(n or comparing.SIZES), folds, repeats, canonical, seed
        ),
    }
    summary = run_flow("comparing", "compare_predictors", arguments)
    if as_json:
        print(json.dumps({"stage": "compare predictors", **summary}))
    else:
        print_comparison(summary)


def print_comparison(summary: dict[str, Any]) -> None:
    """A comparison's table and finding, for people."""
    console = Console()
    console.print(
        f"[bold]compare predictors[/]: trials {summary['trials']:,}, "
        f"skipped {summary['skipped']:,}",
        highlight=False,
    )
    title = f"{summary['experiment']}: {summary['architectures']:,} architectures"
    if summary["population"] == "canonical":
        title += ", one of each canonical form"
    # Without rules between the columns the names have room on a narrow terminal.
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("n", justify="right")
    table.add_column("configuration")
    for column in ("Kendall tau", "Spear-\nman", "MSE", "best\ntenth", "p", "win/tie/\nloss"):
        table.add_column(column, justify="right", no_wrap=True)
    rows = pl.DataFrame(summary["rows"], infer_schema_length=None).sort("n", "position")
    for row in rows.iter_rows(named=True):
        if row["position"] == 0:
            table.add_section()
        table.add_row(*_cells(row))
    console.print(table)
    console.print(summary["finding"], highlight=False, markup=False)


def _cells(row: dict[str, Any]) -> list[str]:
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


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
