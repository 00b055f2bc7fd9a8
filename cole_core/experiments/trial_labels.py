"""What sets trials of `cole train` apart, in words."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from cole_core.experiments.search_labels import (
    describe_vectors,
    learned_from,
    varying_names,
    words_for,
)


def name_trials(trials: pl.DataFrame, specifications: Mapping[str, Any]) -> pl.DataFrame:
    """Trials with words for what they read and for what was trained on it.

    Args:
        trials: encoding, context, spec_id, head and configuration (JSON) of each trial.
        specifications: Of the vectors, by spec_id: what `describe_vectors` reads.

    Returns:
        The trials with `series` (encoding, language model, and context, pooling, precision or
        weights where they are not the same for all) and `head` (its name, and the settings that
        trials of one head on the same vectors do not share). Trials that differ in anything but n,
        draw and seed are called differently.
    """
    keys = list(trials.select("encoding", "context", "spec_id").unique(maintain_order=True).rows())
    described = [
        {"encoding": encoding} | describe_vectors(context, specifications.get(spec_id))
        for encoding, context, spec_id in keys
    ]
    names = varying_names(described, ("encoding", "lm"))
    series = [
        " · ".join(words_for(name, each[name]) for name in names if each.get(name) is not None)
        for each in described
    ]
    series_of = {
        key: label if series.count(label) == 1 or key[2] is None else f"{label} ({key[2][:6]})"
        for key, label in zip(keys, series, strict=True)
    }
    settings = [_settings(text) for text in trials["configuration"]]
    vectors = trials.select("encoding", "context", "spec_id").rows()
    alike: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for key, head, own in zip(vectors, trials["head"], settings, strict=True):
        alike.setdefault((*key, head), []).append(own)
    several = {key: _varying(each) for key, each in alike.items()}
    heads = []
    for key, head, own in zip(vectors, trials["head"], settings, strict=True):
        told = [words_for(name, own[name]) for name in several[*key, head] if name in own]
        heads.append(" · ".join([words_for("head", head), *told]))
    return trials.with_columns(
        series=pl.Series([series_of[key] for key in vectors], dtype=pl.String),
        head=pl.Series(heads, dtype=pl.String),
    )


def _settings(configuration: str) -> dict[str, Any]:
    made = json.loads(configuration)
    # Of old tasks their names say more than their number.
    settings = {
        name.removeprefix("head__"): value
        for name, value in made["surrogate"].items()
        if name not in ("head__seed", "old_tasks")
    }
    learned = learned_from(made)
    return {**settings, "transfer": learned} if learned else settings


def _varying(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names whose values are not the same everywhere; one that is missing is another value."""
    names = dict.fromkeys(name for each in settings for name in each)
    return [
        name
        for name in names
        if len({json.dumps(each[name]) if name in each else None for each in settings}) > 1
    ]
