"""Trials that differ in anything but n, draw and seed have names of their own."""

import json
from typing import Any

import polars as pl

from cole_core.experiments.trial_labels import name_trials


def specification(model: str, pooling: str = "avg_avg", **more: Any) -> dict[str, Any]:
    details = {"language_model": model, "pooling": pooling, "precision": "bf16"}
    return details | {"specification": json.dumps(details | more)}


SPECIFICATIONS = {
    "one": specification("minilm"),
    "two": specification("minilm", "mean"),
    "three": specification("minilm", random_init=0),
    "four-of-a-kind": specification("minilm", max_length=60),
}


def trial(
    encoding: str, spec_id: str | None, head: str = "ridge", context: str = "none", **settings: Any
) -> dict[str, Any]:
    surrogate = {"reduction": "whiten", "head__seed": 0} | settings
    return {
        "encoding": encoding,
        "context": context,
        "spec_id": spec_id,
        "head": head,
        "configuration": json.dumps({"surrogate": surrogate}),
    }


def named(*trials: dict[str, Any]) -> list[tuple[str, str]]:
    frame = pl.DataFrame(trials, schema_overrides={"spec_id": pl.String})
    return name_trials(frame, SPECIFICATIONS).select("series", "head").rows()


def test_encoding_and_model_are_enough_where_nothing_else_differs() -> None:
    assert named(trial("code.inline", "one"), trial("path", None, head__seed=1)) == [
        ("code.inline · minilm", "ridge"),
        ("path", "ridge"),
    ]


def test_vectors_are_told_apart() -> None:
    series = [
        name
        for name, _ in named(
            trial("code.inline", "one"),
            trial("code.inline", "one", context="network"),
            trial("code.inline", "two"),
            trial("code.inline", "three"),
            trial("code.inline", "four-of-a-kind"),
            trial("graf", None),
        )
    ]
    assert len(set(series)) == 6
    assert series[1] == "code.inline · minilm · network context · avg_avg"
    assert series[3].endswith("random weights (seed 0)")
    assert series[4].endswith("(four-o)")
    assert series[5] == "graf"


def test_settings_of_a_head_are_told_where_they_differ() -> None:
    rows = named(
        trial("code.inline", "one", "mlp", head__loss="mse", reduction="pca"),
        trial("code.inline", "one", "mlp", head__loss="hinge", reduction="pca"),
        trial("code.inline", "one", "mlp", head__loss="mse", reduction="none", head__new=3),
        trial("path", None, "mlp", head__loss="hinge"),
    )
    assert [head for _, head in rows] == [
        "mlp · pca · loss mse",
        "mlp · pca · loss hinge",
        "mlp · no reduction · loss mse · new 3",
        "mlp",
    ]


def test_no_trials_no_names() -> None:
    empty = pl.DataFrame([trial("path", None)], schema_overrides={"spec_id": pl.String}).clear()
    assert name_trials(empty, {}).is_empty()
