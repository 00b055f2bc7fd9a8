"""Search algorithms and acquisition functions; see `make_algorithm` and `run_search`."""

from typing import Any

from cole_core.registry import Registry
from cole_core.search.base import Proposal, SearchAlgorithm, SearchProblem, Step, run_search

searches: Registry[SearchAlgorithm] = Registry(
    "search algorithm",
    "cole.searches",
    {
        "bananas": "cole_core.search.bananas:Bananas",
        "local_search": "cole_core.search.local_search:LocalSearch",
        "random_search": "cole_core.search.random_search:RandomSearch",
        "regularized_evolution": "cole_core.search.regularized_evolution:RegularizedEvolution",
    },
)


def make_algorithm(name: str, **parameters: Any) -> SearchAlgorithm:
    """A search algorithm by name.

    Args:
        name: A registered one.
        **parameters: The algorithm's own.

    Raises:
        InputError: The name or a parameter is unknown.
    """
    return searches.create(name, **parameters)


__all__ = [
    "Proposal",
    "SearchAlgorithm",
    "SearchProblem",
    "Step",
    "make_algorithm",
    "run_search",
    "searches",
]
