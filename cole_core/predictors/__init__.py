"""Surrogates: reduction, head and target transform; see `make_surrogate`.

Heavy libraries are imported by the head that needs them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cole_core.errors import InputError
from cole_core.registry import Registry, check_parameters, check_values

if TYPE_CHECKING:
    import numpy as np

    from cole_core.predictors.base import Head
    from cole_core.predictors.surrogate import Surrogate

heads: "Registry[Head]" = Registry(
    "head",
    "cole.heads",
    {
        "committee": "cole_core.predictors.committee:CommitteeHead",
        "gaussian_process": "cole_core.predictors.gaussian_process:GaussianProcessHead",
        "kernel_ridge": "cole_core.predictors.linear:KernelRidgeHead",
        "mlp": "cole_core.predictors.mlp:MLPHead",
        "perceiver": "cole_core.predictors.perceiver:PerceiverHead",
        "ridge": "cole_core.predictors.linear:RidgeHead",
        "xgboost": "cole_core.predictors.trees:XGBoostHead",
    },
)

# Structural encodings are one-hot or counts: whitening blows up their rare columns.
_STRUCTURAL = {"reduction": "none", "fitted_on": "labelled"}


def make_surrogate(
    head: str = "gaussian_process",
    *,
    structural: bool = False,
    blocks: Sequence[tuple[int, bool | str]] | None = None,
    reduction: str | None = None,
    n_components: int | None = None,
    whitening: float | None = None,
    fitted_on: str | None = None,
    target: str | None = None,
    loss: str = "mse",
    seed: int = 0,
    old_tasks: int = 0,
    **parameters: Any,
) -> "Surrogate":
    """A surrogate by the name of its head; what is not named comes from the head's defaults.

    Args:
        head: `mlp`, `xgboost`, `ridge`, `kernel_ridge`, `gaussian_process`; `perceiver`, which
            reads vectors of several layers; or one that another package registers.
        structural: Whether the vectors are a structural encoding and not embeddings, which
            changes the default of `reduction` to `none`.
        blocks: For several encodings side by side, the width of each in the vectors and whether it
            is structural, or the name of its reduction. Embeddings are reduced as ever, structural
            encodings z-scored.
        reduction: `none`, `zscore`, `pca`, `whiten` or `quantiles`.
        n_components: Largest number of components.
        whitening: Power of `whiten`, from 0 to 1; by default 0.35, and 0.2 with encodings side by
            side, which took less of it on NAS-Bench-201's CIFAR-10.
        fitted_on: What the reduction is fitted on: `labelled`, or `space`, for which `fit` needs
            the vectors of the space as `unlabelled`.
        target: `standard` or `rank`.
        loss: `mse`, or another of the head's: `hinge` for the MLP.
        seed: Seed of heads that draw at random.
        old_tasks: How many columns at the end of the vectors say what old tasks expect.
        **parameters: The head's own.

    Returns:
        A surrogate to fit.

    Raises:
        InputError: A name is unknown, or the head has no such loss or parameter.
    """
    from cole_core.predictors.reductions import make_reduction
    from cole_core.predictors.surrogate import Surrogate
    from cole_core.predictors.targets import make_target
    from cole_core.predictors.transfer.surrogate import TransferSurrogate

    template = make_head(head)
    settings: dict[str, Any] = {**template.defaults, **(_STRUCTURAL if structural else {})}
    given = {"reduction": reduction, "n_components": n_components}
    given |= {"fitted_on": fitted_on, "target": target}
    check_values("surrogate", given | {"whitening": whitening, "seed": seed}, make_surrogate)
    settings |= {name: value for name, value in given.items() if value is not None}
    if whitening is None:
        whitening = 0.2 if blocks else 0.35
    most = settings["n_components"]
    make_reduction(settings["reduction"], n_components=most, whitening=whitening)
    make_target(settings["target"])
    if "structural" in template.get_params():
        kinds = [is_structural for _, is_structural in blocks] if blocks else [structural]
        parameters = {"structural": tuple(map(bool, kinds)), **parameters}
    made = make_head(head, **_head_parameters(head, template, parameters, loss, seed))
    made.check()
    usual = {True: "zscore", False: str(settings["reduction"])}
    reduced = [
        (int(width), kind if isinstance(kind, str) else usual[bool(kind)])
        for width, kind in blocks or ()
    ]
    settings |= {"whitening": whitening, "blocks": reduced or None}
    if not old_tasks:
        return Surrogate(made, **settings)
    if getattr(made, "loss", None) == "hinge":
        raise InputError(
            f"head '{head}' with loss hinge learns an order and no values, to which nothing that "
            "other tasks expect can be added: leave out --transfer, or choose another loss"
        )
    return TransferSurrogate(made, old_tasks=old_tasks, **settings)


def make_head(name: str, /, **parameters: Any) -> "Head":
    """A head by name; what is registered may be any regressor as scikit-learn has them.

    Args:
        name: Of the head.
        **parameters: Its own.

    Raises:
        InputError: The name or a parameter is unknown, or what is registered is no regressor.
    """
    from cole_core.predictors.base import Head

    made = heads.create(name)
    if isinstance(made, Head):
        return heads.create(name, **parameters) if parameters else made
    from cole_core.predictors.sklearn_head import SklearnHead

    return SklearnHead(name, made, **parameters)


def _head_parameters(
    name: str, template: "Head", parameters: dict[str, Any], loss: str, seed: int
) -> dict[str, Any]:
    """A head's parameters with loss and seed, where it has them.

    Raises:
        InputError: The head has no such loss or parameter.
    """
    known, what = template.get_params(), f"head '{name}'"
    losses = template.losses or ("mse",)
    # A regressor of somebody else's may have losses of its own names; it judges them itself.
    if loss not in losses and (template.losses or "loss" not in known):
        choices = ", ".join(sorted(losses))
        raise InputError(f"{what} has no loss '{loss}': choose one of {choices}")
    if template.losses or loss != "mse":
        parameters = parameters | {"loss": loss}
    if "seed" in known:
        parameters = parameters | {"seed": seed}
    check_parameters(what, parameters, known)
    return parameters


# What the vectors, the seed of what is run, and options of their own say.
_SAID_ELSEWHERE = {"head", "structural", "blocks", "seed", "old_tasks", "parameters"}


def surrogate_parameters(head: str) -> list[str]:
    """What people may say of a surrogate: the parameters of its head, and those around it.

    Args:
        head: A registered name.

    Raises:
        InputError: The name is unknown.
    """
    import inspect

    around = inspect.signature(make_surrogate).parameters
    return sorted({*around, *make_head(head).get_params()} - _SAID_ELSEWHERE)


def load_surrogate(path: str | Path) -> "Surrogate":
    """A saved surrogate, which predicts exactly what it predicted before.

    Raises:
        InputError: The file is missing or not a surrogate.
    """
    from cole_core.predictors.surrogate import read_saved, states_by_part

    about, arrays = read_saved(path)
    return _restored(about, states_by_part(arrays))


def _restored(
    about: Mapping[str, Any], states: "Mapping[str, Mapping[str, np.ndarray]]"
) -> "Surrogate":
    """A surrogate from what it is made with and what it learned."""
    from cole_core.predictors.surrogate import Surrogate
    from cole_core.predictors.transfer.carried import carried_parts
    from cole_core.predictors.transfer.surrogate import TransferSurrogate

    head = make_head(about["head"], **about["head_parameters"])
    if "old_tasks" not in about["surrogate"]:
        surrogate = Surrogate(head, **about["surrogate"])
        surrogate.restore_states(states)
        return surrogate
    learned = TransferSurrogate(head, **about["surrogate"])
    learned.restore_states(states)
    carried = about.get("carried", ())
    parts = carried_parts(states, len(carried))
    learned.carry([_restored(each, part) for each, part in zip(carried, parts, strict=True)])
    return learned


__all__ = ["heads", "load_surrogate", "make_head", "make_surrogate", "surrogate_parameters"]
