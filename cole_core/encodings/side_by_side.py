"""Encodings side by side: `code.expression+graf` is two whose vectors stand in one row."""

from typing import Any

from cole_core.encodings.base import EncodedSpace, VectorEncoding
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
    if len(names) == 1 or not vectors.natives:
        return {"structural": source.spec_id is None}
    made = [space.encoding(name) for name in names]
    widths = [
        each.encode(vectors.natives[:1]).shape[1] if isinstance(each, VectorEncoding) else None
        for each in made
    ]
    # All embeddings are of one specification, so what is left is shared evenly.
    left = vectors.vectors.shape[1] - sum(width or 0 for width in widths)
    embedded = left // max(1, widths.count(None))
    return {
        "blocks": tuple((embedded, False) if width is None else (width, True) for width in widths)
    }
