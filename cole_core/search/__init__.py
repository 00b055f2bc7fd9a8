"""Search algorithms and acquisition functions; see `make_algorithm` and `run_search`."""

from typing import Any

from cole_core.registry import Registry
from cole_core.search.bananas import Bananas
from cole_core.search.base import Proposal, SearchAlgorithm, SearchProblem, Step, run_search
from cole_core.search.local_search import LocalSearch
from cole_core.search.random_search import RandomSearch
from cole_core.search.regularized_evolution import RegularizedEvolution

algorithms: Registry[SearchAlgorithm] = Registry("search algorithm")
algorithms.register(RandomSearch.name, RandomSearch)
algorithms.register(RegularizedEvolution.name, RegularizedEvolution)
algorithms.register(LocalSearch.name, LocalSearch)
algorithms.register(Bananas.name, Bananas)


def make_algorithm(name: str, **parameters: Any) -> SearchAlgorithm:
    """A search algorithm by name.

    Args:
        name: `random_search`, `regularized_evolution`, `local_search` or `bananas`.
        **parameters: The algorithm's own.

    Raises:
        InputError: The name or a parameter is unknown.
    """
    return algorithms.create(name, **parameters)


__all__ = [
    "Proposal",
    "SearchAlgorithm",
    "SearchProblem",
    "Step",
    "algorithms",
    "make_algorithm",
    "run_search",
]
