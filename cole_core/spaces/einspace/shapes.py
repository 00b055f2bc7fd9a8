"""What the operations do to shapes. Nothing is allocated."""

from __future__ import annotations

from typing import NamedTuple

from cole_core.spaces.einspace.grammar import BRANCHINGS, Kind, Operation

_MODE = {3: "im", 2: "col"}

_MOST_VALUES = 10**9
"""Of one tensor: nested concatenations grow exponentially."""


class ShapeError(Exception):
    """An operation does not fit the shapes it meets; says why."""


class State(NamedTuple):
    """What is known of a value.

    Attributes:
        shape: Its sizes without the batch: (channels, height, width) in the mode `im`,
            (positions, features) in the mode `col`.
        folded: In the mode `col` the height and width that the last im2col left, to which col2im
            folds the positions back; None where branches disagree about them.
    """

    shape: tuple[int, ...]
    folded: tuple[int, int] | None = None

    @property
    def mode(self) -> str:
        return _MODE[len(self.shape)]

    @property
    def size(self) -> int:
        """Number of values."""
        product = 1
        for size in self.shape:
            product *= size
        return product

    def __str__(self) -> str:
        return f"{'×'.join(map(str, self.shape))} ({self.mode})"


def apply(operation: Operation, state: State) -> State:
    """The state after an operation with one input: computation, pre- or postrouting.

    Raises:
        ShapeError: The operation does not fit.
    """
    name, shape = operation.name, state.shape
    if name == "linear":
        return State((*shape[:-1], operation.numbers[0]), state.folded)
    if name == "perm":
        if len(operation.numbers) != len(shape) + 1:
            raise ShapeError(f"needs {len(operation.numbers) - 1} dimensions, not {state}")
        return State(tuple(shape[axis - 1] for axis in operation.numbers[1:]), state.folded)
    if name == "im2col":
        return _im2col(operation, state)
    if name == "col2im":
        if state.mode == "im":
            raise ShapeError(f"needs the mode col, not {state}")
        positions, features = shape
        folded = state.folded
        if folded is None or folded[0] * folded[1] != positions:
            wanted = "unknown" if folded is None else f"{folded[0]}×{folded[1]}"
            raise ShapeError(f"cannot fold {positions} positions: the last image was {wanted}")
        return State((features, *folded))
    return state  # identity, norm, relu, softmax, pos_enc


def _im2col(operation: Operation, state: State) -> State:
    if state.mode == "col":
        raise ShapeError(f"needs the mode im, not {state}")
    kernel, stride, padding = operation.numbers
    channels, height, width = state.shape
    if height < kernel or width < kernel:
        raise ShapeError(f"needs height and width of at least {kernel}, not {state}")
    rows = (height + 2 * padding - kernel) // stride + 1
    columns = (width + 2 * padding - kernel) // stride + 1
    return State((rows * columns, channels * kernel * kernel), (rows, columns))


def split(operation: Operation, state: State) -> State:
    """The state of each branch after a branching function.

    Raises:
        ShapeError: The operation does not fit.
    """
    if operation.name == "clone":
        return state
    parts, dimension = operation.numbers
    axis = dimension - 1
    if axis >= len(state.shape):
        raise ShapeError(f"needs {dimension} dimensions, not {state}")
    if state.shape[axis] % parts:
        raise ShapeError(f"cannot split dimension {dimension} of {state} in {parts}")
    size = state.shape[axis] // parts
    return State((*state.shape[:axis], size, *state.shape[axis + 1 :]), state.folded)


def join(operation: Operation, first: State, last: State, branches: int) -> State:
    """The state after an aggregation function.

    Args:
        operation: The aggregation function.
        first, last: What the first and the last branch end with. Those between are like the
            first.
        branches: How many there are.

    Raises:
        ShapeError: The operation does not fit.
    """
    a, b = first.shape, last.shape
    folded = first.folded if first.folded == last.folded else None
    if len(a) != len(b):
        raise ShapeError(f"needs branches of one mode, not {first} and {last}")
    if operation.name == "add":
        if a != b:
            raise ShapeError(f"needs branches of equal shapes, not {first} and {last}")
        return State(a, folded)
    if operation.name == "cat":
        dimension = operation.numbers[1]
        axis = dimension - 1
        if axis >= len(a):
            raise ShapeError(f"needs {dimension} dimensions, not {first}")
        if (*a[:axis], *a[axis + 1 :]) != (*b[:axis], *b[axis + 1 :]):
            raise ShapeError(
                f"needs branches that agree but for dimension {dimension}, not {first} and {last}"
            )
        return State((*a[:axis], (branches - 1) * a[axis] + b[axis], *a[axis + 1 :]), folded)
    if a[:-2] != b[:-2] or a[-1] != b[-2]:
        raise ShapeError(f"cannot multiply {first} by {last}")
    return State((*a[:-1], b[-1]), folded)


class Frame(NamedTuple):
    """A branching that has begun and not ended.

    Attributes:
        branch: What each branch begins with.
        first: What the first of two branches ended with; None before that.
        outer: The frame around it.
    """

    branch: State
    first: State | None
    outer: Frame | None


class Flow(NamedTuple):
    """What is known at a point of a derivation, read from left to right.

    Attributes:
        state: The state of the value that the next module or operation gets.
        frame: The innermost open branching.
    """

    state: State
    frame: Frame | None = None

    def enter(self, kind: Kind, nth: int) -> Flow:
        """The flow when the module in slot `nth` of a `kind` begins."""
        if kind is BRANCHINGS[2] and nth == 2:
            frame = self.frame
            assert frame is not None
            return Flow(frame.branch, Frame(frame.branch, self.state, frame.outer))
        return self

    def do(self, nonterminal: str, operation: Operation) -> Flow:
        """The flow after an operation.

        Raises:
            ShapeError: The operation does not fit, or what it makes is beyond all memory.
        """
        flow = self._do(nonterminal, operation)
        if flow.state.size > _MOST_VALUES:
            raise ShapeError(f"makes a tensor of more than {_MOST_VALUES:,} values")
        return flow

    def _do(self, nonterminal: str, operation: Operation) -> Flow:
        if nonterminal.startswith("branching_fn"):
            branch = split(operation, self.state)
            return Flow(branch, Frame(branch, None, self.frame))
        if nonterminal.startswith("aggregation_fn"):
            frame = self.frame
            assert frame is not None
            branches = int(nonterminal[-2])
            first = self.state if frame.first is None else frame.first
            return Flow(join(operation, first, self.state, branches), frame.outer)
        return Flow(apply(operation, self.state), self.frame)
