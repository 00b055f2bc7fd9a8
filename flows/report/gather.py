"""What the warehouse knows of a space, gathered for the report."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from cole_core.encodings.vectors import LabelledVectors, VectorSource
from cole_core.evaluation.target import Target
from cole_core.experiments.head_trials import split
from cole_core.experiments.predictor_table import finding
from cole_core.experiments.predictors import EXPERIMENTS
from cole_core.experiments.search_labels import describe_search, search_labels
from cole_core.experiments.search_table import finding as search_finding
from cole_core.experiments.searches import EXPERIMENTS as SEARCH_EXPERIMENTS
from cole_core.experiments.trial_labels import name_trials
from cole_core.hashing import hash_json
from cole_core.predictors import load_surrogate
from cole_core.spaces.base import SearchSpace
from cole_core.statistics import extend
from flows.report.data import (
    BestCell,
    Comparison,
    EmbeddingMap,
    Predictions,
    ReportData,
    SearchComparison,
    Specification,
    Top,
)
from flows.report.fronts import gather_fronts
from flows.report.summaries import principal_plane
from flows.report.transfers import transfer_weights
from flows.resolve.vectors import load_labelled
from flows.running.runs import versions
from warehouse import Warehouse

BEST = 6
RUNS = 20
TOP = 0.001  # the share of a space that is worth finding


def gather(warehouse: Warehouse, space: SearchSpace, target: Target) -> ReportData:
    """Everything that the report shows."""
    status = warehouse.status()
    architectures = warehouse.architectures(space)
    values = architectures.join(
        warehouse.labels(space, target), on="architecture_id", how="inner", maintain_order="left"
    )
    specifications = {
        row["spec_id"]: row for row in warehouse.specifications().iter_rows(named=True)
    }
    sign = target.sign
    searches = named_searches(warehouse, space, target, specifications)
    searches = searches.with_columns(pl.col("value") * sign)
    trials = name_trials(warehouse.trials_of(space, target), specifications)
    head = warehouse.best_head(space, target)
    if head is not None and space.is_absent and head["spec_id"] is None:
        head = None  # only the space's file could encode what it read
    labelled = None if head is None else _labelled(warehouse, space, target, head)
    ordered = np.sort(sign * values["value"].to_numpy())[::-1]
    complete = values.height == architectures.height
    counts = status["spaces"].get(space.name, {})
    return ReportData(
        space=space.full_name,
        target=target,
        created_at=datetime.now(UTC).replace(tzinfo=None),
        reference_encoding=space.roles.reference,
        counts={
            "architectures": counts.get("architectures", 0),
            "canonical forms": counts.get("canonical", 0),
            "renderings": sum(row["architectures"] for row in status["renderings"]),
            "embeddings": sum(row["vectors"] for row in status["embeddings"]),
            "evaluations": sum(row["evaluations"] for row in status["evaluations"]),
            "trials": status["trials"],
            "searches": status["searches"],
        },
        searches=searches.filter(~pl.col("compared")),
        transfers=transfer_weights(warehouse, space, target),
        best_known=float(ordered[0]) if complete else None,
        top=top_of(ordered) if complete else None,
        predictions=_predictions(warehouse, head, labelled, sign),
        trials=trials,
        comparisons=_comparisons(warehouse, space, target),
        search_comparisons=_search_comparisons(warehouse, space, target),
        fronts=gather_fronts(
            warehouse, warehouse.searches_of(space, target, several=True), specifications
        ),
        map=_map(head, labelled, sign),
        best=_best_cells(warehouse, space, values, searches, sign),
        specifications=_specifications(warehouse, status),
        sources=pl.DataFrame(status["evaluations"]),
        runs=warehouse.recent_runs(RUNS),
        versions=versions(),
    )


def gather_comparisons(warehouse: Warehouse, space: SearchSpace, target: Target) -> ReportData:
    """What the report's sections on comparisons show, and nothing else."""
    return ReportData(
        space=space.full_name,
        target=target,
        created_at=datetime.now(UTC).replace(tzinfo=None),
        reference_encoding=space.roles.reference,
        comparisons=_comparisons(warehouse, space, target),
        search_comparisons=_search_comparisons(warehouse, space, target),
    )


