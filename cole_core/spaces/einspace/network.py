"""A program as a PyTorch module."""

from collections.abc import Callable
from functools import reduce
from operator import add

import torch
from torch import nn

from cole_core.spaces.einspace.program import Program, Step

Tensors = list[torch.Tensor]


class Network(nn.Module):
    """Runs a program's steps, averages and classifies.

    All weights are attributes of this one module, named by operation and value ("linear3"; a
    list where the step has copies), so that a deep derivation is no deep module.

    Args:
        program: The steps.
        classes: Outputs of the classifier.
    """

    def __init__(self, program: Program, classes: int) -> None:
        super().__init__()
        self._program = program
        self._last_reader = {
            number: place for place, step in enumerate(program.steps) for number in step.inputs
        }
        for step in program.steps:
            if step.operation.name == "pos_enc":
                encodings = [
                    nn.Parameter(torch.zeros(step.before.shape)) for _ in range(step.copies)
                ]
                one = step.copies == 1
                setattr(self, step.attribute, encodings[0] if one else nn.ParameterList(encodings))
            elif step.operation.name in _LAYERS:
                layers = [_LAYERS[step.operation.name](step) for _ in range(step.copies)]
                one = step.copies == 1
                setattr(self, step.attribute, layers[0] if one else nn.ModuleList(layers))
        self._is_image = program.after.mode == "im"
        self.classifier = nn.Linear(program.after.shape[0 if self._is_image else -1], classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values: dict[int, Tensors] = {0: [x]}
        for place, step in enumerate(self._program.steps):
            inputs = [values[number] for number in step.inputs]
            values.update(zip(step.outputs, self._run(step, inputs), strict=True))
            for number in set(step.inputs):  # so that evaluation needs little memory
                if self._last_reader[number] == place:
                    del values[number]
        (x,) = values[self._program.output]
        return self.classifier(x.mean(dim=(2, 3) if self._is_image else 1))

    def _run(self, step: Step, inputs: list[Tensors]) -> list[Tensors]:
        """The outputs of a step, each a list with a tensor per copy."""
        name, numbers = step.operation.name, step.operation.numbers
        if name == "group" and len(step.outputs) == 2:
            first, second = zip(*(x.chunk(2, dim=numbers[1]) for x in inputs[0]), strict=True)
            return [list(first), list(second)]
        if name == "group":
            return [[part for x in inputs[0] for part in x.chunk(numbers[0], dim=numbers[1])]]
        if name == "clone":
            return [[x for x in inputs[0] for _ in range(numbers[0])]]
        if name in _JOINS:
            branches = _branches(step, inputs)
            return [[_JOINS[name](step, branch) for branch in branches]]
        if name in _FUNCTIONS:
            return [[_FUNCTIONS[name](step, x) for x in inputs[0]]]
        weights = getattr(self, step.attribute)
        each = [weights] if step.copies == 1 else weights
        if name == "pos_enc":
            return [[x + encoding for encoding, x in zip(each, inputs[0], strict=True)]]
        return [[layer(x) for layer, x in zip(each, inputs[0], strict=True)]]


def _branches(step: Step, inputs: list[Tensors]) -> list[Tensors]:
    """For each output of an aggregation the tensors that it is made of."""
    if len(inputs) == 2:
        return [list(pair) for pair in zip(*inputs, strict=True)]
    count = step.operation.numbers[0]
    return [inputs[0][start : start + count] for start in range(0, len(inputs[0]), count)]


def _linear(step: Step) -> nn.Module:
    return nn.Linear(step.before.shape[-1], step.operation.numbers[0])


def _convolution(step: Step) -> nn.Module:
    width, kernel, stride, padding = step.operation.numbers
    return nn.Conv2d(step.before.shape[0], width, kernel, stride, padding)


def _norm(step: Step) -> nn.Module:
    shape = step.before.shape
    return nn.BatchNorm2d(shape[0]) if step.before.mode == "im" else nn.LayerNorm(shape[-1])


def _unfold(step: Step, x: torch.Tensor) -> torch.Tensor:
    kernel, stride, padding = step.operation.numbers
    return nn.functional.unfold(x, kernel, stride=stride, padding=padding).transpose(1, 2)


_LAYERS: dict[str, Callable[[Step], nn.Module]] = {
    "linear": _linear,
    "convolution": _convolution,
    "norm": _norm,
}

_FUNCTIONS: dict[str, Callable[[Step, torch.Tensor], torch.Tensor]] = {
    "relu": lambda step, x: nn.functional.leaky_relu(x),
    "softmax": lambda step, x: x.softmax(dim=-1),
    "perm": lambda step, x: x.permute(step.operation.numbers),
    "im2col": _unfold,
    "col2im": lambda step, x: x.transpose(1, 2).unflatten(2, step.after.shape[1:]),
}

_JOINS: dict[str, Callable[[Step, Tensors], torch.Tensor]] = {
    "add": lambda step, branch: reduce(add, branch),
    "cat": lambda step, branch: torch.cat(branch, dim=step.operation.numbers[1]),
    "dot_product": lambda step, branch: branch[0] @ branch[1],
    "scaled_dot_product": lambda step, branch: branch[0] @ branch[1] / step.before.shape[-2] ** 0.5,
}
