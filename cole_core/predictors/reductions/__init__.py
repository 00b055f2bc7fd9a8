"""Reductions: what a head sees of an encoding; see `make_reduction`."""

from collections.abc import Callable

from cole_core.errors import InputError
from cole_core.predictors.reductions.base import Reduction
from cole_core.predictors.reductions.components import PrincipalComponents
from cole_core.predictors.reductions.quantiles import Quantiles
from cole_core.predictors.reductions.scaling import Identity, ZScore
from cole_core.predictors.reductions.umap import Umap

REDUCTIONS: dict[str, Callable[[int, float], Reduction]] = {
    "none": lambda n_components, whitening: Identity(),
    "zscore": lambda n_components, whitening: ZScore(),
    "pca": lambda n_components, whitening: PrincipalComponents(n_components, 0.0),
    "whiten": PrincipalComponents,
    "quantiles": lambda n_components, whitening: Quantiles(),
    "umap": lambda n_components, whitening: Umap(n_components),
}


def make_reduction(name: str, *, n_components: int = 128, whitening: float = 0.35) -> Reduction:
    """A reduction by name.

    Args:
        name: `none`, `zscore`, `pca`, `whiten`, `quantiles` or `umap`.
        n_components: Largest number of components of `pca`, `whiten` and `umap`.
        whitening: Power of `whiten`.

    Raises:
        InputError: The name is unknown.
    """
    if name not in REDUCTIONS:
        raise InputError(
            f"unknown reduction '{name}': choose one of {', '.join(sorted(REDUCTIONS))}"
        )
    return REDUCTIONS[name](n_components, whitening)


__all__ = [
    "REDUCTIONS",
    "Identity",
    "PrincipalComponents",
    "Quantiles",
    "Reduction",
    "Umap",
    "ZScore",
    "make_reduction",
]
