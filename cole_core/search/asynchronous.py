"""A search that proposes the next architecture whenever one is done, not batch by batch.

What still runs is believed to come out as the surrogate expects it (the Kriging believer of
Ginsbourger, Le Riche and Carraro, "Kriging is well-suited to parallelize optimization", 2010), and
what was proposed without a surrogate as the mean of what is known (their constant liar). So
several that run at once are not several times the same, and every algorithm can be asked, since
what it sees is a history. An evaluation costs as many looks at candidates as one of a batch does:
a surrogate that is fitted for each of them would otherwise keep workers waiting.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cole_core.search.base import (
    Proposal,
    SearchAlgorithm,
    SearchProblem,
    Step,
    batch_generator,
    random_proposals,
    seen_forms,
)

_LEARNED_FROM = 2  # values without which no surrogate is fitted


@dataclass(frozen=True)
class Running:
    """A proposal whose value is not there yet.

    Attributes:
        number: Its place in the order of proposals, from 0.
        proposal: What was proposed.
    """

    number: int
    proposal: Proposal


class AsynchronousSearch:
    """One search. Its proposals follow from the seed and the order in which values arrive.

    Args:
        algorithm: Proposes.
        problem: What to search.
        budget: Evaluations in all, those of the history included.
        seed: Of the search.
        steps: What was evaluated already, in the order in which it arrived.
        running: What ran when that was kept.
    """

    def __init__(
        self,
        algorithm: SearchAlgorithm,
        problem: SearchProblem,
        budget: int,
        seed: int,
        steps: Sequence[Step] = (),
        running: Sequence[Running] = (),
    ) -> None:
        self._algorithm = algorithm = algorithm.one_at_a_time()
        self._problem = algorithm.prepare(problem)
        self._budget = budget
        self._seed = seed
        self._steps = list(steps)
        self._running = list(running)
        self._first: list[Proposal] | None = None

    @property
    def running(self) -> tuple[Running, ...]:
        """What was proposed and is not there yet, in the order of proposals."""
        return tuple(self._running)

    def propose(self) -> Running | None:
        """The next architecture, which runs from now on; None when the budget or the space is
        spent."""
        number = len(self._steps) + len(self._running)
        if number >= self._budget:
            return None
        history = [*self._steps, *self._believed()]
        seen = seen_forms(self._problem, history)
        for proposal in self._proposals(history, number):
            if self._problem.canonical(proposal.native) not in seen:
                self._running.append(Running(number, proposal))
                return self._running[-1]
        return None

    def observe(self, native: str) -> tuple[Step, Running]:
        """Takes the value of an architecture that ran.

        Returns:
            Its step, whose place is that of its arrival, and what it was while it ran.
        """
        [found] = [each for each in self._running if each.proposal.native == native]
        self._running.remove(found)
        value, others = self._problem.evaluate(native), self._problem.others(native)
        self._steps.append(found.proposal.evaluated(len(self._steps), value, others))
        return self._steps[-1], found

    def _proposals(self, history: Sequence[Step], number: int) -> list[Proposal]:
        if self._algorithm.batch_start(number) == 0:  # of the first batch, which knows nothing
            if self._first is None:
                rng = batch_generator(self._seed, 0)
                self._first = self._algorithm.propose(self._problem, [], rng)
            return self._first[number:]
        rng = batch_generator(self._seed, number)
        if len(self._steps) < _LEARNED_FROM:
            return random_proposals(self._problem, history, rng, 1)
        return self._algorithm.propose(self._problem, history, rng)

    def _believed(self) -> list[Step]:
        """What runs as if it were there already."""
        values = [step.values for step in self._steps]
        mean = [float(each) for each in np.mean(values, axis=0)] if values else [0.0]
        start = len(self._steps)
        return [
            each.proposal.evaluated(
                start + place,
                mean[0] if each.proposal.predicted_mean is None else each.proposal.predicted_mean,
                tuple(mean[1:]),
            )
            for place, each in enumerate(self._running)
        ]
