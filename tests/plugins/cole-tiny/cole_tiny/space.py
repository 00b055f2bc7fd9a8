"""The space: `conv3-pool-skip` and the like."""

import itertools
from typing import ClassVar

import numpy as np

from cole_core.errors import InputError
from cole_core.spaces.base import Roles, SearchSpace

LAYERS = ("conv1", "conv3", "pool", "skip")
LONGEST = 4


class Tiny(SearchSpace):
    """Chains of one to four layers.

    Args:
        channels: Of every layer.
    """

    name = "tiny"
    encodings: ClassVar = {
        "code": "cole_tiny.encodings:Code",
        "counts": "cole_tiny.encodings:Counts",
    }
    roles = Roles(reference="code", runnable="code", rival="counts", classic="counts")
    default_source = "tiny-bench"
    default_dataset = "shapes"

    def __init__(self, channels: int = 4):
        if channels < 1:
            raise InputError(f"{channels} channels: give 1 or more")
        self.channels = channels

    @property
    def parameters(self):
        return {"channels": self.channels}

    @property
    def full_name(self):
        return f"{self.name}:{self.channels}"

    @classmethod
    def parse_parameters(cls, text):
        if not text:
            return {}
        if not (text.isascii() and text.isdecimal()):
            raise InputError(f"search space 'tiny:{text}': give channels, as tiny:4")
        return {"channels": int(text)}

    @property
    def size(self):
        return sum(len(LAYERS) ** length for length in range(1, LONGEST + 1))

    def layers(self, native):
        """The layers of a chain."""
        found = native.split("-")
        if not 1 <= len(found) <= LONGEST or not set(found) <= set(LAYERS):
            known = ", ".join(LAYERS)
            raise InputError(f"{native[:40]!r}: give 1 to {LONGEST} of {known}, joined by -")
        return found

    def validate(self, native):
        self.layers(native)

    def enumerate(self):
        for length in range(1, LONGEST + 1):
            yield from map("-".join, itertools.product(LAYERS, repeat=length))

    def sample(self, rng):
        return "-".join(rng.choice(LAYERS, size=rng.integers(1, LONGEST + 1)))

    def mutate(self, native, rng, edits=1):
        layers = self.layers(native)
        if edits < 1:
            raise InputError(f"{edits} edits: give 1 or more")
        for place in rng.permutation(len(layers))[:edits]:
            layers[place] = rng.choice([name for name in LAYERS if name != layers[place]])
        return "-".join(layers)

    def canonical_form(self, native):
        return "-".join(name for name in self.layers(native) if name != "skip") or "skip"

    def build(self, native):
        return self.network(native, (3, 32, 32), 10)

    def build_for(self, native, input_shape, classes, macro):
        return self.network(native, input_shape, classes)

    def network(self, native, input_shape, classes):
        from torch import nn

        wide = self.channels
        kinds = {
            "conv1": lambda: nn.Sequential(nn.Conv2d(wide, wide, 1), nn.ReLU()),
            "conv3": lambda: nn.Sequential(nn.Conv2d(wide, wide, 3, padding=1), nn.ReLU()),
            "pool": lambda: nn.AvgPool2d(3, 1, 1),
            "skip": nn.Identity,
        }
        chain = [kinds[name]() for name in self.layers(native)]
        end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, classes)]
        return nn.Sequential(nn.Conv2d(input_shape[0], wide, 1), *chain, *end)

    def draw(self, native):
        layers = self.layers(native)
        if "skip" in layers:  # nobody has said how nothing looks
            return None
        names = "".join(
            f'<text class="label" x="{8 + 60 * place}" y="14">{name}</text>'
            for place, name in enumerate(layers)
        )
        return f'<svg class="chain" viewBox="0 0 {60 * len(layers)} 20">{names}</svg>'


def signal(native: str) -> float:
    """How good a chain is, before anybody trains it."""
    worth = {"conv1": 4.0, "conv3": 9.0, "pool": 2.0, "skip": 0.0}
    layers = [name for name in native.split("-") if name != "skip"]
    return sum(worth[name] * 0.8**place for place, name in enumerate(layers)) - 3.0 * np.log1p(
        layers.count("pool")
    )
