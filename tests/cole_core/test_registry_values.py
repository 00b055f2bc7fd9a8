"""Values of parameters as people write them: those of another kind are told before use."""

import re
from typing import Any

import numpy as np
import pytest

from cole_core.errors import InputError
from cole_core.predictors import make_surrogate
from cole_core.registry import check_values


@pytest.mark.parametrize(
    ("head", "parameters", "said"),
    [
        ("mlp", {"epochs": "many"}, "head 'mlp': epochs is 'many', give a whole number"),
        ("mlp", {"epochs": True}, "epochs is True, give a whole number"),
        ("mlp", {"learning_rate": "fast"}, "learning_rate is 'fast', give a number"),
        ("mlp", {"hidden": 3}, "hidden is 3, give a list of whole numbers"),
        ("mlp", {"hidden": [3, "x"]}, "give a list of whole numbers"),
        ("gaussian_process", {"block_prior": [1]}, "give a list of 2 numbers"),
        ("gaussian_process", {"noise_prior": 1}, "give a list of 2 numbers or null"),
        ("ridge", {"n_components": "all"}, "surrogate: n_components is 'all', give a whole number"),
        ("ridge", {"reduction": 3}, "reduction is 3, give a name"),
    ],
)
def test_values_of_another_kind(head: str, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        make_surrogate(head, **parameters)


def test_values_of_the_right_kind() -> None:
    """As they come from JSON, from Python and from NumPy."""
    for value in ([8, 8], (8, 8), [np.int64(8)]):
        make_surrogate("mlp", hidden=value)
    for number in (1, 0.5, np.float32(0.5)):
        make_surrogate("mlp", learning_rate=number)
    make_surrogate("gaussian_process", noise_prior=None, lengthscale_prior=[4, 0.35])


def test_annotations_that_are_no_plain_kinds_say_nothing() -> None:
    def factory(first: "SomethingElse", second, third: dict[str, int]) -> None:  # noqa: F821
        """Of a package of somebody's."""

    check_values("x", {"first": 1, "second": "a", "third": 3, "fourth": None}, factory)
