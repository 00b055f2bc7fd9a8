"""What each view and column means: schema.toml beside this module."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import polars as pl

VECTORS = "embeddings_…"  # stands for the table of each specification


@cache
def _explanations() -> dict[str, Any]:
    return tomllib.loads(resources.files("warehouse").joinpath("schema.toml").read_text("utf-8"))


def about(view: str) -> str | None:
    """What a view is; None if nobody explained it."""
    text = _explanations()["views"].get(_entry(view), {}).get("about")
    return None if text is None else str(text)


def meaning(view: str, column: str) -> str | None:
    """What a column of a view is; None if nobody explained it."""
    own = _explanations()["views"].get(_entry(view), {}).get("columns", {})
    text = own.get(column) or _explanations()["columns"].get(column)
    return None if text is None else str(text)


def explain(columns: pl.DataFrame) -> pl.DataFrame:
    """Adds the explanations.

    Args:
        columns: view, column, type.

    Returns:
        view, about, column, type, meaning.
    """
    pairs = list(columns.select("view", "column").iter_rows())
    return columns.select(
        "view",
        pl.Series("about", [about(view) for view, _ in pairs], dtype=pl.String),
        "column",
        "type",
        pl.Series("meaning", [meaning(*pair) for pair in pairs], dtype=pl.String),
    )


def explained() -> set[tuple[str | None, str]]:
    """Every (view, column) that has an explanation; view None for one that views share."""
    shared = {(None, column) for column in _explanations()["columns"]}
    views = _explanations()["views"].items()
    return shared | {(view, c) for view, entry in views for c in entry.get("columns", {})}


def _entry(view: str) -> str:
    return VECTORS if view.startswith("embeddings_") else view
