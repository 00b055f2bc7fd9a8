"""The commands of stages and pipelines: a request, its run, and what it did."""

import json
import sys
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.evaluation.settings import TrainingSettings
from cole_core.predictors.transfer.old_values import NONE
from cole_core.spaces.corpus import is_corpus
from flows.cli import next_steps
from flows.cli.options import DryRun, Json
from flows.cli.printing import Printer
from flows.pipelines import from_benchmark, from_dataset
from flows.pipelines.request import IMPORTS, RunRequest
from flows.resolve.algorithms import AlgorithmOptions
from flows.resolve.corpora import RunOptions
from flows.resolve.network_training import NetworkOptions, TrainingSeed
from flows.resolve.objectives import Goals
from flows.resolve.requests import (
    AskedVectors,
    Flag,
    InWarehouse,
    Measured,
    Seeds,
    request,
)
from flows.resolve.spaces import check_runs
from flows.resolve.transfer import TransferOption
from flows.running.stage import run_stage
from flows.stages import (
    embed,
    enumerate,
    fit_heads,
    ingest,
    ingest_corpus,
    proxies,
    render,
    report,
    search,
    search_by_training,
    train_networks,
)
from flows.stages.embed import EmbedRequest
from flows.stages.enumerate import EnumerateRequest
from flows.stages.fit_heads import FitHeadsRequest
from flows.stages.ingest import IngestRequest
from flows.stages.ingest_corpus import IngestCorpusRequest
from flows.stages.proxies import ProxiesRequest
from flows.stages.render import RenderRequest
from flows.stages.report import ReportRequest
from flows.stages.search import SearchRequest
from flows.stages.search_by_training import SearchByTrainingRequest
from flows.stages.train_networks import TrainNetworksRequest


def run(request: RunRequest, *, as_json: Json = False) -> None:
    """The whole pipeline, from a space's name to a report.

    In order: enumerate, render, embed, ingest, train, search, report. A space without accuracies is
    sampled and its networks are trained here.
    """
    explorer = next_steps.command(request.home, "ui")
    if request.origin is None:
        stages = run_stage(from_dataset.from_dataset, from_dataset.plan, request, IMPORTS)
        following = partial(
            next_steps.best, request.home, request.space, _dataset(stages["report"])
        )
        Printer(as_json).trained_pipeline(stages, following, explorer)
    else:
        stages = run_stage(from_benchmark.from_benchmark, from_benchmark.plan, request, IMPORTS)
        following = partial(next_steps.best, request.home, request.space, request.dataset, True)
        Printer(as_json).pipeline(stages, following, explorer)


def enumerate_(request: EnumerateRequest, *, as_json: Json = False) -> None:
    """Stores a space's architectures."""
    summary = run_stage(enumerate.enumerate_architectures, enumerate.plan, request)
    following = partial(next_steps.first_missing, request.home, request.space)
    Printer(as_json).summary("enumerate", summary, following)


def render_(request: RenderRequest, *, as_json: Json = False) -> None:
    """Writes the architectures as texts."""
    summary = run_stage(render.render, render.plan, request)
    following = partial(
        next_steps.embed, request.home, request.space, request.encoding, request.context
    )
    Printer(as_json).summary("render", summary, following)


def embed_(request: EmbedRequest, *, as_json: Json = False) -> None:
    """Embeds the texts that have no vector yet."""
    summary = run_stage(embed.embed, embed.plan, request)
    following = partial(
        next_steps.train,
        request.home,
        request.space,
        Vectors(encoding=request.encoding, context=request.context),
        spec_id=summary["spec_id"],
    )
    Printer(as_json).summary("embed", summary, following)


