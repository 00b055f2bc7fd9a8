"""The network as a PyTorch class that runs: `code.class`."""

from __future__ import annotations

from cole_core.encodings.base import TextEncoding
from cole_core.spaces.einspace.program import Program, Step


class CodeClass(TextEncoding):
    """A class with the layers in `__init__` and a line per step in `forward`.

    It runs, and its attributes are those of `build`, so that weights can be copied. Within
    `branching(4)` and `branching(8)` a value is a list with a tensor per branch; so the text is
    as long as the derivation, however many copies it makes. Identities and `clone(2)` are no
    steps.
    """

    name = "code.class"

    def _render(self, native: str, context: str) -> str:
        return write_class(self.space.program(native), self.space.classes)


def write_class(program: Program, classes: int) -> str:
    """The class of a program with the classifier at its end."""
    lines = ["class Network(nn.Module):", "    def __init__(self):", "        super().__init__()"]
    for step in program.steps:
        layer = write_layer(step)
        if layer is not None and step.copies > 1:
            container = "Parameter" if step.operation.name == "pos_enc" else "Module"
            layer = f"nn.{container}List([{layer} for _ in range({step.copies})])"
        if layer is not None:
            lines.append(f"        self.{step.attribute} = {layer}")
    is_image = program.after.mode == "im"
    features = program.after.shape[0 if is_image else -1]
    mean = f"x{program.output}.mean(dim={'(2, 3)' if is_image else 1})"
    lines += [
        f"        self.classifier = nn.Linear({features}, {classes})",
        "",
        "    def forward(self, x0):",
        *(f"        {_write_line(step)}" for step in program.steps),
        f"        return self.classifier({mean})",
    ]
    return "\n".join(lines)


def write_layer(step: Step) -> str | None:
    """The expression that makes the weights of one copy; None where there are none."""
    operation, shape = step.operation, step.before.shape
    if operation.name == "linear":
        return f"nn.Linear({shape[-1]}, {operation.numbers[0]})"
    if operation.name == "convolution":
        width, kernel, stride, padding = operation.numbers
        step_text = f", stride={stride}" if stride > 1 else ""
        edge = f", padding={padding}" if padding else ""
        return f"nn.Conv2d({shape[0]}, {width}, kernel_size={kernel}{step_text}{edge})"
    if operation.name == "norm":
        image = step.before.mode == "im"
        return f"nn.BatchNorm2d({shape[0]})" if image else f"nn.LayerNorm({shape[-1]})"
    if operation.name == "pos_enc":
        return f"nn.Parameter(torch.zeros({', '.join(map(str, shape))}))"
    return None


def write_function(step: Step, x: str) -> str:
    """The call of an operation without weights that has one input.

    Args:
        step: The step.
        x: The input, as text that binds as tightly as a name.
    """
    operation = step.operation
    if operation.name == "relu":
        return f"F.leaky_relu({x})"
    if operation.name == "softmax":
        return f"{x}.softmax(dim=-1)"
    if operation.name == "perm":
        return f"{x}.permute({', '.join(map(str, operation.numbers))})"
    if operation.name == "im2col":
        kernel, stride, padding = operation.numbers
        step_text = f", stride={stride}" if stride > 1 else ""
        edge = f", padding={padding}" if padding else ""
        return f"F.unfold({x}, {kernel}{edge}{step_text}).mT"
    assert operation.name == "col2im"
    _, height, width = step.after.shape
    return f"{x}.mT.unflatten(2, ({height}, {width}))"


def write_pair(step: Step, a: str, b: str) -> str:
    """The join of two branches.

    Args:
        step: The aggregation.
        a, b: What the branches end with, as texts that bind as tightly as names.
    """
    operation = step.operation
    if operation.name == "add":
        return f"{a} + {b}"
    if operation.name == "cat":
        return f"torch.cat([{a}, {b}], dim={operation.numbers[1]})"
    scale = f" / {step.before.shape[-2]}**0.5" if operation.name == "scaled_dot_product" else ""
    return f"{a} @ {b}{scale}"


def _write_line(step: Step) -> str:
    """The line of `forward` that does a step on all its copies."""
    made = ", ".join(f"x{number}" for number in step.outputs)
    return f"{made} = {_write_value(step, *(f'x{number}' for number in step.inputs))}"


def _write_value(step: Step, x: str, other: str = "") -> str:
    name, numbers, many = step.operation.name, step.operation.numbers, step.copies > 1
    if other:
        pair = write_pair(step, "a", "b") if many else write_pair(step, x, other)
        return f"[{pair} for a, b in zip({x}, {other})]" if many else pair
    if name in ("add", "cat"):
        branches = f"{x}[i : i + {numbers[0]}]" if many else x
        total = f"sum({branches})" if name == "add" else f"torch.cat({branches}, dim={numbers[1]})"
        return f"[{total} for i in range(0, len({x}), {numbers[0]})]" if many else total
    if name == "clone":
        return f"[x for x in {x} for _ in range({numbers[0]})]" if many else f"[{x}] * {numbers[0]}"
    if name == "group":
        if not many:
            return f"{x}.chunk({numbers[0]}, dim={numbers[1]})"
        parts = f"x.chunk({numbers[0]}, dim={numbers[1]})"
        if len(step.outputs) == 2:
            return f"zip(*[{parts} for x in {x}])"
        return f"[part for x in {x} for part in {parts}]"
    if name == "pos_enc":
        own = f"self.{step.attribute}"
        return f"[x + p for x, p in zip({x}, {own})]" if many else f"{x} + {own}"
    if write_layer(step) is not None:
        own = f"self.{step.attribute}"
        return f"[layer(x) for layer, x in zip({own}, {x})]" if many else f"{own}({x})"
    return f"[{write_function(step, 'x')} for x in {x}]" if many else write_function(step, x)
