"""Thirty and more kinds of networks: which path wrote each, and that the class runs."""

import ast
import pickle

import pytest
import torch

from cole_core.encodings import RenderingError
from cole_core.encodings.normal_form import NormalForm, normal_form
from tests.cole_core.encodings.normal_form.networks import NETWORKS, Kind
from tests.cole_core.encodings.normal_form.running import (
    executed,
    outputs,
    unlike_fresh,
    with_weights_of,
)


def form_of(kind: Kind) -> NormalForm:
    return normal_form(kind.make, None if kind.path == "fx" else kind.inputs)


def test_there_are_thirty_kinds() -> None:
    assert len(NETWORKS) >= 30


@pytest.mark.parametrize("name", NETWORKS)
def test_a_kind_is_written_by_its_path_and_its_class_runs(name: str) -> None:
    kind = NETWORKS[name]
    form = form_of(kind)
    assert form.path == kind.path
    assert (form.reason == "") == (form.path == "fx")
    assert "\n" not in form.reason
    ast.parse(f"def f():\n    return {form.bare}" if "\n" not in form.bare else form.bare)
    assert pickle.loads(pickle.dumps(form)) == form
    if form.path == "source":
        with pytest.raises(RenderingError, match=r"fx: .*; export: "):
            _ = form.class_text
        return
    module = unlike_fresh(kind.make)
    made, expected = (
        outputs(with_weights_of(form, module), kind.inputs),
        outputs(module, kind.inputs),
    )
    assert len(made) == len(expected)
    for one, other in zip(made, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)

    again = normal_form(executed(form.class_text))
    assert (again.bare, again.class_text) == (form.bare, form.class_text)
    assert again.path == "fx"


def test_inputs_are_inferred_where_only_an_export_can_trace() -> None:
    form = normal_form(NETWORKS["transformers resnet"].make)
    assert form.path == "export"
    assert form.bare == form_of(NETWORKS["transformers resnet"]).bare


def test_nothing_is_written_where_something_is_traced(capfd: pytest.CaptureFixture[str]) -> None:
    form_of(NETWORKS["data-dependent depth"])
    assert capfd.readouterr() == ("", "")


def test_what_is_traced_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    form_of(NETWORKS["convnext"])  # whose constructor needs values
    torch.testing.assert_close(torch.rand(3), expected)