@request
class IngestOptions(IngestRequest):
    """What `cole ingest` is asked: measured values, or networks of a corpus.

    Attributes:
        arguments: Of corpus:NAME: what constructors are given, as JSON: '{"channels": 16}'.
        running: Of corpus:NAME: whether the code is run.
    """

    arguments: str | None = None
    running: RunOptions = RunOptions()

    def values(self) -> IngestRequest:
        """Measured values of a space's architectures.

        Raises:
            InputError: Something is said of code.
        """
        check_runs(self.space, self.running.run)
        if self.arguments is not None:
            raise InputError(f"--arguments is for a corpus, and {self.space} is none: leave it out")
        return IngestRequest(**self._common)

    def corpus(self) -> IngestCorpusRequest:
        """Networks that somebody wrote.

        Raises:
            InputError: Something is said of native strings.
        """
        common = self._common
        if (notation := common.pop("notation")) is not None:
            raise InputError(f"--notation {notation}: {self.space} holds code: leave it out")
        return IngestCorpusRequest(**common, arguments=self.arguments, running=self.running)

    @property
    def _common(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(IngestRequest)}


def ingest_(request: IngestOptions, *, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Stores measured values: accuracies, errors, latencies; or the networks of corpus:NAME.

    What each column of a table was taken for is printed. A column that is not understood is bad
    input: --column says what it is, --skip leaves it out.

    Of corpus:NAME the source is a folder of PyTorch files, or a table with a column code, and
    where they are known name, class, arguments and measured values. The code is parsed; with
    --run it is run, in a process of its own, and traced.
    """
    printer = Printer(as_json)
    if dry_run:
        about = {"stage": "ingest", "dry_run": True}

        def tell(lines: list[str]) -> None:
            printer.lines(about | {"columns": lines}, lines)

        if is_corpus(request.space):
            ingest_corpus.check(request.corpus(), tell)
        else:
            ingest.plan(request.values(), tell)
        return
    if is_corpus(request.space):
        summary = run_stage(ingest_corpus.ingest_corpus, ingest_corpus.plan, request.corpus())
    else:
        summary = run_stage(ingest.ingest, ingest.plan, request.values())
    source = request.source or Path(request.origin).name
    following = partial(next_steps.after_values, request.home, request.space, source)
    printer.summary("ingest", summary, following)


def evaluate(request: TrainNetworksRequest, *, as_json: Json = False) -> None:
    """Trains architectures on a dataset and stores their accuracies; what is stored is skipped.

    A network that diverges, fails, takes too long or needs too much memory is recorded as such
    (`cole sql "SELECT * FROM trainings"`).
    """
    if isinstance(request.train, str):
        tell(request.own_training().line)
    summary = run_stage(train_networks.train_networks, train_networks.plan, request)
    source = summary.get("trainings_source", summary.get("proxies_source"))
    following = partial(next_steps.after_values, request.home, request.space, source)
    Printer(as_json).summary("evaluate", summary, following)


def proxies_(request: ProxiesRequest, *, as_json: Json = False) -> None:
    """Computes what the encoding proxies is made of; what is stored is skipped.

    Parameters, FLOPs and nine zero-cost proxies of networks with weights at random, on a few images
    of noise or of a dataset, once for each canonical form. Then --encoding code.bare+proxies reads
    them; of several sources, proxies:SOURCE says which.
    """
    summary = run_stage(proxies.proxies, proxies.plan, request)
    following = partial(next_steps.after_proxies, request.home, request.space)
    Printer(as_json).summary("proxies", summary, following)


def tell(line: str) -> None:
    """Says what values are taken for, before there are any."""
    print(f"cole: {line}", file=sys.stderr)


def train(request: FitHeadsRequest, *, as_json: Json = False) -> None:
    """Trains a head on stored vectors and tests how well it ranks a held-out tenth."""
    summary = run_stage(fit_heads.fit_heads, fit_heads.plan, request)
    following = partial(
        next_steps.best, request.home, request.space, request.measured.dataset, True
    )
    Printer(as_json).summary("train", summary, following)


@request
class SearchOptions(InWarehouse):
    """What `cole search` is asked: measured values, or networks that are trained.

    Attributes:
        measured: Which measured values to better; with --train, what networks are trained on.
        vectors: Which vectors the algorithm reads, if it reads any.
        algorithm: The search algorithm.
        budget: Number of evaluations.
        seeds: Seed of a search; may be repeated.
        sought: Several objectives, and what architectures must fit.
        train: An evaluation is a training on --dataset digits, add-digits or a path, or with
            FILE.py:FUNCTION a call of that function with the network (and seed and epochs, if it
            has them); what follows says how.
        networks: Which networks are trained, and what they may cost.
        training_seed: Seed of every training.
        arguments: Of the constructor of FILE.py:CLASS, those that all networks share, as JSON;
            with --train.
        transfer: Other tasks of the space that are learned from.
        asynchronous: With --train: propose the next architecture whenever a worker is free, and not
            batch by batch; what still runs is believed to come out as expected.
    """

    measured: Measured = Measured()
    vectors: AskedVectors = Vectors()
    algorithm: AlgorithmOptions = AlgorithmOptions()
    budget: int = 100
    seeds: Seeds = (0,)
    sought: Goals = Goals()
    train: Annotated[bool | str, Parameter(negative=())] = False
    networks: NetworkOptions = NetworkOptions()
    training_seed: TrainingSeed = 0
    arguments: str | None = None
    transfer: TransferOption = NONE
    asynchronous: Flag = False

    def reading(self) -> SearchRequest:
        """A search that reads measured values.

        Raises:
            InputError: Something is said of trainings.
        """
        usual = NetworkOptions()
        for name, value in (*vars(self.networks).items(), ("training_seed", self.training_seed)):
            if value != getattr(usual, name, 0):
                option = name.replace("_", "-")
                raise InputError(
                    f"--{option} {value} is for networks that are trained: add --train"
                )
        if self.arguments is not None:
            raise InputError(
                f"--arguments {self.arguments} is for networks that are made: add --train"
            )
        if self.asynchronous:
            raise InputError("--asynchronous is for networks that are trained: add --train")
        return SearchRequest(**self._common, measured=self.measured, sought=self.sought)

    def training(self) -> SearchByTrainingRequest:
        """A search that trains.

        Raises:
            InputError: Something is said of stored values, or no dataset is named.
        """
        for name, value in vars(self.sought).items():
            if value:
                said = value if isinstance(value, str) else value[0]
                raise InputError(
                    f"--{name} {said} is for measured values, and --train has one objective and "
                    "no condition: leave it out"
                )
        own = isinstance(self.train, str)
        for name in ("split", "source") if own else ("metric", "split", "source"):
            if getattr(self.measured, name) is not None:
                raise InputError(
                    f"--{name} {getattr(self.measured, name)} names stored values, and --train "
                    f"{'measures what its function gives' if own else 'measures valid accuracy'}: "
                    "leave it out"
                )
        epochs = self.measured.epochs
        return SearchByTrainingRequest(
            **self._common,
            dataset=self.measured.dataset if own else self.measured.named_dataset,
            function=self.train if isinstance(self.train, str) else None,
            metric=self.measured.metric,
            epochs=TrainingSettings.epochs if epochs is None else epochs,
            networks=self.networks,
            training_seed=self.training_seed,
            arguments=self.arguments,
            asynchronous=self.asynchronous,
        )

    @property
    def _common(self) -> dict[str, Any]:
        names = ("space", "home", "vectors", "algorithm", "budget", "seeds", "transfer")
        return {name: getattr(self, name) for name in names}


def search_(request: SearchOptions, *, as_json: Json = False) -> None:
    """Searches for the best architecture, reading cached vectors and measured values; with
    --train by training networks, whose vectors and accuracies are kept."""
    if request.train:
        asked = request.training()
        if asked.function is not None:
            tell(asked.own_training().line)
        summary = run_stage(search_by_training.search_by_training, search_by_training.plan, asked)
    else:
        summary = run_stage(search.search, search.plan, request.reading())
    dataset = None if request.train else request.measured.dataset  # a path is no name
    following = partial(next_steps.after_search, request.home, request.space, summary, dataset)
    Printer(as_json).summary("search", summary, following)


def report_(request: ReportRequest, *, as_json: Json = False) -> None:
    """Writes what is known of a space into one HTML file."""
    summary = run_stage(report.report, report.plan, request)
    following = partial(next_steps.best, request.home, request.space, _dataset(summary))
    Printer(as_json).summary("report", summary, following)


def _dataset(reported: dict[str, Any]) -> str:
    """The dataset that a report is about."""
    return str(json.loads(reported["target"])["dataset"])
