"""The command line of questions: `cole sql`, `schema`, `similar` and `best`."""

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from flows.choices import Measured
from flows.output import Printer

Home = Annotated[
    Path, typer.Option(envvar="COLE_HOME", help="The warehouse's directory.", show_default=True)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Space = Annotated[str, typer.Option(help="The search space.")]
Dataset = Annotated[str | None, typer.Option(help="Dataset of the measured values.")]
Metric = Annotated[str | None, typer.Option(help="Metric of the measured values.")]
Split = Annotated[str | None, typer.Option(help="valid or test.")]
Epochs = Annotated[int | None, typer.Option(help="Epochs of training behind them.")]
Source = Annotated[str | None, typer.Option(help="Source of the values.")]

HOME = Path("cole-home")


def sql(
    statement: Annotated[str, typer.Argument(metavar="SELECT", help="One query, in quotes.")],
    home: Home = HOME,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="table, csv, json or parquet; by default as FILE is named."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the rows into a file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Queries the views that 'cole schema' explains: one SELECT in DuckDB's SQL, which reads them
    and nothing else."""
    from flows.rows import check_output, choose_format, print_query
    from warehouse import Warehouse

    form = choose_format(format_, output, as_json)
    check_output(output, home)
    written = print_query(Warehouse(home), statement, form, output)
    if written is not None:
        Printer(as_json).summary("sql", written)


def schema(
    view: Annotated[str | None, typer.Argument(help="One view; by default all.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Explains every view and column that 'cole sql' sees."""
    from cole_core.errors import InputError
    from warehouse import Warehouse

    columns = Warehouse(home).schema()
    if view is not None:
        known = columns["view"].unique(maintain_order=True).to_list()
        columns = columns.filter(pl.col("view") == view)
        if columns.is_empty():
            raise InputError(f"no view {view}: choose one of {', '.join(known)}")
    Printer(as_json).schema(columns)


def similar(
    what: Annotated[
        str,
        typer.Argument(
            metavar="ARCH|TEXT|FILE.py",
            help="A native string; an architecture_id or its beginning; a text; or a Python file "
            "with an nn.Module, which is parsed and never run.",
        ),
    ],
    home: Home = HOME,
    space: Space = "nasbench201",
    k: Annotated[int, typer.Option("-k", help="How many.")] = 10,
    where: Annotated[
        str | None,
        typer.Option(
            help="A condition in SQL, such as 'cifar10 > 93': on datasets, distance, text, native, "
            "n_tokens, position, truncated."
        ),
    ] = None,
    encoding: Annotated[str, typer.Option(help="A text encoding.")] = "code.expression",
    lm: Annotated[
        str | None, typer.Option("--lm", help="Language model, or the beginning of a spec_id.")
    ] = None,
    context: Annotated[str, typer.Option(help="none, network or comment.")] = "none",
    pooling: Annotated[str | None, typer.Option(help="Where several are stored.")] = None,
    precision: Annotated[str | None, typer.Option(help="Where several are stored.")] = None,
    dataset: Dataset = None,
    metric: Metric = None,
    split: Split = None,
    epochs: Epochs = None,
    source: Source = None,
    class_name: Annotated[
        str | None, typer.Option("--class", help="Of FILE.py, where it holds several networks.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Compute every distance, whatever index there is.")
    ] = False,
    recall: Annotated[
        bool, typer.Option("--recall", help="Compare an index's answer with the exact one.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda, to embed a text.")] = "auto",
    as_json: Json = False,
) -> None:
    """Finds the architectures whose vectors are nearest by cosine distance."""
    from flows.similar import Chosen
    from flows.similar import similar as find

    found = find(
        str(home),
        what,
        k,
        Chosen(encoding, context, lm, pooling, precision),
        space,
        Measured(dataset, metric, split, epochs, source),
        where,
        class_name,
        exact,
        recall,
        device,
    )
    Printer(as_json).answer("similar", found, _about_similar(found))


def best(
    space: Space = "nasbench201",
    home: Home = HOME,
    dataset: Dataset = None,
    metric: Metric = None,
    split: Split = None,
    epochs: Epochs = None,
    source: Source = None,
    k: Annotated[int, typer.Option("-k", help="How many.")] = 10,
    predicted: Annotated[
        bool, typer.Option("--predicted", help="By a stored head, measured or not.")
    ] = False,
    head: Annotated[
        str | None, typer.Option(help="Which head, by the beginning of its head_id.")
    ] = None,
    canonical: Annotated[
        bool, typer.Option("--canonical", help="One architecture of each canonical form alone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Lists the best architectures by a measured value, or by what a stored head predicts."""
    from flows.best import best as find

    measured = Measured(dataset, metric, split, epochs, source)
    found = find(str(home), space, measured, k, predicted, head, canonical)
    about = f"{found['dataset']} {found['target']}"
    if predicted:
        about += (
            f", predicted by {found['head']} on {found['encoding']}, trained on {found['n']:,} "
            f"(head {found['head_id']})"
        )
    about += f"; best of {found['architectures']:,}"
    Printer(as_json).answer("best", found, about)


def _about_similar(found: dict[str, Any]) -> str:
    method = "every distance computed" if found["method"] == "exact" else f"by {found['method']}"
    about = f"nearest to {found['asked']} {found['name']}: {found['vectors']:,} vectors, {method}"
    if found["fitting"] is not None:
        about += f", {found['fitting']:,} architectures fit"
    if found["recall"] is not None:
        about += f", recall {found['recall']:.3f}"
    return about + "".join(f"\n{name}: {words}" for name, words in found["values"].items())
