"""What an architecture is: parse, format, enumerate, sample, mutate, canonical form, build."""

from cole_core.registry import Registry
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.einspace import Einspace
from cole_core.spaces.nasbench201 import NASBench201

spaces: Registry[SearchSpace] = Registry("search space")
spaces.register(Einspace.name, Einspace)
spaces.register(NASBench201.name, NASBench201)


def get_space(name: str, **parameters: object) -> SearchSpace:
    """Makes a search space.

    Args:
        name: Its registered name ("nasbench201", "einspace").
        parameters: What besides the native string decides an architecture of the space.

    Raises:
        InputError: The name is unknown; the message lists the known ones.
    """
    return spaces.create(name, **parameters)


def get_space_for(
    name: str, input_shape: tuple[int, int, int], classes: int, **bounds: int
) -> SearchSpace:
    """The search space whose architectures can be trained on a task.

    Args:
        name: Its registered name.
        input_shape: Channels, height, width of the task's images.
        classes: Of the task.
        bounds: Of what the space draws, if it takes any.

    Raises:
        InputError: The name is unknown; the message lists the known ones.
    """
    if spaces.takes(name, "input_shape"):  # its architectures are whole networks
        return spaces.create(name, input_shape=input_shape, classes=classes, **bounds)
    return spaces.create(name)
