"""The catalog keeps how the network behind a text was read, and summaries count it."""

from pathlib import Path
from typing import ClassVar

import pytest

from cole_core.encodings.normal_form import NormalForm, source_form
from cole_core.spaces import spaces
from cole_core.spaces.nasbench201 import NASBench201
from flows.cli.printing import Printer
from flows.stages.enumerate import EnumerateRequest, enumerate_architectures
from flows.stages.render import RenderRequest, render
from tests.flows.conftest import SIZE, Small
from warehouse import Warehouse


class Traced(NASBench201):
    """Writes its texts by the normal form; cells whose first edge is none are not run."""

    encodings: ClassVar = {
        **NASBench201.encodings,
        "code.bare": "cole_core.encodings.traced_texts:Bare",
    }

    def normal_form(self, native: str) -> NormalForm:
        if native.startswith("|none"):
            return source_form(f"cell = {native!r}", reason="not run")
        return super().normal_form(native)


@pytest.mark.usefixtures("prefect_server")
def test_paths_are_stored_and_counted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with spaces.registered("nasbench201", Traced):
        enumerate_architectures(EnumerateRequest(space="nasbench201", home=home, samples=SIZE))
        asked = RenderRequest(space="nasbench201", home=home)
        summary = render(asked)
        again = render(asked)
    rows = Warehouse(home).sql(
        "SELECT native, path, reason, text FROM renderings WHERE encoding = 'code.bare'"
    )
    unread = rows.filter(rows["native"].str.starts_with("|none"))
    assert 0 < unread.height < SIZE
    assert unread["path"].unique().to_list() == ["source"]
    assert unread["reason"].unique().to_list() == ["not run"]
    read = rows.filter(~rows["native"].str.starts_with("|none"))
    assert read["path"].unique().to_list() == ["fx"]
    assert read["reason"].unique().to_list() == [""]
    own = NASBench201().encoding("code.bare")
    assert read["text"][0] == own.render(read["native"][0])  # type: ignore[union-attr]
    assert summary == {
        "renderings": SIZE,
        "skipped": 0,
        "paths": {"fx": SIZE - unread.height, "source": unread.height},
    }
    assert again == {"renderings": 0, "skipped": SIZE}


def test_texts_that_the_space_writes_have_no_path(small: Small) -> None:
    render(RenderRequest(space="nasbench201", home=small.home, encoding="arch_str"))
    rows = small.warehouse.sql("SELECT DISTINCT path, reason FROM renderings")
    assert rows.rows() == [(None, None)]


def test_a_summary_says_how_networks_were_read(capsys: pytest.CaptureFixture[str]) -> None:
    did = {"renderings": 1_216, "skipped": 0, "paths": {"source": 1, "fx": 1_212, "export": 3}}
    Printer(False).summary("render", did)
    said = " ".join(capsys.readouterr().out.split())
    assert "1,216 texts written" in said
    assert "; 1,212 by fx, 3 by export, 1 as source" in said
