"""The grammar of einspace (Ericsson et al., NeurIPS 2024, arXiv 2405.20838) as data.

A derivation is a tree. Its inner nodes are *modules* of one of six kinds, its leaves *operations*.
"""

from __future__ import annotations

from dataclasses import dataclass

COMPUTATION_PROBABILITY = 0.32
"""Probability that a module is a computation. A module has 0.98 modules on average, so that
derivations barely end by themselves."""


@dataclass(frozen=True)
class Operation:
    """A leaf of a derivation.

    Attributes:
        name: What is done ("im2col").
        numbers: Its numbers (kernel, stride and padding).
        text: How a derivation writes it ("im2col(3,1,1)").
    """

    name: str
    numbers: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class Slot:
    """A place in a kind of module that a module or an operation fills.

    Attributes:
        nonterminal: What may stand there: "module" or a key of `OPERATIONS`.
    """

    nonterminal: str


@dataclass(frozen=True)
class Kind:
    """A kind of module and how a derivation writes it.

    Attributes:
        name: Its name ("branching(2)").
        parts: The text from left to right, with the slots in it.
        copies: How many times each inner module is made.
    """

    name: str
    parts: tuple[str | Slot, ...]
    copies: int = 1

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(part for part in self.parts if isinstance(part, Slot))

    @property
    def modules(self) -> int:
        """Number of its inner modules."""
        return sum(slot.nonterminal == "module" for slot in self.slots)

    @property
    def form(self) -> str:
        """How it is written, for an error message."""
        return "".join(
            part if isinstance(part, str) else part.nonterminal.partition("(")[0]
            for part in self.parts
        )


def _branching(branches: int) -> Kind:
    """Two branches are two modules; more are copies of one, each with weights of its own."""
    modules = ("module", "module") if branches == 2 else ("module",)
    slots = (f"branching_fn({branches})", *modules, f"aggregation_fn({branches})")
    parts: list[str | Slot] = [f"branching({branches}){{"]
    for slot in slots:
        parts += [Slot(slot), ", "]
    return Kind(f"branching({branches})", (*parts[:-1], "}"), 1 if branches == 2 else branches)


SEQUENTIAL = Kind("sequential", ("sequential(", Slot("module"), ", ", Slot("module"), ")"))
ROUTING = Kind(
    "routing",
    ("routing[", Slot("prerouting_fn"), ", ", Slot("module"), ", ", Slot("postrouting_fn"), "]"),
)
COMPUTATION = Kind("computation", ("computation<", Slot("computation_fn"), ">"))
BRANCHINGS = {branches: _branching(branches) for branches in (2, 4, 8)}

KINDS = (SEQUENTIAL, *BRANCHINGS.values(), ROUTING, COMPUTATION)


def _composites(total: float) -> dict[Kind, float]:
    ninth = total / 9
    return {
        SEQUENTIAL: 3 * ninth,
        **dict.fromkeys(BRANCHINGS.values(), ninth),
        ROUTING: 3 * ninth,
    }


MODULES: dict[str, dict[Kind, float]] = {
    "network": _composites(1.0),
    "module": {
        **_composites(1 - COMPUTATION_PROBABILITY),
        COMPUTATION: COMPUTATION_PROBABILITY,
    },
}
"""The kinds that a network (the root) and a module may be, with their probabilities."""


def _operations(*texts: str) -> tuple[Operation, ...]:
    made = []
    for text in texts:
        name, _, inner = text.partition("(")
        if inner == "scaled)":
            made.append(Operation("scaled_dot_product", (), text))
        else:
            numbers = tuple(int(number) for number in inner.rstrip(")").split(",") if number)
            made.append(Operation(name, numbers, text))
    return tuple(made)


_PERMUTATIONS = (
    "perm(0,2,1)",
    "perm(0,1,3,2)",
    "perm(0,3,1,2)",
    "perm(0,3,2,1)",
    "perm(0,2,1,3)",
    "perm(0,2,3,1)",
)

OPERATIONS: dict[str, tuple[Operation, ...]] = {
    **{
        f"branching_fn({k})": _operations(
            f"clone({k})", f"group({k},1)", f"group({k},2)", f"group({k},3)"
        )
        for k in BRANCHINGS
    },
    **{
        f"aggregation_fn({k})": _operations(
            f"add({k})",
            f"cat({k},1)",
            f"cat({k},2)",
            f"cat({k},3)",
            *(("dot_product", "dot_product(scaled)") if k == 2 else ()),
        )
        for k in BRANCHINGS
    },
    "prerouting_fn": _operations(
        "identity",
        *_PERMUTATIONS,
        "im2col(1,1,0)",
        "im2col(1,2,0)",
        "im2col(3,1,1)",
        "im2col(3,2,1)",
        "im2col(4,4,0)",
        "im2col(8,8,0)",
        "im2col(16,16,0)",
    ),
    "postrouting_fn": _operations("identity", *_PERMUTATIONS, "col2im"),
    "computation_fn": _operations(
        "identity",
        *(f"linear({width})" for width in (16, 32, 64, 128, 256, 512, 1024, 2048)),
        "norm",
        "relu",
        "softmax",
        "pos_enc",
    ),
}
"""The operations that may stand in a slot, equally probable where their shapes fit."""
