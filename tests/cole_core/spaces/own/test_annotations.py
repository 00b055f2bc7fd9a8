"""Annotations in the standard words of Python's typing, and what they say an argument may be."""

import enum
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union

import annotated_types as at
import pytest

from cole_core.errors import InputError
from cole_core.spaces.own.annotations import arguments_of, signature_of
from cole_core.spaces.own.choices import Member, Options, Range, Record, Several
from cole_core.spaces.own.choices import Optional as Maybe

DECADES = Range(1e-4, 0.1, None, False, log=True)


class Kind(enum.Enum):
    PLAIN = 1
    WIDE = 2


@dataclass(frozen=True)
class Block:
    kernel: Literal[1, 3]
    kind: Kind
    label: str = "block"
    notes: list[str] = field(default_factory=list)


def constructor(annotation: Any, **default: Any) -> type[Any]:
    """A class whose constructor has one argument, `x`."""

    class Net:
        def __init__(self, x):
            self.x = x

    Net.__init__.__annotations__ = {"x": annotation}
    Net.__init__.__defaults__ = tuple(default.values()) or None
    return Net


@pytest.mark.parametrize(
    ("annotation", "choice"),
    [
        (Literal["a", 2, None, True], Options(("a", 2, None, True))),
        (Literal[Kind.WIDE], Options((Member("Kind", "WIDE"),))),
        (bool, Options((False, True))),
        (Kind, Options((Member("Kind", "PLAIN"), Member("Kind", "WIDE")))),
        (Annotated[int, at.Interval(ge=1, le=6)], Range(1, 6, 1, True)),
        (Annotated[int, at.Ge(1), at.Lt(6)], Range(1, 5, 1, True)),
        (Annotated[int, at.Gt(0), at.Le(6)], Range(1, 6, 1, True)),
        (Annotated[int, at.Interval(ge=8, le=64), at.MultipleOf(8)], Range(8, 64, 8, True)),
        (Annotated[int, at.Interval(gt=8, lt=64), at.MultipleOf(8)], Range(16, 56, 8, True)),
        (Annotated[int, at.Interval(ge=1, le=512), "log"], Range(1, 512, 1, True, log=True)),
        (Annotated[float, at.Interval(ge=0, le=1)], Range(0, 1, None, False)),
        (
            Annotated[float, at.Interval(ge=1e-4, le=0.1), "log"],
            DECADES,
        ),
        (Annotated[float, at.Ge(0), at.Le(1), at.MultipleOf(0.25)], Range(0, 1, 0.25, False)),
        (Annotated[Literal[1, 2], "documented"], Options((1, 2))),
        (Literal[1, 2] | None, Maybe(Options((1, 2)))),
        (Union[bool, None], Maybe(Options((False, True)))),  # noqa: UP007
        (tuple[bool, Literal[1]], Several((("0", Options((False, True))), ("1", Options((1,)))))),
        (
            Block,
            Several(
                (
                    ("kernel", Options((1, 3))),
                    ("kind", Options((Member("Kind", "PLAIN"), Member("Kind", "WIDE")))),
                ),
                "Block",
            ),
        ),
    ],
)
def test_what_may_be_is_said(annotation: Any, choice: Any) -> None:
    assert signature_of(constructor(annotation)).choices == Several((("x", choice),), "Net")


@pytest.mark.parametrize("annotation", [int, str, list[int], Any, "Literal[1, 2] | str"])
def test_what_says_nothing_keeps_its_default_or_is_needed(annotation: Any) -> None:
    annotation = Literal[1, 2] | str if isinstance(annotation, str) else annotation
    assert signature_of(constructor(annotation)).needed == ("x",)
    assert signature_of(constructor(annotation, x=4)).others == ("x",)
    assert signature_of(constructor(annotation, x=4)).choices.parts == ()


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (Annotated[int, at.Ge(1)], "has no upper bound: give both, as Annotated[int, Interval"),
        (Annotated[float, at.Le(1)], "has no lower bound"),
        (Annotated[float, "log"], "has no lower bound"),
        (Annotated[float, at.Interval(ge=0, le=1), "log"], "scale from 0: begin above zero"),
        (Annotated[int, at.Interval(ge=5, le=1)], "may be nothing: no number is between 5 and 1"),
        (Annotated[int, at.Interval(ge=1, le=3), at.MultipleOf(4)], "may be nothing"),
        (Annotated[int, at.Interval(ge=1, le=3), at.MultipleOf(0.5)], "give a whole number"),
        (Annotated[str, at.Ge(1)], "has bounds and is no int or float"),
        (tuple[bool, ...], "is a tuple of any length"),
        (tuple[bool, int], "place 2 of the tuple may be anything"),
        (Literal[b"x"], "is no plain value"),
    ],
)
def test_half_of_a_choice_is_one_line(annotation: Any, said: str) -> None:
    ((name, line),) = signature_of(constructor(annotation)).unclear
    assert name == "x"
    assert line.startswith("argument 'x' of Net")
    assert said in line
    assert "\n" not in line


def test_a_field_that_may_be_anything_is_named() -> None:
    @dataclass
    class Loose:
        size: int

    ((_, line),) = signature_of(constructor(Loose)).unclear
    assert "field 'size' of Loose, may be anything: say what it may be" in line


def test_arguments_of_the_task_are_known_by_their_names() -> None:
    class Net:
        def __init__(self, in_channels, num_classes: int = 7, *, input_shape=(1, 8, 8)):
            pass

    found = signature_of(Net)
    assert found.task == (("in_channels", None), ("input_shape", [1, 8, 8]), ("num_classes", 7))
    assert found.names == ["in_channels", "input_shape", "num_classes"]


def test_what_cannot_be_named_is_refused() -> None:
    class Net:
        def __init__(self, x: bool, /):
            pass

    with pytest.raises(InputError, match="argument 'x' of Net has no name to give it by"):
        signature_of(Net)


def test_an_unknown_type_is_named() -> None:
    class Net:
        def __init__(self, x: "Missing"):  # type: ignore[name-defined]  # noqa: F821
            pass

    with pytest.raises(InputError, match="name 'Missing' is not defined; import it"):
        signature_of(Net)


def test_members_and_dataclasses_are_made_for_the_constructor() -> None:
    class Net:
        def __init__(self, block: Block | None, kinds: tuple[Kind, Literal[3]]):
            pass

    block = Record("Block", (("kernel", 3), ("kind", Member("Kind", "WIDE"))))
    chosen = Record("Net", (("block", block), ("kinds", (Member("Kind", "PLAIN"), 3))))
    assert arguments_of(Net, chosen) == {
        "block": Block(3, Kind.WIDE),
        "kinds": (Kind.PLAIN, 3),
    }
    assert arguments_of(Net, Record("Net", (("block", None),))) == {"block": None}
