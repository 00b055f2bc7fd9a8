"""The cell as a class that runs: `code.inline`, `code.helper` and `code.exclude_helper`."""

from cole_core.spaces.nasbench201 import EDGES, Cell
from cole_core.spaces.nasbench201.encodings.code import CodeEncoding

_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}


class Inline(CodeEncoding):
    """An attribute per convolution edge, a line per node; each convolution is spelled out.

    Dead code stays: what the benchmark trains and counts is what is written.
    """

    name = "code.inline"

    def cell(self, cell: Cell) -> str:
        lines = [
            "class Cell(nn.Module):",
            "    def __init__(self, channels):",
            "        super().__init__()",
        ]
        for (source, target), operation in zip(EDGES, cell.operations, strict=True):
            if operation in _KERNELS:
                made = self.convolution("channels", "channels", _KERNELS[operation])
                lines.append(f"        self.op_{source}_{target} = {made}")
        lines += [
            "",
            "    def forward(self, x0):",
            f"        x1 = {_node(cell, 1)}",
            f"        x2 = {_node(cell, 2)}",
            f"        return {_node(cell, 3)}",
        ]
        return "\n".join(lines)


class ExcludeHelper(Inline):
    """Each convolution is a call of a helper that the text does not define."""

    name = "code.exclude_helper"

    def convolution(self, inputs: str, outputs: str, kernel: int, stride: int = 1) -> str:
        step = f", stride={stride}" if stride > 1 else ""
        return f"ReLUConvBN({inputs}, {outputs}, kernel={kernel}{step})"


class Helper(ExcludeHelper):
    """Each convolution is a call of a helper that the text defines first."""

    name = "code.helper"
    helper = """\
class ReLUConvBN(nn.Sequential):
    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )"""


def _node(cell: Cell, target: int) -> str:
    """The sum of the edges into a node; `none` edges are left out."""
    terms = []
    for source, operation in cell.edges_into(target):
        if operation in _KERNELS:
            terms.append(f"self.op_{source}_{target}(x{source})")
        elif operation == "skip_connect":
            terms.append(f"x{source}")
        elif operation == "avg_pool_3x3":
            terms.append(
                f"F.avg_pool2d(x{source}, kernel_size=3, stride=1, padding=1, "
                "count_include_pad=False)"
            )
    return " + ".join(terms) or "torch.zeros_like(x0)"
