"""Zero-cost proxies that need a network's gradients, or its answer to noise.

As Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS" (ICLR 2021, arXiv 2101.08134, section
3) and NAS-Bench-Suite-Zero (arXiv 2210.03230) have them, but over the weights of any network: all
that have two dimensions or more and that the loss reaches, so that what a network never uses does
not count. Batch norms are in training mode, so that their statistics are the batch's.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

_JITTER = 1e-5  # added to the eigenvalues of the correlations, as Mellor et al. have it
_PERTURBATION = 1e-2  # of an image, as Lin et al. have it
_ACTIVATED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)  # layers whose outputs `fisher` reads
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def gradient_proxies(
    network: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor | None = None,
    forward: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> dict[str, float]:
    """What one pass forward and a few back tell, the loss being the cross-entropy.

    With weights w and their gradients g:

    - `snip` Σ|w·g| (Lee et al., arXiv 1810.02340, equation 4), `plain` Σ w·g, `grad_norm` Σ‖g‖ and
      `l2_norm` Σ‖w‖ over weight tensors;
    - `fisher`: ½ Σ over channels of the mean over images of (Σ over pixels of activation ×
      gradient)², for the outputs of convolutions and linear layers (Theis et al., arXiv 1801.05787,
      equation 6; Turner et al., arXiv 1906.04113);
    - `jacov`: see `jacobian_correlation`.

    Of what the literature has, `grasp` is missing: it needs second derivatives, which alone would
    take a fifth of the time of all proxies.

    Args:
        network: With its initial weights, which stay; its batch norms' running statistics change.
        images: (n, channels, height, width).
        labels: (n,) classes; None takes those that there are in turn, as for noise.
        forward: Calls the network, where somebody watches that pass; by default it is called.

    Returns:
        Values by name; some may be no numbers.
    """
    network.train()
    images = images.detach().clone().requires_grad_()
    with _fisher(network) as fisher:
        outputs = (forward or network)(images)
        (jacobian,) = torch.autograd.grad(
            outputs.sum(), images, retain_graph=True, materialize_grads=True
        )
        fisher.clear()
        if labels is None:
            labels = torch.arange(len(images)) % outputs.shape[1]
        loss = nn.functional.cross_entropy(outputs, labels)
        weights = [each for each in network.parameters() if each.dim() > 1 and each.requires_grad]
        found = torch.autograd.grad(loss, weights, allow_unused=True)
    reached = [(w, g) for w, g in zip(weights, found, strict=True) if g is not None]
    with torch.no_grad():
        return {
            "snip": sum(float((w * g).abs().sum()) for w, g in reached),
            "plain": sum(float((w * g).sum()) for w, g in reached),
            "grad_norm": sum(float(g.norm()) for _, g in reached),
            "l2_norm": sum(float(w.norm()) for w, _ in reached),
            "fisher": sum(fisher),
            "jacov": jacobian_correlation(jacobian),
        }


def jacobian_correlation(jacobian: torch.Tensor) -> float:
    """How little the gradients of images resemble each other (Mellor et al., arXiv 2006.04647v1,
    equations 2 to 5): −Σ (log(v + ε) + 1 / (v + ε)) over the eigenvalues v of their correlations.

    Args:
        jacobian: (n, …) gradient of the sum of the outputs by each image.

    Returns:
        The value; NaN where a gradient is constant.
    """
    correlations = torch.corrcoef(jacobian.flatten(1).double())
    if not correlations.isfinite().all():
        return math.nan
    values = torch.linalg.eigvalsh(correlations).clamp(min=0) + _JITTER
    return -float((values.log() + 1 / values).sum())


@torch.no_grad()
def zen(network: nn.Module, images: torch.Tensor, generator: torch.Generator) -> float:
    """Zen-score (Lin et al., arXiv 2102.01063, algorithm 1): how strongly the outputs answer to a
    small change of noise, put back on the scale that batch norms took away.

    The logarithm of the mean distance of outputs of noise x and x + 0.01 ε, and for each batch norm
    the logarithm of the root of its mean variance. The paper reads features before a global pool;
    here it is the outputs, which every network has.

    Args:
        network: With its initial weights; its batch norms' running statistics change.
        images: Of which shape the noise is.
        generator: Of the noise, on the CPU.

    Returns:
        The value; minus infinity where the outputs do not change.
    """
    network.train()
    noise = torch.randn(images.shape, generator=generator).to(images)
    change = torch.randn(images.shape, generator=generator).to(images)
    scales: list[float] = []

    def scale(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        (x,) = inputs
        variances = x.transpose(0, 1).flatten(1).var(dim=1, correction=0)
        scales.append(0.5 * _log(float(variances.mean())))

    norms = [each for each in network.modules() if isinstance(each, _NORMS)]
    handles = [norm.register_forward_pre_hook(scale) for norm in norms]
    try:
        outputs = network(noise)
    finally:
        for handle in handles:
            handle.remove()
    moved = network(noise + _PERTURBATION * change)
    distance = (outputs - moved).flatten(1).abs().sum(dim=1).mean()
    return _log(float(distance)) + sum(value for value in scales if value > -math.inf)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


@contextmanager
def _fisher(network: nn.Module) -> Iterator[list[float]]:
    """Collects each layer's share of `fisher` while gradients flow back."""
    shares: list[float] = []

    def listen(_: nn.Module, __: Any, output: torch.Tensor) -> None:
        if not output.requires_grad:
            return
        activation = output.detach().clone()  # before a ReLU in place

        def collect(gradient: torch.Tensor) -> None:
            product = activation * gradient.detach()
            per_channel = product.flatten(2).sum(dim=2) if product.dim() > 2 else product
            shares.append(0.5 * float(per_channel.square().mean(dim=0).sum()))

        output.register_hook(collect)

    layers = [each for each in network.modules() if isinstance(each, _ACTIVATED)]
    handles = [layer.register_forward_hook(listen) for layer in layers]
    try:
        yield shares
    finally:
        for handle in handles:
            handle.remove()
