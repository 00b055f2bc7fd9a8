"""What the cell computes as one expression: `code.expression`, and `code.bare` without a class."""

from cole_core.encodings.base import TextEncoding
from cole_core.spaces.nasbenchgraph.canonical import Tree, parse, tree


class Bare(TextEncoding):
    """The outputs side by side, each written from the input on; skips that change nothing are gone.

    What two outputs share is written twice, so that 26,206 networks have fewer texts.
    """

    name = "code.bare"

    def _render(self, native: str, context: str) -> str:
        outputs = sorted(_outputs(tree(parse(native)), "x"), key=lambda text: (len(text), text))
        if len(outputs) == 1:
            return outputs[0]
        return f"torch.cat([{', '.join(outputs)}], dim=1)"


class Expression(Bare):
    """The bare expression as what the method `forward` of a class returns."""

    name = "code.expression"

    def _render(self, native: str, context: str) -> str:
        value = super()._render(native, context)
        return f"class Cell(nn.Module):\n    def forward(self, x):\n        return {value}"


def _outputs(nodes: Tree, given: str) -> list[str]:
    """The outputs behind some nodes, as expressions."""
    found = []
    for node in nodes:
        value = f"self.{node.operation}({given})"
        found += _outputs(node.readers, value) if node.readers else [value]
    return found
