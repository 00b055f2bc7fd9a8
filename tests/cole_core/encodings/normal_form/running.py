"""What a class text makes: the module, with the weights of another."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from cole_core.encodings.normal_form import Input, NormalForm
from cole_core.encodings.normal_form.inputs import make_all


def executed(text: str) -> type[nn.Module]:
    """The class of a text, with nothing but what the text imports."""
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    network: type[nn.Module] = namespace["Network"]
    return network


def unlike_fresh(make: Callable[[], nn.Module]) -> nn.Module:
    """A module whose norms do not do nothing, in evaluation mode."""
    torch.manual_seed(0)
    module = make().eval()
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if name.endswith(("running_mean", "bias")):
                tensor.uniform_(-0.5, 0.5)
            elif name.endswith("running_var"):
                tensor.uniform_(0.5, 2)
    return module


def outputs(module: nn.Module, inputs: Sequence[Input]) -> list[torch.Tensor]:
    """All tensors that a module gives."""
    with torch.no_grad():
        return flat(module(*make_all(inputs)))


def flat(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [tensor for part in parts for tensor in flat(part)]


def with_weights_of(form: NormalForm, module: nn.Module) -> nn.Module:
    """The module of a form's class text, with the weights of the module that was traced."""
    made = executed(form.class_text)().eval()
    assert {*dict(made.named_parameters(remove_duplicate=False))} <= form.weights.keys()
    with torch.no_grad():
        for new, old in form.weights.items():
            tensor_of(made, new).copy_(tensor_of(module, old))
    return made


def tensor_of(module: nn.Module, name: str) -> torch.Tensor:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part)
    assert isinstance(found, torch.Tensor)
    return found
