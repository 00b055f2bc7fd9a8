"""Which search space is meant by a name."""

import json
from collections.abc import Mapping
from typing import Any

from cole_core.errors import InputError
from cole_core.evaluation.datasets import Dataset
from cole_core.evaluation.network_training import NetworkTraining
from cole_core.spaces import get_space, parse_space
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.corpus import is_corpus
from flows.resolve.corpora import find_corpus
from warehouse import Warehouse


def find_space(warehouse: Warehouse, name: str, may_run: bool = False) -> SearchSpace:
    """The search space of a warehouse by its name.

    Args:
        warehouse: Where its architectures are, or will be.
        name: A registered name: with the parameters that most of its stored architectures have,
            and its defaults without any. What follows a colon names them. Or `corpus:NAME`.
        may_run: Whether the code of a corpus may be run.

    Raises:
        InputError: The name or what follows it is not known, or is of no code that could be run.
    """
    if is_corpus(name):
        return find_corpus(warehouse, name, may_run)
    check_runs(name, may_run)
    named = parse_space(name)
    if ":" in name or not named.parameters or not warehouse.has_catalog:
        return named
    stored = warehouse.parameters_of(named.name)
    if not stored or dict(named.parameters) in stored:
        return named
    return type(named)(**stored[0])


def find_space_for(
    warehouse: Warehouse, training: NetworkTraining, name: str, dataset: Dataset, may_run: bool
) -> SearchSpace:
    """The search space whose architectures can be trained on a dataset.

    Args:
        warehouse: Where a corpus is.
        training: What networks are trained on.
        name: As of `find_space`.
        dataset: Which is loaded.
        may_run: Whether the code of a corpus may be run.

    Raises:
        InputError: The name is not known, or its networks cannot be built so.
    """
    if not is_corpus(name):
        check_runs(name, may_run)
        return training.space(name, dataset)
    if not may_run:
        raise InputError(f"to train networks of {name} runs their code: add --run")
    if training.bounds:
        raise InputError(f"{name} takes no bounds: leave out {', '.join(training.bounds)}")
    return find_corpus(warehouse, name, may_run)


def check_runs(name: str, may_run: bool) -> None:
    """Checks that nobody says --run of a space that brings no code.

    Raises:
        InputError: Somebody does.
    """
    if may_run:
        raise InputError(f"--run is for the code of a corpus, and {name} is none: leave it out")


def stored_space(warehouse: Warehouse, row: Mapping[str, Any]) -> SearchSpace:
    """The search space of an architecture's row.

    Args:
        warehouse: Where the row is.
        row: space, space_parameters (JSON).

    Raises:
        InputError: The space is not known.
    """
    if is_corpus(row["space"]):
        return find_corpus(warehouse, row["space"])
    return get_space(row["space"], **json.loads(row["space_parameters"]))
