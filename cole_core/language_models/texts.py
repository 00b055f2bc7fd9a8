"""Texts to vectors in the order of the texts, with the loaded model kept for those that follow."""

import functools
import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from cole_core.language_models.catalog import find_entry
from cole_core.language_models.specification import EmbeddingSpecification

if TYPE_CHECKING:
    from cole_core.language_models.embedder import Embedder


class EmbeddedTexts(NamedTuple):
    """What came of texts.

    Attributes:
        vectors: (n, d) float32.
        n_tokens: (n,) token counts.
        truncated: (n,) whether the text was cut.
    """

    vectors: np.ndarray
    n_tokens: np.ndarray
    truncated: np.ndarray


def embed_texts(
    specification: EmbeddingSpecification, device: str, threads: int | None, texts: pa.Array
) -> EmbeddedTexts:
    """The vectors of texts.

    Args:
        specification: Of the vectors.
        device: auto, cpu or cuda.
        threads: Threads on a CPU; None leaves them as they are.
        texts: Strings.
    """
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    with _loading:  # a Dask worker may have several threads
        embedder = _embedder(specification, device)
    batches = list(embedder.embed(texts.to_pylist()))
    order = np.argsort(np.concatenate([batch.indices for batch in batches]))
    return EmbeddedTexts(
        np.concatenate([batch.vectors for batch in batches])[order],
        np.concatenate([batch.n_tokens for batch in batches])[order],
        np.concatenate([batch.truncated for batch in batches])[order],
    )


def try_out(specification: EmbeddingSpecification, device: str) -> None:
    """Runs a model over one letter, so that one that cannot run is told before anything starts.

    The loaded model is kept for the texts that follow. What installs as a package was compared with
    the official files already.

    Args:
        specification: Of the vectors.
        device: auto, cpu or cuda.

    Raises:
        InputError: The model cannot be loaded, lacks something, or its numbers are not finite.
    """
    entry = find_entry(specification.language_model)
    if entry is None or entry.package is None:
        embed_texts(specification, device, None, pa.array(["x"]))


_loading = threading.Lock()


@functools.lru_cache(maxsize=1)
def _embedder(specification: EmbeddingSpecification, device: str) -> "Embedder":
    """The loaded model, kept for the shards that follow."""
    from cole_core.language_models import load

    return load(specification, device=device)
