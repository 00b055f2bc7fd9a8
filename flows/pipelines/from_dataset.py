"""Pipeline: everything, from a space's name and a dataset to a report.

Networks are drawn, trained, written down in each encoding, embedded and compared; what was measured
leaves as one Parquet table, which `cole ingest` reads.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from prefect import flow

from cole_core.experiments.cross_validation import Protocol
from cole_core.spaces.base import SearchSpace
from flows.pipelines.request import RunRequest
from flows.resolve.models import check_model
from flows.resolve.network_training import TrainingOptions
from flows.resolve.requests import AskedEmbeddings, Measured
from flows.resolve.values import one_target
from flows.running.names import run_name
from flows.running.stage import planned
from flows.stages.compare_predictors import ComparePredictorsRequest, compare_predictors
from flows.stages.embed import EmbedRequest, embed
from flows.stages.render import RenderRequest, render
from flows.stages.report import ReportRequest, report
from flows.stages.train_networks import TrainNetworksRequest, train_networks
from flows.stages.train_networks import plan as plan_training
from warehouse import Warehouse

SAMPLES = 800
DATASET = "digits"
REPEATS = 5
SIZES = (14, 55, 220)
DESCRIPTION = ("native", "canonical_id", "parameters", "flops", "seconds")


@dataclass(frozen=True)
class FromDatasetPlan:
    """What the flow will do.

    Attributes:
        training: What is asked of the first stage.
        space: The search space.
        dataset: What evaluations call the dataset.
        texts: The text encodings that are rendered and embedded, the reference of the comparison
            first: the native notation, then the rendering that runs, then the space's reference.
            Exported graphs are left out: their texts are ten times as long.
        controls: The structural encodings beside them.
    """

    training: TrainNetworksRequest
    space: SearchSpace
    dataset: str
    texts: list[str]
    controls: list[str]


def plan(request: RunRequest) -> FromDatasetPlan:
    """Resolves and checks a request.

    Raises:
        InputError: As the first stage does, or the language model is not to be had.
    """
    request.check_training()
    epochs = request.epochs
    training = TrainNetworksRequest(
        space=request.space,
        home=request.home,
        dataset=request.dataset or DATASET,
        samples=SAMPLES if request.samples is None else request.samples,
        options=TrainingOptions() if epochs is None else TrainingOptions(epochs=epochs),
        seed=request.seed,
        proxies=True,
    )
    made = plan_training(training)
    specification = AskedEmbeddings(lm=request.lm).specification()
    check_model(Warehouse(request.home), specification, request.device)
    roles = made.space.roles
    texts = dict.fromkeys((roles.native, roles.runnable, roles.reference))
    controls = dict.fromkeys((roles.rival, *roles.controls))
    return FromDatasetPlan(
        training=training,
        space=made.space,
        dataset=made.dataset,
        texts=[name for name in texts if name is not None],
        controls=[name for name in controls if name is not None],
    )


@flow(name="run on a dataset", flow_run_name=run_name("space", "dataset"))
def from_dataset(request: RunRequest) -> dict[str, Any]:
    """Draws, trains, renders, embeds, compares, reports: each what is missing.

    Returns:
        The summary of each stage by its name.

    Raises:
        InputError: As each stage does.
    """
    made = planned(plan, request)
    stages: dict[str, Any] = {"evaluate": train_networks(made.training)}
    where: dict[str, Any] = {"space": made.space.full_name, "home": request.home}
    on: dict[str, Any] = where | {"device": request.device}
    for encoding in made.texts:
        stages[f"render ({encoding})"] = render(RenderRequest(**where, encoding=encoding))
        stages[f"embed ({encoding})"] = embed(
            EmbedRequest(**on, encoding=encoding, options=AskedEmbeddings(lm=request.lm))
        )
    control = made.texts[-1]
    random = AskedEmbeddings(lm=request.lm, random_init=0)
    stages[f"embed ({control}, random weights)"] = embed(
        EmbedRequest(**on, encoding=control, options=random)
    )
    source = stages["evaluate"]["trainings_source"]
    measured = Measured(
        dataset=made.dataset,
        metric="accuracy",
        split="valid",
        epochs=made.training.options.epochs,
        source=source,
    )
    warehouse = Warehouse(request.home)
    stages["compare"] = compare_predictors(
        ComparePredictorsRequest(
            **where,
            measured=measured,
            lm=request.lm,
            configuration=configurations(made),
            sizes=sizes(warehouse, made.space, measured),
            repeats=REPEATS,
        )
    )
    stages["report"] = report(ReportRequest(**where, measured=measured))
    table = corpus(warehouse, made.space, source)
    path = Path(request.home) / f"{made.space.name}-{made.dataset}.parquet"
    table.write_parquet(path)
    stages["corpus"] = {"architectures": table.height, "file": str(path)}
    return stages


def configurations(made: FromDatasetPlan) -> tuple[str, ...]:
    """What the comparison compares: the texts, the last under random weights, the controls."""
    return (
        *(f"encoding={name}" for name in made.texts),
        f"encoding={made.texts[-1]},random_init=0",
        *(f"encoding={name}" for name in made.controls),
    )


def sizes(warehouse: Warehouse, space: SearchSpace, measured: Measured) -> tuple[int, ...]:
    """Numbers of labelled architectures: the protocol's, and the most that the folds leave."""
    target = one_target(warehouse, space, measured)
    ids = warehouse.architectures(space)["architecture_id"].to_list()
    trained = warehouse.values_of(ids, target).height
    most = trained - -(-trained // Protocol().folds)
    return (*(n for n in SIZES if n < most), most)


def corpus(warehouse: Warehouse, space: SearchSpace, source: str) -> pl.DataFrame:
    """What was measured of each architecture that was trained, as `cole ingest` reads it.

    Returns:
        native, canonical_id, parameters, flops, seconds of training, and a column for each split
        and epoch, as digits_valid_accuracy_8.
    """
    measured = warehouse.trained_values(space, source)
    name = pl.format("{}_{}_{}_{}", "dataset", "split", "metric", "epochs")
    wide = measured.with_columns(name=name).pivot("name", index=DESCRIPTION, values="value")
    return wide.select(*DESCRIPTION, *sorted(wide.columns[len(DESCRIPTION) :], key=_numbered))


def _numbered(column: str) -> tuple[str, int]:
    """Orders columns by their name, then by their last number."""
    name, _, epochs = column.rpartition("_")
    return name, int(epochs)
