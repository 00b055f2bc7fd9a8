"""From a module to a graph: symbolic tracing, or an export where Python decides by values."""

from __future__ import annotations

import contextlib
import dis
import inspect
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import fx, nn
from torch.overrides import TorchFunctionMode

from cole_core.encodings.normal_form.graph import Graph
from cole_core.encodings.normal_form.inputs import Input, inferred, make_all
from cole_core.encodings.normal_form.translating import translate
from cole_core.encodings.normal_form.vocabulary import FACTORIES
from cole_core.errors import FOREIGN_ERRORS

_OPEN = (nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.TransformerEncoder, nn.TransformerDecoder)
"""Modules of torch.nn that are looked into."""


def construct(make: Callable[[], nn.Module]) -> nn.Module:
    """The module in evaluation mode, on the meta device: without memory for its weights.

    A constructor that reads values is run on the CPU.
    """
    try:
        with torch.device("meta"), _Unfilled():
            return make().eval()
    except FOREIGN_ERRORS:  # such as .item() of what has no values
        return construct_on_cpu(make)


def construct_on_cpu(make: Callable[[], nn.Module]) -> nn.Module:
    """The module in evaluation mode, with values."""
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.manual_seed(0)
        return make().eval()


def trace(module: nn.Module, inputs: int | None) -> Graph:
    """The graph of a module by symbolic tracing.

    Args:
        module: In evaluation mode.
        inputs: How many it is given; None gives those that it must have, or one.

    Raises:
        FOREIGN_ERRORS: Python decides by what is not known before it runs.
    """
    tracer = _Tracer(inputs)
    with _Made(tracer):
        graph = tracer.trace(module)
    return translate(graph, module)


def export(module: nn.Module, inputs: Sequence[Input] | None) -> Graph:
    """The graph of a module for inputs of a given size, of any number at once where that is told.

    Args:
        module: In evaluation mode, with values.
        inputs: What it is given; None infers that.

    Raises:
        FOREIGN_ERRORS: There are no inputs that fit, or Python decides by values.
    """
    given = inferred(module) if inputs is None else inputs
    if given is None:
        raise ValueError("no layer says which inputs fit")
    tensors = make_all(given)
    with _quiet():
        try:
            batch = tuple({0: torch.export.Dim.AUTO} for _ in tensors)
            program = torch.export.export(module, tensors, dynamic_shapes=batch, strict=False)
        except FOREIGN_ERRORS:
            program = torch.export.export(module, tensors, strict=False)
    return translate(program.graph, module, program)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what an export has to say to its developers to itself."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


_FILLS = {
    getattr(torch.Tensor, name)
    for name in ("normal_", "uniform_", "trunc_normal_", "exponential_", "bernoulli_", "erfinv_")
    if hasattr(torch.Tensor, name)
}
_FACTORIES = {getattr(torch, name) for name in FACTORIES}


class _Unfilled(TorchFunctionMode):
    """Fills nothing at random: there is nothing to fill on the meta device."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in _FILLS:
            return args[0]
        if getattr(func, "__module__", None) == "torch.nn.init" and kwargs and "tensor" in kwargs:
            return kwargs["tensor"]
        return func(*args, **(kwargs or {}))


class _Made(TorchFunctionMode):
    """Traces the making of tensors from sizes, so that it is seen where it happens.

    Args:
        tracer: Traces.
    """

    def __init__(self, tracer: fx.Tracer) -> None:
        super().__init__()
        self._tracer = tracer

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in _FACTORIES:
            return self._tracer.create_proxy("call_function", func, args, kwargs or {})
        return func(*args, **(kwargs or {}))


class _Tracer(fx.Tracer):
    """Looks into every module but those of torch.nn, and unpacks what has a known length.

    Args:
        inputs: How many the module is given; others that have a default keep it.
    """

    proxy_buffer_attributes = True

    def __init__(self, inputs: int | None) -> None:
        super().__init__()
        self._inputs = inputs

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Callable[..., Any], list[Any]]:
        parameters = list(inspect.signature(root_fn).parameters.values())[1:]
        positional = [each for each in parameters if each.kind in _POSITIONAL]
        required = sum(each.default is each.empty for each in positional)
        wanted = required or 1 if self._inputs is None else max(self._inputs, required)
        proxies = [
            self.create_proxy("placeholder", each.name, (), {}) for each in positional[:wanted]
        ]
        return root_fn, [self.root, *proxies]

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

    def create_arg(self, a: Any) -> Any:
        return a if type(a) in _PLAIN else super().create_arg(a)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if isinstance(m, _OPEN):
            return False
        return type(m).__module__.startswith("torch.nn.modules")

    def iter(self, obj: fx.Proxy) -> Iterator[Any]:
        length = _known_length(obj.node)
        return super().iter(obj) if length is None else map(obj.__getitem__, range(length))


class _Proxy(fx.Proxy):
    """A traced value that is unpacked as fast as it is used.

    How many values an assignment wants stands in the one instruction that asks; torch.fx takes the
    whole function's bytecode apart to find it, a third of the time of tracing a transformer.
    """

    def __iter__(self) -> Iterator[Any]:
        frame = inspect.currentframe()
        caller = frame and frame.f_back
        if caller is not None:
            code, at = caller.f_code.co_code, caller.f_lasti
            if code[at] == dis.opmap["UNPACK_SEQUENCE"]:
                return map(self.__getitem__, range(code[at + 1]))
        return self.tracer.iter(self)

    def __getattr__(self, k: str) -> fx.proxy.Attribute:
        return _Attribute(self, k)


class _Attribute(_Proxy, fx.proxy.Attribute):
    """An attribute of a traced value, such as its shape."""


_PLAIN = {int, float, bool, str, type(None)}
"""What a traced call takes as it is."""

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _known_length(node: fx.Node) -> int | None:
    """How many values `chunk`, `split` or `unbind` gives, where the call says so."""
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    if name not in ("chunk", "split") or len(node.args) < 2:
        return node.kwargs.get("chunks") if name == "chunk" else None  # type: ignore[return-value]
    parts = node.args[1]
    if name == "chunk" and isinstance(parts, int):
        return parts
    return len(parts) if name == "split" and isinstance(parts, list | tuple) else None
