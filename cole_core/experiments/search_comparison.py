"""Searches compared over the same seeds, by the protocol of the COLE paper (arXiv 2605.15649)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from cole_core.encodings.vectors import LabelledVectors, Vectors, VectorSource, check_values
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.experiments.predictors import CUSTOM
from cole_core.experiments.search_labels import describe_search, search_labels
from cole_core.experiments.searches import SearchConfiguration, SearchProtocol
from cole_core.hashing import hash_json
from cole_core.predictors.transfer.old_values import OldValues
from cole_core.search import Step, make_algorithm
from cole_core.search.bananas import Bananas
from cole_core.search.dominance import hypervolume_curve
from cole_core.search.objectives import Objectives
from cole_core.search.pareto import Pareto
from cole_core.search.processes import Stack
from cole_core.search.tabular import TabularSearch, check_budget, make_tabular_search
from cole_core.spaces.base import SearchSpace
from cole_core.statistics import reached

NOTHING = "nothing to compare: name an experiment, or give two or more --configuration that differ"

_WHOLE = 100.0  # percent of the hypervolume of all architectures

Found = Mapping[Vectors | None, tuple[VectorSource, LabelledVectors]]


@dataclass(frozen=True)
class SearchComparison:
    """Searches that are compared.

    Attributes:
        experiment: Its name.
        protocol: How it compares.
        target: What the best is sought of.
        labels: What sets each configuration apart, the reference first.
        searches: Those of each configuration, which differ in their seed alone.
        objectives: Where there are several: then what is compared is hypervolume, in percent of
            that of all architectures.
        old: What was measured on the tasks that some learn from, by configuration_id, as long as
            what they expect does not stand beside the vectors yet.
    """

    experiment: str
    protocol: SearchProtocol
    target: Target
    labels: list[str]
    searches: list[TabularSearch]
    objectives: Objectives | None = None
    old: Mapping[str, OldValues] = field(default_factory=dict)

    def with_expectations(
        self, expected: Callable[[OldValues, np.ndarray], np.ndarray]
    ) -> "SearchComparison":
        """The comparison with what old tasks expect beside the vectors of those that learn.

        Args:
            expected: Of old tasks and vectors of shape (n, d), shape (n, tasks).
        """
        ready = [
            each.with_expectations(expected(self.old[id_], each.labelled.vectors))
            if (id_ := each.configuration_id) in self.old
            else each
            for each in self.searches
        ]
        return replace(self, searches=ready, old={})

    @property
    def comparison_id(self) -> str:
        """Content hash of the configurations, the seeds and the budget."""
        ids = [made.configuration_id for made in self.searches]
        seeds, budget = self.protocol.all_seeds, self.protocol.budget
        return hash_json({"configurations": ids, "seeds": seeds, "budget": budget})

    @property
    def best(self) -> float:
        """The best value that a search can find, as searches see it: higher is better."""
        if self.objectives is not None:
            return _WHOLE
        return float(self.searches[0].labelled.values.max())

    @property
    def sign(self) -> int:
        """What compared values are multiplied by so that a higher one is better."""
        return 1 if self.objectives is not None else self.target.sign

    @property
    def compared(self) -> dict[str, Any]:
        """What is compared, as the target of the comparison's tables."""
        if self.objectives is None:
            return self.target.key
        return self.target.key | {"metric": f"hypervolume({', '.join(self.objectives.names)})"}

    def values(self, steps: Sequence[Step]) -> list[float]:
        """What is compared after each step of a search: its value; of several objectives the
        hypervolume so far."""
        if self.objectives is None:
            return [step.value for step in steps]
        values = np.array([step.values for step in steps], dtype=float)
        curve = hypervolume_curve(values, self.objectives.reference)
        share: list[float] = (_WHOLE * curve / self.objectives.hypervolume).tolist()
        return share

    def search_ids(self, made: TabularSearch) -> list[str]:
        """The searches of a configuration, in the order of the seeds."""
        return [made.search_id(seed) for seed in self.protocol.all_seeds]


