"""Ids and first steps are those of before: what people keep is found again.

identities.json is what the code gave before it was moved about. Nothing here hinges on an
embedding's floats: ids are hashes of texts, settings and values, and searches read structural
encodings. What could differ by machine nevertheless:

- the texts of `onnx` follow what the installed torch and onnxslim export (a newer one may write
  another graph: then the text is another one indeed, and vectors of it are made anew);
- the ids of specifications follow the weights of the installed MiniLM package;
- the steps of a Gaussian process or a ridge follow float64 algebra. At every choice the scores of
  the first four candidates lie 0.003 standard deviations apart or more, many orders of magnitude
  above what the order of a sum moves them by. The paper's network ensemble rounds more freely, so
  its first ten steps are those at random.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.golden import observe
from tests.golden.observe import Observed
from tests.golden.record import IDENTITIES

GOLDEN: Observed = json.loads(IDENTITIES.read_text())


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of a few architectures of each space."""
    folder = tmp_path_factory.mktemp("few")
    observe.fill_few(folder / "home", folder)
    return folder / "home"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of some hundred architectures with made values."""
    folder = tmp_path_factory.mktemp("many")
    observe.fill_many(folder / "home", folder)
    return folder / "home"


@pytest.fixture(scope="module")
def searched(many: Path) -> Observed:
    """What the searches of that warehouse came to."""
    return observe.searched(many)


def test_a_seed_draws_the_same_architectures(tmp_path: Path) -> None:
    assert observe.samples(tmp_path / "home") == GOLDEN["samples"]


def test_architectures(few: Path) -> None:
    assert observe.architectures(few) == GOLDEN["architectures"]


def test_texts(few: Path) -> None:
    assert observe.texts(few) == GOLDEN["texts"]


def test_specifications(few: Path) -> None:
    assert observe.specifications(few) == GOLDEN["specifications"]


def test_settings() -> None:
    assert observe.settings() == GOLDEN["settings"]


def test_trials_of_trainings(many: Path) -> None:
    assert observe.trained(many) == GOLDEN["trainings"]


def test_trials_of_comparisons(many: Path) -> None:
    assert observe.compared(many) == GOLDEN["comparisons"]


def test_searches_and_their_first_steps(searched: Observed) -> None:
    """Configuration by configuration, so that a failure names one."""
    assert list(searched) == list(GOLDEN["searches"])
    for space, golden in GOLDEN["searches"].items():
        for what in golden:
            assert {what: _steps(searched[space][what])} == {what: _steps(golden[what])}
            assert {what: searched[space][what]} == {what: golden[what]}


def test_what_a_comparison_searched_a_search_does_not_repeat(
    many: Path, searched: Observed
) -> None:
    """Two flows that ask for the same by other names."""
    for options in (
        "--encoding graf --initial 4 --batch 3",
        "--encoding graf --initial 4 --batch 3 --acquisition ei",
        "--encoding graf --algorithm local_search",
    ):
        known = observe.search_again(many, options)
        assert (known["evaluations"], known["skipped"]) == (0, observe.STEPS)


def _steps(found: Any) -> Any:
    """The steps without the ids, which say more where both differ."""
    if isinstance(found, str):
        return found
    return [[native for native, _ in each["steps"]] for each in found["searches"]]
