"""Many searches side by side, their surrogates fitted together."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from cole_core.predictors.reductions.side_by_side import AlreadySideBySide
from cole_core.predictors.surrogate import fit_together
from cole_core.search.bananas import Bananas
from cole_core.search.base import (
    Proposal,
    SearchAlgorithm,
    SearchProblem,
    Step,
    batch_generator,
    seen_forms,
)


def run_searches(
    algorithm: SearchAlgorithm,
    problem: SearchProblem,
    budget: int,
    seeds: Sequence[int],
    histories: Sequence[Sequence[Step]] | None = None,
    finished: Callable[[list[list[Step]]], Sequence[bool]] | None = None,
) -> Iterator[dict[int, list[Step]]]:
    """Runs one search for each seed, or goes on with them.

    Each takes the way that `run_search` takes with its seed. Those that are behind go first, so
    that soon all go together.

    Args:
        algorithm: What to run.
        problem: What to search.
        budget: Evaluations of each search, those of its history included.
        seeds: Seed of each search.
        histories: Steps of each search that were evaluated already.
        finished: Asked before each batch, with the steps of all searches, which may end early.

    Yields:
        After each batch the new steps of the searches that it belongs to, by their place in
        `seeds`.
    """
    searches = [list(history) for history in histories or [()] * len(seeds)]
    active = [place for place, steps in enumerate(searches) if len(steps) < budget]
    if active:
        problem = algorithm.prepare(problem)
    while True:
        if finished is not None:
            ended = finished(searches)
            active = [place for place in active if not ended[place]]
        if not active:
            return
        starts = {place: algorithm.batch_start(len(searches[place])) for place in active}
        behind = min(starts.values())
        batch = [place for place in active if starts[place] == behind]
        proposals = _propose(
            algorithm,
            problem,
            [searches[place][:behind] for place in batch],
            [batch_generator(seeds[place], behind) for place in batch],
        )
        chosen = [
            _choose(problem, searches[place], behind, proposed, budget)
            for place, proposed in zip(batch, proposals, strict=True)
        ]
        problem.announce([proposal.native for each in chosen for proposal in each])
        made: dict[int, list[Step]] = {}
        for place, wanted in zip(batch, chosen, strict=True):
            new = _evaluate(problem, searches[place], wanted)
            if new:
                made[place] = new
            # A batch without anything new means that the pool is exhausted.
            if not new or len(searches[place]) == budget:
                active.remove(place)
        if made:
            yield made


def _choose(
    problem: SearchProblem,
    steps: Sequence[Step],
    start: int,
    proposals: Sequence[Proposal],
    budget: int,
) -> list[Proposal]:
    """What is left of a batch.

    The surrogate of a begun batch may have been fitted on another machine and rounded otherwise,
    so that its last proposals need not be the same: the batch is filled up with what is not there
    yet.
    """
    seen = seen_forms(problem, steps[start:])
    room = min(start + len(proposals), budget) - len(steps)
    return [each for each in proposals if problem.canonical(each.native) not in seen][:room]


def _evaluate(
    problem: SearchProblem, steps: list[Step], proposals: Sequence[Proposal]
) -> list[Step]:
    """Evaluates proposals and appends them to the steps."""
    new = [
        proposal.evaluated(
            len(steps) + i, problem.evaluate(proposal.native), problem.others(proposal.native)
        )
        for i, proposal in enumerate(proposals)
    ]
    steps += new
    return new


def _propose(
    algorithm: SearchAlgorithm,
    problem: SearchProblem,
    histories: Sequence[list[Step]],
    generators: Sequence[np.random.Generator],
) -> list[list[Proposal]]:
    if (
        not isinstance(algorithm, Bananas)
        or type(algorithm).propose is not Bananas.propose  # one that proposes in its own way
        or len(histories[0]) < algorithm.initial
    ):
        return [
            algorithm.propose(problem, history, rng)
            for history, rng in zip(histories, generators, strict=True)
        ]
    surrogates = [algorithm.new_surrogate(rng) for rng in generators]
    sets = [algorithm.training_set(problem, history) for history in histories]
    reduced = [AlreadySideBySide(problem.widths)] * len(sets)
    fit_together(surrogates, [s[0] for s in sets], [s[1] for s in sets], unlabelled=reduced)
    return [
        algorithm.select(problem, history, surrogate, rng)
        for history, surrogate, rng in zip(histories, surrogates, generators, strict=True)
    ]
