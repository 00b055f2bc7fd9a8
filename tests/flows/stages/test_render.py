"""Texts by processes that share the work; a failure costs one architecture."""

from dataclasses import replace
from typing import ClassVar

import pytest

from cole_core.encodings import RenderingError, TextEncoding
from cole_core.errors import InputError
from cole_core.spaces import get_space, spaces
from cole_core.spaces.nasbench201 import NASBench201
from flows.running.failures import NAMED
from flows.stages.render import RenderRequest, render
from tests.flows.conftest import SIZE, SPACE, Small


class Picky(TextEncoding):
    """Refuses cells whose last edge is a convolution."""

    name = "picky"

    def _render(self, native: str, context: str) -> str:
        if "conv" in native.rsplit("|", 2)[1]:
            raise RenderingError(f"{native}: no such thing")
        return native


class WithPicky(NASBench201):
    """The space with one encoding more."""

    encodings: ClassVar = NASBench201.encodings | {"picky": f"{__name__}:Picky"}


def test_what_fails_is_reported_skipped_and_missing_still(
    small: Small, capsys: pytest.CaptureFixture[str]
) -> None:
    natives = small.warehouse.architectures(SPACE)["native"].to_list()
    refused = sum("conv" in native.rsplit("|", 2)[1] for native in natives)
    assert refused > NAMED
    asked = RenderRequest(space="nasbench201", home=small.home, encoding="picky")
    with spaces.registered("nasbench201", WithPicky):
        summary = render(asked)
        assert summary == {"renderings": SIZE - refused, "skipped": 0, "failed": refused}
        said = capsys.readouterr().err
        assert said.count("no such thing") == NAMED
        assert f"and {refused - NAMED} more" in said
        again = render(asked)
        assert again == {"renderings": 0, "skipped": SIZE - refused, "failed": refused}


def test_processes_write_what_one_would(small: Small) -> None:
    pytest.importorskip("onnxslim", reason="needs the extra onnx")
    asked = RenderRequest(space="nasbench201", home=small.home, encoding="onnx")
    assert render(asked) == {"renderings": SIZE, "skipped": 0}
    encoding = get_space("nasbench201").encoding("onnx")
    assert isinstance(encoding, TextEncoding)
    rows = small.warehouse.sql("SELECT native, text FROM renderings WHERE encoding = 'onnx'")
    for native, text in rows.head(5).iter_rows():
        assert encoding.render(native) == text


def test_a_sample_is_the_same_at_each_run_and_grows_into_all(small: Small) -> None:
    all_ = RenderRequest(space="nasbench201", home=small.home, encoding="code.inline")
    sample = replace(all_, samples=20, seed=1)
    assert render(sample) == {"renderings": 20, "skipped": 0}
    assert render(sample) == {"renderings": 0, "skipped": 20}
    assert render(all_) == {"renderings": SIZE - 20, "skipped": 20}
    with pytest.raises(InputError, match=f"--samples {SIZE + 1}: {SIZE} architectures"):
        render(replace(all_, samples=SIZE + 1))
