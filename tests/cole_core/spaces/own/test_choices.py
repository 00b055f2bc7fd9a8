"""What an argument may be: sizes, values, draws, mutants, and how they are written."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cole_core.errors import InputError
from cole_core.spaces.own.choices import Choice, Member, Optional, Options, Range, Several, same
from cole_core.spaces.own.native import read, read_arguments, write

PLAIN = st.one_of(st.booleans(), st.integers(-9, 9), st.text(max_size=5), st.none())


def options() -> st.SearchStrategy[Choice]:
    values = st.lists(PLAIN, min_size=1, max_size=5, unique_by=lambda v: (type(v), v))
    members = st.lists(st.sampled_from("ABCD"), min_size=1, max_size=4, unique=True).map(
        lambda names: [Member("Kind", name) for name in names]
    )
    return st.one_of(values, members).map(lambda found: Options(tuple(found)))


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    log = draw(st.booleans())
    low = draw(st.integers(1 if log else -20, 20))
    high = low + draw(st.integers(1, 200))
    if draw(st.booleans()):
        step = draw(st.integers(1, 3))
        return Range(low * step, high * step, step, True, log)
    step = draw(st.sampled_from([None, 0.5, 0.1]))
    scale = 1 / 7 if step is None else step
    return Range(low * scale, high * scale, step, False, log)


def groups(inner: st.SearchStrategy[Choice]) -> st.SearchStrategy[Choice]:
    records = st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, min_size=1).map(
        lambda parts: Several(tuple(sorted(parts.items())), "Block")
    )
    tuples = st.lists(inner, min_size=1, max_size=3).map(
        lambda parts: Several(tuple((str(i), part) for i, part in enumerate(parts)))
    )
    plain = inner.filter(lambda each: not each.holds(None) and not isinstance(each, Optional))
    return st.one_of(records, tuples, plain.map(Optional))


CHOICES = st.recursive(st.one_of(options(), ranges()), groups, max_leaves=5)
SPACES = st.dictionaries(st.sampled_from(["depth", "width", "x"]), CHOICES, min_size=1).map(
    lambda parts: Several(tuple(sorted(parts.items())), "Net")
)


@given(SPACES, st.integers(0, 2**31))
def test_a_draw_is_one_of_the_values_and_is_read_as_it_was_written(
    space: Several, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    value = space.sample(rng)
    assert space.holds(value)
    assert read(write(value), space) == value
    if space.size != 1:
        mutant = space.mutate(value, rng)
        assert space.holds(mutant)
        assert write(mutant) != write(value)  # False and 0 are two values, though they are equal
        pairs = zip(value.values, mutant.values, strict=True)
        differing = sum(repr(a) != repr(b) for (_, a), (_, b) in pairs)
        assert differing == 1, "one edit changes one argument"


@given(SPACES)
def test_the_size_is_that_of_the_values(space: Several) -> None:
    if space.size is None or space.size > 3_000:
        return
    values = list(space.values())
    assert len({write(each) for each in values}) == len(values) == space.size
    assert all(space.holds(each) for each in values)


@given(SPACES, st.integers(0, 2**31))
def test_a_child_has_each_argument_of_a_parent(space: Several, seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = space.sample(rng), space.sample(rng)
    child = space.cross(left, right, rng)
    assert space.holds(child)
    for own, one, other in zip(child.values, left.values, right.values, strict=True):
        assert own in (one, other)


def test_both_parents_are_heard() -> None:
    space = Several(tuple((name, Range(0, 999, 1, True)) for name in "abcdefgh"), "Net")
    rng = np.random.default_rng(0)
    left, right = space.sample(rng), space.sample(rng)
    children = [space.cross(left, right, rng) for _ in range(50)]
    for place in range(8):
        found = {child.values[place] for child in children}
        assert found == {left.values[place], right.values[place]}


def test_a_logarithmic_scale_draws_each_decade_alike() -> None:
    space = Range(1e-4, 1e-1, None, False, log=True)
    rng = np.random.default_rng(0)
    decades = np.array([math.floor(math.log10(space.sample(rng))) for _ in range(3_000)])
    counts = [int((decades == decade).sum()) for decade in (-4, -3, -2)]
    assert min(counts) > 900, counts


def test_each_whole_number_is_drawn_alike() -> None:
    space = Range(1, 6, 1, True)
    rng = np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(6_000)]
    assert min(drawn.count(number) for number in range(1, 7)) > 850


def test_a_bound_of_steps_is_reached_in_spite_of_rounding() -> None:
    assert list(Range(0.1, 0.3, 0.1, False).values()) == [0.1, 0.2, 0.3]
    assert Range(0.1, 0.3, 0.1, False).holds(0.3)
    assert list(Range(8, 33, 8, True).values()) == [8, 16, 24, 32]


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [(1, True, False), (1, 1.0, False), (0, False, False), ("a", "a", True), (None, None, True)],
)
def test_values_of_other_types_are_others(left: Any, right: Any, equal: bool) -> None:
    assert same(left, right) is equal


NET = Several(
    (
        ("activation", Options(("relu", "gelu"))),
        ("block", Several((("bias", Options((False, True))), ("k", Options((1, 3)))), "Block")),
        ("depth", Range(1, 6, 1, True)),
        ("pair", Several((("0", Options((True, False))), ("1", Optional(Range(1, 2, 1, True)))))),
        ("rate", Range(0.1, 0.9, None, False)),
    ),
    "Net",
)
GOOD = "Net(activation='relu', block=Block(bias=True, k=3), depth=3, pair=(True, None), rate=0.25)"


def test_one_writing_is_read() -> None:
    assert write(read(GOOD, NET)) == GOOD


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("'relu'", '"relu"', "write it as Net(activation='relu'"),
        ("depth=3", "depth=03", "write it as"),
        ("depth=3", "depth = 3", "write it as"),
        ("depth=3", "depth=7", "argument 'depth' is a whole number from 1 to 6, not '7'"),
        ("depth=3", "depth=3.0", "argument 'depth' is a whole number"),
        ("depth=3", "depth=True", "argument 'depth' is a whole number"),
        ("depth=3", "depth=__import__('os')", "is no architecture of Net: write it as Net("),
        ("depth=3, ", "", "argument 'depth' is missing"),
        ("depth=3", "depth=3, dept=3", "has no choice of 'dept', it has activation, block, depth"),
        ("depth=3", "depth=3, depth=3", "is no architecture"),
        ("'relu'", "'tanh'", "argument 'activation' is one of 'relu', 'gelu', not"),
        ("Block(bias=True, k=3)", "Block(k=3)", "argument 'block' is Block(bias: one of"),
        ("Block(", "Other(", "argument 'block'"),
        ("(True, None)", "(True, None, 1)", "argument 'pair' is (one of True, False, None, or"),
        ("rate=0.25", "rate=0.250", "write it as"),
        ("rate=0.25", "rate=1e999", "argument 'rate' is a number from 0.1 to 0.9"),
        ("Net(", "Nett(", "is no architecture of Net"),
    ],
)
def test_other_writings_are_refused_with_the_right_one(before: str, after: str, said: str) -> None:
    assert before in GOOD
    with pytest.raises(InputError) as refused:
        read(GOOD.replace(before, after, 1), NET)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_arguments_are_read_as_a_call_has_them() -> None:
    given = read_arguments("channels=16,name='a, b',shape=[3, 8, 8]")
    assert given == {"channels": 16, "name": "a, b", "shape": [3, 8, 8]}
    for text in ("16", "a=", "a=b", "**{}", "a=1, a=2", "a=1)", "a=1; b"):
        with pytest.raises(InputError, match="write them by name"):
            read_arguments(text)
