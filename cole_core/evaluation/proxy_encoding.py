"""The encoding `proxies`, and what computes it in a process of its own."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cole_core.encodings.base import VectorEncoding
from cole_core.encodings.proxies import COLUMNS, NOISE, PROXIES, proxy_vector
from cole_core.errors import InputError
from cole_core.evaluation.attempts import NETWORK_ERRORS, AnyEvaluator, one_line
from cole_core.evaluation.datasets import Dataset
from cole_core.evaluation.outcomes import FAILED, OK, Attempt, Score
from cole_core.evaluation.settings import EncodedProxySettings, Limits
from cole_core.foreign_code.runner import keep_within, silence
from cole_core.spaces.base import SearchSpace

if TYPE_CHECKING:
    import torch
    from torch import nn

_NOISE_SHAPE = (3, 8, 8)  # where the space leaves the images open
_CLASSES = 10
_UNITS = {"parameters": "count", "flops": "count"}


class Proxies(VectorEncoding):
    """Zero-cost proxies of the network with weights at random, on a few images of noise.

    It takes some tenths of a second a network: `cole proxies` computes and keeps them.
    """

    name = PROXIES

    def encode(self, natives: Sequence[str]) -> np.ndarray:
        settings = EncodedProxySettings.of(self.space)
        vectors = np.empty((len(natives), len(COLUMNS)), dtype=np.float32)
        for native in natives:
            self.space.validate(native)
        for row, native in enumerate(natives):
            try:
                vectors[row] = proxy_vector(proxies_of(self.space, native, settings, None))
            except InputError:
                raise
            except NETWORK_ERRORS:  # the same that a stored failure is: nothing is known
                vectors[row] = proxy_vector({})
        return vectors


def proxies_of(
    space: SearchSpace,
    native: str,
    settings: EncodedProxySettings,
    images: "tuple[torch.Tensor, torch.Tensor] | None",
) -> dict[str, float]:
    """All proxies of one architecture; the global generators stay as they are.

    Args:
        space: Builds the network.
        native: The architecture.
        settings: Seed, number of images, size of the network.
        images: Images (n, channels, height, width) and their classes; None shows it noise.
    """
    import torch

    from cole_core.evaluation.proxies import all_proxies

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        if images is not None:
            classes = int(images[1].max()) + 1
            network = _built(space, native, tuple(images[0].shape[1:]), classes, settings.macro)
            return all_proxies(network, *images, settings.seed)
        network, shape = _network(space, native, settings.macro)
        generator = torch.Generator().manual_seed(settings.seed)
        noise = torch.randn(settings.images, *shape, generator=generator)
        return all_proxies(network, noise, None, settings.seed)


def _network(
    space: SearchSpace, native: str, macro: Mapping[str, int]
) -> "tuple[nn.Module, tuple[int, ...]]":
    """A network, and the shape of what it takes: what the space says, or its first layer."""
    from cole_core.encodings.normal_form.inputs import inferred

    said = space.parameters.get("input_shape")
    if said is not None or macro:
        shape = _NOISE_SHAPE if said is None else tuple(said)
        classes = int(space.parameters.get("classes", _CLASSES))
        return _built(space, native, shape, classes, macro), shape
    network = space.build(native)
    inputs = inferred(network)
    if inputs is None or inputs[0].dtype != "float32":
        raise ValueError("no layer says which images the network takes")
    return network, inputs[0].shape[1:]


def _built(
    space: SearchSpace,
    native: str,
    shape: tuple[int, ...],
    classes: int,
    macro: Mapping[str, int],
) -> "nn.Module":
    channels, height, width = shape
    return space.build_for(native, (channels, height, width), classes, macro)


@dataclass(frozen=True)
class EncodedProxyEvaluator(AnyEvaluator):
    """Computes what the encoding `proxies` is made of.

    A process may take so much memory and no more; a network that needs more has failed.

    Attributes:
        space: Builds the networks.
        dataset: Whose training images they are shown; None shows them noise.
        limits: What one network may cost.
        proxies: Seed, number of images, size of the networks.
    """

    space: SearchSpace
    dataset: Dataset | None
    limits: Limits
    proxies: EncodedProxySettings

    @property
    def settings(self) -> EncodedProxySettings:
        return self.proxies

    @property
    def dataset_name(self) -> str:
        return NOISE if self.dataset is None else self.dataset.name

    @property
    def dataset_hash(self) -> str:
        return NOISE if self.dataset is None else self.dataset.content_hash

    @property
    def settings_id(self) -> str:
        return self.proxies.settings_id(self.dataset_hash)

    @cached_property
    def images(self) -> "tuple[torch.Tensor, torch.Tensor] | None":
        """Those of the training images that the networks are shown, and their classes."""
        if self.dataset is None:
            return None
        import torch

        from cole_core.evaluation.images import ImageTensors

        images, labels = ImageTensors(self.dataset).parts["train"]
        rng = np.random.default_rng(self.proxies.seed)
        rows = rng.permutation(len(labels))[: self.proxies.images]
        return images[torch.from_numpy(rows)], labels[torch.from_numpy(rows)]

    @cached_property
    def _confined(self) -> bool:
        if self.space.is_foreign:
            silence()
        keep_within(self.limits.mebibytes)
        return True

    def __call__(self, native: str, seed: int) -> Attempt:
        begin = time.monotonic()
        _ = self._confined
        try:
            values = proxies_of(self.space, native, self.proxies, self.images)
        except NETWORK_ERRORS as error:
            return Attempt(native, seed, FAILED, one_line(error), time.monotonic() - begin)
        sizes: dict[str, Any] = {name: int(values[name]) for name in _UNITS}
        scores = tuple(
            Score(name, "train", 0, value, _UNITS.get(name))
            for name, value in values.items()
            if math.isfinite(value)
        )
        return Attempt(native, seed, OK, None, time.monotonic() - begin, scores=scores, **sizes)
