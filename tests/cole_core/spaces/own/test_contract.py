"""A file's class keeps what every search space promises."""

from pathlib import Path

import pytest

from cole_core.spaces import parse_space
from cole_core.testing import SpaceContract

FILE = Path(__file__).with_name("my_space.py")


class TestNet(SpaceContract):
    @pytest.fixture(autouse=True, scope="class")
    def _named(self, request: pytest.FixtureRequest) -> None:
        request.cls.space = parse_space(f"{FILE}:Net")


class TestSmall(SpaceContract):
    """One whose architectures can be counted."""

    @pytest.fixture(autouse=True, scope="class")
    def _named(self, request: pytest.FixtureRequest) -> None:
        request.cls.space = parse_space(f"{FILE}:Net:dropout=None,width=8,depth=1")
