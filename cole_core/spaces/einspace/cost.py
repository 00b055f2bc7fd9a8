"""What a network costs, by arithmetic on shapes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from cole_core.spaces.einspace.grammar import Operation
from cole_core.spaces.einspace.program import Program, Step
from cole_core.spaces.einspace.shapes import State

_VIEWS = {"perm", "clone", "group", "col2im"}  # these move no values


@dataclass(frozen=True)
class Cost:
    """What a network costs.

    Attributes:
        parameters: Trainable parameters, the classifier's included.
        activations: Values that the steps make for one image; those that training keeps.
        flops: Multiply-accumulates for one image of linear maps, convolutions, products and the
            classifier. Elementwise operations do not count.
        operations: Calls, each copy of a branch by itself; they decide the time of small networks.
    """

    parameters: int
    activations: int
    flops: int
    operations: int


def cost(program: Program, classes: int) -> Cost:
    """The cost of a program followed by the classifier."""
    features = program.after.shape[0 if program.after.mode == "im" else -1]
    parameters, flops = (features + 1) * classes, features * classes
    activations = operations = 0
    for step in program.steps:
        parameters += step.copies * parameters_of(step.operation, step.before)
        flops += step.copies * _flops(step)
        operations += step.copies
        if step.operation.name not in _VIEWS:
            activations += step.copies * step.after.size
    return Cost(parameters, activations, flops, operations)


def parameters_of(operation: Operation, before: State) -> int:
    """Number of parameters of an operation that gets a value of a state."""
    shape = before.shape
    if operation.name == "linear":
        return (shape[-1] + 1) * operation.numbers[0]
    if operation.name == "convolution":
        width, kernel, _, _ = operation.numbers
        return (shape[0] * kernel**2 + 1) * width
    if operation.name == "norm":  # scale and shift
        return 2 * shape[0 if before.mode == "im" else -1]
    if operation.name == "pos_enc":
        return before.size
    return 0


def _flops(step: Step) -> int:
    operation, shape = step.operation, step.before.shape
    if operation.name == "linear":
        return shape[-1] * step.after.size
    if operation.name == "convolution":
        return shape[0] * operation.numbers[1] ** 2 * step.after.size
    if operation.name in ("dot_product", "scaled_dot_product"):
        # `before` is the state of the last branch, whose last but one size is summed over.
        return shape[-2] * prod(step.after.shape)
    return 0
