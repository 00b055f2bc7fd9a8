"""Zero-cost proxies that need gradients, each against numpy on a network of a few weights."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cole_core.encodings.proxies import COLUMNS, COMPUTED, WORST, proxy_vector
from cole_core.errors import InputError
from cole_core.evaluation.gradient_proxies import gradient_proxies, jacobian_correlation, zen
from cole_core.evaluation.measuring import measure
from cole_core.evaluation.outcomes import OK
from cole_core.evaluation.proxies import all_proxies, naswot, synflow
from cole_core.evaluation.proxy_encoding import EncodedProxyEvaluator, Proxies
from cole_core.evaluation.settings import EncodedProxySettings, Limits
from cole_core.evaluation.workers import Workers
from cole_core.spaces.nasbench201 import NASBench201

SPACE = NASBench201()
CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"
IMAGES = torch.randn(6, 1, 2, 2, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


def linear(*sizes: int) -> nn.Sequential:
    """Linear layers without bias, ReLUs between them."""
    torch.manual_seed(1)
    pairs = [(nn.Linear(a, b, bias=False), nn.ReLU()) for a, b in itertools.pairwise(sizes)]
    return nn.Sequential(nn.Flatten(), *sum(pairs, ())[:-1])


def test_sums_over_weights_and_gradients_are_those_of_a_softmax_regression() -> None:
    network = linear(4, 3)
    weights = network[1].weight.detach().double().numpy()
    inputs = IMAGES.flatten(1).double().numpy()
    scores = inputs @ weights.T
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    by_score = (shares - np.eye(3)[LABELS]) / len(inputs)
    gradient = by_score.T @ inputs
    found = gradient_proxies(network, IMAGES, LABELS)
    assert found["snip"] == pytest.approx(np.abs(weights * gradient).sum(), rel=1e-4)
    assert found["plain"] == pytest.approx((weights * gradient).sum(), rel=1e-4)
    assert found["grad_norm"] == pytest.approx(np.linalg.norm(gradient), rel=1e-4)
    assert found["l2_norm"] == pytest.approx(np.linalg.norm(weights), rel=1e-4)
    fisher = 0.5 * ((scores * by_score) ** 2).mean(axis=0).sum()
    assert found["fisher"] == pytest.approx(fisher, rel=1e-4)


def test_fisher_adds_up_the_pixels_of_a_channel_before_it_squares() -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(1, 2, 1, bias=False)
    network = nn.Sequential(convolution, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1))
    images, labels = IMAGES, LABELS % 2
    a = convolution.weight.detach().double().numpy().reshape(2)
    x = images.double().numpy().reshape(6, 1, 4)
    activation = a[None, :, None] * x
    scores = np.maximum(activation, 0).mean(axis=2)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    by_score = (shares - np.eye(2)[labels]) / 6
    by_activation = by_score[:, :, None] * (activation > 0) / 4
    per_channel = (activation * by_activation).sum(axis=2)
    expected = 0.5 * (per_channel**2).mean(axis=0).sum()
    flat = nn.Sequential(network, nn.Flatten())
    assert gradient_proxies(flat, images, labels)["fisher"] == pytest.approx(expected, rel=1e-4)


def test_jacov_is_that_of_the_images_gradients() -> None:
    network = linear(4, 30, 3)
    first, second = (network[i].weight.detach().double().numpy() for i in (1, 3))
    sides = IMAGES.flatten(1).double().numpy() @ first.T > 0
    jacobian = (sides * second.sum(axis=0)) @ first
    values = np.linalg.eigvalsh(np.corrcoef(jacobian)).clip(0) + 1e-5
    expected = -np.sum(np.log(values) + 1 / values)
    assert gradient_proxies(network, IMAGES, LABELS)["jacov"] == pytest.approx(expected, rel=1e-2)
    assert math.isnan(jacobian_correlation(torch.zeros(3, 4)))


def test_zen_is_the_answer_to_noise_and_what_batch_norms_took_away() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(4, 3, bias=False)
    network = nn.Sequential(nn.Flatten(), layer, nn.BatchNorm1d(3, eps=1e-12))
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(IMAGES.shape, generator=generator).double().numpy().reshape(6, 4)
    change = torch.randn(IMAGES.shape, generator=generator).double().numpy().reshape(6, 4)
    weights = layer.weight.detach().double().numpy()

    def normed(x: np.ndarray) -> np.ndarray:
        z = x @ weights.T
        return (z - z.mean(axis=0)) / z.std(axis=0)

    distance = np.abs(normed(noise) - normed(noise + 0.01 * change)).sum(axis=1).mean()
    expected = np.log(distance) + 0.5 * np.log((noise @ weights.T).var(axis=0).mean())
    found = zen(network, IMAGES, torch.Generator().manual_seed(5))
    assert found == pytest.approx(expected, rel=1e-3)


def test_one_pass_gives_what_each_gives_alone() -> None:
    def build() -> nn.Module:
        return linear(4, 30, 3)

    network = build()
    before = [weight.clone() for weight in network.parameters()]
    found = all_proxies(network, IMAGES, LABELS, seed=2)
    assert tuple(found) == COMPUTED
    size = measure(build, (1, 2, 2))
    assert (found["parameters"], found["flops"]) == (size.parameters, size.flops)
    assert found["naswot"] == pytest.approx(naswot(build(), IMAGES))
    assert found["synflow"] == synflow(build(), torch.Size((1, 2, 2)))
    assert found["zen"] == zen(build(), IMAGES, torch.Generator().manual_seed(2))
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def test_weights_that_nothing_reads_do_not_count() -> None:
    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.idle = linear(4, 3), nn.Linear(100, 100)

        def forward(self, x: torch.Tensor) -> Any:
            return self.used(x)

    with_idle, alone = gradient_proxies(Idle(), IMAGES), gradient_proxies(linear(4, 3), IMAGES)
    assert with_idle == alone


# The encoding.


def test_a_row_depends_on_its_architecture_alone_and_leaves_generators_as_they_are() -> None:
    other = "|avg_pool_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"
    torch.manual_seed(7)
    both = Proxies(SPACE).encode([CELL, other])
    drawn = torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(torch.rand(1), drawn)
    np.testing.assert_array_equal(Proxies(SPACE).encode([other]), both[1:])
    assert both.shape == (2, len(COLUMNS))
    assert not np.array_equal(both[0], both[1])


def test_what_is_no_number_stands_below_all() -> None:
    row = dict(zip(COLUMNS, proxy_vector({"nwot": -3.0, "zen": -math.inf}), strict=True))
    assert row["naswot"] == pytest.approx(np.arcsinh(-3))
    assert row["zen"] == row["snip"] == pytest.approx(np.arcsinh(WORST))
    assert row["zen"] < np.arcsinh(-1e7)


class Broken(NASBench201):
    """Builds networks whose forward pass fails."""

    def build_for(self, *_: object) -> nn.Module:  # type: ignore[override]
        return nn.Linear(3, 10)


def test_a_process_computes_what_the_encoding_does() -> None:
    made = EncodedProxyEvaluator(SPACE, None, Limits(), EncodedProxySettings.of(SPACE))
    with Workers(made, 1) as workers:
        [attempt] = workers.run([(CELL, 0)])
    assert attempt.status == OK
    assert {score.metric for score in attempt.scores} == set(COMPUTED)
    row = proxy_vector({score.metric: score.value for score in attempt.scores})
    np.testing.assert_array_equal(row, Proxies(SPACE).encode([CELL])[0])


def test_of_a_network_that_fails_nothing_is_known() -> None:
    np.testing.assert_array_equal(Proxies(Broken()).encode([CELL])[0], proxy_vector({}))


def test_settings_are_known_by_their_content() -> None:
    usual = EncodedProxySettings.of(SPACE)
    assert usual.macro == {"channels": 8, "cells": 5}
    assert EncodedProxySettings.of(SPACE, macro={"cells": 1}).macro == {"channels": 8, "cells": 1}
    ids = {
        each.settings_id("noise")
        for each in (usual, EncodedProxySettings.of(SPACE, seed=1), EncodedProxySettings(images=8))
    }
    assert len(ids) == 3
    with pytest.raises(InputError, match="--images 1: give at least 2"):
        EncodedProxySettings.of(SPACE, images=1)
