"""From a module to a graph: symbolic tracing, or an export where Python decides by values."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import fx, nn

from cole_core.encodings.normal_form.graph import Graph
from cole_core.encodings.normal_form.inputs import Input, inferred, make_all
from cole_core.encodings.normal_form.translating import translate

FOREIGN_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What somebody else's module may raise where it is made or traced."""

_OPEN = (nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.TransformerEncoder, nn.TransformerDecoder)
"""Modules of torch.nn that are looked into."""


def construct(make: Callable[[], nn.Module]) -> nn.Module:
    """The module in evaluation mode, on the meta device: without memory for its weights.

    A constructor that reads values is run on the CPU.
    """
    try:
        with torch.device("meta"):
            return make().eval()
    except FOREIGN_ERRORS:  # such as .item() of what has no values
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            torch.manual_seed(0)
            return make().eval()


def trace(module: nn.Module) -> Graph:
    """The graph of a module by symbolic tracing, with its optional inputs left out.

    Raises:
        FOREIGN_ERRORS: Python decides by what is not known before it runs.
    """
    tracer = _Tracer()
    return translate(tracer.trace(module, _optional_inputs(module)), module)


def export(module: nn.Module, inputs: Sequence[Input] | None) -> Graph:
    """The graph of a module for inputs of a given size.

    Args:
        module: In evaluation mode.
        inputs: What it is given; None infers that.

    Raises:
        FOREIGN_ERRORS: There are no inputs that fit, or Python decides by values.
    """
    given = inferred(module) if inputs is None else inputs
    if given is None:
        raise ValueError("no layer says which inputs fit")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, make_all(given), strict=False)
    return translate(program.graph, module, program.graph_signature)


class _Tracer(fx.Tracer):
    """Looks into every module but those of torch.nn, and unpacks what has a known length."""

    proxy_buffer_attributes = True

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if isinstance(m, _OPEN):
            return False
        return type(m).__module__.startswith("torch.nn.modules")

    def iter(self, obj: fx.Proxy) -> Iterator[Any]:
        length = _known_length(obj.node)
        return super().iter(obj) if length is None else map(obj.__getitem__, range(length))


def _known_length(node: fx.Node) -> int | None:
    """How many values `chunk`, `split` or `unbind` gives, where the call says so."""
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    if name not in ("chunk", "split") or len(node.args) < 2:
        return node.kwargs.get("chunks") if name == "chunk" else None  # type: ignore[return-value]
    parts = node.args[1]
    if name == "chunk" and isinstance(parts, int):
        return parts
    return len(parts) if name == "split" and isinstance(parts, list | tuple) else None


def _optional_inputs(module: nn.Module) -> dict[str, Any]:
    parameters = inspect.signature(module.forward).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}
