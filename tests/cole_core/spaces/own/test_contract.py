"""A file's class keeps what every search space promises."""

from pathlib import Path
from typing import Any

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


class TestChains(SpaceContract):
    """A class of spaces in a file."""

    @pytest.fixture(autouse=True, scope="class")
    def _named(self, request: pytest.FixtureRequest) -> None:
        request.cls.space = parse_space(f"{FILE.with_name('my_chains.py')}:Chains")

    def test_its_own_encodings_are_those_of_the_file(self) -> None:
        words: Any = self.space.encoding("words")
        assert words.render("conv-relu") == "conv then relu"
        lengths: Any = self.space.encoding("lengths")
        assert lengths.encode(["conv", "conv-relu"]).tolist() == [[1.0], [2.0]]
        assert "linear10" in self.space.encoding("code.expression").render("conv-relu")  # type: ignore[union-attr]
