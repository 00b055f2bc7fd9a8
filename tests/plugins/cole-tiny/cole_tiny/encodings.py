"""Encodings of chains, and one for every space."""

import string

import numpy as np

from cole_core.encodings.base import TextEncoding, VectorEncoding

_CODE = {
    "conv1": "F.relu(self.conv1x1(x))",
    "conv3": "F.relu(self.conv3x3(x))",
    "pool": "F.avg_pool2d(x, 3, 1, 1)",
}


class Code(TextEncoding):
    """A class whose forward has a line for each layer."""

    name = "code"

    def _render(self, native, context):
        lines = [f"x = {_CODE[name]}" for name in self.space.layers(native) if name != "skip"]
        body = "".join(f"        {line}\n" for line in lines)
        return f"class Chain(nn.Module):\n    def forward(self, x):\n{body}        return x\n"


class Counts(VectorEncoding):
    """How often a layer stands at the beginning, and anywhere."""

    name = "counts"

    def encode(self, natives):
        names = ("conv1", "conv3", "pool", "skip")
        rows = []
        for native in natives:
            layers = self.space.layers(native)
            rows.append([layers.count(x) for x in names] + [layers[0] == x for x in names])
        return np.array(rows, dtype=np.float32).reshape(len(natives), 8)


class Letters(VectorEncoding):
    """How often each letter and figure is in the native string of any space."""

    name = "letters"

    def encode(self, natives):
        for native in natives:
            self.space.validate(native)
        signs = string.ascii_lowercase + string.digits
        rows = [[native.lower().count(sign) for sign in signs] for native in natives]
        return np.array(rows, dtype=np.float32).reshape(len(natives), len(signs))


class Lengths(VectorEncoding):
    """How many layers there are, and how many that do something."""

    name = "lengths"

    def encode(self, natives):
        layers = [self.space.layers(native) for native in natives]
        rows = [[len(each), len(each) - each.count("skip")] for each in layers]
        return np.array(rows, dtype=np.float32).reshape(len(natives), 2)
