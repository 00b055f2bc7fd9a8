"""Normal forms as JSON, as the catalog keeps them.

Pickle would run what a warehouse from somebody else holds; JSON that is read into these few classes
runs nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from cole_core.encodings import normal_form
from cole_core.encodings.normal_form import NormalForm, graph

_KINDS: Mapping[str, type] = {
    kind.__name__: kind
    for module in (normal_form, graph)
    for kind in vars(module).values()
    if isinstance(kind, type) and is_dataclass(kind)
}


def to_json(form: NormalForm) -> str:
    """A normal form as text."""
    return json.dumps(_plain(form), separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> NormalForm:
    """A normal form from its text.

    Raises:
        ValueError: It is none of this version.
    """
    try:
        found = _object(json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no normal form: {error}") from error
    if not isinstance(found, NormalForm):
        raise ValueError(f"no normal form, but {type(found).__name__}")
    return found


def _plain(value: Any) -> Any:
    """What JSON has no word for is an object of one key."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return {"float": repr(value)}
    if value is ...:
        return {"ellipsis": None}
    if isinstance(value, tuple):
        return {"tuple": [_plain(each) for each in value]}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {"mapping": [[_plain(key), _plain(each)] for key, each in value.items()]}
    if _KINDS.get(type(value).__name__) is not type(value):
        raise TypeError(f"a normal form holds {value!r}, which is no plain value")
    held = {each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.init}  # type: ignore[arg-type]
    return {type(value).__name__: held}


def _object(value: Any) -> Any:
    if isinstance(value, list):
        return [_object(each) for each in value]
    if not isinstance(value, dict):
        return value
    [(kind, held)] = value.items()
    if kind == "float":
        return float(held)
    if kind == "ellipsis":
        return ...
    if kind == "tuple":
        return tuple(_object(each) for each in held)
    if kind == "mapping":
        return {_object(key): _object(each) for key, each in held}
    return _KINDS[kind](**{name: _object(each) for name, each in held.items()})
