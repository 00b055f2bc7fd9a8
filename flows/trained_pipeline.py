"""Flow: everything, from a space's name and a dataset to a report, with no accuracies to look up.

Networks are drawn, trained, written down in each encoding, embedded and compared; what was measured
leaves as one Parquet table, which `cole ingest` reads.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from prefect import flow

from cole_core.encodings import encodings_of
from cole_core.language_models import specify
from cole_core.spaces.base import SearchSpace
from flows.choices import Measured
from flows.comparing import Protocol, compare_predictors
from flows.embedding import embed
from flows.evaluating import evaluate
from flows.evaluating import plan as plan_evaluation
from flows.experiments import Configuration
from flows.rendering import render
from flows.reporting import report
from flows.spaces import full_name
from flows.training_task import TrainingTask
from warehouse import Warehouse

SAMPLES = 800
REPEATS = 5
SIZES = (14, 55, 220)
# The native notation is the reference of the comparison. ONNX texts are ten times as long.
TEXTS = ("derivation", "arch_str", "code.class", "code.helper", "code.expression")
CONTROLS = ("counts", "graf", "ngram")
DESCRIPTION = ("native", "canonical_id", "parameters", "flops", "seconds")


@flow(name="run on a dataset")
def run_trained(
    home: str,
    space: str,
    work: TrainingTask = TrainingTask(),
    samples: int = SAMPLES,
    lm: str = "minilm",
    device: str = "auto",
) -> dict[str, Any]:
    """Draws, trains, renders, embeds, compares, reports: each what is missing.

    Args:
        home: The warehouse.
        space: The search space.
        work: What the networks are trained on, and how; its seed is that of the draw as well.
        samples: How many architectures to draw.
        lm: The language model.
        device: Where it runs: auto, cpu or cuda.

    Returns:
        The summary of each stage by its name.

    Raises:
        InputError: As each stage does.
    """
    made = plan(home, space, work, samples, lm, device)
    stages: dict[str, Any] = {
        "evaluate": evaluate(home, space, work, samples=samples, proxies=True)
    }
    named = full_name(made.space)
    for encoding in made.texts:
        stages[f"render ({encoding})"] = render(home, named, encoding)
        stages[f"embed ({encoding})"] = embed(home, named, encoding, lm, device=device)
    control = made.texts[-1]
    stages[f"embed ({control}, random weights)"] = embed(
        home, named, control, lm, device=device, options={"random_init": 0}
    )
    source = stages["evaluate"]["trainings_source"]
    measured = Measured(made.dataset, "accuracy", "valid", work.settings.epochs, source)
    stages["compare"] = compare_predictors(
        home,
        named,
        measured,
        configurations=configurations(made, lm),
        protocol=Protocol(sizes(Warehouse(home), made.space, measured), repeats=REPEATS),
    )
    stages["report"] = report(home, named, measured)
    table = corpus(Warehouse(home), made.space, source)
    path = Path(home) / f"{made.space.name}-{made.dataset}.parquet"
    table.write_parquet(path)
    stages["corpus"] = {"architectures": table.height, "file": str(path)}
    return stages


@dataclass(frozen=True)
class Plan:
    """What the flow will do.

    Attributes:
        space: The search space.
        dataset: What evaluations call the dataset.
        texts: The text encodings that are rendered and embedded, the reference first.
        controls: The structural encodings beside them.
    """

    space: SearchSpace
    dataset: str
    texts: list[str]
    controls: list[str]


def plan(
    home: str,
    space: str,
    work: TrainingTask = TrainingTask(),
    samples: int = SAMPLES,
    lm: str = "minilm",
    device: str = "auto",
) -> Plan:
    """Resolves and checks what the flow is given; its arguments and errors are the flow's."""
    search_space = plan_evaluation(home, space, work, samples, proxies=True).space
    specify(lm)
    known = encodings_of(space)
    return Plan(
        space=search_space,
        dataset=work.load().name,
        texts=[name for name in TEXTS if name in known],
        controls=[name for name in CONTROLS if name in known],
    )


def configurations(made: Plan, lm: str) -> list[Configuration]:
    """What the comparison compares: the texts, the last under random weights, the controls."""
    return [
        *(Configuration(encoding=name, lm=lm) for name in made.texts),
        Configuration(encoding=made.texts[-1], lm=lm, random_init=0),
        *(Configuration(encoding=name) for name in made.controls),
    ]


def sizes(warehouse: Warehouse, space: SearchSpace, measured: Measured) -> tuple[int, ...]:
    """Numbers of labelled architectures: the protocol's, and the most that the folds leave."""
    target = warehouse.target(space, **vars(measured))
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
