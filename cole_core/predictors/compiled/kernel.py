"""Training of one small multilayer perceptron, compiled: forward, backward and Adam in the cache.

At 3×128 units and 32 rows a training step is a tenth of a millisecond of arithmetic. A library call
for each operation costs as much again, and its matrix products pack operands that are used once.
Here a step is one compiled function, its products are made of register tiles that read both
operands where they lie, and it holds no lock, so that each core trains a network of its own.

Activations and their gradients are stored by unit, shape (units, rows): then the forward product,
the backward product and the elementwise passes all run along rows. The gradient of a weight runs
along inputs, for which the layer's input is kept by row as well.
"""

import math
from typing import NamedTuple

import numpy as np

from cole_core.predictors.compiled.layout import PAD, Network, padded
from cole_core.predictors.compiled.register_tiles import compiled, multiply
from cole_core.predictors.networks import SLOPE

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8  # PyTorch's defaults for Adam

_padded = compiled(padded)


class Draws(NamedTuple):
    """The random choices of some epochs.

    Attributes:
        orders: Order of the rows in each epoch, shape (epochs, n).
        kept: Which hidden units stay, 0 or 1, shape (epochs, hidden units, n); all of them do when
            the shape is (epochs, 0, 0).
        partners: Partners in pairs, shape (epochs, pairs, n), counted within the batch, -1 for
            none; (epochs, 0, 0): the loss is the mean squared error.
    """

    orders: np.ndarray
    kept: np.ndarray
    partners: np.ndarray


class Steps(NamedTuple):
    """How a network is trained.

    Attributes:
        batch_size: Rows of a step.
        learning_rate: Adam's.
        keep_factor: What a unit that stays is multiplied by.
        clip_norm: Largest gradient norm.
        margin: Of the hinge.
    """

    batch_size: int
    learning_rate: float
    keep_factor: float
    clip_norm: float
    margin: float


@compiled
def train_epochs(X, y, draws: Draws, network: Network, steps: Steps, made):  # type: ignore[no-untyped-def]
    """Trains one network for some epochs, in place.

    Args:
        X: Features, shape (n, inputs), inputs a multiple of 16.
        y: Targets, shape (n,).
        draws: The random choices.
        network: In training.
        steps: How to train.
        made: Steps of Adam that were made before.

    Returns:
        Steps of Adam made by now.
    """
    n, factor = len(X), steps.keep_factor
    for epoch in range(len(draws.orders)):
        kept = draws.kept[epoch]
        for start in range(0, n, steps.batch_size):
            size = min(steps.batch_size, n - start)
            _load(X, y, draws.orders[epoch, start : start + size], network)
            _forward(network, kept, start, size, factor)
            _loss_backward(network, draws.partners[epoch], start, size, steps.margin)
            _backward(network, kept, start, size, factor)
            made += 1
            adam(network, made, steps.learning_rate, steps.clip_norm)
    return made


@compiled
def _load(X, y, rows, network: Network):  # type: ignore[no-untyped-def]
    """The rows of a batch and their targets, into the scratch."""
    inputs, stride, begin = X.shape[1], network.stride, network.outputs[0]
    by_unit = _block(network.work, begin, inputs, stride)
    by_row = _block(network.work, begin + 2 * inputs * stride, stride, inputs + PAD)
    truth = network.work[2 * stride : 3 * stride]
    for r in range(len(rows)):
        row = rows[r]
        truth[r] = y[row]
        source, line = X[row], by_row[r]
        for c in range(inputs):
            line[c] = source[c]
            by_unit[c, r] = source[c]


