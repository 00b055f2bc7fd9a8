"""Warehouses of a few rows, written without flows and without a language model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cole_core.evaluation.target import Target
from cole_core.hashing import hash_text
from cole_core.language_models import EmbeddingSpecification
from cole_core.language_models.texts import EmbeddedTexts
from cole_core.search.tabular import StoredSearches
from cole_core.spaces import get_space
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.sampling import sample_distinct
from flows.tasks.vectors import add_vectors
from warehouse import Warehouse
from warehouse.reader import space_parameters

SPACE = get_space("nasbench201")
COUNT = 4
USUAL = EmbeddingSpecification(
    language_model="minilm",
    revision=None,
    model_type="bert",
    kind="encoder",
    weights_sha256="0" * 64,
    config_sha256="1" * 64,
    tokenizer_sha256="2" * 64,
    hidden_size=3,
    layers=(0, 1),
    pooling="avg_avg",
    normalize=False,
    precision="bf16",
    max_length=None,
    window=512,
    overlap=64,
    echo=False,
    instruction="",
    trust_remote_code=False,
    random_init=None,
)


def add_architectures(warehouse: Warehouse, space: SearchSpace = SPACE, count: int = COUNT) -> None:
    """The first architectures that a seed draws."""
    natives = sample_distinct(space, count, seed=0)
    rows = pl.DataFrame(
        {
            "architecture_id": map(space.architecture_id, natives),
            "space": space.name,
            "space_parameters": space_parameters(space),
            "native": natives,
            "canonical_id": [hash_text(space.canonical_form(native)) for native in natives],
            "position": range(count),
        }
    )
    with warehouse.writer("test", "run") as writer:
        writer.add_architectures(rows)


def add_texts(warehouse: Warehouse, encoding: str, context: str = "none") -> None:
    """A text of each architecture."""
    architectures = warehouse.architectures(SPACE)
    rows = architectures.select(
        "architecture_id",
        encoding=pl.lit(encoding),
        context=pl.lit(context),
        text=pl.format("{} {} {}", pl.lit(encoding), pl.lit(context), "native"),
    )
    with warehouse.writer("test", "run") as writer:
        writer.add_renderings(rows)


def embed(
    warehouse: Warehouse,
    encoding: str = "code.bare",
    context: str = "none",
    cut: bool = False,
    **changes: Any,
) -> str:
    """Vectors of the texts under the usual specification with some changes.

    Returns:
        Its spec_id.
    """
    specification = replace(USUAL, **changes)
    hashes = warehouse.texts(SPACE, encoding, context)["text_hash"].to_list()
    of_hash = [int(hash_[:4], 16) for hash_ in hashes]
    made = EmbeddedTexts(
        np.array([[number, len(encoding), 1.0] for number in of_hash], dtype=np.float32),
        np.full(len(hashes), 9),
        np.full(len(hashes), cut),
    )
    with warehouse.writer("test", "run") as writer:
        add_vectors(writer, specification, hashes, made)
    return specification.spec_id


def measure(warehouse: Warehouse, target: Target, count: int = COUNT) -> None:
    """Values of the first architectures: 0, 1, 2 ..."""
    architectures = warehouse.architectures(SPACE).head(count)
    rows = architectures.select(
        "architecture_id",
        "native",
        *(pl.lit(value).alias(name) for name, value in target.key.items() if name != "epochs"),
        epochs=pl.lit(target.epochs, pl.Int32),
        seed=pl.lit(None, pl.Int32),
        value=pl.col("position").cast(pl.Float64),
    )
    with warehouse.writer("test", "run") as writer:
        writer.add_evaluations(rows)


def search_for(warehouse: Warehouse, target: Target) -> None:
    """A search of one step."""
    columns = {
        "space": SPACE.name,
        "algorithm": "random_search",
        "target": target.to_json(),
        "encoding": "none",
        "context": "none",
        "spec_id": None,
    }
    made = StoredSearches(columns, columns)
    step = (
        warehouse.architectures(SPACE)
        .head(1)
        .select(
            "architecture_id",
            search_id=pl.lit(made.search_id(0)),
            step=pl.lit(1),
            value=pl.lit(0.0),
            predicted_mean=pl.lit(None, pl.Float64),
            predicted_std=pl.lit(None, pl.Float64),
            seconds=pl.lit(0.0),
        )
    )
    with warehouse.writer("test", "run") as writer:
        writer.add_searches([made.row(0)])
        writer.add_search_steps(step)


def rendered(home: Path, *encodings: str) -> Warehouse:
    """A warehouse of architectures and their texts, by default of the reference."""
    warehouse = Warehouse(home)
    add_architectures(warehouse)
    for encoding in encodings or ("code.bare",):
        add_texts(warehouse, encoding)
    return warehouse
