"""Text to vector: a frozen language model, named by everything that determines its vectors.

`specify` reads and hashes files; torch is imported by `load` alone.
"""

from typing import TYPE_CHECKING

from cole_core.language_models.catalog import CatalogEntry, catalog
from cole_core.language_models.files import is_here
from cole_core.language_models.specification import (
    POOLINGS,
    PRECISIONS,
    EmbeddingSpecification,
)
from cole_core.language_models.specify import EmbeddingOptions, specify

if TYPE_CHECKING:
    from cole_core.language_models.embedder import Embedder

__all__ = [
    "POOLINGS",
    "PRECISIONS",
    "CatalogEntry",
    "EmbeddingOptions",
    "EmbeddingSpecification",
    "catalog",
    "is_here",
    "load",
    "specify",
]


def load(
    specification: EmbeddingSpecification | str,
    device: str = "auto",
    *,
    batch_tokens: int | None = None,
    workers: int | None = None,
) -> "Embedder":
    """Loads a language model to embed with.

    Args:
        specification: What to embed with; a name or path stands for its default specification.
        device: "auto" (CUDA where there is a device, otherwise the CPU), "cpu", "cuda", "cuda:1".
        batch_tokens: Tokens in a batch, by default what suits the device.
        workers: Threads that run the model side by side, by default one per core on a CPU.

    Raises:
        InputError: The model or the device is not there, or the files have changed since they
            were specified.
    """
    from cole_core.language_models.embedder import load_embedder

    return load_embedder(specification, device, batch_tokens, workers)
