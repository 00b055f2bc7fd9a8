"""What the cell computes as one expression: `code.expression`, and that alone: `code.bare`."""

from cole_core.encodings.base import TextEncoding
from cole_core.spaces.nasbench201 import Cell, parse
from cole_core.spaces.nasbench201.canonical import Term, output
from cole_core.spaces.nasbench201.encodings.code import CodeEncoding

_CALLS = {
    "nor_conv_1x1": "self.conv1x1",
    "nor_conv_3x3": "self.conv3x3",
    "avg_pool_3x3": "F.avg_pool2d",
}


class Expression(CodeEncoding):
    """The cell without dead code, shared nodes written out, sums flat and in a fixed order.

    It parses and is not meant to run: two convolutions of one kernel size share a name. That
    forgets which convolutions are shared, so the 5,260 canonical forms have 4,930 texts.
    """

    name = "code.expression"

    def cell(self, cell: Cell) -> str:
        return f"class Cell(nn.Module):\n    def forward(self, x):\n        return {_write(cell)}"


class Bare(TextEncoding):
    """The expression of `code.expression` alone.

    The lines around it are the same for every cell: 45 of 75 tokens that tell nothing.
    """

    name = "code.bare"

    def _render(self, native: str, context: str) -> str:
        return _write(parse(native))


def _write(cell: Cell) -> str:
    return output(cell).write(_call, zero="torch.zeros_like(x)")


def _call(term: Term) -> str:
    return _CALLS[term.operation]