def reading(configurations: Sequence[SearchConfiguration]) -> list[Vectors]:
    """The vectors that configurations read, each once.

    Raises:
        InputError: An algorithm or a parameter is unknown.
    """
    return list(dict.fromkeys(each.vectors for each in configurations if _reads(each)))


def make_search_comparison(
    space: SearchSpace,
    experiment: str | None,
    configurations: Sequence[SearchConfiguration],
    found: Found,
    target: Target,
    protocol: SearchProtocol,
    specifications: Mapping[str, Mapping[str, Any]],
    objectives: Objectives | None = None,
    where: str | None = None,
    old: Mapping[SearchConfiguration, OldValues] = MappingProxyType({}),
) -> SearchComparison:
    """The comparison of configurations whose vectors and values are at hand.

    Args:
        space: The search space.
        experiment: Its name; None for a list of one's own.
        configurations: What is compared, the reference first.
        found: Source and architectures of each of `reading`; of None where nothing is read.
        target: What the best is sought of.
        protocol: How to compare.
        specifications: Rows of the warehouse's specifications by spec_id, for the labels.
        objectives: Those of the architectures, where there are several.
        where: The condition that the architectures fit.
        old: What was measured on the tasks that some configurations learn from.

    Raises:
        InputError: A name is unknown, nothing differs, an algorithm has one objective, or a number
            makes no sense.
    """
    source, labelled = next(iter(found.values()))
    searches: dict[str, TabularSearch] = {}
    learned: dict[str, OldValues] = {}
    for each in configurations:
        if _reads(each):
            source, labelled = found[each.vectors]
        name, parameters = each.algorithm, each.parameters()
        if objectives is not None and name == Bananas.name:
            name, parameters = Pareto.name, dict(each.given)
        tasks = old[each].configuration if each in old else ()
        made = make_tabular_search(
            space, source, target, labelled, name, parameters, objectives, where, tasks
        )
        if each in old:
            learned[made.configuration_id] = old[each]
        # The same search under two names would be tested against itself.
        searches.setdefault(made.configuration_id, made)
    if len(searches) < 2:
        raise InputError(NOTHING)
    check_values(labelled)
    if objectives is not None and not objectives.hypervolume:
        raise InputError("no architecture is better than the reference: give another --reference")
    check_budget(labelled, protocol.budget)
    described = [
        describe_search(made.configuration, specifications.get(made.configuration["spec_id"]))
        for made in searches.values()
    ]
    names = search_labels(described, list(searches))
    return SearchComparison(
        experiment or CUSTOM, protocol, target, names, list(searches.values()), objectives, learned
    )


def missing_searches(
    made: SearchComparison, stored: Mapping[str, Sequence[Step]], processes: int
) -> list[Stack]:
    """What is to be run, in stacks of searches that run together.

    Args:
        made: The comparison.
        stored: The steps that are there, by search_id.
        processes: How many run side by side.
    """
    protocol = made.protocol
    budget, seeds = protocol.budget, protocol.all_seeds
    until = max(protocol.thresholds(made.best).values()) if protocol.until_reached else None
    stacks: list[Stack] = []
    for each in made.searches:
        histories = [stored[id_][:budget] for id_ in made.search_ids(each)]
        short = [len(history) < budget for history in histories]
        if until is not None:
            ended = reached([[s.value for s in history] for history in histories], until)
            if any(less and not end for less, end in zip(short, ended, strict=True)):
                # All together, because the mean curve is that of all.
                stacks.append(Stack(each, budget, seeds, histories, until))
            continue
        left = [place for place, less in enumerate(short) if less]
        for start in range(processes):
            places = left[start::processes]
            if places:
                taken = [seeds[place] for place in places]
                begun = [histories[place] for place in places]
                stacks.append(Stack(each, budget, taken, begun, None))
    return stacks


def _reads(configuration: SearchConfiguration) -> bool:
    algorithm = make_algorithm(configuration.algorithm, **configuration.parameters())
    return algorithm.reads_vectors
