"""What a person wrote, without what says nothing of the network."""

import pytest
import torch
from torch import nn

from cole_core.encodings import RenderingError
from cole_core.encodings.normal_form import normal_form, source_form
from cole_core.encodings.normal_form.source import normalised, source_digest

FILE = '''
"""About the file."""
import torch
from torch import nn

WIDTH: int = 64  # of all layers
UNUSED = 3

def helper(x: torch.Tensor) -> torch.Tensor:
    "Doubles."
    return x * 2

class Block(nn.Module):
    def forward(self, x):
        """Nothing else."""

class Other(nn.Module):
    def forward(self, x):
        return x

class Net(nn.Module):
    """A network."""

    scale: float

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.block: Block = Block()
        count: int

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x is None:
            "a remark"
        hidden = self._hidden(x)
        return hidden

    def _hidden(self, x):
        return self.block(helper(x))

    def training_step(self, batch):
        return self.loss(batch)

    def loss(self, batch):
        print("loss")
'''

EXPECTED = """\
WIDTH = 64

def helper(x):
    return x * 2

class Block(nn.Module):

    def forward(self, x):
        pass

class Net(nn.Module):

    def __init__(self, width=WIDTH):
        super().__init__()
        self.block = Block()

    def forward(self, x):
        if x is None:
            pass
        hidden = self._hidden(x)
        return hidden

    def _hidden(self, x):
        return self.block(helper(x))"""


def test_only_what_forward_reaches_is_left() -> None:
    assert normalised(FILE, "Net") == EXPECTED
    assert normalised(EXPECTED, "Net") == EXPECTED


def test_without_a_name_every_class_is_there() -> None:
    assert "class Other" in normalised(FILE)
    assert "UNUSED" in normalised(FILE)


def test_the_digest_knows_no_names_of_local_variables() -> None:
    renamed = EXPECTED.replace("hidden", "made").replace("self._made", "self._hidden")
    renamed = renamed.replace("def _made", "def _hidden")
    assert renamed != EXPECTED
    assert source_digest(renamed) == source_digest(EXPECTED)
    assert source_digest(EXPECTED.replace("* 2", "* 3")) != source_digest(EXPECTED)
    assert source_digest(EXPECTED.replace("64", "32")) != source_digest(EXPECTED)


def test_a_source_that_is_not_run_is_its_own_text() -> None:
    form = source_form(FILE, "Net", reason="it is not run without --run")
    assert (form.path, form.reason) == ("source", "it is not run without --run")
    assert form.bare == form.expression == form.source == EXPECTED
    assert form.digest == source_digest(EXPECTED)
    with pytest.raises(RenderingError, match="not run without --run"):
        _ = form.class_text


def test_a_source_that_is_no_python_is_refused() -> None:
    with pytest.raises(SyntaxError):
        source_form("class Net(:", reason="")


def test_a_network_that_cannot_be_made_has_its_source_where_that_is_given() -> None:
    def make() -> nn.Module:
        raise ValueError("no\nweights")

    form = normal_form(make, source=FILE)
    assert form.path == "source"
    assert form.reason == "it cannot be made: ValueError: no"
    with pytest.raises(ValueError, match="weights"):
        normal_form(make)


def test_a_network_without_source_and_trace_is_refused_in_one_line() -> None:
    class Net(nn.Module):
        def forward(self, x):
            return x if torch.linalg.norm(x) > 1 else -x

    Net.__module__ = "nowhere"
    with pytest.raises(
        RenderingError, match=r"^Net has no source, and fx: .*no layer says"
    ) as told:
        normal_form(Net)
    assert "\n" not in str(told.value)


def test_a_traced_network_keeps_the_source_that_it_is_given() -> None:
    form = normal_form(lambda: nn.Linear(3, 3), source=FILE)
    assert form.path == "fx"
    assert form.source == normalised(FILE)
    assert form == normal_form(lambda: nn.Linear(3, 3))
