"""A small warehouse with known content, made by the writer as any stage would."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cole_core.hashing import hash_text
from cole_core.spaces import get_space
from warehouse import Warehouse
from warehouse.reader import space_parameters

SPACE = get_space("nasbench201")
NATIVES = [native for _, native in zip(range(10), SPACE.enumerate(), strict=False)]
TEXTS = [f"text {index % 8}" for index in range(10)]  # two pairs share a text
DIMENSION = 4


def architectures(natives: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "architecture_id": [SPACE.architecture_id(native) for native in natives],
            "space": SPACE.name,
            "space_parameters": space_parameters(SPACE),
            "native": natives,
            "canonical_id": [hash_text(SPACE.canonical_form(native)) for native in natives],
            "position": range(len(natives)),
        }
    )


def renderings(natives: list[str], texts: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "architecture_id": [SPACE.architecture_id(native) for native in natives],
            "encoding": "code.expression",
            "context": "none",
            "text": texts,
        }
    )


def vectors_of(text_hashes: list[str]) -> np.ndarray:
    """A vector that the hash determines, so that a test can tell which row is whose."""
    return np.array(
        [[int(hash_[4 * i : 4 * i + 4], 16) for i in range(DIMENSION)] for hash_ in text_hashes],
        dtype=np.float32,
    )


def evaluations(natives: list[str], values: list[float], source: str = "mine") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "architecture_id": [SPACE.architecture_id(native) for native in natives],
            "native": natives,
            "dataset": "cifar10",
            "metric": "accuracy",
            "split": "test",
            "epochs": pl.Series([200] * len(natives), dtype=pl.Int32),
            "seed": pl.Series([None] * len(natives), dtype=pl.Int32),
            "source": source,
            "value": values,
        }
    )


@pytest.fixture
def empty(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "home")


@pytest.fixture
def filled(empty: Warehouse) -> Warehouse:
    """Ten architectures, eight texts, eight vectors under the specification `spec`."""
    return fill(empty)


def fill(empty: Warehouse) -> Warehouse:
    """Writes what `filled` holds."""
    with empty.writer("test", run_id="run-1") as writer:
        writer.add_architectures(architectures(NATIVES))
        writer.add_renderings(renderings(NATIVES, TEXTS))
        writer.add_specification("spec", "minilm", "mean", "fp32", "{}", DIMENSION)
        hashes = empty.texts(SPACE, "code.expression", "none")["text_hash"].to_list()
        writer.add_embeddings(
            "spec",
            hashes,
            vectors_of(hashes),
            np.arange(len(hashes), dtype=np.int32),
            np.zeros(len(hashes), dtype=bool),
        )
        writer.add_evaluations(evaluations(NATIVES, [float(i) for i in range(10)]))
    return empty
