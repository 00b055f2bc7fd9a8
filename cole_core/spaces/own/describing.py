"""A file's class and its networks, described as plain data.

What is here runs the file: only a process of foreign code calls it.
"""

import functools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cole_core.encodings.normal_form import Input, NormalForm, normal_form
from cole_core.errors import InputError
from cole_core.foreign_code import construct, find_class, load_module, own_files
from cole_core.foreign_code.faults import Caught, one_line
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.own.annotations import Signature, arguments_of, signature_of
from cole_core.spaces.own.choices import Record

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Failure:
    """Why a network could not be described, in one line."""

    reason: str


@functools.cache
def loaded_class(path: str, name: str) -> type[Any]:
    """A class of a file, which is run once."""
    return find_class(load_module(path), name)


def describe_class(path: str, name: str) -> tuple[Signature | None, dict[str, str]]:
    """What a network's constructor takes, and the files that decide it, with their hashes.

    Returns:
        No constructor where the class is of search spaces.

    Raises:
        InputError: The class is no network and no space, or its constructor cannot be understood.
    """
    from torch import nn

    kind = loaded_class(path, name)
    if issubclass(kind, SearchSpace):
        return None, own_files()
    if not issubclass(kind, nn.Module):
        raise InputError(
            f"{Path(path).name}:{name} is no nn.Module and no SearchSpace: name a class that is one"
        )
    return signature_of(kind), own_files()


def describe_networks(
    path: str,
    name: str,
    fixed: Mapping[str, Any],
    chosen: Sequence[Record],
    shape: tuple[int, int, int] | None,
) -> list[NormalForm | Failure]:
    """The normal forms of networks.

    Args:
        path: The file.
        name: The class.
        fixed: Arguments that all of them have.
        chosen: The others of each.
        shape: Channels, height, width of the task's images, where they are known.
    """
    inputs = None if shape is None else [Input((2, *shape))]
    found: list[NormalForm | Failure] = []
    for each in chosen:
        with Caught() as caught:
            _seed()
            found.append(normal_form(partial(build, path, name, fixed, each), inputs))
        if caught.error is not None:
            found.append(Failure(one_line(caught.error)))
    return found


def build(path: str, name: str, fixed: Mapping[str, Any], chosen: Record) -> "nn.Module":
    """One network."""
    kind = loaded_class(path, name)
    return construct(kind, {**fixed, **arguments_of(kind, chosen)})


def _seed() -> None:
    """A constructor that draws draws the same each time."""
    import torch

    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
