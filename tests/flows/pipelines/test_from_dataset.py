"""From a space's name and a dataset to a table: nothing is looked up, nothing is done twice."""

from pathlib import Path

import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.evaluation.settings import TrainingSettings
from cole_core.spaces import get_space
from flows.pipelines.from_dataset import run_trained
from flows.resolve.network_training import TrainingTask
from flows.resolve.requests import Measured
from flows.stages import report as reporting
from flows.stages.ingest import ingest
from warehouse import Warehouse

CORPUS = Path(__file__).parents[2] / "docs" / "corpus" / "einspace-digits.parquet"
NAMED = "einspace:1x8x8:10"
WORK = TrainingTask(settings=TrainingSettings(epochs=1))


def test_networks_are_drawn_trained_compared_and_leave_as_a_table(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    stages = run_trained(home, "einspace", WORK, samples=24)
    assert stages["evaluate"]["trainings"] == 24
    table = pl.read_parquet(stages["corpus"]["file"])
    measured = Warehouse(home).sql(
        "SELECT native, value FROM evaluations WHERE metric = 'accuracy' AND split = 'valid'"
    )
    both = table.join(measured, on="native")
    assert both.height == 24
    assert (both["digits_valid_accuracy_1"] == both["value"]).all()
    assert {row["label"] for row in stages["compare"]["rows"]} >= {"derivation", "code.class"}

    report = Path(stages["report"]["report"]).read_text()
    assert "No comparisons of this target" not in report
    # Its networks have accuracies of two splits: a report of a space and its dataset, by their
    # names alone, is about those that were compared.
    target = reporting.plan(home, NAMED, Measured("digits"))
    assert (target.metric, target.split) == ("accuracy", "valid")
    with pytest.raises(InputError, match="no evaluations of dataset add-digits"):
        reporting.plan(home, NAMED, Measured("add-digits"))

    again = run_trained(home, "einspace", WORK, samples=24)
    assert again["evaluate"]["trainings"] == again["compare"]["trials"] == 0
    assert again["report"]["skipped"] == 1
    assert all(again[stage]["embedded"] == 0 for stage in again if stage.startswith("embed"))

    elsewhere = str(tmp_path / "elsewhere")
    taken = ingest(elsewhere, NAMED, stages["corpus"]["file"])
    assert taken["new_architectures"] == 24
    assert taken["evaluations"] == 48  # valid and test


def test_the_corpus_of_the_repository_holds_what_is_said_of_it() -> None:
    space = get_space("einspace", input_shape=(1, 8, 8), classes=10)
    table = pl.read_parquet(CORPUS)
    assert table.height >= 600
    # Chance is 10 %, and 449 images are judged: 15 % is more than three deviations above it.
    learned = table.filter(pl.col("digits_valid_accuracy_8") > 15)
    assert len({space.canonical_form(native) for native in learned["native"]}) >= 500
