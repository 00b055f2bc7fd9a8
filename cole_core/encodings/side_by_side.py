"""Encodings side by side: `code.expression+graf` is two whose vectors stand in one row."""

from typing import Any

from cole_core.encodings.base import EncodedSpace, VectorEncoding
from cole_core.encodings.proxies import COLUMNS, is_proxies
from cole_core.encodings.vectors import ArchitectureVectors, LabelledVectors, VectorSource
from cole_core.errors import InputError


def parts(encoding: str) -> list[str]:
    """The encodings that stand side by side in one."""
    return [part.strip() for part in encoding.split("+")]


def is_structural(space: EncodedSpace, encoding: str) -> bool:
    """Whether no part of an encoding needs a language model.

    Raises:
        InputError: A part is unknown, or stands there twice.
    """
    names = parts(encoding)
    if len(set(names)) < len(names):
        raise InputError(f"encoding '{encoding}' has a part twice: name each once")
    return all(isinstance(space.encoding(name), VectorEncoding) for name in names)


def surrogate_kind(
    space: EncodedSpace, source: VectorSource, vectors: ArchitectureVectors | LabelledVectors
) -> dict[str, Any]:
    """What a surrogate must know about the vectors: arguments of `make_surrogate`.

    Args:
        space: The search space.
        source: Where the vectors come from.
        vectors: Architectures with those vectors.
    """
    names = parts(source.encoding)
    if not vectors.natives or (len(names) == 1 and not is_proxies(names[0])):
        return {"structural": source.spec_id is None}
    widths = [_width(space, name, vectors.natives[:1]) for name in names]
    # All embeddings are of one specification, so what is left is shared evenly.
    left = vectors.vectors.shape[1] - sum(width or 0 for width in widths)
    embedded = left // max(1, widths.count(None))
    return {
        "blocks": tuple(
            (embedded, False)
            if width is None
            else (width, "quantiles" if is_proxies(name) else True)
            for name, width in zip(names, widths, strict=True)
        )
    }


def _width(space: EncodedSpace, name: str, natives: list[str]) -> int | None:
    """Columns of a structural encoding; None for a text."""
    if is_proxies(name):
        return len(COLUMNS)
    encoding = space.encoding(name)
    return encoding.encode(natives).shape[1] if isinstance(encoding, VectorEncoding) else None
