"""The compiled training and the plain one make the same networks.

Both take the same draws in the same order, so what is left between them is float32 rounding: sums
in another order. Under the squared error it stays rounding, some 1e-7 of standardised scores. Under
the hinge the gradients are sums of equal shares of either sign, and those of the output's bias and
of units that are on for all rows are zero but for rounding. Adam divides a gradient by its own size
and makes full steps of them, until a pair lies on another side of the margin: so one epoch, and a
tolerance of one step of Adam (1e-3; 3e-4 was the most among 144 networks).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cole_core.predictors import compiled, make_surrogate
from cole_core.predictors.batched_mlp import train_mlps
from cole_core.predictors.networks import MLPStack, MLPTraining, NetworkDraws
from cole_core.predictors.plain_mlp import PlainMLP

TOLERANCE = {"mse": 2e-6, "hinge": 1e-3}  # of scores with unit variance
NUMBA_FREE = """
import json, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numba", "llvmlite"):
            raise ImportError(name)

sys.meta_path.insert(0, Missing())
import numpy as np
from cole_core.predictors import make_surrogate
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 12))
y = 70 + 3 * X[:, 0] - X[:, 1] ** 2
made = make_surrogate("mlp").fit(X[:40], y[:40])
assert not any(name.startswith("cole_core.predictors.compiled.") for name in sys.modules)
print(json.dumps([values.tolist() for values in made.predict(X, return_std=True)]))
"""


def both_ways(
    monkeypatch: pytest.MonkeyPatch, X: np.ndarray, y: np.ndarray, training: MLPTraining
) -> tuple[MLPStack, MLPStack]:
    """Networks of several training sets, two of one set: the compiled ones and the plain ones."""
    stacks = []
    for chosen in ("1", "0"):
        monkeypatch.setenv("COLE_COMPILED", chosen)
        assert compiled.is_available() == (chosen == "1")
        stacks.append(train_mlps(X, y, [5, 6, 7], training, group=[0, 1, 1]))
    return stacks[0], stacks[1]


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("loss", ["mse", "hinge"])
@pytest.mark.parametrize(
    ("hidden", "n", "batch_size"), [((128, 128, 128), 45, 32), ((20, 9), 37, 17), ((16,), 33, 32)]
)
def test_both_paths_make_the_same_networks(hidden, n, batch_size, loss, dropout, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2, n, 21)).astype(np.float32)
    X[:, :, ::3] = 0
    y = np.round(X[:, :, 1] - X[:, :, 2] ** 2, 1)
    epochs = 1 if loss == "hinge" else 5
    training = MLPTraining(hidden, epochs, batch_size, loss=loss, dropout=dropout)
    ours, plain = both_ways(monkeypatch, X, y, training)
    rows = torch.from_numpy(rng.normal(size=(50, 21)).astype(np.float32))
    scores, expected = ours.predict(rows), plain.predict(rows)
    if loss == "hinge":
        # The hinge knows differences only: Adam walks the output's bias on rounding alone.
        scores = scores - scores.mean(dim=1, keepdim=True)
        expected = expected - expected.mean(dim=1, keepdim=True)
    torch.testing.assert_close(scores, expected, atol=TOLERANCE[loss], rtol=0)
    # Of an input that is always zero, both leave the weights as they were drawn.
    torch.testing.assert_close(ours.weights[0][:, ::3], plain.weights[0][:, ::3], atol=0, rtol=0)


def test_an_untrained_network_is_the_same_to_the_bit(monkeypatch):
    X, y = np.ones((2, 4, 5), dtype=np.float32), np.arange(8.0).reshape(2, 4)
    training = MLPTraining(hidden=(16, 8), epochs=0)
    ours, plain = both_ways(monkeypatch, X, y, training)
    drawn = PlainMLP(5, training, NetworkDraws(5))
    for layer in range(3):
        assert torch.equal(ours.weights[layer], plain.weights[layer])
        assert torch.equal(ours.biases[layer], plain.biases[layer])
        assert torch.equal(ours.weights[layer][0], drawn.layers[layer].weight.T)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_plain_networks_come_out_the_same_on_any_number_of_cores(threads, monkeypatch):
    monkeypatch.setenv("COLE_COMPILED", "0")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1, 64, 10)), rng.normal(size=(1, 64))
    training = MLPTraining(epochs=3)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        stack = train_mlps(X, y, [0], training)
        torch.set_num_threads(1)
        alone = train_mlps(X, y, [0], training)
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(stack.weights, alone.weights, atol=1e-6, rtol=0)


def test_without_numba_a_surrogate_fits_and_predicts_the_same() -> None:
    """The paper's head, 200 steps of training: five times the rounding of the networks above."""
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", NUMBA_FREE],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 12))
    y = 70 + 3 * X[:, 0] - X[:, 1] ** 2
    made = make_surrogate("mlp").fit(X[:40], y[:40])
    predicted = made.predict(X, return_std=True)
    for ours, plain in zip(predicted, json.loads(found.stdout), strict=True):
        np.testing.assert_allclose(ours, plain, atol=TOLERANCE["mse"] * y.std() * 5)
