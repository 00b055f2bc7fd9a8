"""What a search evaluates before it has measured anything, where old tasks speak."""

import math
from collections.abc import Sequence

import numpy as np

from cole_core.search.base import Proposal, SearchProblem, random_proposals

PRIOR_SHARE = 0.6
"""Share of the first evaluations that old tasks choose; chosen on CIFAR-10. The others are random,
so that a misleading past is found out."""


def first_proposals(
    problem: SearchProblem, rng: np.random.Generator, count: int, expected: Sequence[Proposal]
) -> list[Proposal]:
    """What old tasks expect most of, and then architectures at random.

    Args:
        problem: The search.
        rng: Its generator.
        count: How many.
        expected: Candidates, those first of which old tasks expect most; no twins among them.

    Returns:
        Up to `count` proposals, no twins among them.
    """
    trusted = list(expected[: math.ceil(PRIOR_SHARE * count)])
    return trusted + random_proposals(problem, trusted, rng, count - len(trusted))
