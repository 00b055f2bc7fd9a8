"""What a search asks of architectures that nobody has seen yet: vectors and accuracies.

Both are made as they are asked for and kept in the warehouse, so that neither is made twice.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from cole_core.encodings.base import Rendering, RenderingError, VectorEncoding
from cole_core.encodings.registry import make_text_encoding
from cole_core.encodings.vectors import VectorSource
from cole_core.errors import InputError
from cole_core.evaluation.attempts import TrainingEvaluator
from cole_core.evaluation.outcomes import OK
from cole_core.evaluation.settings import source_name
from cole_core.evaluation.target import ACCURACY, Target
from cole_core.evaluation.workers import Workers
from cole_core.hashing import hash_text
from cole_core.language_models import EmbeddingSpecification
from cole_core.spaces.base import SearchSpace
from flows.running.runs import Run
from flows.tasks.architectures import add_architectures
from flows.tasks.evaluations import evaluate_all, not_evaluated
from flows.tasks.renderings import rendering_rows
from flows.tasks.vectors import add_vectors, embed_shard
from warehouse import Warehouse


class NewVectors:
    """Vectors of any architectures.

    Args:
        run: Reads and writes.
        space: Theirs.
        source: Which encoding.
        specification: Of the language model; None for a structural encoding.
        device: Where the language model runs.
    """

    def __init__(
        self,
        run: Run,
        space: SearchSpace,
        source: VectorSource,
        specification: EmbeddingSpecification | None,
        device: str,
    ) -> None:
        self._run = run
        self._space = space
        self._source = source
        self._specification = specification
        self._device = device
        self._known: dict[str, np.ndarray] = {}

    def __call__(self, natives: Sequence[str]) -> np.ndarray:
        """Vectors (n, d) float32 of architectures.

        Raises:
            InputError: One of them has no text under the encoding.
        """
        new = [native for native in dict.fromkeys(natives) if native not in self._known]
        if new:
            made = self._encode(new) if self._specification is None else self._embed(new)
            self._known.update(zip(new, made, strict=True))
        return np.stack([self._known[native] for native in natives])

    def _encode(self, natives: Sequence[str]) -> np.ndarray:
        encoding = self._space.encoding(self._source.encoding)
        assert isinstance(encoding, VectorEncoding)
        return encoding.encode(natives)

    def _embed(self, natives: Sequence[str]) -> list[np.ndarray]:
        assert self._specification is not None
        renderings = self._render(natives)
        texts = [each.text for each in renderings]
        text_of = {hash_text(text): text for text in texts}
        spec_id = self._specification.spec_id
        stored = self._run.warehouse.vectors.vectors_of(spec_id, list(text_of))
        lacking = [text_hash for text_hash in text_of if text_hash not in stored]
        if lacking:
            wanted = pa.array([text_of[text_hash] for text_hash in lacking])
            made = embed_shard(self._specification, self._device, None, wanted)
            stored.update(zip(lacking, made.vectors, strict=True))
        with self._run.warehouse.writer("cole search", self._run.run_id) as writer:
            add_architectures(self._run.warehouse, writer, self._space, natives, shown=False)
            writer.add_renderings(
                rendering_rows(
                    [self._space.architecture_id(native) for native in natives],
                    self._source.encoding,
                    self._source.context,
                    renderings,
                )
            )
            if lacking:
                add_vectors(writer, self._specification, lacking, made)
        return [stored[hash_text(text)] for text in texts]

    def _render(self, natives: Sequence[str]) -> list[Rendering]:
        context = self._source.context
        encoding = make_text_encoding(self._space, self._source.encoding, context)
        try:
            return [encoding.written(native, context) for native in natives]
        except RenderingError as error:
            raise InputError(f"{error}: search with another --encoding") from None


class NewAccuracies:
    """Accuracies of any architectures, by training them.

    A network that failed has the accuracy of chance: of one that learned nothing.

    Args:
        run: Reads and writes.
        evaluator: Trains.
        workers: Where it runs.
        seed: Of every training.
    """

    def __init__(self, run: Run, evaluator: TrainingEvaluator, workers: Workers, seed: int) -> None:
        self._run = run
        self._evaluator = evaluator
        self._workers = workers
        self._seed = seed
        self._chance = 100 / evaluator.dataset.classes
        self._known: dict[str, float] = {}

    def train(self, natives: Sequence[str]) -> None:
        """Trains those architectures that were not trained yet, several at a time."""
        new = [native for native in dict.fromkeys(natives) if native not in self._known]
        if not new:
            return
        warehouse, evaluator = self._run.warehouse, self._evaluator
        with warehouse.writer("cole search", self._run.run_id) as writer:
            add_architectures(warehouse, writer, evaluator.space, new, shown=False)
        lacking = not_evaluated(warehouse, evaluator, new, self._seed)
        if lacking:
            evaluate_all(self._run, evaluator, self._workers, lacking, self._seed)
        measured = accuracies(warehouse, evaluator, "valid", self._seed)
        self._known |= {native: measured.get(native, self._chance) for native in new}

    def __call__(self, native: str) -> float:
        """Validation accuracy of a trained architecture, in percent."""
        return self._known[native]


def target_of(evaluator: TrainingEvaluator, split: str) -> Target:
    """The values that training gives at its last epoch."""
    return Target(
        dataset=evaluator.dataset.name,
        metric=ACCURACY,
        split=split,
        epochs=evaluator.training.epochs,
        source=source_name(evaluator.settings_id),
    )


def accuracies(
    warehouse: Warehouse, evaluator: TrainingEvaluator, split: str, seed: int
) -> dict[str, float]:
    """Accuracies at the last epoch of the networks that were trained without a failure."""
    tried = warehouse.trainings(evaluator.space, evaluator.settings_id, seed)
    fine = set(tried.filter(pl.col("status") == OK)["native"])
    values = warehouse.seed_values(evaluator.space, target_of(evaluator, split), seed)
    return {native: value for native, value in values.iter_rows() if native in fine}
