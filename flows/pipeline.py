"""Flow: everything, from a space's name to a report."""

from dataclasses import replace
from typing import Any

from prefect import flow

from cole_core.evaluation import ANALOG_NASBENCH, check_source
from cole_core.language_models import specify
from flows.choices import Measured, Vectors
from flows.embedding import check_device, embed
from flows.enumeration import enumerate_architectures
from flows.ingestion import ingest
from flows.rendering import NO_CONTEXT, get_text_encoding, render
from flows.reporting import report
from flows.searching import search
from flows.spaces import find_space
from flows.training import train
from warehouse import Warehouse

ENCODING = "code.expression"
SIZES = (14, 55, 220, 879)
DRAWS = 3
ALGORITHMS = ("bananas", "random_search")
BUDGET = 100
SEARCHES = 5


@flow(name="run")
def run_pipeline(
    home: str,
    space: str,
    source: str = ANALOG_NASBENCH,
    measured: Measured = Measured(dataset="cifar10"),
    lm: str = "minilm",
    device: str = "auto",
    seed: int = 0,
) -> dict[str, Any]:
    """Enumerates, renders, embeds, ingests, trains, searches, reports: each what is missing.

    Args:
        home: The warehouse.
        space: The search space.
        source: Where measured accuracies come from.
        measured: Which of them to predict and to maximise.
        lm: The language model.
        device: auto, cpu or cuda.
        seed: Seed of every random choice.

    Returns:
        The summary of each stage by its name.

    Raises:
        InputError: As each stage does.
    """
    plan(home, space, source, measured, lm, device, seed)
    if measured.metric is None and source == ANALOG_NASBENCH:
        # Of its five metrics the one that people mean by accuracy: plain training.
        measured = replace(measured, metric="baseline_accuracy", source=source)
    vectors = Vectors(encoding=ENCODING, lm=lm)
    stages: dict[str, Any] = {
        "enumerate": enumerate_architectures(home, space),
        "render": render(home, space, ENCODING),
        "ingest": ingest(home, space, source),
        "embed": embed(home, space, ENCODING, lm, device=device),
    }
    stages["train"] = train(home, space, measured, vectors, sizes=SIZES, draws=DRAWS, seed=seed)
    seeds = range(seed, seed + SEARCHES)
    for algorithm in ALGORITHMS:
        stages[f"search ({algorithm})"] = search(
            home, space, measured, vectors, algorithm, budget=BUDGET, seeds=list(seeds)
        )
    stages["report"] = report(home, space, measured)
    return stages


def plan(
    home: str,
    space: str,
    source: str = ANALOG_NASBENCH,
    measured: Measured = Measured(dataset="cifar10"),
    lm: str = "minilm",
    device: str = "auto",
    seed: int = 0,
) -> None:
    """Checks the names before any stage runs; arguments and errors are the flow's."""
    get_text_encoding(find_space(Warehouse(home), space), ENCODING, NO_CONTEXT)
    specify(lm)
    check_source(source)
    check_device(device)
