"""Every kind of model and every pooling against the plain transformers loop."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cole_core.language_models import load, specify
from tests.cole_core.language_model_zoo import (
    CONFIGS,
    TEXTS,
    make_model,
    plain_loop,
)

POOLS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda states: states[-1].mean(0),
    "last_token": lambda states: states[-1, -1],
    "cls": lambda states: states[-1, 0],
    "avg_avg": lambda states: states.mean((0, 1)),
    "multi_layer": lambda states: states[[1, 3]].mean(1).ravel(),
}


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("zoo")
    return {kind: make_model(kind, root / kind) for kind in CONFIGS}


def embed(name: str | Path, texts: list[str], batch_tokens: int = 64, **options) -> np.ndarray:
    specification = specify(str(name), **{"precision": "fp32", **options})
    vectors = np.full((len(texts), specification.dimensions), np.nan, np.float32)
    for batch in load(specification, "cpu", batch_tokens=batch_tokens, workers=2).embed(texts):
        vectors[batch.indices] = batch.vectors
    return vectors


def centred_cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(0), b - b.mean(0)
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return float(np.median(cosines))


@pytest.mark.parametrize("pooling", POOLS)
@pytest.mark.parametrize("kind", CONFIGS)
def test_every_kind_and_pooling_equals_the_plain_loop(
    zoo: dict[str, Path], kind: str, pooling: str
) -> None:
    options = {"every": 2} if pooling == "multi_layer" else {}
    ours = embed(zoo[kind], TEXTS, pooling=pooling, **options)
    np.testing.assert_allclose(ours, plain_loop(zoo[kind], TEXTS, POOLS[pooling]), atol=1e-4)
