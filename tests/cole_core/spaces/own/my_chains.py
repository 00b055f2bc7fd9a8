"""A space with structure of its own: chains of one to three layers."""

import itertools

import numpy as np
from torch import nn

from cole_core.encodings.base import TextEncoding, VectorEncoding
from cole_core.errors import InputError
from cole_core.spaces.base import Roles, SearchSpace

LAYERS = {"conv": lambda: nn.Conv2d(4, 4, 3, padding=1), "relu": nn.ReLU, "skip": nn.Identity}


class Chains(SearchSpace):
    name = "chains"
    encodings = {"words": "my_chains:Words", "lengths": "my_chains:Lengths"}  # noqa: RUF012
    roles = Roles(reference="words", rival="lengths", runnable="code.class")

    @property
    def size(self):
        return sum(len(LAYERS) ** length for length in (1, 2, 3))

    def _layers(self, native):
        found = native.split("-")
        if not 1 <= len(found) <= 3 or not set(found) <= set(LAYERS):
            raise InputError(f"{native[:20]!r}: give up to three of {', '.join(LAYERS)}")
        return found

    def validate(self, native):
        self._layers(native)

    def enumerate(self):
        for length in (1, 2, 3):
            yield from map("-".join, itertools.product(LAYERS, repeat=length))

    def sample(self, rng):
        return "-".join(rng.choice(list(LAYERS), size=rng.integers(1, 4)))

    def mutate(self, native, rng, edits=1):
        layers = self._layers(native)
        if edits < 1:
            raise InputError(f"{edits} edits: give 1 or more")
        for place in rng.permutation(len(layers))[:edits]:
            layers[place] = rng.choice([name for name in LAYERS if name != layers[place]])
        return "-".join(layers)

    def canonical_form(self, native):
        return "-".join(name for name in self._layers(native) if name != "skip") or "skip"

    def build(self, native):
        return self._network(native, 3, 10)

    def build_for(self, native, input_shape, classes, macro):
        return self._network(native, input_shape[0], classes)

    def _network(self, native, channels, classes):
        chain = [LAYERS[name]() for name in self._layers(native)]
        end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes)]
        return nn.Sequential(nn.Conv2d(channels, 4, 1), *chain, *end)


class Words(TextEncoding):
    name = "words"

    def _render(self, native, context):
        return " then ".join(native.split("-"))


class Lengths(VectorEncoding):
    name = "lengths"

    def encode(self, natives):
        return np.array([[len(native.split("-"))] for native in natives], np.float32)
