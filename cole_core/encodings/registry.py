"""The encodings of a space: its own, and those that other packages add to it.

An entry point of the group `cole.encodings` is called `SPACE/ENCODING`, or `any/ENCODING` for one
that every space has.
"""

import functools

from cole_core.encodings.base import NO_CONTEXT, EncodedSpace, Encoding, TextEncoding
from cole_core.encodings.proxies import PROXIES, split_source
from cole_core.errors import InputError
from cole_core.registry import Registry

GROUP = "cole.encodings"

GENERIC = {
    name: f"cole_core.encodings.{place}"
    for name, place in {
        "code.bare": "traced_texts:Bare",
        "code.expression": "traced_texts:Expression",
        "code.class": "traced_texts:CodeClass",
        "onnx": "traced_texts:Onnx",
        "counts": "traced_vectors:Counts",
        "graf": "traced_vectors:GraphFeatures",
        "ngram": "traced_vectors:Ngram",
    }.items()
} | {PROXIES: "cole_core.evaluation.proxy_encoding:Proxies"}
"""What every space has that builds networks, where it does not write or lack it itself."""


def make_encoding(space: EncodedSpace, name: str) -> Encoding:
    """An encoding of a space.

    Raises:
        InputError: It is unknown; lists the known ones.
    """
    return _registry(type(space)).create(split_source(name)[0], space)


def encoding_names(space: EncodedSpace) -> list[str]:
    """The encodings that a space has."""
    return list(_registry(type(space)))


def make_text_encoding(space: EncodedSpace, name: str, context: str = NO_CONTEXT) -> TextEncoding:
    """A text encoding that knows a context.

    Raises:
        InputError: It is unknown, or is a vector already, or does not know the context.
    """
    found = space.encoding(name)
    if not isinstance(found, TextEncoding):
        raise InputError(
            f"encoding '{name}' is a vector already and stores no texts: name a text encoding, "
            "or give it to 'cole train' or 'cole search'"
        )
    if context not in found.contexts:
        raise InputError(
            f"encoding '{name}' has no context '{context}': "
            f"choose one of {', '.join(found.contexts)}"
        )
    return found


@functools.cache
def _registry(space: type[EncodedSpace]) -> Registry[Encoding]:
    generic = {name: place for name, place in GENERIC.items() if name not in space.lacks}
    return Registry(
        f"encoding of {space.name}",
        GROUP,
        {**generic, **space.encodings},
        scopes=(f"{space.name}/", "any/"),
    )
