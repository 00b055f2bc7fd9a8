"""Surrogates: reduction, head and target transform; see `make_surrogate`.

Heavy libraries are imported by the head that needs them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cole_core.registry import Registry, check_parameters, check_values

if TYPE_CHECKING:
    from cole_core.predictors.base import Head
    from cole_core.predictors.surrogate import Surrogate

heads: "Registry[Head]" = Registry(
    "head",
    "cole.heads",
    {
        "gaussian_process": "cole_core.predictors.gaussian_process:GaussianProcessHead",
        "kernel_ridge": "cole_core.predictors.linear:KernelRidgeHead",
        "mlp": "cole_core.predictors.mlp:MLPHead",
        "perceiver": "cole_core.predictors.perceiver:PerceiverHead",
        "ridge": "cole_core.predictors.linear:RidgeHead",
        "xgboost": "cole_core.predictors.trees:XGBoostHead",
    },
)

_SEEDED = ("mlp", "xgboost", "perceiver")

# The MLP's and the trees' are the COLE paper's; the others were tuned on NAS-Bench-201's CIFAR-10.
_PAPER = {"reduction": "pca", "n_components": 128, "fitted_on": "labelled", "target": "standard"}
_TUNED = {"reduction": "whiten", "n_components": 384, "fitted_on": "space", "target": "rank"}
_DEFAULTS = {
    "mlp": _PAPER,
    "xgboost": _PAPER,
    "perceiver": _PAPER | {"reduction": "zscore"},  # components would mix the layers
    "ridge": _TUNED,
    "kernel_ridge": _TUNED,
    "gaussian_process": _TUNED,
}
# Structural encodings are one-hot or counts: whitening blows up their rare columns.
_STRUCTURAL = {"reduction": "none", "fitted_on": "labelled"}


def make_surrogate(
    head: str = "gaussian_process",
    *,
    structural: bool = False,
    blocks: Sequence[tuple[int, bool]] | None = None,
    reduction: str | None = None,
    n_components: int | None = None,
    whitening: float | None = None,
    fitted_on: str | None = None,
    target: str | None = None,
    loss: str = "mse",
    seed: int = 0,
    **parameters: Any,
) -> "Surrogate":
    """A surrogate by the name of its head; what is not named comes from the head's defaults.

    Args:
        head: `mlp`, `xgboost`, `ridge`, `kernel_ridge`, `gaussian_process` or `perceiver`, which
            reads vectors of several layers.
        structural: Whether the vectors are a structural encoding and not embeddings, which
            changes the default of `reduction` to `none`.
        blocks: For several encodings side by side, the width of each in the vectors and whether it
            is structural. Embeddings are reduced as ever, structural encodings z-scored.
        reduction: `none`, `zscore`, `pca` or `whiten`.
        n_components: Largest number of components.
        whitening: Power of `whiten`, from 0 to 1; by default 0.35, and 0.2 with encodings side by
            side, which took less of it on NAS-Bench-201's CIFAR-10.
        fitted_on: What the reduction is fitted on: `labelled`, or `space`, for which `fit` needs
            the vectors of the space as `unlabelled`.
        target: `standard` or `rank`.
        loss: `mse`, or `hinge` for the MLP.
        seed: Seed of heads that draw at random.
        **parameters: The head's own.

    Returns:
        A surrogate to fit.

    Raises:
        InputError: A name is unknown, or the head has no such loss or parameter.
    """
    from cole_core.errors import InputError
    from cole_core.predictors.reductions import make_reduction
    from cole_core.predictors.surrogate import Surrogate
    from cole_core.predictors.targets import make_target

    settings: dict[str, Any] = {
        **_DEFAULTS.get(head, _PAPER),
        **(_STRUCTURAL if structural else {}),
    }
    given = {
        "reduction": reduction,
        "n_components": n_components,
        "fitted_on": fitted_on,
        "target": target,
    }
    check_values("surrogate", given | {"whitening": whitening, "seed": seed}, make_surrogate)
    settings |= {name: value for name, value in given.items() if value is not None}
    if whitening is None:
        whitening = 0.2 if blocks else 0.35
    make_reduction(
        settings["reduction"], n_components=settings["n_components"], whitening=whitening
    )
    make_target(settings["target"])
    if loss not in ("mse", "hinge"):
        raise InputError(f"unknown loss '{loss}': choose one of hinge, mse")
    if head == "mlp":
        parameters["loss"] = loss
    elif loss != "mse":
        raise InputError(f"head '{head}' has no loss '{loss}': choose mse, or the head mlp")
    if head in _SEEDED:
        parameters["seed"] = seed
    check_parameters(f"head '{head}'", parameters, heads.create(head).get_params())
    made = heads.create(head, **parameters)
    reduced = [
        (int(width), "zscore" if is_structural else str(settings["reduction"]))
        for width, is_structural in blocks or ()
    ]
    return Surrogate(made, whitening=whitening, blocks=reduced or None, **settings)


def load_surrogate(path: str | Path) -> "Surrogate":
    """A saved surrogate, which predicts exactly what it predicted before.

    Raises:
        InputError: The file is missing or not a surrogate.
    """
    from cole_core.predictors.surrogate import read_saved, restore_surrogate

    about, arrays = read_saved(path)
    return restore_surrogate(about, arrays, heads.create(about["head"], **about["head_parameters"]))


__all__ = ["heads", "load_surrogate", "make_surrogate"]
