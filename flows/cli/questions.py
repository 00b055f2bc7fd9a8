"""The commands of questions: `cole sql`, `schema`, `similar`, `best`, `models` and `status`."""

import math
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import Parameter

from cole_core.encodings.vectors import USUAL
from cole_core.errors import InputError
from flows.cli import next_steps
from flows.cli.options import HOME, InHome, Json
from flows.cli.printing import Printer
from flows.cli.query_output import check_output, choose_format, print_query
from flows.questions.best import BestRequest, best
from flows.questions.nearness import UNLIKE
from flows.questions.show import ShowRequest, show
from flows.questions.similar import SimilarRequest, similar
from flows.resolve.requests import DEFAULT_SPACE
from flows.resolve.values import not_from
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
    asked = f"SELECT * FROM {view or 'architectures'} LIMIT 5"
    Printer(as_json).schema(columns, partial(next_steps.command, home, "sql", asked))


def similar_(request: SimilarRequest, *, as_json: Json = False) -> None:
    """Finds the architectures whose vectors are nearest by cosine distance."""
    found = similar(request)
    if not as_json:
        found = found | {"rows": [_in_words(row) for row in found["rows"]]}
    following = partial(next_steps.show, request.home, found)
    Printer(as_json).answer("similar", found, _about_similar(found), following)


def best_(request: BestRequest = BestRequest(), *, as_json: Json = False) -> None:
    """Lists the best architectures by a measured value, or by what a stored head predicts; of
    several --objective those that no other is better than in all of them."""
    found = best(request)
    following = partial(next_steps.show, request.home, found)
    Printer(as_json).answer("best", found, _about_best(found), following)


def show_(request: ShowRequest, *, as_json: Json = False) -> None:
    """Says everything about one architecture: values, predictions, neighbours, texts; --output
    writes its network as a file."""
    found = show(request)
    following = partial(next_steps.after_show, request.home, found)
    Printer(as_json).architecture(found, following)


def models(lm: str | None = None, *, as_json: Json = False) -> None:
    """Lists the language models that --lm knows by name; hub ids and local paths work as well.

    Args:
        lm: Says instead what this one is read as: a known name, a hub id or a local path.
    """
    if lm is not None:
        from cole_core.language_models.description import describe

        Printer(as_json).summary("models", describe(lm))
        return
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
        ),
        partial(next_steps.command, None, "embed", DEFAULT_SPACE, lm=USUAL["lm"]),
        flowing=True,
    )


def status(*, home: InHome = HOME, as_json: Json = False) -> None:
    """Counts what the warehouse holds."""
    counts = Warehouse(home).status()
    Printer(as_json).status(counts, partial(next_steps.after_status, home, counts["spaces"]))


def _about_best(found: dict[str, Any]) -> str:
    if "objectives" in found:
        ways = ", ".join(f"{name} ({way})" for name, way in found["objectives"].items())
        return (
            f"the front of {ways}: {found['architectures']:,} of {found['among']:,} "
            "architectures, which no other is better than in all of them"
        )
    about = f"{found['dataset']} {found['target']}{not_from(found['other_sources'])}"
    if "head" in found:
        about += (
            f", predicted by {found['head']} on {found['encoding']}, trained on {found['n']:,} "
            f"(head {found['head_id']})"
        )
    better = " (lower is better)" if found["direction"] == "lower" else ""
    return f"{about}{better}; best of {found['architectures']:,}"


def _about_similar(found: dict[str, Any]) -> str:
    method = "every distance computed" if found["method"] == "exact" else f"by {found['method']}"
    about = f"{found['read']}\n"
    about += f"nearest to {found['name']}: {found['vectors']:,} vectors, {method}"
    if found["fitting"] is not None:
        about += f", {found['fitting']:,} architectures fit"
    if found["recall"] is not None:
        about += f", recall {found['recall']:.3f}"
    if found["nearness"] is not None:
        about += f"; half of all pairs of stored texts are nearer than {_median(found):.2g}"
    about += "".join(f"\n{name}: {words}" for name, words in found["values"].items())
    if found["resembles"] is False:
        about += f"\n{_NOTHING}"
    if found["warning"] is not None:
        about += f"\nwarning: {found['warning']}"
    return about


_NOTHING = (
    "nothing here resembles this: its nearest is farther than "
    f"{UNLIKE * 100:.0f} % of what is stored"
)


def _median(found: dict[str, Any]) -> float:
    return float(found["nearness"]["median_of_pairs"])


def _in_words(row: dict[str, Any]) -> dict[str, Any]:
    """A row with the rank of its distance as people read it."""
    written: dict[str, Any] = {}
    for name, value in row.items():
        if name != "nearer_than":
            written[name] = value
        elif value is not None:
            written[_rank(value)] = True
    return written


def _rank(share: float) -> str:
    """'nearer than 99.8 % of pairs', or how many it is farther than; rounded down."""
    word, share = ("nearer", share) if share >= 0.5 else ("farther", 1 - share)
    return f"{word} than {math.floor(share * 1000) / 10:g} % of pairs"
