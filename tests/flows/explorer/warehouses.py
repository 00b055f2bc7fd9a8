"""Warehouses that are written at once, without flows: a usual one, and one full of scripts."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from cole_core.encodings.registry import make_text_encoding
from cole_core.evaluation.target import Target
from cole_core.hashing import hash_text
from cole_core.language_models import specify
from cole_core.spaces import get_space
from warehouse import Warehouse
from warehouse.reader import space_parameters
from warehouse.writer import Writer

SPACE = get_space("nasbench201")
SPEC = specify("minilm")
ENCODING = SPACE.roles.reference
SIZE = 60
TARGET = Target("cifar10", "accuracy", "test", 200, "mine")


def cells(count: int = SIZE) -> list[str]:
    """Different cells, always the same ones."""
    rng = np.random.default_rng(0)
    found: dict[str, None] = {}
    while len(found) < count:
        found[SPACE.sample(rng)] = None
    return list(found)


def accuracy(place: int) -> float:
    """What the cell at a place is said to have reached."""
    return 50.0 + place * 0.5


def write_warehouse(home: Path, natives: Sequence[str], texts: Sequence[str]) -> Warehouse:
    """Architectures with texts, vectors, accuracies and a search."""
    warehouse = Warehouse(home)
    with warehouse.writer("test", "11111111-2222-3333-4444-555555555555") as writer:
        writer.start_run("search", {"space": SPACE.name}, {})
        _architectures(writer, natives, texts)
        _vectors(writer, texts)
        evaluations(writer, natives)
        writer.finish_run({"evaluations": len(natives), "said": texts[-1]})
    return warehouse


def usual_warehouse(home: Path) -> Warehouse:
    """One of real cells."""
    natives = cells()
    encoding = make_text_encoding(SPACE, ENCODING)
    warehouse = write_warehouse(home, natives, [encoding.render(native) for native in natives])
    with warehouse.writer("test", "11111111-2222-3333-4444-555555555555") as writer:
        add_search(writer, natives, range(10))
    return warehouse


def add_architecture(writer: Writer, native: str, text: str) -> None:
    """One more, with a text and a vector."""
    _architectures(writer, [native], [text])
    _vectors(writer, [text])


def _architectures(writer: Writer, natives: Sequence[str], texts: Sequence[str]) -> None:
    ids = [SPACE.architecture_id(native) for native in natives]
    writer.add_architectures(
        pl.DataFrame(
            {
                "architecture_id": ids,
                "space": SPACE.name,
                "space_parameters": space_parameters(SPACE),
                "native": natives,
                "canonical_id": [hash_text(text) for text in texts],
                "position": range(len(ids)),
            }
        )
    )
    writer.add_renderings(
        pl.DataFrame(
            {"architecture_id": ids, "encoding": ENCODING, "context": "none", "text": texts}
        )
    )


def _vectors(writer: Writer, texts: Sequence[str]) -> None:
    """Vectors that are the texts' alone."""
    different = list(dict.fromkeys(texts))
    vectors = np.random.default_rng(1).standard_normal((len(different), SPEC.dimensions))
    writer.add_specification(
        *(SPEC.spec_id, SPEC.language_model, SPEC.pooling, SPEC.precision, SPEC.to_json()),
        SPEC.dimensions,
    )
    tokens = np.full(len(different), 30, np.int32)
    hashes = [hash_text(text) for text in different]
    writer.add_embeddings(SPEC.spec_id, hashes, vectors.astype(np.float32), tokens, tokens == 0)


def evaluations(
    writer: Writer, natives: Sequence[str], about: Mapping[str, str] | None = None
) -> None:
    """A value of each, in the order of their places."""
    said = {"dataset": "cifar10", "metric": "accuracy", "split": "test", "source": "mine"}
    said |= about or {}
    writer.add_evaluations(
        pl.DataFrame(
            {
                "architecture_id": [SPACE.architecture_id(native) for native in natives],
                "native": list(natives),
                **{name: [value] * len(natives) for name, value in said.items()},
                "epochs": pl.Series([200] * len(natives), dtype=pl.Int32),
                "seed": pl.Series([None] * len(natives), dtype=pl.Int32),
                "value": [accuracy(place) for place in range(len(natives))],
            }
        )
    )


def add_search(writer: Writer, natives: Sequence[str], steps: range) -> None:
    """Steps of one search, whose surrogate believes a point too much."""
    configuration = {"algorithm": "bananas", "seed": 0, "budget": 100}
    search_id = hash_text(json.dumps(configuration))
    writer.add_searches(
        [
            {
                "search_id": search_id,
                "space": SPACE.name,
                "algorithm": "bananas",
                "encoding": ENCODING,
                "context": "none",
                "spec_id": SPEC.spec_id,
                "target": TARGET.to_json(),
                "seed": 0,
                "configuration": json.dumps(configuration),
            }
        ]
    )
    writer.add_search_steps(
        pl.DataFrame(
            {
                "search_id": search_id,
                "step": [step + 1 for step in steps],
                "architecture_id": [SPACE.architecture_id(natives[step]) for step in steps],
                "value": [accuracy(step) for step in steps],
                "predicted_mean": [accuracy(step) + 1 for step in steps],
                "predicted_std": [2.0] * len(steps),
                "seconds": [0.1] * len(steps),
            }
        )
    )
