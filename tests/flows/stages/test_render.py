"""Encodings that take long: processes share the work, a failure costs one architecture."""

import pytest

from cole_core.encodings import RenderingError, TextEncoding
from cole_core.errors import InputError
from cole_core.spaces import get_space
from flows.stages import render as rendering
from flows.stages.render import render
from tests.flows.conftest import SIZE, SPACE, Small


class Picky(TextEncoding):
    """Refuses cells whose last edge is a convolution."""

    name = "picky"

    def _render(self, native: str, context: str | None) -> str:
        if "conv" in native.rsplit("|", 2)[1]:
            raise RenderingError(f"{native}: no such thing")
        return native


def test_what_fails_is_reported_skipped_and_missing_still(
    small: Small, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rendering, "get_text_encoding", lambda *_: Picky())
    natives = small.warehouse.architectures(SPACE)["native"].to_list()
    refused = sum("conv" in native.rsplit("|", 2)[1] for native in natives)
    assert refused > rendering.NAMED
    summary = render(str(small.home), "nasbench201", "picky")
    assert summary == {"renderings": SIZE - refused, "skipped": 0, "failed": refused}
    said = capsys.readouterr().err
    assert said.count("no such thing") == rendering.NAMED
    assert f"and {refused - rendering.NAMED} more" in said
    again = render(str(small.home), "nasbench201", "picky")
    assert again == {"renderings": 0, "skipped": SIZE - refused, "failed": refused}


def test_processes_write_what_one_would(small: Small) -> None:
    pytest.importorskip("onnxslim", reason="needs the extra onnx")
    summary = render(str(small.home), "nasbench201", "onnx")
    assert summary == {"renderings": SIZE, "skipped": 0}
    encoding = get_space("nasbench201").encoding("onnx")
    assert isinstance(encoding, TextEncoding)
    rows = small.warehouse.sql("SELECT native, text FROM renderings WHERE encoding = 'onnx'")
    for native, text in rows.head(5).iter_rows():
        assert encoding.render(native) == text


def test_a_sample_is_the_same_at_each_run_and_grows_into_all(small: Small) -> None:
    home = str(small.home)
    first = render(home, "nasbench201", "code.inline", samples=20, seed=1)
    assert first == {"renderings": 20, "skipped": 0}
    again = render(home, "nasbench201", "code.inline", samples=20, seed=1)
    assert again == {"renderings": 0, "skipped": 20}
    assert render(home, "nasbench201", "code.inline") == {"renderings": SIZE - 20, "skipped": 20}
    with pytest.raises(InputError, match=f"--samples {SIZE + 1}: {SIZE} architectures"):
        render(home, "nasbench201", "code.inline", samples=SIZE + 1)
