"""Searches as the explorer shows them: what each has come to, and step by step."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from cole_core.evaluation.target import Target
from cole_core.hashing import hash_json
from cole_core.spaces.base import SearchSpace
from flows.report.data import Front
from flows.report.fronts import gather_fronts
from flows.report.transfers import weights_of
from warehouse import Warehouse

GROUPS = 200
"""That are offered, the latest ones."""


@dataclass(frozen=True)
class Group:
    """Searches that differ in their seed alone.

    Attributes:
        key: Hash of what they share.
        label: In words.
        target: What they look for the best of; the first objective, where there are several.
        objectives: Each in words, where there are several.
        search_ids: Of each.
        seeds: Of each.
        steps: Evaluations of them all.
        best: The best value that one has found, as it was measured.
        compared: Whether a comparison ran them.
        configurations: Of each, as JSON, by search_id.
    """

    key: str
    label: str
    target: Target
    objectives: tuple[str, ...]
    search_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int
    best: float
    compared: bool
    configurations: Mapping[str, str]


def groups(warehouse: Warehouse, space: SearchSpace) -> list[Group]:
    """The searches of a space, the latest first, those that comparisons ran last."""
    rows_of: dict[str, list[dict[str, Any]]] = {}
    for row in warehouse.read("searches_at_a_glance", space=space.name).iter_rows(named=True):
        shared = json.loads(row["configuration"])
        shared.pop("seed", None)
        rows_of.setdefault(hash_json(shared), []).append(row)
        if len(rows_of) > GROUPS:
            break
    return [_group(key, rows) for key, rows in rows_of.items()]


def _group(key: str, rows: list[dict[str, Any]]) -> Group:
    first, rows = rows[0], sorted(rows, key=lambda row: int(row["seed"]))
    shared = json.loads(first["configuration"])
    target = Target(**json.loads(first["target"]), direction=shared.get("direction", "higher"))
    sought = [(each["name"], each["direction"]) for each in shared.get("objectives", [])]
    reads = [each for each in (first["encoding"], first["language_model"]) if each != "none"]
    about = " and ".join(name for name, _ in sought) or first["metric"]
    words = [first["algorithm"], *reads, f"{first['dataset']} {about}", key[:6]]
    better = min if target.direction == "lower" else max
    return Group(
        key=key,
        label=" · ".join(filter(None, words)),
        target=target,
        objectives=tuple(f"{name} ({way} is better)" for name, way in sought),
        search_ids=tuple(row["search_id"] for row in rows),
        seeds=tuple(row["seed"] for row in rows),
        steps=sum(row["steps"] for row in rows),
        best=better(row["best"] for row in rows),
        compared=bool(first["compared"]),
        configurations={row["search_id"]: row["configuration"] for row in rows},
    )


def steps(warehouse: Warehouse, group: Group) -> pl.DataFrame:
    """search_id, seed, step, native, architecture_id, value, best_so_far, predicted_mean,
    predicted_std, seconds, evaluated_at of every step of a group's searches."""
    return warehouse.read("steps_of_searches", search_ids=list(group.search_ids))


def believed(rows: pl.DataFrame) -> pl.DataFrame:
    """The steps of which the surrogate believed something: predicted_mean, predicted_std, value."""
    known = pl.col("predicted_mean").is_not_null() & pl.col("predicted_mean").is_finite()
    return rows.filter(known).select("seed", "step", "predicted_mean", "predicted_std", "value")


def front(warehouse: Warehouse, space: SearchSpace, group: Group) -> Front | None:
    """What searches of several objectives evaluated, with the front of it; None of one."""
    several = warehouse.searches_of(space, group.target, several=True)
    own = several.filter(pl.col("search_id").is_in(group.search_ids))
    if own.is_empty():
        return None
    specifications = {row["spec_id"]: row for row in warehouse.specifications().to_dicts()}
    (found,) = gather_fronts(warehouse, own, specifications)
    return found


def learned(warehouse: Warehouse, group: Group) -> pl.DataFrame:
    """How much each old task counted in searches that learned from others: task, step, weight
    (mean over searches), searches; empty where none did."""
    return weights_of(warehouse, group.configurations)
