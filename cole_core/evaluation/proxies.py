"""Zero-cost proxies: what a network's initial weights tell of its accuracy, without training.

Each is said, with its source, where it is computed: here those that read a forward pass and the
sizes, in `cole_core.evaluation.gradient_proxies` those that need gradients or answers to noise.
"""

import copy
import math
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from cole_core.evaluation.gradient_proxies import gradient_proxies, zen
from cole_core.evaluation.images import ImageTensors
from cole_core.evaluation.measuring import NetworkSize, OperationCounter
from cole_core.evaluation.outcomes import Score

_aten = torch.ops.aten
_RECTIFIERS = {  # operations whose input's sign is the side of a (leaky) ReLU
    _aten.relu,
    _aten.relu_,
    _aten.leaky_relu,
    _aten.leaky_relu_,
    _aten._prelu_kernel,
    _aten.gelu,
    _aten.silu,
    _aten.hardtanh,
    _aten.hardswish,
}


def compute_proxies(
    network: nn.Module, size: NetworkSize, data: ImageTensors, batch_size: int
) -> list[Score]:
    """All proxies of a network; those that are no number (naswot without a ReLU) are left out.

    Args:
        network: With its initial weights.
        size: What it costs.
        data: On the network's device.
        batch_size: Training images that naswot reads.
    """
    images, _ = data.parts["train"]
    values = {
        "parameters": float(size.parameters),
        "flops": float(size.flops),
        "synflow": synflow(network, images.shape[1:]),
        "naswot": naswot(network, images[:batch_size]),  # last: it changes batch norms
    }
    units = {"parameters": "count", "flops": "count"}
    return [
        Score(name, "train", 0, value, units.get(name))
        for name, value in values.items()
        if math.isfinite(value)
    ]


def all_proxies(
    network: nn.Module, images: torch.Tensor, labels: torch.Tensor | None, seed: int
) -> dict[str, float]:
    """All proxies that there are, of one network: what the encoding `proxies` is made of.

    Args:
        network: With its initial weights, which stay.
        images: (n, channels, height, width).
        labels: (n,) classes; None takes those that there are in turn, as for noise.
        seed: Of the noise that `zen` reads.

    Returns:
        Values by name; some may be no numbers.
    """
    counter, patterns = OperationCounter(), _Patterns(len(images))

    def watched(images: torch.Tensor) -> torch.Tensor:
        with counter, patterns:
            outputs: torch.Tensor = network(images)
        return outputs

    network.train()
    values = gradient_proxies(network, images, labels, watched)
    return {
        "parameters": float(sum(weight.numel() for weight in network.parameters())),
        "flops": float(counter.flops // len(images)),
        "synflow": synflow(network, images.shape[1:]),
        "naswot": patterns.log_determinant,
        **values,
        "zen": zen(network, images, torch.Generator().manual_seed(seed)),
    }


def synflow(network: nn.Module, input_shape: torch.Size) -> float:
    """Logarithm (base 10) of the synaptic flow (Tanaka et al., arXiv 2006.05467, equation 2).

    The sum over the weights of convolutions and linear layers of weight × gradient, all parameters
    positive, for the sum of the outputs on an image of ones, in double precision and with batch
    norms as they are before training: the identity. The logarithm keeps the order and is a number
    for deep networks as well.
    """
    positive = copy.deepcopy(network).double().eval()
    with torch.no_grad():
        for weight in positive.parameters():
            weight.abs_()
    device = next(positive.parameters()).device
    ones = torch.ones(1, *input_shape, dtype=torch.float64, device=device)
    positive(ones).sum().backward()
    flow = sum(
        float((weight.detach() * weight.grad).sum())
        for weight in positive.parameters()
        if weight.dim() > 1 and weight.grad is not None
    )
    return math.log10(flow) if flow > 0 else math.nan


@torch.no_grad()
def naswot(network: nn.Module, images: torch.Tensor) -> float:
    """Log-determinant of the kernel of activation patterns (Mellor et al., arXiv 2006.04647,
    equation 2): how well the sides of the network's ReLUs tell images apart.

    Args:
        network: In training mode, as the paper has it.
        images: (n, channels, height, width).

    Returns:
        The value; minus infinity where two images have one pattern, NaN without a ReLU.
    """
    network.train()
    with _Patterns(len(images)) as patterns:
        network(images)
    return patterns.log_determinant


class _Patterns(TorchDispatchMode):
    """Adds up on how many units two images of a batch are on the same side."""

    def __init__(self, batch: int) -> None:
        super().__init__()
        self._batch = batch
        self.kernel: torch.Tensor | None = None

    @property
    def log_determinant(self) -> float:
        """Logarithm of the kernel's determinant; NaN without a ReLU."""
        if self.kernel is None:
            return math.nan
        return float(torch.linalg.slogdet(self.kernel).logabsdet)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func.overloadpacket in _RECTIFIERS and len(args[0]) == self._batch:
            side = (args[0] > 0).flatten(1).float()
            same = (side @ side.T + (1 - side) @ (1 - side).T).double()
            self.kernel = same if self.kernel is None else self.kernel + same
        return func(*args, **(kwargs or {}))
