"""How the native string of a corpus's member is made."""

from collections.abc import Mapping
from typing import Any

from cole_core.hashing import hash_json

_DIGITS = 10  # 40 bits beside a name: no collision among what people collect


def native_of(name: str, class_name: str, code_hash: str, arguments: Mapping[str, Any]) -> str:
    """Name and class with a digest of all that decides the network: changed code is another one.

    Args:
        name: What the member is called; may be empty.
        class_name: Which class of its code, or what its `nn.Sequential` is assigned to.
        code_hash: Of its code.
        arguments: Of the constructor, by name.
    """
    decides = {"code": code_hash, "class": class_name, "arguments": dict(arguments)}
    known = ":".join(word for word in (name, class_name) if word)
    return f"{' '.join(known.split())}#{hash_json(decides)[:_DIGITS]}"
