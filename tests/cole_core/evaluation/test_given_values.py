"""What somebody's own training gives, and what it is taken for."""

from typing import Any

import numpy as np
import pytest
import torch

from cole_core.errors import InputError
from cole_core.evaluation.given_values import (
    SCORE,
    Named,
    NoNumberError,
    NotFiniteError,
    read_name,
    scores,
)


def given(value: Any, said: str | None = None, epochs: int | None = None) -> list[tuple[Any, ...]]:
    number = SCORE if said is None else read_name(said)
    return [
        (s.metric, s.split, s.epochs, round(s.value, 4), s.unit, s.direction)
        for s in scores(value, number, epochs)
    ]


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), torch.tensor(2.0)])
def test_any_number_is_one(value: Any) -> None:
    assert given(value) == [("score", "unknown", None, 2.0, None, "higher")]


@pytest.mark.parametrize(
    ("said", "value", "score"),
    [
        ("loss", 0.5, ("loss", "unknown", 3, 0.5, None, "lower")),
        ("my_score:lower", 4, ("my_score", "unknown", 3, 4.0, None, "lower")),
        ("my_score", 4, ("my_score", "unknown", 3, 4.0, None, None)),
        ("latency[ms]", 4, ("latency", "unknown", 3, 4.0, "ms", "lower")),
        ("valid_accuracy", 93, ("accuracy", "valid", 3, 93.0, "%", "higher")),
        ("accuracy", 0.93, ("accuracy", "unknown", 3, 93.0, "%", "higher")),
        ("accuracy[%]", 0.93, ("accuracy", "unknown", 3, 0.93, "%", "higher")),
        ("error[fraction]", 0.07, ("error", "unknown", 3, 7.0, "%", "lower")),
        ("error[%]", 0.07, ("error", "unknown", 3, 0.07, "%", "lower")),
        ("error", 7, ("error", "unknown", 3, 7.0, "%", "lower")),
        ("acc", 7, ("accuracy", "unknown", 3, 7.0, "%", "higher")),
    ],
)
def test_people_say_what_a_number_is(said: str, value: float, score: tuple[Any, ...]) -> None:
    assert given(value, said, epochs=3) == [score]


def test_names_are_read_as_headings() -> None:
    found = given({"val_acc": 91, "test_accuracy_fraction": 0.5, "latency_ms": 3, "mine": 1})
    assert found == [
        ("accuracy", "valid", None, 91.0, "%", "higher"),
        ("accuracy", "test", None, 50.0, "%", "higher"),
        ("latency", "unknown", None, 3.0, "ms", "lower"),
        ("mine", "unknown", None, 1.0, None, None),
    ]
    assert given({"mine": 1}, "mine:lower")[0][-1] == "lower"


@pytest.mark.parametrize(
    ("value", "said", "line"),
    [
        ("good", None, "it is str: give a number, or numbers by name"),
        (None, None, "it is NoneType"),
        (True, None, "it is bool"),
        ([1.0], None, "it is list"),
        (np.ones(3), None, "it is ndarray"),
        ({}, None, "it gives no value"),
        ({"accuracy": "93 %"}, None, "accuracy is str"),
        ({"two words": 1}, None, "the name two words: no metric is called so"),
        ({"acc": 1, "accuracy": 2}, None, "one value under two names"),
        (0.07, "error", "may be a percentage or a fraction: say --metric error[%]"),
        (930, "accuracy", "accuracy is 930, give a percentage"),
        (-1, "accuracy", "accuracy is -1, give a percentage"),
    ],
)
def test_what_is_no_value_is_one_line(value: Any, said: str | None, line: str) -> None:
    with pytest.raises(NoNumberError) as refused:
        given(value, said)
    assert line in str(refused.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"loss": float("nan")}])
def test_what_is_not_finite_is_told_apart(value: Any) -> None:
    with pytest.raises(NotFiniteError):
        given(value)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("two words", "no metric is called so; give METRIC[UNIT]:higher or :lower"),
        ("accuracy:lower", "a better accuracy is higher"),
        ("mine:best", "'best' is no direction"),
        ("accuracy[ms]", "accuracy is a share"),
    ],
)
def test_what_people_say_is_checked(said: str, line: str) -> None:
    with pytest.raises(InputError) as refused:
        read_name(said)
    assert line in str(refused.value)


def test_what_is_taken_is_said_in_words() -> None:
    assert SCORE.line == "score, higher is better"
    assert read_name("valid_error").line == "error, %, lower is better, valid"
    assert Named("mine").line == "mine, better not said"
