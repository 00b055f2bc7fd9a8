"""What a search asks of architectures that nobody has seen yet: vectors and measured values.

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
from cole_core.evaluation.own_training import OwnEvaluator
from cole_core.evaluation.pool import NetworkPool
from cole_core.evaluation.target import Target
from cole_core.hashing import hash_text
from cole_core.language_models import EmbeddingSpecification
from cole_core.sources.headings import UNKNOWN
from cole_core.spaces.base import SearchSpace
from flows.running.runs import Run
from flows.tasks.architectures import add_architectures
from flows.tasks.evaluations import evaluate_all, not_evaluated, store
from flows.tasks.renderings import rendering_rows
from flows.tasks.vectors import add_vectors, embed_shard
from warehouse import Warehouse

SearchEvaluator = TrainingEvaluator | OwnEvaluator


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
        self._space.prepare(natives)
        encoding = self._space.encoding(self._source.encoding)
        assert isinstance(encoding, VectorEncoding)
        return encoding.encode(natives)

    def _embed(self, natives: Sequence[str]) -> list[np.ndarray]:
        assert self._specification is not None
        self._space.prepare(natives)
        found = self._render(natives)
        text_of = {hash_text(each.text): each.text for each in found.values()}
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
                    [self._space.architecture_id(native) for native in found],
                    self._source.encoding,
                    self._source.context,
                    list(found.values()),
                )
            )
            if lacking:
                add_vectors(writer, self._specification, lacking, made)
        nothing = np.zeros_like(next(iter(stored.values())))  # of a network that cannot be made
        return [
            stored[hash_text(found[native].text)] if native in found else nothing
            for native in natives
        ]

    def _render(self, natives: Sequence[str]) -> dict[str, Rendering]:
        """The texts of architectures; of somebody's own networks some may have none.

        Raises:
            InputError: One has none that should have, or all have none.
        """
        context = self._source.context
        encoding = make_text_encoding(self._space, self._source.encoding, context)
        found: dict[str, Rendering] = {}
        said = ""
        for native in natives:
            try:
                found[native] = encoding.written(native, context)
            except RenderingError as error:
                said = str(error)
                if not self._space.is_foreign:
                    break
        if said and (not found or not self._space.is_foreign):
            raise InputError(f"{said}: search with another --encoding")
        return found


class NewValues:
    """Measured values of any architectures, by training them; a higher one is better.

    A network that failed has the value of chance, or where nobody knows that, the worst there is.

    Args:
        run: Reads and writes.
        evaluator: Trains.
        pool: Where it runs.
        seed: Of every training.
    """

    def __init__(self, run: Run, evaluator: SearchEvaluator, pool: NetworkPool, seed: int) -> None:
        self._run = run
        self._evaluator = evaluator
        self._pool = pool
        self._seed = seed
        self._target = evaluator.target()
        self._known: dict[str, float] = {}
        self._arrived: list[str] = []

    def train(self, natives: Sequence[str]) -> None:
        """Trains those architectures that were not trained yet, several at a time.

        Raises:
            InputError: What their trainings give is not what the search looks for.
        """
        new = [native for native in dict.fromkeys(natives) if native not in self._known]
        if new:
            lacking = self._untrained(new)
            if lacking:
                evaluate_all(self._run, self._evaluator, self._pool, lacking, self._seed)
            self._read(new)

    def begin(self, native: str) -> None:
        """Has an architecture trained, unless it was; `arrived` says when it is there."""
        if native not in self._known and self._untrained([native]):
            self._pool.submit(native, self._seed)
        else:
            self._arrived.append(native)

    def arrived(self) -> list[str]:
        """Architectures that were begun and have their value now; waits for one.

        Raises:
            InputError: As `train`.
        """
        if not self._arrived:
            attempts = self._pool.done()
            store(self._run, self._evaluator, attempts)
            self._arrived += [attempt.native for attempt in attempts]
        found, self._arrived = self._arrived, []
        self._read([native for native in found if native not in self._known])
        return found

    def _untrained(self, natives: Sequence[str]) -> list[str]:
        """Those that were not trained yet; all are in the warehouse then."""
        warehouse, space = self._run.warehouse, self._evaluator.space
        space.prepare(natives)
        with warehouse.writer("cole search", self._run.run_id) as writer:
            add_architectures(warehouse, writer, space, natives, shown=False)
        return not_evaluated(warehouse, self._evaluator, natives, self._seed)

    def _read(self, natives: Sequence[str]) -> None:
        """Takes the values of trained architectures from the warehouse."""
        measured = values(self._run.warehouse, self._evaluator, self._target, self._seed)
        if not measured:
            self._refuse_others()
        sign = self._target.sign
        failed = self._evaluator.failed_value
        if failed is None:
            failed = min((sign * value for value in measured.values()), default=0.0)
        for native in natives:
            value = measured.get(self._evaluator.space.architecture_id(native))
            self._known[native] = failed if value is None else sign * value

    def _refuse_others(self) -> None:
        """Says which values there are where none is the one that is looked for."""
        warehouse, space = self._run.warehouse, self._evaluator.space
        given = warehouse.targets(space).filter(pl.col("source") == self._evaluator.source)
        if given.is_empty():
            return
        listed = ", ".join(
            metric if split == UNKNOWN else f"{split}_{metric}"
            for metric, split in given.select("metric", "split").rows()
        )
        raise InputError(
            f"the training gives {listed}, and no {self._target.metric}: name the one to better "
            "with --metric"
        )

    def __call__(self, native: str) -> float:
        """The value of a trained architecture."""
        return self._known[native]


def values(
    warehouse: Warehouse, evaluator: SearchEvaluator, target: Target, seed: int
) -> dict[str, float]:
    """Values of the networks that were trained without a failure, by architecture_id."""
    tried = warehouse.trainings(evaluator.space, evaluator.settings_id, seed)
    fine = set(tried.filter(pl.col("status") == OK)["architecture_id"])
    measured = warehouse.seed_values(evaluator.space, target, seed)
    return {id_: value for id_, value in measured.iter_rows() if id_ in fine}
