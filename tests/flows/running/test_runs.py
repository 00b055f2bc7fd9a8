"""What a run records of the packages that it ran with, against the packages themselves."""

import importlib

import pytest

from flows.running.runs import versions


@pytest.mark.parametrize("package", ["duckdb", "numpy", "polars", "torch", "xgboost"])
def test_versions_are_those_that_the_modules_tell(package: str) -> None:
    assert versions()[package] == importlib.import_module(package).__version__
