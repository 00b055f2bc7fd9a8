"""Where a network's numbers lie in the flat arrays that the kernel reads and writes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

LANES = 16  # columns of a register tile
PAD = 8  # floats between rows: lines a power of two apart would share few sets of the cache


class Network(NamedTuple):
    """One network in training, as `kernel.train_epochs` takes it.

    A hidden layer's parameters are its weight, shape (outputs, inputs + PAD), and its bias; the
    output layer's, the last, are its weight, shape (inputs,), and its bias, with room up to a whole
    tile. The scratch holds scores, targets and the loss's gradient; then for each layer its output
    by unit, the gradient of that by unit, and the output by row for the layer above.

    Attributes:
        widths: Of the inputs and the hidden layers, each a multiple of `LANES`.
        starts: Where each layer's parameters start, then where they end.
        outputs: Where the scratch of the inputs and of each hidden layer starts.
        stride: Rows of a batch, up to a whole tile.
        parameters: Weights and biases.
        gradient: Of the loss, as the parameters lie; zeros at first, as what follows.
        first: Adam's first moments.
        second: Adam's second moments.
        work: The scratch.
    """

    widths: np.ndarray
    starts: np.ndarray
    outputs: np.ndarray
    stride: int
    parameters: np.ndarray
    gradient: np.ndarray
    first: np.ndarray
    second: np.ndarray
    work: np.ndarray


def padded(count: int) -> int:
    """The next multiple of a tile's columns."""
    return -(-count // LANES) * LANES


def new_network(widths: Sequence[int], batch_size: int) -> Network:
    """A network of zeros.

    Args:
        widths: Of the inputs and the hidden layers, each a multiple of `LANES`.
        batch_size: Most rows of a step.
    """
    stride = padded(batch_size)
    sizes = [above * (below + PAD + 1) for below, above in pairwise(widths)]
    starts = np.cumsum([0, *sizes, widths[-1] + LANES])
    outputs = np.cumsum([3 * stride, *((3 * width + PAD) * stride for width in widths)])
    parameters, gradient, first, second = np.zeros((4, starts[-1]), dtype=np.float32)
    work = np.zeros(outputs[-1], dtype=np.float32)
    return Network(
        np.array(widths), starts, outputs[:-1], stride, parameters, gradient, first, second, work
    )


def layer_views(
    network: Network, true_widths: Sequence[int]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each layer's weight (outputs, inputs) and bias (outputs,) within the parameters.

    Args:
        network: Whose parameters.
        true_widths: Of the inputs and the hidden layers, without what fills the tiles.
    """
    flat, widths, starts = network.parameters, network.widths, network.starts
    views = []
    for layer, (inputs, outputs) in enumerate(pairwise(true_widths)):
        rows, stride = widths[layer + 1], widths[layer] + PAD
        middle = starts[layer] + rows * stride
        weight = flat[starts[layer] : middle].reshape(rows, stride)
        views.append((weight[:outputs, :inputs], flat[middle : middle + outputs]))
    last = starts[-2]
    weight = flat[last : last + true_widths[-1]][None]
    return [*views, (weight, flat[last + widths[-1] : last + widths[-1] + 1])]
