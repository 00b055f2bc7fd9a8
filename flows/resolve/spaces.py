"""Which search space is meant by a name."""

import json
from collections.abc import Mapping
from typing import Any

from cole_core.errors import InputError, shortened
from cole_core.evaluation.datasets import Dataset
from cole_core.evaluation.network_training import NetworkTraining
from cole_core.spaces import get_space, parse_name
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.corpus import is_corpus
from cole_core.spaces.own import FileName, file_name, named_with, read_arguments
from flows.resolve.corpora import find_corpus
from warehouse import Warehouse


def find_space(warehouse: Warehouse, name: str, may_run: bool = False) -> SearchSpace:
    """The search space of a warehouse by the name that somebody gives.

    A file's class is found by running the file; where there is no such file, what is stored of its
    space can be asked for.

    Args:
        warehouse: Where its architectures are, or will be.
        name: A registered name, or a file and its class: with the parameters that most of its
            stored architectures have, and its defaults without any. What follows a colon names
            them. Or `corpus:NAME`.
        may_run: Whether the code of a corpus may be run.

    Raises:
        InputError: The name or what follows it is not known, or brings no code that could be run.
    """
    if is_corpus(name):
        return find_corpus(warehouse, name, may_run)
    check_runs(name, may_run)
    return _as_begun(warehouse, _named(warehouse, name))


def _named(warehouse: Warehouse, name: str) -> SearchSpace:
    try:
        kind, text = parse_name(name)
    except InputError:
        if (file := file_name(name)) is None or file.path.is_file():
            raise
        if (stored := _stored_alone(warehouse, file, name)) is None:
            raise
        return stored
    if text or not warehouse.has_catalog:
        return kind(**kind.parse_parameters(text))
    stored_ones = [each for each in warehouse.parameters_of(kind.name) if kind.takes(each)]
    try:
        named = kind()
    except InputError:  # an argument that is named once need not be named again
        if not stored_ones:
            raise
        return kind(**stored_ones[0])
    if not stored_ones or not named.parameters or dict(named.parameters) in stored_ones:
        return named
    return kind(**stored_ones[0])


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
        return _as_begun(warehouse, training.space(name, dataset))
    if training.bounds:
        raise InputError(f"{name} takes no bounds: leave out {', '.join(training.bounds)}")
    return find_to_build(warehouse, name, may_run)


def find_to_build(warehouse: Warehouse, name: str, may_run: bool) -> SearchSpace:
    """The search space whose networks are built as they are.

    Raises:
        InputError: The name is not known, or its code may not be run.
    """
    if is_corpus(name) and not may_run:
        raise InputError(f"to train networks of {name} runs their code: add --run")
    return find_space(warehouse, name, may_run)


def check_runs(name: str, may_run: bool) -> None:
    """Checks that nobody says --run of a space that brings no code to allow.

    Raises:
        InputError: Somebody does.
    """
    if may_run:
        raise InputError(f"--run is for the code of a corpus, and {name} is none: leave it out")


def known_space(warehouse: Warehouse, name: str) -> SearchSpace:
    """The search space of a warehouse, for what needs its names and stored values alone.

    No file runs, unless it was run already: what a warehouse mentions runs nothing.

    Raises:
        InputError: The name is not known.
    """
    file = None if is_corpus(name) else file_name(name)
    if file is None:
        return find_space(warehouse, name)
    if file.text:
        return get_space(file.name, **read_arguments(file.text))
    stored = warehouse.parameters_of(file.name) if warehouse.has_catalog else []
    return get_space(file.name, **(stored[0] if stored else {}))


def stored_space(warehouse: Warehouse, row: Mapping[str, Any]) -> SearchSpace:
    """The search space of an architecture's row; no file runs because of it.

    Args:
        warehouse: Where the row is.
        row: space, space_parameters (JSON).

    Raises:
        InputError: The space is not known.
    """
    if is_corpus(row["space"]):
        return find_corpus(warehouse, row["space"])
    parameters = json.loads(row["space_parameters"])
    return _as_begun(warehouse, get_space(row["space"], **parameters))


def with_arguments(name: str, arguments: str | None) -> str:
    """The name of a file's class with arguments of its constructor behind it.

    Args:
        name: As somebody gives it.
        arguments: A JSON object; None leaves the name as it is.

    Raises:
        InputError: It is no JSON object, or the name is of no file.
    """
    if arguments is None:
        return name
    file = file_name(name)
    if file is None:
        raise InputError(f"--arguments {shortened(arguments)} is for FILE.py:CLASS: leave it out")
    try:
        given = json.loads(arguments)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(map(str.isidentifier, given)):
        raise InputError(
            f"--arguments {shortened(arguments)}: give a JSON object, as '{{\"channels\": 16}}'"
        )
    before = {} if not file.text else read_arguments(file.text)
    return named_with(f"{file.path}:{file.thing}", {**before, **given})


def base_name(name: str) -> str:
    """The name of a space without its parameters, as the warehouse has it."""
    if is_corpus(name):
        return name
    file = file_name(name)
    return name.partition(":")[0] if file is None else file.name


def stored_name(name: str) -> str:
    """The name of a space as the warehouse has it: a file without its folder."""
    file = file_name(name)
    if file is None:
        return name
    return f"{file.name}:{file.text}" if file.text else file.name


def _as_begun(warehouse: Warehouse, space: SearchSpace) -> SearchSpace:
    """The space with the reference that its warehouse began with, be it that of before."""
    roles = space.roles
    if roles.former is None or not warehouse.has_catalog:
        return space
    first = warehouse.first_rendered(space, [roles.reference, roles.former])
    return space.with_reference(roles.former) if first == roles.former else space


def _stored_alone(warehouse: Warehouse, file: FileName, name: str) -> SearchSpace | None:
    if not warehouse.has_catalog or not warehouse.parameters_of(file.name):
        return None
    return known_space(warehouse, stored_name(name))
