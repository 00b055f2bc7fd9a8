"""What a source of measured values promises, as tests."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.sources.base import KEY, NATURE, SCHEMA, Source, with_nature
from cole_core.sources.metrics import metric_named
from cole_core.spaces.base import SearchSpace
from cole_core.testing.checks import NAME, attribute, refused


class SourceContract:
    """Tests of a source; see `cole_core.sources.base.Source`.

    Attributes:
        source: What is tested.
        space: The space whose architectures it measures.
        origin: What people give for it: a name, or a function that writes a file into a folder and
            gives its path.
        few: How many natives are checked.
    """

    source: Source
    space: SearchSpace
    origin: str | Callable[[Path], object]
    few: int = 500

    @pytest.fixture
    def given(self, tmp_path: Path) -> str:
        """What it reads."""
        origin: Any = attribute(self, "origin")
        return str(origin(tmp_path)) if callable(origin) else str(origin)

    def frame(self, given: str) -> pl.DataFrame:
        """What it gives; read once, since a benchmark may be large."""
        kind: Any = type(self)
        if "_frame" not in vars(kind):
            kind._frame = self.source.read(given, self.space)
        frame: pl.DataFrame = kind._frame
        return frame

    def test_it_says_what_it_reads(self) -> None:
        assert NAME.fullmatch(self.source.name), f"it cannot be called {self.source.name!r}"
        assert len(self.source.about.splitlines()) == 1

    def test_it_recognises_its_own_and_nothing_else(self, given: str, tmp_path: Path) -> None:
        assert self.source.recognises(given) is True
        for other in (f"no-such-{uuid.uuid4().hex}", "", str(tmp_path / "nothing.csv"), "\0"):
            assert self.source.recognises(other) is False, f"it takes {other!r} for its own"

    def test_the_frame_is_as_it_is_promised(self, given: str) -> None:
        frame = self.frame(given)
        assert isinstance(frame, pl.DataFrame)
        added = {name: NATURE[name] for name in NATURE if name in frame.columns}
        assert dict(frame.schema) == dict(SCHEMA) | added
        assert frame.height
        optional = ("epochs", "seed")
        for name in set(SCHEMA) - set(optional):
            assert not frame[name].null_count(), f"the column {name} has empty cells"
        for name in ("dataset", "metric", "split", "source"):
            assert (frame[name].str.len_chars() > 0).all()

    def test_values_are_percentages(self, given: str) -> None:
        frame = self.frame(given)
        assert frame["value"].is_finite().all()
        for (name,), rows in frame.group_by("metric"):
            metric = metric_named(str(name))
            if metric is not None and metric.is_percentage:
                assert rows["value"].is_between(0, 100).all(), f"{name} is percentages, 0 to 100"

    def test_a_direction_is_higher_or_lower(self, given: str) -> None:
        directions = set(with_nature(self.frame(given))["direction"])
        assert directions <= {"higher", "lower", None}

    def test_an_evaluation_comes_once(self, given: str) -> None:
        frame = self.frame(given)
        assert not frame.select(KEY).is_duplicated().any()

    def test_natives_are_architectures(self, given: str) -> None:
        natives = self.frame(given)["native"].unique(maintain_order=True)
        for native in natives.gather_every(max(1, len(natives) // self.few)):
            self.space.validate(native)

    def test_it_reads_the_same_again(self, given: str) -> None:
        once, again = self.frame(given), type(self.source)().read(given, self.space)
        assert again.equals(once)

    def test_the_headline_is_one_of_its_metrics(self, given: str) -> None:
        if self.source.headline is not None:
            assert self.source.headline in set(self.frame(given)["metric"])

    def test_architectures_of_another_space_are_refused(self, given: str) -> None:
        refused(self.source.read, given, _Elsewhere())


class _Elsewhere:
    """A space that has none of the architectures."""

    name = "elsewhere"

    def validate(self, native: str) -> None:
        raise InputError(f"{native!r} is not an architecture of elsewhere: there are none")
