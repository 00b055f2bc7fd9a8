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
        "nsga2": "cole_core.search.nsga2:NSGA2",
        "pareto": "cole_core.search.pareto:Pareto",
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


def for_several() -> list[str]:
    """The algorithms that serve several objectives."""
    return [name for name, made in searches.loadable().items() if getattr(made, "several", False)]


__all__ = [
    "Proposal",
    "SearchAlgorithm",
    "SearchProblem",
    "Step",
    "for_several",
    "make_algorithm",
    "run_search",
    "searches",
]
