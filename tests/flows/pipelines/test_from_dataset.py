"""From a space's name and a dataset to a table: nothing is looked up, nothing is done twice."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from cole_core.errors import InputError
from cole_core.spaces import get_space
from flows.pipelines.from_dataset import from_dataset
from flows.pipelines.request import RunRequest
from flows.resolve.requests import Measured
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.report import ReportRequest
from flows.stages.report import plan as plan_report
from warehouse import Warehouse

CORPUS = Path(__file__).parents[3] / "docs" / "corpus" / "einspace-digits.parquet"
NAMED = "einspace:1x8x8:10"


@pytest.mark.usefixtures("prefect_server")
def test_networks_are_drawn_trained_compared_and_leave_as_a_table(tmp_path: Path) -> None:
    home = tmp_path / "home"
    asked = RunRequest(space="einspace", home=home, samples=24, epochs=1)
    stages = from_dataset(asked)
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
    about = ReportRequest(space=NAMED, home=home, measured=Measured(dataset="digits"))
    target = plan_report(about).target
    assert (target.metric, target.split) == ("accuracy", "valid")
    with pytest.raises(InputError, match="no evaluations of dataset add-digits"):
        plan_report(replace(about, measured=Measured(dataset="add-digits")))

    again = from_dataset(asked)
    assert again["evaluate"]["trainings"] == again["compare"]["trials"] == 0
    assert again["report"]["skipped"] == 1
    assert all(again[stage]["embedded"] == 0 for stage in again if stage.startswith("embed"))

    elsewhere = tmp_path / "elsewhere"
    taken = ingest(IngestRequest(space=NAMED, origin=stages["corpus"]["file"], home=elsewhere))
    assert taken["new_architectures"] == 24
    assert taken["evaluations"] == 48  # valid and test


def test_the_corpus_of_the_repository_holds_what_is_said_of_it() -> None:
    space = get_space("einspace", input_shape=(1, 8, 8), classes=10)
    table = pl.read_parquet(CORPUS)
    assert table.height >= 600
    # Chance is 10 %, and 449 images are judged: 15 % is more than three deviations above it.
    learned = table.filter(pl.col("digits_valid_accuracy_8") > 15)
    assert len({space.canonical_form(native) for native in learned["native"]}) >= 500
