"""The commands of questions: `cole sql`, `schema`, `similar`, `best`, `models` and `status`."""

from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import Parameter

from cole_core.errors import InputError
from flows.cli.options import HOME, InHome, Json
from flows.cli.printing import Printer
from flows.cli.query_output import check_output, choose_format, print_query
from flows.questions.best import BestRequest, best
from flows.questions.similar import SimilarRequest, similar
from warehouse import Warehouse


def sql(
    select: str,
    *,
    home: InHome = HOME,
    form: Annotated[str | None, Parameter(name="--format")] = None,
    output: Path | None = None,
    as_json: Json = False,
) -> None:
    """Queries the views that 'cole schema' explains: one SELECT in DuckDB's SQL, which reads them
    and nothing else.

    Args:
        select: One query, in quotes.
        form: table, csv, json or parquet; by default as FILE is named.
        output: Write the rows into a file.
    """
    chosen = choose_format(form, output, as_json)
    check_output(output, home)
    written = print_query(Warehouse(home), select, chosen, output)
    if written is not None:
        Printer(as_json).summary("sql", written)


def schema(view: str | None = None, *, home: InHome = HOME, as_json: Json = False) -> None:
    """Explains every view and column that 'cole sql' sees.

    Args:
        view: One view; by default all.
    """
    columns = Warehouse(home).schema()
    if view is not None:
        known = columns["view"].unique(maintain_order=True).to_list()
        columns = columns.filter(pl.col("view") == view)
        if columns.is_empty():
            raise InputError(f"no view {view}: choose one of {', '.join(known)}")
    Printer(as_json).schema(columns)


def similar_(request: SimilarRequest, *, as_json: Json = False) -> None:
    """Finds the architectures whose vectors are nearest by cosine distance."""
    found = similar(request)
    Printer(as_json).answer("similar", found, _about_similar(found))


def best_(request: BestRequest = BestRequest(), *, as_json: Json = False) -> None:
    """Lists the best architectures by a measured value, or by what a stored head predicts."""
    found = best(request)
    Printer(as_json).answer("best", found, _about_best(found))


def models(*, as_json: Json = False) -> None:
    """Lists the language models that --lm knows by name; hub ids and local paths work as well."""
    from cole_core.language_models.catalog import catalog
    from cole_core.language_models.files import is_here

    Printer(as_json).frame(
        pl.DataFrame(
            {
                "name": name,
                "parameters": entry.parameters,
                "kind": entry.kind,
                "limit": entry.limit,
                "safetensors": entry.safetensors,
                "remote_code": entry.remote_code,
                "here": is_here(entry),
                "hub": entry.hub,
            }
            for name, entry in catalog().items()
        )
    )


def status(*, home: InHome = HOME, as_json: Json = False) -> None:
    """Counts what the warehouse holds."""
    Printer(as_json).status(Warehouse(home).status())


def _about_best(found: dict[str, Any]) -> str:
    about = f"{found['dataset']} {found['target']}"
    if "head" in found:
        about += (
            f", predicted by {found['head']} on {found['encoding']}, trained on {found['n']:,} "
            f"(head {found['head_id']})"
        )
    better = " (lower is better)" if found["direction"] == "lower" else ""
    return f"{about}{better}; best of {found['architectures']:,}"


def _about_similar(found: dict[str, Any]) -> str:
    method = "every distance computed" if found["method"] == "exact" else f"by {found['method']}"
    about = f"nearest to {found['asked']} {found['name']}: {found['vectors']:,} vectors, {method}"
    if found["fitting"] is not None:
        about += f", {found['fitting']:,} architectures fit"
    if found["recall"] is not None:
        about += f", recall {found['recall']:.3f}"
    return about + "".join(f"\n{name}: {words}" for name, words in found["values"].items())
