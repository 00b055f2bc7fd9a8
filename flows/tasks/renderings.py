"""Texts as the rows that the warehouse takes."""

from collections.abc import Iterable, Sequence

import polars as pl

from cole_core.encodings.base import Rendering


def rendering_rows(
    architecture_ids: Iterable[str],
    encoding: str,
    context: str,
    renderings: Sequence[Rendering | None],
) -> pl.DataFrame:
    """Rows as `Writer.add_renderings` takes them, for the architectures that have a text.

    Args:
        architecture_ids: Of the architectures.
        encoding: Under which they are written.
        context: What stands around them.
        renderings: Their texts, and how those came about; None where there is none.
    """
    rows = pl.DataFrame(
        {
            "architecture_id": architecture_ids,
            "encoding": encoding,
            "context": context,
            **{
                name: pl.Series(
                    [each and getattr(each, name) for each in renderings], dtype=pl.String
                )
                for name in ("text", "path", "reason")
            },
        }
    )
    return rows.drop_nulls("text")
