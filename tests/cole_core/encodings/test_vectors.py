"""Architectures with vectors and values: joined, labelled, cut to what all have."""

import numpy as np
import pytest

from cole_core.encodings.vectors import (
    ArchitectureVectors,
    LabelledVectors,
    check_values,
    join_side_by_side,
    label,
    share,
)
from cole_core.errors import InputError


def made(ids: str, width: int = 2, forms: str | None = None) -> ArchitectureVectors:
    """An architecture for each letter; its vector says which it is."""
    return ArchitectureVectors(
        architecture_ids=list(ids),
        natives=[f"native {id_}" for id_ in ids],
        canonical_ids=list(forms or ids),
        vectors=np.array([[ord(id_)] * width for id_ in ids], np.float32),
    )


def labelled(ids: str, forms: str | None = None) -> LabelledVectors:
    return label(made(ids, forms=forms), {id_: float(ord(id_)) for id_ in ids})


def test_side_by_side_are_those_that_all_have_in_the_first_ones_order() -> None:
    joined = join_side_by_side([made("dbca", width=2), made("abe", width=1), made("bxa", width=3)])
    assert joined.architecture_ids == ["b", "a"]
    assert joined.natives == ["native b", "native a"]
    assert joined.vectors.tolist() == [[98.0] * 6, [97.0] * 6]


def test_labelled_are_those_with_a_value_and_their_hash_is_what_was_measured() -> None:
    found = label(made("abcd"), {"d": 1.5, "b": 2.5, "z": 9.0})
    assert found.architecture_ids == ["b", "d"]
    assert found.values.tolist() == [2.5, 1.5]
    assert found.vectors[:, 0].tolist() == [98.0, 100.0]
    assert label(made("abcd", width=7), {"d": 1.5, "b": 2.5}).labels_hash == found.labels_hash
    assert label(made("abcd"), {"d": 1.5, "b": 2.75}).labels_hash != found.labels_hash
    assert label(made("dcba"), {"d": 1.5, "b": 2.5}).labels_hash != found.labels_hash


def test_some_are_taken_in_the_order_of_their_ids() -> None:
    whole = labelled("abcd", forms="aacd")
    some = whole.take(["d", "a"])
    assert some.values.tolist() == [100.0, 97.0]
    assert some.vectors[:, 0].tolist() == [100.0, 97.0]
    assert (some.natives, some.canonical_ids) == (["native d", "native a"], ["d", "a"])
    assert whole.take(list("abcd")) is whole


@pytest.mark.parametrize(("canonical", "kept"), [(False, "ebca"), (True, "eca")])
def test_shared_is_what_all_have(canonical: bool, kept: str) -> None:
    first, second = labelled("debca", forms="debcb"), labelled("abcexy")
    if canonical:
        first = labelled("debca", forms="deeca")
    for cut in share([first, second], canonical):
        assert cut.architecture_ids == list(kept)
        assert cut.values.tolist() == [float(ord(id_)) for id_ in kept]


def test_nothing_in_common_is_bad_input() -> None:
    with pytest.raises(InputError, match="no architecture has vectors of all configurations"):
        share([labelled("ab"), labelled("cd")], canonical=False)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, float("nan"), 2.0], "the measured value of native b is NaN or infinite"),
        ([1.0, 2.0, float("-inf")], "the measured value of native c is NaN or infinite"),
        ([5.0, 5.0, 5.0], "all 3 measured values are 5: nothing can be ranked by them"),
    ],
)
def test_values_that_cannot_be_ranked(values: list[float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_values(label(made("abc"), dict(zip("abc", values, strict=True))))
    check_values(labelled("abc"))
