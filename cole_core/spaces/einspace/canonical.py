"""Derivations rewritten until networks that are plainly equal are written equally.

A derivation is read as a chain of operations and branchings, whose branches are chains: this
flattens sequences, and takes routings apart. The rewrites, each of which preserves the function:

- identities vanish, and with them routings and sequences that do nothing;
- two permutations in a row are one, or none;
- im2col(1,1,0) and col2im in a row, in either order, vanish;
- a branching that cuts its input in parts, does nothing to them and joins them again vanishes;
- the two branches of clone(2) and add(2) stand in the order of their text.

The chain is then written as a derivation again: sequences nest to the right, and a permutation or
im2col forms a routing with the next permutation or col2im, if something that moves no dimensions
stands between them.
"""

from __future__ import annotations

from dataclasses import dataclass

from cole_core.spaces.einspace.grammar import BRANCHINGS, OPERATIONS, Operation
from cole_core.spaces.einspace.inference import do
from cole_core.spaces.einspace.shapes import Flow, State
from cole_core.spaces.einspace.tree import Module, walk

_NOTHING = "computation<identity>"
_PERMUTATIONS = {
    operation.numbers: operation
    for operation in OPERATIONS["prerouting_fn"]
    if operation.name == "perm"
}
_ROUTES = ("perm", "im2col", "col2im")


@dataclass(frozen=True)
class _Branching:
    """A branching in a chain, written out."""

    text: str
    name: str = "branching"


_Chain = list[Operation | _Branching]


def canonical_form(root: Module, state: State) -> str:
    """The derivation after all rewrites.

    Raises:
        InputError: Shapes do not fit.
    """
    flow = Flow(state)
    chains: list[_Chain] = [[]]  # the last is being written; those before are around it
    firsts: list[tuple[Operation, _Chain | None]] = []  # of open branchings: function, first branch
    for position, place in walk(root):
        kind, operation = place.parent.kind, place.child
        if isinstance(operation, Module):
            flow = flow.enter(kind, place.nth)
            if kind is BRANCHINGS[2] and place.nth == 2:
                firsts[-1] = (firsts[-1][0], chains.pop())
                chains.append([])
            continue
        flow = do(flow, position, place)
        if place.slot.nonterminal.startswith("branching_fn"):
            firsts.append((operation, None))
            chains.append([])
        elif place.slot.nonterminal.startswith("aggregation_fn"):
            split, first = firsts.pop()
            last = chains.pop()
            branches = [last] if first is None else [first, last]
            made = _join(kind.name, split, branches, operation)
            if made is not None:
                chains[-1].append(made)
        else:
            _append(chains[-1], operation)
    (chain,) = chains
    text = _write(chain)
    return f"routing[identity, {text}, identity]" if text.startswith("computation") else text


def _append(chain: _Chain, operation: Operation) -> None:
    """Adds an operation to a chain, together with what it undoes."""
    if operation.name == "identity":
        return
    last = chain[-1] if chain else None
    if isinstance(last, Operation):
        if (last.text, operation.name) == ("im2col(1,1,0)", "col2im") or (
            (last.name, operation.text) == ("col2im", "im2col(1,1,0)")
        ):
            chain.pop()
            return
        if last.name == operation.name == "perm":
            chain.pop()
            numbers = tuple(last.numbers[axis] for axis in operation.numbers)
            if numbers != tuple(range(len(numbers))):
                chain.append(_PERMUTATIONS[numbers])
            return
    chain.append(operation)


def _join(
    kind: str, split: Operation, branches: list[_Chain], join: Operation
) -> _Branching | None:
    """A branching in a chain; None if it does nothing."""
    cuts = (split.name, join.name) == ("group", "cat") and split.numbers == join.numbers
    if cuts and not any(branches):
        return None
    texts = [_write(branch) for branch in branches]
    if (split.name, join.name) == ("clone", "add"):
        texts.sort()
    return _Branching(f"{kind}{{{', '.join([split.text, *texts, join.text])}}}")


def _write(chain: _Chain) -> str:
    """A chain as a derivation."""
    modules: list[str] = []
    index = 0
    while index < len(chain):
        item = chain[index]
        index += 1
        if isinstance(item, _Branching):
            modules.append(item.text)
        elif item.name not in _ROUTES:
            modules.append(f"computation<{item.text}>")
        elif item.name == "col2im":
            modules.append(f"routing[identity, {_NOTHING}, col2im]")
        else:
            end = index
            while end < len(chain) and chain[end].name not in _ROUTES:
                end += 1
            closes = end > index and end < len(chain) and chain[end].name != "im2col"
            inner = _write(chain[index:end]) if closes else _NOTHING
            after = chain[end] if closes else None
            modules.append(
                f"routing[{item.text}, {inner}, {'identity' if after is None else after.text}]"
            )
            index = end + 1 if closes else index
    if not modules:
        return _NOTHING
    return (
        "".join(f"sequential({module}, " for module in modules[:-1])
        + modules[-1]
        + ")" * (len(modules) - 1)
    )