@compiled
def _forward(network: Network, kept, start, size, factor):  # type: ignore[no-untyped-def]
    """Outputs of all layers and the scores of a batch."""
    widths, starts, outputs = network.widths, network.starts, network.outputs
    parameters, work, stride = network.parameters, network.work, network.stride
    P, W = parameters.ctypes.data, work.ctypes.data
    layers, units = len(widths) - 1, 0
    columns = _padded(size)
    for layer in range(layers):
        below, width = widths[layer], widths[layer + 1]
        row_stride = below + PAD
        multiply(
            (P + 4 * starts[layer], row_stride, 1),
            (W + 4 * outputs[layer], stride),
            (W + 4 * outputs[layer + 1], stride),
            width, columns, below,
        )  # fmt: skip
        h = _block(work, outputs[layer + 1], width, stride)
        bias = parameters[starts[layer] + width * row_stride :]
        _activate(h, bias, kept[units : units + width], start, size, factor)
        units += width
        if layer + 1 < layers:
            place = outputs[layer + 1] + 2 * width * stride
            _transpose(h, _block(work, place, stride, width + PAD), size)
    last, width = starts[layers], widths[layers]
    h = _block(work, outputs[layers], width, stride)
    _score(h, parameters[last:], parameters[last + width], size, work[:stride])


@compiled
def _loss_backward(network: Network, partners, start, size, margin):  # type: ignore[no-untyped-def]
    """Gradients of the scores, of the output layer and of its input."""
    widths, outputs, work, stride = network.widths, network.outputs, network.work, network.stride
    scores, pull, truth = work[:stride], work[stride : 2 * stride], work[2 * stride : 3 * stride]
    pull[:] = 0
    if partners.shape[0] == 0:
        for r in range(size):
            pull[r] = (scores[r] - truth[r]) * np.float32(2 / size)
    elif size > 1:
        _hinge_gradient(scores, truth, partners, start, size, margin, pull)
    layers = len(widths) - 1
    last, width = network.starts[layers], widths[layers]
    h = _block(work, outputs[layers], width, stride)
    g = _block(work, outputs[layers] + width * stride, width, stride)
    gradient, columns = network.gradient, _padded(size)
    _score_backward(pull, h, network.parameters[last:], gradient[last:], g, size, columns)
    gradient[last + width] = pull.sum()


@compiled
def _backward(network: Network, kept, start, size, factor):  # type: ignore[no-untyped-def]
    """Gradients of the hidden layers, from the last to the first."""
    widths, starts, outputs = network.widths, network.starts, network.outputs
    gradient, work, stride = network.gradient, network.work, network.stride
    P, G, W = network.parameters.ctypes.data, gradient.ctypes.data, work.ctypes.data
    columns = _padded(size)
    units = widths[1:].sum()
    for layer in range(len(widths) - 2, -1, -1):
        below, width = widths[layer], widths[layer + 1]
        row_stride = below + PAD
        h = _block(work, outputs[layer + 1], width, stride)
        g = _block(work, outputs[layer + 1] + width * stride, width, stride)
        bias_gradient = gradient[starts[layer] + width * row_stride :]
        units -= width
        _deactivate(g, h, bias_gradient, kept[units : units + width], start, size, factor)
        from_above = W + 4 * (outputs[layer + 1] + width * stride)
        multiply(
            (from_above, stride, 1),
            (W + 4 * (outputs[layer] + 2 * below * stride), row_stride),
            (G + 4 * starts[layer], row_stride),
            width, below, columns,
        )  # fmt: skip
        if layer:
            multiply(
                (P + 4 * starts[layer], 1, row_stride),
                (from_above, stride),
                (W + 4 * (outputs[layer] + below * stride), stride),
                below, columns, width,
            )  # fmt: skip


