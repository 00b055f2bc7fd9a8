"""Pipeline: everything, from a space's name to a report, on accuracies from elsewhere."""

from dataclasses import dataclass, replace
from typing import Any

from prefect import flow

from cole_core.encodings.base import NO_CONTEXT
from cole_core.encodings.registry import make_text_encoding
from cole_core.encodings.vectors import Vectors
from cole_core.experiments.head_trials import n_test
from cole_core.sources import find_source
from flows.pipelines.request import RunRequest
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.models import check_model
from flows.resolve.requests import AskedEmbeddings, Measured
from flows.resolve.spaces import find_space
from flows.resolve.values import one_target
from flows.running.names import run_name
from flows.running.stage import planned
from flows.stages.embed import EmbedRequest, embed
from flows.stages.enumerate import EnumerateRequest, enumerate_architectures
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.render import RenderRequest, render
from flows.stages.report import ReportRequest, report
from flows.stages.search import SearchRequest, search
from warehouse import Warehouse

SIZES = (14, 55, 220, 879)
DRAWS = 3
ALGORITHMS = ("bananas", "random_search")
BUDGET = 100
SEARCHES = 5


@dataclass(frozen=True)
class FromBenchmarkPlan:
    """Where values come from, which of them are predicted and searched, and of which dataset a
    table's values are where its headings name none."""

    origin: str
    measured: Measured
    dataset: str | None


def plan(request: RunRequest) -> FromBenchmarkPlan:
    """Checks the names before any stage runs.

    Raises:
        InputError: One is unknown.
    """
    space = find_space(Warehouse(request.home), request.space)
    make_text_encoding(space, space.roles.reference, NO_CONTEXT)
    specification = AskedEmbeddings(lm=request.lm).specification()
    check_model(Warehouse(request.home), specification, request.device)
    origin = str(request.origin)
    source = find_source(origin)
    headline = source.headline
    measured = Measured(
        dataset=request.dataset or space.default_dataset,
        metric=request.metric,
        split=request.split,
        epochs=request.epochs,
    )
    _ = measured.named_dataset  # a missing one is told now
    if request.metric is None and headline is not None:
        # Of its metrics the one that people mean by accuracy: plain training.
        split = request.split or source.headline_split
        measured = replace(measured, metric=headline, split=split, source=origin)
    return FromBenchmarkPlan(origin, measured, request.dataset if source.has_columns else None)


@flow(name="run", flow_run_name=run_name("space", "dataset"))
def from_benchmark(request: RunRequest) -> dict[str, Any]:
    """Enumerates, renders, embeds, ingests, fits, searches, reports: each what is missing.

    Returns:
        The summary of each stage by its name.

    Raises:
        InputError: As each stage does.
    """
    made = planned(plan, request)
    where: dict[str, Any] = {"space": request.space, "home": request.home}
    options = AskedEmbeddings(lm=request.lm)
    known: dict[str, Any] = where | {"measured": made.measured, "vectors": Vectors(lm=request.lm)}
    stages: dict[str, Any] = {
        "enumerate": enumerate_architectures(EnumerateRequest(**where)),
        "render": render(RenderRequest(**where)),
        "ingest": ingest(IngestRequest(**where, origin=made.origin, dataset=made.dataset)),
        "embed": embed(EmbedRequest(**where, options=options, device=request.device)),
    }
    sizes, budget = fitting(request, made.measured)
    stages["train"] = fit_heads(
        FitHeadsRequest(**known, sizes=sizes, draws=DRAWS, seed=request.seed)
    )
    seeds = tuple(range(request.seed, request.seed + SEARCHES))
    for name in ALGORITHMS:
        algorithm = AlgorithmOptions(name=name)
        stages[f"search ({name})"] = search(
            SearchRequest(**known, algorithm=algorithm, budget=budget, seeds=seeds)
        )
    stages["report"] = report(ReportRequest(**where, measured=made.measured))
    return stages


def fitting(request: RunRequest, measured: Measured) -> tuple[tuple[int, ...], int]:
    """Training sizes and evaluations of a search, as usual or what a small space has.

    Raises:
        InputError: None or several kinds of values fit.
    """
    warehouse = Warehouse(request.home)
    space = find_space(warehouse, request.space)
    labels = warehouse.labels(space, one_target(warehouse, space, measured))
    valued = warehouse.architectures(space).join(labels, on="architecture_id")
    left = valued.height - n_test(valued.height)
    sizes = tuple(size for size in SIZES if size <= left) or (left,)
    return sizes, min(BUDGET, valued["canonical_id"].n_unique())
