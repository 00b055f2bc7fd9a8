"""Pipeline: everything, from a space's name to a report, on accuracies from elsewhere."""

from typing import Any

from prefect import flow

from cole_core.encodings.base import NO_CONTEXT
from cole_core.encodings.registry import make_text_encoding
from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.sources import find_source
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.requests import AskedEmbeddings, Device, InWarehouse, Measured, Seed, request
from flows.resolve.spaces import find_space
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


@request
class FromBenchmarkRequest(InWarehouse):
    """A space whose accuracies come from elsewhere.

    Attributes:
        source: Accuracies: a known source, or a file or folder; by default the space's.
        dataset: Of the accuracies to predict and to maximise.
        metric: Which of them.
        split: valid or test.
        epochs: Epochs of training behind them.
        lm: The language model.
        device: auto, cpu or cuda.
        seed: Seed of every random choice.
    """

    source: str | None = None
    dataset: str = "cifar10"
    metric: str | None = None
    split: str | None = None
    epochs: int | None = None
    lm: str = "minilm"
    device: Device = "auto"
    seed: Seed = 0

    def origin(self, default: str | None) -> str:
        """Where the accuracies come from.

        Raises:
            InputError: None is named, and the space has none by default.
        """
        if self.source is None and default is None:
            raise InputError(
                f"--source: name where accuracies of {self.space} come from, or train networks "
                "with --samples"
            )
        return self.source or str(default)


def plan(request: FromBenchmarkRequest) -> Measured:
    """Checks the names before any stage runs.

    Returns:
        Which values are predicted and maximised.

    Raises:
        InputError: One is unknown.
    """
    space = find_space(Warehouse(request.home), request.space)
    make_text_encoding(space, space.roles.reference, NO_CONTEXT)
    AskedEmbeddings(lm=request.lm).specification()
    origin = request.origin(space.default_source)
    headline = find_source(origin).headline
    measured = Measured(
        dataset=request.dataset,
        metric=request.metric,
        split=request.split,
        epochs=request.epochs,
    )
    if request.metric is None and headline is not None:
        # Of its metrics the one that people mean by accuracy: plain training.
        return Measured(
            dataset=request.dataset,
            metric=headline,
            split=request.split,
            epochs=request.epochs,
            source=origin,
        )
    return measured


@flow(name="run")
def from_benchmark(request: FromBenchmarkRequest) -> dict[str, Any]:
    """Enumerates, renders, embeds, ingests, fits, searches, reports: each what is missing.

    Returns:
        The summary of each stage by its name.

    Raises:
        InputError: As each stage does.
    """
    measured = planned(plan, request)
    where: dict[str, Any] = {"space": request.space, "home": request.home}
    origin = request.origin(find_space(Warehouse(request.home), request.space).default_source)
    options = AskedEmbeddings(lm=request.lm)
    known: dict[str, Any] = where | {"measured": measured, "vectors": Vectors(lm=request.lm)}
    stages: dict[str, Any] = {
        "enumerate": enumerate_architectures(EnumerateRequest(**where)),
        "render": render(RenderRequest(**where)),
        "ingest": ingest(IngestRequest(**where, origin=origin)),
        "embed": embed(EmbedRequest(**where, options=options, device=request.device)),
        "train": fit_heads(FitHeadsRequest(**known, sizes=SIZES, draws=DRAWS, seed=request.seed)),
    }
    seeds = tuple(range(request.seed, request.seed + SEARCHES))
    for name in ALGORITHMS:
        algorithm = AlgorithmOptions(name=name)
        stages[f"search ({name})"] = search(
            SearchRequest(**known, algorithm=algorithm, budget=BUDGET, seeds=seeds)
        )
    stages["report"] = report(ReportRequest(**where, measured=measured))
    return stages