@compiled
def adam(network: Network, step, learning_rate, clip_norm):  # type: ignore[no-untyped-def]
    """One step of Adam, the network's gradient clipped to a norm (arXiv 1412.6980)."""
    parameters, gradient = network.parameters, network.gradient
    first, second = network.first, network.second
    square = np.float32(0)
    for i in range(len(gradient)):
        square += gradient[i] * gradient[i]
    scale = np.float32(min(1.0, clip_norm / (math.sqrt(square) + 1e-6)))
    rate = np.float32(learning_rate / (1 - _BETA1**step))
    correction = np.float32(1 / math.sqrt(1 - _BETA2**step))
    epsilon = np.float32(_EPSILON)
    fresh1, fresh2 = np.float32(1 - _BETA1), np.float32(1 - _BETA2)
    for i in range(len(parameters)):
        g = gradient[i] * scale
        m = first[i] + fresh1 * (g - first[i])
        v = second[i] + fresh2 * (g * g - second[i])
        first[i] = m
        second[i] = v
        parameters[i] -= rate * m / (np.sqrt(v) * correction + epsilon)


@compiled
def _hinge_gradient(scores, y, partners, start, size, margin, gradient):  # type: ignore[no-untyped-def]
    """Of the mean over pairs of max(0, margin - difference), pairs of equal targets left out."""
    pairs = 0
    for q in range(partners.shape[0]):
        for r in range(size):
            j = partners[q, start + r]
            pairs += j >= 0 and y[r] != y[j]
    share = np.float32(1.0 / max(pairs, 1))
    for q in range(partners.shape[0]):
        for r in range(size):
            j = partners[q, start + r]
            if j >= 0 and y[r] != y[j]:
                sign = np.float32(1) if y[r] > y[j] else np.float32(-1)
                if margin - sign * (scores[r] - scores[j]) > 0:
                    gradient[r] -= sign * share
                    gradient[j] += sign * share


@compiled
def _block(flat, start, rows, columns):  # type: ignore[no-untyped-def]
    """A matrix that lies in a flat array."""
    return flat[start : start + rows * columns].reshape(rows, columns)


@compiled
def _transpose(matrix, out, rows):  # type: ignore[no-untyped-def]
    """The first `rows` columns of a matrix as rows."""
    for r in range(rows):
        for u in range(matrix.shape[0]):
            out[r, u] = matrix[u, r]


@compiled
def _activate(h, bias, kept, start, size, factor):  # type: ignore[no-untyped-def]
    """Bias, LeakyReLU and dropout, in place."""
    slope, factor = np.float32(SLOPE), np.float32(factor)
    for u in range(h.shape[0]):
        line, shift = h[u], bias[u]
        for r in range(size):
            z = line[r] + shift
            line[r] = z if z > 0 else slope * z
        if len(kept):
            stays = kept[u, start : start + size]
            for r in range(size):
                line[r] *= factor * stays[r]


@compiled
def _deactivate(g, h, bias_gradient, kept, start, size, factor):  # type: ignore[no-untyped-def]
    """The gradient before `_activate` from the one after it, in place, and the bias's."""
    slope, factor = np.float32(SLOPE), np.float32(factor)
    for u in range(h.shape[0]):
        line, output = g[u], h[u]
        if len(kept):
            # A dropped unit is zero and passes nothing; the others keep their sign.
            stays = kept[u, start : start + size]
            for r in range(size):
                line[r] *= factor * stays[r]
        total = np.float32(0)
        for r in range(size):
            line[r] *= np.float32(1) if output[r] > 0 else slope
            total += line[r]
        bias_gradient[u] = total


@compiled
def _score(h, weight, bias, size, scores):  # type: ignore[no-untyped-def]
    """The output layer."""
    scores[:] = bias
    for u in range(h.shape[0]):
        line, w = h[u], weight[u]
        for r in range(size):
            scores[r] += w * line[r]


@compiled
def _score_backward(pull, h, weight, weight_gradient, g, size, columns):  # type: ignore[no-untyped-def]
    """Gradients of the output layer's weight and input; `pull` is zero from `size` on."""
    for u in range(h.shape[0]):
        line, below, w = h[u], g[u], weight[u]
        total = np.float32(0)
        for r in range(size):
            total += pull[r] * line[r]
        weight_gradient[u] = total
        for r in range(columns):
            below[r] = w * pull[r]
