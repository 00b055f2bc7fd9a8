"""The report's file: what it holds, and when it is written again."""

from pathlib import Path

from cole_core.encodings.vectors import Vectors
from flows.resolve.requests import Measured
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.report import ReportRequest, report
from flows.stages.search import SearchRequest, search
from tests.flows.conftest import Small

CIFAR10 = Measured(dataset="cifar10")


def test_a_report_holds_what_was_done_and_is_written_again_when_there_is_more(
    small: Small,
) -> None:
    about = {"space": "nasbench201", "home": small.home, "measured": CIFAR10}
    asked = ReportRequest(**about)
    path = Path(report(asked)["report"])
    written = path.stat().st_mtime_ns
    assert report(asked)["skipped"] == 1
    assert path.stat().st_mtime_ns == written

    vectors = Vectors(precision="fp32")
    fit_heads(FitHeadsRequest(**about, vectors=vectors, sizes=(20,), draws=2))
    found = search(SearchRequest(**about, vectors=vectors, budget=12))
    again = report(ReportRequest(space="nasbench201", home=small.home))
    assert again["reports"] == 1
    html = Path(again["report"]).read_text()
    assert found["searches"][0]["best"] in html
    assert "http://" not in html.replace("http://www.w3.org", "")  # it fetches nothing
    assert max(small.accuracies, key=small.accuracies.__getitem__) in html  # a best cell

    path.unlink()
    assert report(asked)["reports"] == 1