def top_of(ordered: np.ndarray) -> Top:
    """What a search is to find of a space: its best 0.1 %, at least one.

    99 % of the best value would say little: on CIFAR-10 a hundred evaluations at random are there.

    Args:
        ordered: The values of all architectures, the best first; a higher one is better.
    """
    count = max(1, math.ceil(TOP * len(ordered)))
    return Top(count, len(ordered), TOP, float(ordered[count - 1]))


def named_searches(
    warehouse: Warehouse,
    space: SearchSpace,
    target: Target,
    specifications: Mapping[str, Any],
) -> pl.DataFrame:
    """Every step of every search: search_id, algorithm, seed, compared, label, step, native, value.

    The label is null for searches that a comparison ran: they are named by what it compared.
    """
    found = warehouse.searches_of(space, target)
    id_of: dict[str, str] = {}
    described: dict[str, dict[str, Any]] = {}
    for row in found.filter(~pl.col("compared")).iter_rows(named=True):
        configuration = json.loads(row["configuration"])
        del configuration["seed"]
        id_ = id_of[row["search_id"]] = hash_json(configuration)
        described[id_] = describe_search(configuration, specifications.get(row["spec_id"]))
    ids = list(described)
    labels = search_labels(list(described.values()), ids, ("algorithm", "encoding", "lm"))
    label_of = dict(zip(ids, labels, strict=True))
    labelled = found.select("search_id", "algorithm", "seed", "compared").with_columns(
        label=pl.Series(
            [label_of[id_of[id_]] if id_ in id_of else None for id_ in found["search_id"]],
            dtype=pl.String,
        )
    )
    steps = warehouse.search_steps(found["search_id"].to_list())
    return labelled.join(
        steps.select("search_id", "step", "native", "value"), on="search_id", maintain_order="left"
    )


def _labelled(
    warehouse: Warehouse, space: SearchSpace, target: Target, head: dict[str, Any]
) -> LabelledVectors:
    about = ("encoding", "context", "spec_id", "language_model")
    return load_labelled(warehouse, space, VectorSource(*(head[name] for name in about)), target)


def _comparisons(warehouse: Warehouse, space: SearchSpace, target: Target) -> list[Comparison]:
    """The latest of each comparison, named experiments first and in their order."""
    latest: dict[tuple[object, ...], pl.DataFrame] = {}
    stored = warehouse.comparisons_of(space, target)
    for _, rows in stored.group_by("comparison_id", maintain_order=True):
        first = rows.row(0, named=True)
        compared = frozenset(rows["label"])
        latest[first["experiment"], first["population"], compared] = rows
    order = {name: place for place, name in enumerate(EXPERIMENTS)}
    made = []
    for (experiment, population, _), rows in latest.items():
        first = rows.row(0, named=True)
        made.append(
            Comparison(
                experiment=str(experiment),
                population=str(population),
                architectures=first["architectures"],
                folds=first["folds"],
                repeats=first["repeats"],
                finding=finding(rows),
                rows=rows,
            )
        )
    return sorted(made, key=lambda each: (order.get(each.experiment, len(order)), each.population))


def _search_comparisons(
    warehouse: Warehouse, space: SearchSpace, target: Target
) -> list[SearchComparison]:
    """The latest of each comparison of searches, named experiments first and in their order."""
    latest: dict[tuple[object, ...], pl.DataFrame] = {}
    stored = warehouse.search_comparisons_of(space, target)
    for _, rows in stored.group_by("comparison_id", maintain_order=True):
        latest[rows["experiment"][0], frozenset(rows["label"])] = rows
    made = []
    for rows in latest.values():
        first = rows.row(0, named=True)
        made.append(
            SearchComparison(
                experiment=first["experiment"],
                architectures=first["architectures"],
                best=first["best"],
                seeds=first["seeds"],
                budget=first["budget"],
                finding=search_finding(rows),
                rows=rows,
                regrets=warehouse.search_regrets(first["comparison_id"]),
                curves=_curves(warehouse, rows, target.sign),
            )
        )
    order = {name: place for place, name in enumerate(SEARCH_EXPERIMENTS)}
    return sorted(made, key=lambda each: order.get(each.experiment, len(order)))


