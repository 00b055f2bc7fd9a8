"""Many searches side by side, their surrogates fitted together."""

from collections.abc import Callable, Sequence

from cole_core.predictors.surrogate import fit_together
from cole_core.search.bananas import Bananas
from cole_core.search.base import (
    Proposal,
    SearchAlgorithm,
    SearchProblem,
    Step,
    batch_generator,
)


def run_searches(
    algorithm: SearchAlgorithm,
    problem: SearchProblem,
    budget: int,
    seeds: Sequence[int],
    finished: Callable[[list[list[Step]]], Sequence[bool]] | None = None,
) -> list[list[Step]]:
    """Runs one search for each seed.

    Each takes the way that `run_search` takes with its seed, within the rounding of networks that
    are trained in a stack.

    Args:
        algorithm: What to run.
        problem: What to search.
        budget: Evaluations of each search.
        seeds: Seed of each search.
        finished: Asked after each batch with all searches which of them may end early.

    Returns:
        The steps of each search.
    """
    prepared = algorithm.prepare(problem)
    searches: list[list[Step]] = [[] for _ in seeds]
    active = list(range(len(seeds)))
    while active:
        proposals = _propose(
            algorithm, prepared, [searches[i] for i in active], [seeds[i] for i in active]
        )
        going = []
        for i, batch in zip(active, proposals, strict=True):
            steps = searches[i]
            for proposal in batch[: budget - len(steps)]:
                value = problem.evaluate(proposal.native)
                steps.append(
                    Step(
                        len(steps),
                        proposal.native,
                        value,
                        proposal.predicted_mean,
                        proposal.predicted_std,
                    )
                )
            if batch and len(steps) < budget:
                going.append(i)
        active = going
        if finished is not None:
            ended = finished(searches)
            active = [i for i in active if not ended[i]]
    return searches


def _propose(
    algorithm: SearchAlgorithm,
    problem: SearchProblem,
    histories: Sequence[list[Step]],
    seeds: Sequence[int],
) -> list[list[Proposal]]:
    generators = [
        batch_generator(seed, len(history)) for seed, history in zip(seeds, histories, strict=True)
    ]
    if not isinstance(algorithm, Bananas) or len(histories[0]) < algorithm.initial:
        return [
            algorithm.propose(problem, history, rng)
            for history, rng in zip(histories, generators, strict=True)
        ]
    surrogates = [algorithm.new_surrogate(rng) for rng in generators]
    sets = [algorithm.training_set(problem, history) for history in histories]
    fit_together(surrogates, [s[0] for s in sets], [s[1] for s in sets])
    return [
        algorithm.select(problem, history, surrogate, rng)
        for history, surrogate, rng in zip(histories, surrogates, generators, strict=True)
    ]
