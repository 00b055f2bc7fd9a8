"""Requests: immutable, checked, and the same again after JSON, whatever is asked."""

import dataclasses
import importlib
import json
import pkgutil
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

import flows
from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from flows.resolve.requests import Measured, to_plain
from flows.stages.embed import EmbedRequest
from flows.stages.search import SearchRequest


def request_classes() -> dict[str, type]:
    """Every class that `request` made in the modules of flows, by module and name."""
    found = {}
    for module in pkgutil.walk_packages(flows.__path__, "flows."):
        if module.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and hasattr(value, "__pydantic_config__"):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


CLASSES = request_classes()


def example(kind: Any) -> Any:
    """A value of a type that is none of the usual ones."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return example(arguments[0])
    if type(None) in arguments:
        return example(arguments[0])
    if origin is tuple:
        return (example(arguments[0]),)
    if origin is types.UnionType:
        return example(arguments[-1])
    if dataclasses.is_dataclass(kind):
        return filled(kind)
    return {str: "some", int: 3, float: 0.25, bool: True, Path: Path("some/where")}[kind]


# Where any text or number will not do.
FITTING = {"device": "cpu", "lm_device": "cuda:1", "index_above": 1_000}


def filled(kind: Any) -> Any:
    """A request whose every field is given."""
    hints = typing.get_type_hints(kind, include_extras=True)
    names = [field.name for field in dataclasses.fields(kind) if field.init]
    values = {name: FITTING[name] if name in FITTING else example(hints[name]) for name in names}
    return kind(**values)


def least(kind: Any) -> Any:
    """A request of which only what must be given is."""
    hints = typing.get_type_hints(kind, include_extras=True)
    needed = [
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    return kind(**{name: example(hints[name]) for name in needed})


def examples() -> Iterator[Any]:
    for name, kind in CLASSES.items():
        for make in (least, filled):
            yield pytest.param(make(kind), id=f"{name}-{make.__name__}")


def test_the_stages_requests_are_among_them() -> None:
    folder = Path(flows.__path__[0]) / "stages"
    stages = {f"flows.stages.{path.stem}" for path in folder.glob("[a-z]*.py")}
    assert stages == {name.rpartition(".")[0] for name in CLASSES if ".stages." in name} - {
        "flows.cli.stages"
    }


@pytest.mark.parametrize("asked", examples())
def test_a_request_comes_back_from_json_as_it_was(asked: Any) -> None:
    plain = json.loads(json.dumps(to_plain(asked)))
    assert "home" not in plain
    if hasattr(asked, "home"):
        plain["home"] = str(asked.home)
    again = TypeAdapter(type(asked)).validate_python(plain)
    assert again == asked
    assert type(again) is type(asked)
    assert hash(again) == hash(asked)
    assert to_plain(again) == to_plain(asked)


@pytest.mark.parametrize("asked", examples())
def test_a_request_cannot_be_changed(asked: Any) -> None:
    for field in dataclasses.fields(asked):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(asked, field.name, None)


@pytest.mark.parametrize("asked", examples())
def test_an_unknown_field_is_refused(asked: Any) -> None:
    with pytest.raises(ValidationError, match="colour"):
        TypeAdapter(type(asked)).validate_python(to_plain(asked) | {"colour": "red"})


def test_values_are_checked_when_a_request_is_made() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        SearchRequest(space="nasbench201", seeds=(-1,))
    with pytest.raises(ValidationError, match="no device 'abacus': choose auto, cpu or cuda"):
        EmbedRequest(space="nasbench201", device="abacus")
    with pytest.raises(ValidationError, match="valid integer"):
        Measured(epochs="many")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Vectors("code.expression")  # type: ignore[misc]


def test_a_dataset_that_must_be_named() -> None:
    assert Measured(dataset="cifar10").named_dataset == "cifar10"
    assert Measured(dataset="cifar10", epochs=12).asked == {"dataset": "cifar10", "epochs": 12}
    with pytest.raises(InputError, match="--dataset is missing"):
        _ = Measured().named_dataset
