"""Derivations made from others: a subtree derived anew, or two subtrees swapped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from cole_core.spaces.einspace.grammar import MODULES
from cole_core.spaces.einspace.inference import Site, sites
from cole_core.spaces.einspace.sampling import Bounds, draw
from cole_core.spaces.einspace.shapes import State
from cole_core.spaces.einspace.tree import parse


def mutants(
    native: str, state: State, bounds: Bounds, draws: int, rng: np.random.Generator
) -> Iterator[str]:
    """Derives the subtree at a random module or operation anew, so many times.

    Only the new subtree is sure to fit what comes before it; what comes after it may not.
    """
    known = sites(parse(native), state)
    total = sum(site.nonterminal in MODULES for site in known)
    for _ in range(draws):
        site = known[rng.integers(len(known))]
        inner = sum(
            other.nonterminal in MODULES and site.start <= other.start and other.end <= site.end
            for other in known
        )
        made = draw(site.nonterminal, site.before, total - inner, site.copies, bounds, rng)
        if made is not None and made != native[site.start : site.end]:
            yield native[: site.start] + made + native[site.end :]


def crossings(
    first: str, second: str, state: State, rng: np.random.Generator
) -> Iterator[tuple[str, str]]:
    """All pairs of derivations with two subtrees of one nonterminal swapped.

    First come, in random order, the swaps of subtrees that agree in the states before and after
    them: they fit. Then come the others, which may not. The roots are not swapped, nor equal
    subtrees.
    """
    partners: dict[str, list[Site]] = defaultdict(list)
    for site in sites(parse(second), state)[1:]:
        partners[site.nonterminal].append(site)
    pairs = [
        (one, other)
        for one in sites(parse(first), state)[1:]
        for other in partners[one.nonterminal]
        if first[one.start : one.end] != second[other.start : other.end]
    ]
    order = rng.permutation(len(pairs))
    for index in sorted(order, key=lambda index: not _agree(*pairs[index])):
        one, other = pairs[index]
        yield (
            first[: one.start] + second[other.start : other.end] + first[one.end :],
            second[: other.start] + first[one.start : one.end] + second[other.end :],
        )


def _agree(one: Site, other: Site) -> bool:
    """Whether either subtree may stand for the other."""
    if (one.before.state, one.after.state) != (other.before.state, other.after.state):
        return False
    if not one.nonterminal.startswith("aggregation_fn"):
        return True
    assert one.before.frame is not None
    assert other.before.frame is not None
    return one.before.frame.first == other.before.frame.first
