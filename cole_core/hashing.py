"""Content addresses: the same content has the same name on every machine."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_DIGITS = 32  # 128 bits: no collision to fear below 10^15 rows, and half the width to read


def hash_text(text: str) -> str:
    """Hash of a text's UTF-8 bytes, 32 hexadecimal digits."""
    return hash_bytes(text.encode("utf-8"))


def hash_bytes(content: bytes) -> str:
    """Hash of bytes, 32 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def hash_json(value: Mapping[str, Any]) -> str:
    """Hash of a mapping of plain values, whatever the order of its keys."""
    return hash_text(json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False))
