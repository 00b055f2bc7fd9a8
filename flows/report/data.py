"""What a report shows. The caller fills it from the warehouse; frames may be absent or empty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import polars as pl

from cole_core.evaluation.target import Target
from cole_core.spaces import space_class, spaces
from cole_core.spaces.base import SearchSpace
from flows.report.filters import percent
from flows.report.measure import Measure, measure_of

_DATASETS = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}


@dataclass(frozen=True)
class Predictions:
    """A head's predictions of architectures it was not trained on.

    Attributes:
        frame: native, true, predicted; as they were measured.
        label: Encoding, language model and head, in words.
        n_train: Architectures the head was trained on.
        in_percent: Whether `predicted` is on the scale of `true`; a ranking head's score is not.
    """

    frame: pl.DataFrame
    label: str
    n_train: int
    in_percent: bool = True


@dataclass(frozen=True)
class EmbeddingMap:
    """A map of the space: coordinates of each architecture's vector in the plane.

    Attributes:
        frame: native, x, y, value (as measured; null where not measured).
        label: Encoding and language model, in words.
        axes: Titles of the axes ("first principal component, 31 % of the variance").
    """

    frame: pl.DataFrame
    label: str
    axes: tuple[str, str]


@dataclass(frozen=True)
class BestCell:
    """One of the best architectures.

    Attributes:
        native: Native string.
        value: Measured, percent.
        code: Text of the encoding that is shown; highlighted as Python.
        encoding: Its name.
        found_by: How it was found, in words ("bananas, evaluation 31 of seed 4").
        predicted: By the head of the predictions section, percent.
        parameters: Trainable parameters of the network.
        picture: As an `<svg>` element, by its search space; None where the space draws nothing.
    """

    native: str
    value: float
    code: str
    encoding: str
    found_by: str = ""
    predicted: float | None = None
    parameters: int | None = None
    picture: str | None = None


@dataclass(frozen=True)
class Specification:
    """An embedding specification in use.

    Attributes:
        spec_id: Its hash.
        language_model: Display name.
        details: What determines a vector (pooling, precision, …), as words.
        vectors: Vectors stored.
        truncated: How many of their texts were cut.
    """

    spec_id: str
    language_model: str
    details: Mapping[str, object]
    vectors: int
    truncated: int


@dataclass(frozen=True)
class Comparison:
    """The table of one comparison of predictors.

    Attributes:
        experiment: Its name, "custom" without one.
        population: "all", or "canonical" for one architecture of each canonical form.
        architectures: How many were labelled and held out.
        folds: Folds of each shuffle.
        repeats: Shuffles.
        finding: What the table says, in one sentence.
        rows: n, position (0: the reference), label, trials, collapsed, kendall_tau, spearman, mse
            and top_recall with their deviations (`_std`), p_value, wins, ties, losses.
    """

    experiment: str
    population: str
    architectures: int
    folds: int
    repeats: int
    finding: str
    rows: pl.DataFrame


@dataclass(frozen=True)
class SearchComparison:
    """The tables of one comparison of searches.

    Attributes:
        experiment: Its name, "custom" without one.
        architectures: How many there were to find.
        best: The best value among them, as it was measured.
        seeds: Searches of each configuration.
        budget: Evaluations of each.
        finding: What the tables say, in one sentence.
        rows: The columns of store.search_comparisons.
        regrets: The columns of store.search_regrets.
        curves: Best so far of each seed by configuration, in their order, the reference first:
            label → (seeds, evaluations); a higher value is better.
    """

    experiment: str
    architectures: int
    best: float
    seeds: int
    budget: int
    finding: str
    rows: pl.DataFrame
    regrets: pl.DataFrame
    curves: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Front:
    """What searches of the same objectives evaluated.

    Attributes:
        objectives: Name → whether `higher` or `lower` is better.
        points: label, seed, step, native, a column for each objective, as it was measured, and
            front: whether no other point is better in all of them.
        reference: From which value on each objective counts, as it was measured.
    """

    objectives: Mapping[str, str]
    points: pl.DataFrame
    reference: tuple[float, ...]


@dataclass(frozen=True)
class Top:
    """The best of a space that was measured whole.

    Attributes:
        count: How many they are.
        architectures: Out of how many.
        share: Which share of the space that is meant to be.
        value: Of the worst of them; its sign turned where lower is better.
    """

    count: int
    architectures: int
    share: float
    value: float


@dataclass(frozen=True)
class ReportData:
    """Everything a report shows.

    Attributes:
        space: Name of the search space.
        target: What the values of searches, predictions, map and best architectures are.
        created_at: When the report was made.
        reference_encoding: What surrogates read unless asked otherwise; None: not known.
        counts: What the warehouse holds, in words and numbers ("renderings" → 15625).
        searches: search_id, algorithm, label (what sets the configuration apart, in words), step,
            value: one row for each evaluation of each search, in any order. Searches of one
            label are seeds of one curve.
        best_known: The best value of the target that the space has, where all are measured; with
            its sign turned where lower is better, like the values of searches.
        transfers: How much each old task counted in searches, as `transfer_weights` gives it.
        top: A search has arrived when it has found one of these.
        margin: Where those are not known: when it is this share of `best_known` away from it.
        predictions: Held-out predictions of one head.
        trials: series (what the head reads) and head, both in words that tell settings apart, n,
            kendall_tau: one row for each draw of a training set.
        comparisons: Comparisons of predictors on the target.
        search_comparisons: Comparisons of searches for the target.
        fronts: Of the searches of several objectives, the target among them.
        map: The embedding map.
        best: The best architectures, best first.
        specifications: Embedding specifications in use.
        sources: source, dataset, metric, split, epochs, evaluations.
        runs: flow, run_id, started_at, ended_at (null: did not end), summary (text, or a JSON
            object whose plain values are shown), newest first.
        versions: Package → version.
        sample: At most this many points on the map and in a scatter plot.
    """

    space: str
    target: Target
    created_at: datetime
    reference_encoding: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    searches: pl.DataFrame | None = None
    transfers: pl.DataFrame | None = None
    best_known: float | None = None
    top: Top | None = None
    margin: float = 0.01
    predictions: Predictions | None = None
    trials: pl.DataFrame | None = None
    comparisons: Sequence[Comparison] = ()
    search_comparisons: Sequence[SearchComparison] = ()
    fronts: Sequence[Front] = ()
    map: EmbeddingMap | None = None
    best: Sequence[BestCell] = ()
    specifications: Sequence[Specification] = ()
    sources: pl.DataFrame | None = None
    runs: pl.DataFrame | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    sample: int = 4000

    @property
    def target_label(self) -> str:
        """The target in words: "CIFAR-100 test accuracy, 200 epochs"."""
        target = self.target
        split = "" if target.split == "unknown" else f"{target.split} "
        epochs = "" if target.epochs is None else f", {target.epochs} epochs"
        dataset = _DATASETS.get(target.dataset, target.dataset)
        return f"{dataset} {split}{target.metric.replace('_', ' ')}{epochs}"

    @property
    def space_label(self) -> str:
        """The space's name as people write it."""
        title = space_class(self.space).title if self.space in spaces else None
        return title or self.space

    @property
    def default_source(self) -> str | None:
        """Where accuracies of the space are to be had, by name."""
        class_ = self._space_class
        return None if class_ is None else class_.default_source

    @property
    def _space_class(self) -> type[SearchSpace] | None:
        name = self.space.partition(":")[0]
        return space_class(name) if name in spaces else None

    @property
    def threshold(self) -> float | None:
        """The value at which a search has arrived, so that a higher one is better."""
        if self.top is not None:
            return self.top.value
        if self.best_known is None:
            return None
        return self.best_known - self.margin * abs(self.best_known)

    @property
    def arrival(self) -> str:
        """When a search has arrived, in words: "one of the best 0.1 % (16 of 15,625)"."""
        if self.top is None:
            return f"within {percent(self.margin)} of the best"
        top = self.top
        if top.count == 1:
            return f"the best of {top.architectures:,}"
        return f"one of the best {percent(top.share)} ({top.count:,} of {top.architectures:,})"

    @property
    def measure(self) -> Measure:
        """How its values are shown."""
        return measure_of(self.target)