def _curves(warehouse: Warehouse, rows: pl.DataFrame, sign: int) -> dict[str, np.ndarray]:
    """Best so far of each seed, by configuration; a higher value is better."""
    curves = {}
    for label, ids, budget in (
        rows.unique("position").sort("position").select("label", "search_ids", "budget").iter_rows()
    ):
        steps = warehouse.search_steps(ids).filter(pl.col("step") <= budget)
        values = steps.group_by("search_id", maintain_order=True).agg(pl.col("value") * sign)[
            "value"
        ]
        curves[label] = extend(values.to_list())
    return curves


def _predictions(
    warehouse: Warehouse, head: dict[str, Any] | None, labelled: LabelledVectors | None, sign: int
) -> Predictions | None:
    """The stored head, loaded again, on the architectures that were held out from it."""
    path = None if head is None else warehouse.head_artifact(head["head_id"])
    if head is None or labelled is None or path is None:
        return None
    configuration = json.loads(head["configuration"])
    if configuration["labels_hash"] != labelled.labels_hash:
        return None  # measured anew since: what was held out then is not known now
    held_out, _ = split(len(labelled.values), head["n"], configuration["seed"], head["draw"])
    frame = pl.DataFrame(
        {
            "native": [labelled.natives[row] for row in held_out],
            "true": sign * labelled.values[held_out],
            "predicted": sign * load_surrogate(path).predict(labelled.vectors[held_out]),
        }
    )
    return Predictions(frame, f"{head['head']} on {_features_label(head)}", head["n"])


def _map(
    head: dict[str, Any] | None, labelled: LabelledVectors | None, sign: int
) -> EmbeddingMap | None:
    if head is None or labelled is None:
        return None
    plane, shares = principal_plane(labelled.vectors)
    frame = pl.DataFrame(
        {
            "native": labelled.natives,
            "x": plane[:, 0],
            "y": plane[:, 1],
            "value": sign * labelled.values,
        }
    )
    axes = (
        f"first principal component ({shares[0]:.0%} of the variance)",
        f"second principal component ({shares[1]:.0%})",
    )
    return EmbeddingMap(frame, _features_label(head), axes)


def _best_cells(
    warehouse: Warehouse,
    space: SearchSpace,
    values: pl.DataFrame,
    searches: pl.DataFrame,
    sign: int,
) -> list[BestCell]:
    """The best architectures that differ, with how soon a search came upon each or a twin."""
    best = values.sort("value", descending=sign > 0, maintain_order=True).unique(
        "canonical_id", keep="first", maintain_order=True
    )
    canonical_of = dict(values.select("native", "canonical_id").iter_rows())
    found: dict[str, str] = {}
    for row in searches.sort("step", maintain_order=True).iter_rows(named=True):
        words = f"{row['algorithm']}, evaluation {row['step']} of seed {row['seed']}"
        found.setdefault(canonical_of.get(row["native"], ""), words)
    cells = []
    for row in best.head(BEST).iter_rows(named=True):
        native = row["native"]
        text = warehouse.text(row["architecture_id"], space.roles.reference, "none")
        cells.append(
            BestCell(
                native=native,
                value=row["value"],
                code=text or native,
                encoding="native string" if text is None else space.roles.reference,
                found_by=found.get(row["canonical_id"], "not found by a search"),
                parameters=space.parameter_count(native),
                picture=space.draw(native),
            )
        )
    return cells


def _specifications(warehouse: Warehouse, status: dict[str, Any]) -> list[Specification]:
    details = dict(warehouse.specifications().select("spec_id", "specification").iter_rows())
    return [
        Specification(
            spec_id=row["spec_id"],
            language_model=row["language_model"],
            details={
                name: value
                for name, value in json.loads(details[row["spec_id"]]).items()
                if value is not None and name not in ("language_model", "revision")
            },
            vectors=row["vectors"],
            truncated=row["truncated"],
        )
        for row in status["embeddings"]
    ]


def _features_label(head: dict[str, Any]) -> str:
    return " · ".join(part for part in (head["encoding"], head["language_model"]) if part)
