"""What sets searches apart, in words."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_ACQUISITIONS = {"its": "ITS", "ucb": "UCB", "ei": "EI", "exploit": "no exploration"}
_CANDIDATES = {"space": "whole space", "mutation": "mutations"}


def describe_search(
    configuration: Mapping[str, Any],
    specification: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What `search_labels` reads of a search: only what means something for it.

    Args:
        configuration: Of the search, as it is stored.
        specification: Of its vectors: language_model, pooling, precision and specification
            (JSON); None for an algorithm or an encoding that reads no language model's.
    """
    parameters = dict(configuration["parameters"])
    given = parameters.pop("surrogate", {})
    parameters.pop("structural", None)
    resolved = {
        name.removeprefix("head__"): value
        for name, value in configuration.get("surrogate", given).items()
    }
    described: dict[str, Any] = {"algorithm": configuration["algorithm"]}
    if configuration["encoding"] != "none":
        described["encoding"] = configuration["encoding"]
    if specification is not None:
        details = json.loads(specification["specification"])
        described |= {
            "context": configuration["context"],
            "lm": specification["language_model"],
            "pooling": specification["pooling"],
            "precision": specification["precision"],
            "random_init": details.get("random_init"),
        }
    # What the head brings with it is said by its name, unless another search asks for it.
    return described | parameters | {"resolved": resolved, "given": tuple(given)}


def search_labels(
    descriptions: Sequence[Mapping[str, Any]],
    ids: Sequence[str],
    always: Sequence[str] = ("encoding",),
) -> list[str]:
    """What sets each of several described searches apart; no two are called the same.

    Args:
        descriptions: Of `describe_search`, one for each.
        ids: What tells them apart where words do not.
        always: What stands in every label that has it; of the rest what is not the same for all.
    """
    asked = dict.fromkeys(name for each in descriptions for name in each["given"])
    flat = [
        {name: value for name, value in each.items() if name not in ("resolved", "given")}
        | {name: each["resolved"][name] for name in asked if name in each["resolved"]}
        for each in descriptions
    ]
    names = list(dict.fromkeys(name for each in flat for name in each))
    varying = [name for name in names if name in always or _varies(name, flat)]
    made = [
        " · ".join(_words(name, each[name]) for name in varying if each.get(name) is not None)
        or _words("algorithm", each["algorithm"])
        for each in flat
    ]
    return [
        label if made.count(label) == 1 else f"{label} ({id_[:6]})"
        for label, id_ in zip(made, ids, strict=True)
    ]


def _varies(name: str, flat: Sequence[Mapping[str, Any]]) -> bool:
    values = {json.dumps(each[name]) for each in flat if each.get(name) is not None}
    return len(values) > 1 or (name == "random_init" and len(values) > 0)


def _words(name: str, value: Any) -> str:
    if name in ("algorithm", "head"):
        return str(value).replace("_", " ")
    if name in ("encoding", "lm", "pooling", "precision"):
        return str(value)
    fixed = {
        "context": "no context" if value == "none" else f"{value} context",
        "random_init": f"random weights (seed {value})",
        "acquisition": _ACQUISITIONS.get(str(value), str(value)),
        "candidates": _CANDIDATES.get(str(value), str(value)),
        "initial": f"{value} initial",
        "batch": f"batches of {value}",
        "reduction": "no reduction" if value == "none" else str(value),
        "n_components": f"{value} components",
        "fitted_on": f"fitted on the {value}",
        "target": f"{value} target",
    }
    return fixed.get(name, f"{name.replace('_', ' ')} {value}")
