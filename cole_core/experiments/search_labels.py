"""What sets searches apart, in words."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cole_core.experiments.searches import PRESETS
from cole_core.search.bananas import Bananas

_PRESET_WORDS = {"paper's": "paper", "default": "recommended"}
_ORDER = ("head", "acquisition", "candidates", "initial", "batch")
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
    parameters = configuration["parameters"]
    given = parameters.get("surrogate")
    if not isinstance(given, Mapping):  # of somebody else's algorithm, by the same name
        given = {}
    described: dict[str, Any] = {
        "algorithm": configuration["algorithm"],
        "parameters": _parameters(parameters),
        "structural": parameters.get("structural", False),
        # Of these the encoding and the tasks say more.
        "given": tuple(name for name in given if name not in ("blocks", "old_tasks")),
        "transfer": learned_from(configuration),
        "resolved": {
            name.removeprefix("head__"): value
            for name, value in configuration.get("surrogate", given).items()
        },
    }
    if "where" in configuration:
        described["where"] = configuration["where"]
    if configuration["encoding"] != "none":
        described["encoding"] = configuration["encoding"]
    return described | describe_vectors(configuration["context"], specification)


def describe_vectors(context: str, specification: Mapping[str, Any] | None) -> dict[str, Any]:
    """What determines the vectors of a text encoding; nothing for a structural one.

    Args:
        context: Of the rendering.
        specification: language_model, pooling, precision and specification (JSON).
    """
    if specification is None:
        return {}
    return {
        "context": context,
        "lm": specification["language_model"],
        "pooling": specification["pooling"],
        "precision": specification["precision"],
        "random_init": json.loads(specification["specification"]).get("random_init"),
    }


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
    names = varying_names(descriptions, always)
    settings = _settings(descriptions)
    made = [
        " · ".join(
            [
                *(words_for(name, each[name]) for name in names if each.get(name) is not None),
                *words,
                *([words_for("transfer", each["transfer"])] if each.get("transfer") else []),
            ]
        )
        or words_for("algorithm", each["algorithm"])
        for each, words in zip(descriptions, settings, strict=True)
    ]
    return [
        label if made.count(label) == 1 else f"{label} ({id_[:6]})"
        for label, id_ in zip(made, ids, strict=True)
    ]


def learned_from(configuration: Mapping[str, Any]) -> tuple[str, ...]:
    """The datasets of the old tasks that a search or a head learned from, of another space behind
    its name.

    Args:
        configuration: Of the search or the trial, as it is stored.
    """
    tasks = configuration.get("transfer", ())
    names = (f"{t['space']}/{t['dataset']}" if t.get("space") else t["dataset"] for t in tasks)
    return tuple(dict.fromkeys(names))


def varying_names(descriptions: Sequence[Mapping[str, Any]], always: Sequence[str]) -> list[str]:
    """What to say of the vectors: what is always said, and what is not the same for all."""
    names = [
        name
        for name in ("algorithm", "encoding", "lm", "context", "pooling", "precision")
        if name in always or len({each[name] for each in descriptions if name in each}) > 1
    ]
    if any(each.get("random_init") is not None for each in descriptions):
        names.append("random_init")
    if any("where" in each for each in descriptions):
        names.append("where")
    return names


def _settings(descriptions: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Parameters of each search in words, where those of one algorithm are not the same for all.

    BANANAS is told by the preset that it is nearest to: "default", or "paper's but UCB".
    """
    # What a head brings with it is said by its name, unless some search asks for it.
    asked = dict.fromkeys(name for each in descriptions for name in each["given"])
    flat = [_flat(each, asked) for each in descriptions]
    words: list[list[str]] = []
    for each, own in zip(descriptions, flat, strict=True):
        alike = [
            other
            for another, other in zip(descriptions, flat, strict=True)
            if another["algorithm"] == each["algorithm"]
        ]
        if all(other == own for other in alike):
            words.append([])
        elif each["algorithm"] == Bananas.name:
            words.append([_nearest_preset(own, each["structural"], asked)])
        else:
            names = dict.fromkeys(name for other in alike for name in other)
            varying = [n for n in names if any(other.get(n) != own.get(n) for other in alike)]
            words.append([words_for(name, own[name]) for name in varying if name in own])
    return words


def _flat(description: Mapping[str, Any], asked: Iterable[str]) -> dict[str, Any]:
    resolved = description["resolved"]
    return description["parameters"] | {n: resolved[n] for n in asked if n in resolved}


def _nearest_preset(own: Mapping[str, Any], structural: bool, asked: Iterable[str]) -> str:
    changes = {}
    for name, preset in _PRESET_WORDS.items():
        bananas = Bananas(**PRESETS[preset], structural=structural)
        resolved = {k.removeprefix("head__"): v for k, v in bananas.surrogate_params().items()}
        usual = _flat(
            {"parameters": _parameters(bananas.get_params()), "resolved": resolved}, asked
        )
        changes[name] = [
            words_for(key, value)
            for key, value in _ordered(own).items()
            if key not in usual or not _equal(usual[key], value)
        ]
    nearest = min(changes, key=lambda name: len(changes[name]))
    return nearest + (f" but {', '.join(changes[nearest])}" if changes[nearest] else "")


def _parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in parameters.items() if k not in ("surrogate", "structural")}


def _ordered(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What matters most first."""
    first = [name for name in _ORDER if name in parameters]
    return {name: parameters[name] for name in dict.fromkeys([*first, *parameters])}


def _equal(one: Any, other: Any) -> bool:
    return json.dumps(one) == json.dumps(other)  # stored ones have lists for tuples


def words_for(name: str, value: Any) -> str:
    """A setting in words."""
    if name in ("algorithm", "head"):
        return str(value).replace("_", " ")
    if name in ("encoding", "lm", "pooling", "precision"):
        return str(value)
    fixed = {
        "where": f"where {value}",
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
    if name == "transfer":
        return f"learning from {', '.join(value)}"
    return fixed.get(name, f"{name.replace('_', ' ')} {value}")
