"""Texts to vectors: tokenised in pieces, batched by length, pooled, put together again."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cole_core.errors import InputError, shortened
from cole_core.language_models.backend import Backend, pool
from cole_core.language_models.files import find_model
from cole_core.language_models.loading import choose_device, load_backend, load_tokenizer
from cole_core.language_models.specification import EmbeddingSpecification
from cole_core.language_models.specify import specify
from cole_core.language_models.windows import TokenizedTexts, Window, WindowTokenizer

_CHUNK = 16_384  # texts that are sorted by length together: bounds memory over a long sequence
_BATCH_TOKENS_CPU = 1024  # activations that stay in a core's cache
_BATCH_TOKENS_GPU = 16_384
_WORKERS_CPU = 16  # more would wait for Python's lock: beyond them a worker has several cores
_WORKERS_GPU = 2  # one lays its batch out while the GPU computes the other's


@dataclass(frozen=True, eq=False)
class EmbeddedBatch:
    """Vectors of some texts.

    Attributes:
        indices: (b,) int64, which of the texts.
        vectors: (b, d) float32.
        n_tokens: (b,) int32, tokens of each text with the special tokens, each counted once.
        truncated: (b,) whether a text was cut to the specification's `max_length`.
    """

    indices: NDArray[np.int64]
    vectors: NDArray[np.float32]
    n_tokens: NDArray[np.int32]
    truncated: NDArray[np.bool_]


class Embedder:
    """A language model that embeds.

    On a CPU several threads run the model side by side, each with its own batch and one core, so
    that no product waits for another core to finish its half.

    Args:
        specification: What is embedded with.
        backend: The model.
        tokenizer: Cuts texts into windows.
        batch_tokens: Tokens in a batch.
        workers: Threads that run the model.
    """

    def __init__(
        self,
        specification: EmbeddingSpecification,
        backend: Backend,
        tokenizer: WindowTokenizer,
        batch_tokens: int,
        workers: int,
    ) -> None:
        self.specification = specification
        self._backend = backend
        self._tokenizer = tokenizer
        self._batch_tokens = batch_tokens
        self._workers = workers

    def embed(self, texts: Sequence[str]) -> Iterator[EmbeddedBatch]:
        """Embeds texts. Batches come as they are done, short texts first; equal texts run once.

        Args:
            texts: Any number; memory stays bounded.

        Raises:
            InputError: A text has no tokens at all or one that is not the model's, or its vector is
                not finite.
        """
        places: dict[str, list[int]] = {}
        for i, text in enumerate(texts):
            places.setdefault(text, []).append(i)
        distinct = list(places)
        chunks = [distinct[start : start + _CHUNK] for start in range(0, len(distinct), _CHUNK)]
        with ThreadPoolExecutor(1) as ahead:
            pending = deque([ahead.submit(self._tokenizer, chunk) for chunk in chunks[:1]])
            for i, texts_of_chunk in enumerate(chunks):
                chunk = pending.popleft().result()
                pending.extend(
                    ahead.submit(self._tokenizer, more) for more in chunks[i + 1 : i + 2]
                )
                for rows, vectors in self._embed_chunk(chunk, texts_of_chunk):
                    indices = [places[texts_of_chunk[row]] for row in rows]
                    counts = [len(same) for same in indices]
                    yield EmbeddedBatch(
                        np.concatenate(indices).astype(np.int64),
                        np.repeat(vectors, counts, axis=0),
                        np.repeat(chunk.n_tokens[rows], counts),
                        np.repeat(chunk.truncated[rows], counts),
                    )

    def _embed_chunk(
        self, chunk: TokenizedTexts, texts: Sequence[str]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Vectors of the texts of a chunk, each when the last of its windows is done."""
        waiting = np.bincount([window.text for window in chunk.windows])
        counts = np.zeros(len(chunk.n_tokens))
        for window in chunk.windows:
            counts[window.text] += window.stop - window.start
        partial: dict[int, NDArray[np.float32]] = {}
        for windows, sums in self._run(self._backend.batches(chunk.windows, self._batch_tokens)):
            self._check_finite(windows, sums, texts)
            done = []
            for window, total in zip(windows, sums, strict=True):
                text = window.text
                partial[text] = partial[text] + total if text in partial else total
                waiting[text] -= 1
                if waiting[text] == 0:
                    done.append(text)
            if done:
                means = np.stack([partial.pop(text) / counts[text] for text in done])
                yield np.array(done), self._combine(means)

    def _check_finite(
        self, windows: list[Window], sums: NDArray[np.float32], texts: Sequence[str]
    ) -> None:
        """Checks that the sums of a batch are numbers.

        Raises:
            InputError: Some are not; names the model and a text.
        """
        if np.isfinite(sums).all():
            return
        # What is infinite in one text spoils its whole batch: alone, each shows whose it is.
        alone = (w for w in windows if not torch.isfinite(self._pool([w])).all())
        text = texts[next(alone, windows[0]).text]
        specification = self.specification
        remedy = "its weights are damaged, fetch it again"
        if specification.precision != "fp32":
            remedy += f"; or {specification.precision} does not hold its numbers, take fp32"
        raise InputError(
            f"{specification.language_model} gives text {shortened(text)} a vector that is not "
            f"finite: {remedy}"
        )

    def _combine(self, means: NDArray[np.floating]) -> NDArray[np.float32]:
        """Layers to vectors, (b, layers, hidden) to (b, d)."""
        apart = self.specification.pooling == "multi_layer"
        vectors = means.reshape(len(means), -1) if apart else means.mean(axis=1)
        if self.specification.normalize:
            vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)
        return vectors.astype(np.float32)

    def _run(
        self, todo: Iterator[list[Window]]
    ) -> Iterator[tuple[list[Window], NDArray[np.float32]]]:
        """The pooled sums of each batch, in order, computed a little ahead of who takes them."""
        cores = torch.get_num_threads()
        one = max(cores // self._workers, 1)
        with ThreadPoolExecutor(
            self._workers, initializer=torch.set_num_threads, initargs=(one,)
        ) as threads:
            running: deque[tuple[list[Window], Future[Tensor]]] = deque()
            try:
                for windows in todo:
                    running.append((windows, threads.submit(self._pool, windows)))
                    if len(running) > 2 * self._workers:
                        done, future = running.popleft()
                        yield done, future.result().numpy()
                while running:
                    done, future = running.popleft()
                    yield done, future.result().numpy()
            finally:
                threads.shutdown(cancel_futures=True)
                torch.set_num_threads(cores)

    def _pool(self, windows: list[Window]) -> Tensor:
        """The pooled sums of a batch; one that does not fit the device's memory is halved."""
        try:
            with torch.inference_mode():
                return pool(self._backend, windows, self.specification.layers).cpu()
        except torch.OutOfMemoryError:
            if len(windows) == 1:
                raise
        torch.cuda.empty_cache()
        half = len(windows) // 2
        return torch.cat([self._pool(windows[:half]), self._pool(windows[half:])])


def load_embedder(
    specification: EmbeddingSpecification | str,
    device: str,
    batch_tokens: int | None,
    workers: int | None,
) -> Embedder:
    """See `cole_core.language_models.load`."""
    if isinstance(specification, str):
        specification = specify(specification)
    files = find_model(specification.language_model, specification.revision)
    if specification.random_init is None and files.weights_sha256 != specification.weights_sha256:
        raise InputError(
            f"the weights of {files.name} are not those that were specified: specify it again"
        )
    chosen = choose_device(device)
    on_cpu = chosen.type == "cpu"
    tokenizer = load_tokenizer(files, specification.trust_remote_code)
    return Embedder(
        specification,
        load_backend(files, specification, chosen),
        WindowTokenizer(tokenizer, specification, files.vocabulary),
        batch_tokens or (_BATCH_TOKENS_CPU if on_cpu else _BATCH_TOKENS_GPU),
        workers or (min(torch.get_num_threads(), _WORKERS_CPU) if on_cpu else _WORKERS_GPU),
    )
