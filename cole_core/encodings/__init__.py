"""Architecture to text or vector, one module per encoding."""

from cole_core.encodings.base import Encoding, RenderingError, TextEncoding, VectorEncoding
from cole_core.encodings.einspace import encodings as _einspace
from cole_core.encodings.nasbench201 import encodings as _nasbench201
from cole_core.errors import InputError
from cole_core.registry import Registry

__all__ = [
    "Encoding",
    "RenderingError",
    "TextEncoding",
    "VectorEncoding",
    "encodings_of",
    "get_encoding",
]

_encodings: dict[str, Registry[Encoding]] = {
    "einspace": _einspace,
    "nasbench201": _nasbench201,
}


def get_encoding(space_name: str, encoding_name: str, **parameters: object) -> Encoding:
    """Makes an encoding of a search space.

    Args:
        space_name: The registered name of the space.
        encoding_name: The registered name of the encoding.
        parameters: The space's `parameters`, as what is read may depend on them.

    Raises:
        InputError: The space or the encoding is unknown; the message lists the known ones.
    """
    return _registry(space_name).create(encoding_name, **parameters)


def encodings_of(space_name: str) -> list[str]:
    """Names of the encodings that a search space has.

    Raises:
        InputError: The space is unknown.
    """
    return list(_registry(space_name))


def _registry(space_name: str) -> Registry[Encoding]:
    if space_name not in _encodings:
        known = ", ".join(sorted(_encodings))
        raise InputError(f"unknown search space '{space_name}': choose one of {known}")
    return _encodings[space_name]
