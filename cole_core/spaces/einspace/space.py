"""The search space: what the other rooms see of einspace."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cole_core.errors import InputError
from cole_core.registry import check_parameters
from cole_core.spaces.base import Roles, SearchSpace, Task
from cole_core.spaces.einspace.canonical import canonical_form
from cole_core.spaces.einspace.cost import Cost, cost
from cole_core.spaces.einspace.edits import crossings, mutants
from cole_core.spaces.einspace.notations import NOTATIONS
from cole_core.spaces.einspace.program import Program, lower
from cole_core.spaces.einspace.sampling import Bounds, draw
from cole_core.spaces.einspace.shapes import Flow, State
from cole_core.spaces.einspace.starting_points import starting_points
from cole_core.spaces.einspace.tree import modules_of, parse

if TYPE_CHECKING:
    from torch import nn

_MOST_DRAWS = 1_000
"""Mutants or crossings that are tried."""

_PARAMETERS_TEXT = re.compile(r"(\d+)x(\d+)x(\d+):(\d+)", re.ASCII)

_BOUNDS = ("max_modules", "max_parameters", "max_activations", "max_operations")

# Of what is drawn to be trained.
_ACTIVATIONS_PER_PIXEL = 3_000
_PARAMETERS = 500_000


class Einspace(SearchSpace):
    """Networks from a grammar (Ericsson et al., NeurIPS 2024, arXiv 2405.20838).

    A network ends with averaging and a linear classifier: over height and width in the mode `im`,
    from the channels; over the positions in the mode `col`, from the features. Published code
    averages the features instead and classifies from the positions. That mean is the same for
    every image after a softmax, and after a layer norm as it begins, so such networks could not
    learn; vision transformers and mixers average positions, too.

    The bounds hold for what is drawn: samples, mutants, crossings. They do not enter the
    architectures' ids, and any derivation whose shapes fit is an architecture, as long as it makes
    no more than 100,000 calls and no tensor of more than 10⁹ values.

    Args:
        input_shape: Channels, height and width of the images.
        classes: Outputs of the classifier.
        max_modules: Modules in a derivation.
        max_parameters: Trainable parameters.
        max_activations: Values that a network's operations make for one image (4 million are
            16 MB in fp32).
        max_operations: Calls of operations in a forward pass; they decide the time of small
            networks.

    Raises:
        InputError: A size is not positive, or there is no room for a network.
    """

    name = "einspace"
    encodings: ClassVar = {
        name: f"cole_core.spaces.einspace.encodings.{place}"
        for name, place in {
            "code.bare": "expression:Bare",
            "code.expression": "expression:Expression",
            "code.class": "code:CodeClass",
            "derivation": "derivation:Derivation",
            "derivation.canonical": "derivation:CanonicalDerivation",
            "onnx": "onnx:Onnx",
            "counts": "vectors:Counts",
            "ngram": "vectors:Ngram",
        }.items()
    }
    roles = Roles(
        reference="code.expression",
        renderings=("code.class", "derivation"),
        runnable="code.class",
        native="derivation",
        exported="onnx",
        rival="counts",
        classic="counts",
        controls=("ngram", "graf"),
    )
    default_dataset = "cifar10"
    notations = NOTATIONS

    def __init__(
        self,
        input_shape: Sequence[int] = (3, 32, 32),
        classes: int = 10,
        max_modules: int = 100,
        max_parameters: int = 2_000_000,
        max_activations: int = 4_000_000,
        max_operations: int = 1_000,
    ) -> None:
        if len(input_shape) != 3 or min(input_shape) < 1:
            raise InputError(
                f"input shape {tuple(input_shape)}: give channels, height and width, each 1 or more"
            )
        if classes < 1 or max_modules < 2:
            raise InputError(
                f"{classes} classes and at most {max_modules} modules: "
                "there must be a class, and a network has 2 modules or more"
            )
        self.input_shape = tuple(int(size) for size in input_shape)
        self.classes = int(classes)
        self.bounds = Bounds(max_modules, max_parameters, max_activations, max_operations)

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {"input_shape": list(self.input_shape), "classes": self.classes}

    @classmethod
    def parse_parameters(cls, text: str) -> dict[str, Any]:
        """Reads `3x32x32:10`: channels, height and width of the images, and number of classes."""
        if not text:
            return {}
        found = _PARAMETERS_TEXT.fullmatch(text)
        if found is None:
            raise InputError(
                f"search space '{cls.name}:{text}': after the colon give channels, height, width "
                f"and classes, as {cls.name}:3x32x32:10"
            )
        channels, height, width, classes = map(int, found.groups())
        return {"input_shape": (channels, height, width), "classes": classes}

    @property
    def full_name(self) -> str:
        return f"{self.name}:{'x'.join(map(str, self.input_shape))}:{self.classes}"

    @classmethod
    def for_task(
        cls, input_shape: tuple[int, int, int], classes: int, bounds: Mapping[str, int]
    ) -> Einspace:
        """The space for the task's images, with bounds that most networks train within in seconds.

        On the digits most take one second, few ten.
        """
        _, height, width = input_shape
        usual = {
            "max_activations": _ACTIVATIONS_PER_PIXEL * height * width,
            "max_parameters": _PARAMETERS,
        }
        check_parameters(cls.name, bounds, _BOUNDS)
        return cls(input_shape, classes, **{**usual, **bounds})

    @property
    def size(self) -> None:
        return None

    @property
    def input_state(self) -> State:
        """What a network begins with."""
        return State(self.input_shape)

    def program(self, native: str) -> Program:
        """The steps of a network without its classifier.

        Raises:
            InputError: The string is no derivation, or shapes do not fit.
        """
        return lower(parse(native), self.input_state)

    def cost(self, native: str) -> Cost:
        """Parameters, activations, multiply-accumulates and calls, by arithmetic.

        Raises:
            InputError: The string is no derivation, or shapes do not fit.
        """
        return cost(self.program(native), self.classes)

    def is_within_bounds(self, native: str, bounds: Bounds | None = None) -> bool:
        """Whether an architecture keeps all bounds, the space's own unless others are given."""
        return (bounds or self.bounds).admit(self._size(native))

    def _size(self, native: str) -> Bounds:
        """The bounds that an architecture just keeps."""
        root = parse(native)
        known = cost(lower(root, self.input_state), self.classes)
        return Bounds(modules_of(root), known.parameters, known.activations, known.operations)

    def validate(self, native: str) -> None:
        self.program(native)

    def enumerate(self) -> Iterator[str]:
        raise InputError("einspace is open-ended: draw so many with --samples N")

    def sample(self, rng: np.random.Generator) -> str:
        """A derivation by the grammar's probabilities, within the bounds.

        Draws that exceed a bound are drawn again, so larger derivations are rarer than the
        grammar makes them, and many of the rest are small: a quarter has two modules. Of two
        branches the second is drawn until it fits the first, so it is the grammar's given the
        first; but first branches that few others fit are rarer than the grammar makes them.
        """
        while True:
            native = draw("network", Flow(self.input_state), 0, 1, self.bounds, rng)
            if native is not None and self.is_within_bounds(native):
                return native

    def mutate(self, native: str, rng: np.random.Generator, edits: int = 1) -> str:
        """Derives the subtree at a random module or operation anew, `edits` times.

        A mutant whose shapes do not fit, or that exceeds a bound, is drawn again at another
        place. What exceeds a bound itself has mutants that exceed it no further.

        Raises:
            InputError: `edits` is not positive, or no mutant that keeps the bounds was found.
        """
        if edits < 1:
            raise InputError(f"{edits} edits are not possible: choose 1 or more")
        original, bounds = native, self.bounds.widened(self._size(native))
        for left in reversed(range(edits)):
            for mutant in mutants(native, self.input_state, bounds, _MOST_DRAWS, rng):
                # The last edit may not undo the others.
                if (left or mutant != original) and self._is_drawable(mutant, bounds):
                    native = mutant
                    break
            else:
                raise InputError(
                    f"of {_MOST_DRAWS} mutants of an einspace network none keeps the bounds: "
                    "raise max_parameters, max_activations or max_operations"
                )
        return native

    def crossover(self, first: str, second: str, rng: np.random.Generator) -> tuple[str, str]:
        """Swaps a subtree of each, of the same nonterminal and with shapes that fit.

        Subtrees whose shapes before and after agree are preferred. What exceeds a bound itself
        may be made into what exceeds it no further.

        Raises:
            InputError: No swap keeps the bounds.
        """
        bounds = self.bounds.widened(self._size(first)).widened(self._size(second))
        for one, other in islice(crossings(first, second, self.input_state, rng), _MOST_DRAWS):
            if self._is_drawable(one, bounds) and self._is_drawable(other, bounds):
                return one, other
        raise InputError("these einspace networks have no subtrees to swap within the bounds")

    def starting_points(self) -> dict[str, str]:
        """Known networks that fit the input, by name: resnet18, wrn16_4, vit, mixer.

        They are larger than the default bounds; their mutants may be as large as they are.
        """
        return starting_points(self.input_state)

    def _is_drawable(self, native: str, bounds: Bounds) -> bool:
        try:
            return self.is_within_bounds(native, bounds)
        except InputError:  # a new subtree need not fit what comes after it
            return False

    def canonical_form(self, native: str) -> str:
        """A derivation that is shared by networks which the rewrites make equal.

        See `cole_core.spaces.einspace.canonical` for the rewrites. They preserve the function;
        networks with different forms may still compute the same.
        """
        return canonical_form(parse(native), self.input_state)

    def parameter_count(self, native: str) -> int:
        return self.cost(native).parameters

    def flops(self, native: str) -> int:
        return self.cost(native).flops

    def runnable(self, native: str, task: Task | None = None) -> str:
        """The class of `code.class`; input shape and classes are the space's own."""
        from cole_core.spaces.einspace.encodings.code import write_class

        imports = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F"
        return f"{imports}\n\n\n{write_class(self.program(native), self.classes)}\n"

    def build(self, native: str) -> nn.Module:
        """The network with fresh weights, at the space's input shape.

        It must not be trained on batches of one image: batch norm may meet a single pixel.

        Raises:
            InputError: The string is no derivation, or shapes do not fit.
        """
        from cole_core.spaces.einspace.network import Network  # torch takes seconds to import

        return Network(self.program(native), self.classes)
