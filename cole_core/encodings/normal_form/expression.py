"""A network as one expression, as short as can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cole_core.encodings.normal_form.fusing import fused
from cole_core.encodings.normal_form.graph import Graph, Node, Ref, refs
from cole_core.encodings.normal_form.naming import input_names, value_names
from cole_core.encodings.normal_form.ordering import count_reads
from cole_core.encodings.normal_form.words import (
    OPERATORS,
    Text,
    in_order,
    write_index,
    write_options,
    write_value,
)

_BUDGET = 60
"""A value that is read twice and takes more characters has a name; blocks in a row are written
once where that saves more."""

_DEEPEST = 40
"""Calls within calls; a value that takes more has a name."""


@dataclass(frozen=True)
class Written:
    """A network as text.

    Attributes:
        lines: Statements before the value.
        value: What is returned.
        inputs: The names of the network's inputs.
    """

    lines: tuple[str, ...]
    value: str
    inputs: tuple[str, ...]


def write_expression(graph: Graph) -> Written:
    """The expression of a simplified graph.

    What is read twice is written twice, or has a name where it is long. Where the whole network
    passes through one value after another, `x` is that value, and equal blocks in a row are a loop
    with their number.
    """
    return _Writer(fused(graph)).write()


class _Writer:
    """Writes a graph whose nodes are calls with names.

    Args:
        graph: Fused.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._reads = count_reads(graph)
        self._inputs = [n for n, node in enumerate(graph.nodes) if node.operation == "input"]
        self._names = value_names()
        self._constant = _constants(graph)

    def write(self) -> Written:
        names = input_names(len(self._inputs))
        before = {number: Text(name) for number, name in zip(self._inputs, names, strict=True)}
        lines: list[str] = []
        waists = self._waists()
        ends = [*waists, None]
        shared = self._shared_constants(waists)
        constants, texts = self._block(shared, {}, self._names)
        lines += constants
        before |= {number: texts[number] for number in shared}
        value = Text("x")
        if not waists or waists[0] not in self._inputs or len(self._inputs) > 1:
            block = self._range(0, ends[0])
            made, texts = self._block(block, before, self._names)
            lines += made
            before |= texts
            if ends[0] is None:
                return self._end(lines, before, names)
            value = texts[ends[0]] if ends[0] in texts else before[ends[0]]
        blocks = [(a, self._range(a + 1, b)) for a, b in zip(waists, ends[1:], strict=True)]
        constants_of = {number: before[number] for number in shared}
        last = blocks.pop()
        made, value = self._chain(blocks, value, constants_of)
        lines += made
        if value.text != "x" and self._is_better_named(last, value):
            lines.append(f"x = {value.text}")
            value = Text("x")
        made, texts = self._block(last[1], {**constants_of, last[0]: value}, self._names)
        return self._end(lines + made, {**constants_of, last[0]: value, **texts}, names)

    def _end(self, lines: list[str], texts: dict[int, Text], names: list[str]) -> Written:
        output = self._graph.output
        if isinstance(output, tuple | list):
            value = ", ".join(write_value(part, texts.__getitem__) for part in output)
            value += "," if len(output) == 1 else ""
        else:
            value = write_value(output, texts.__getitem__)
        return Written(tuple(lines), value, tuple(names))

    def _waists(self) -> list[int]:
        """The values that everything passes through, first to last."""
        last_reader: dict[int, int] = {}
        for reader, node in enumerate(self._graph.nodes):
            for number in node.refs():
                last_reader[number] = reader
        for number in refs(self._graph.output):
            last_reader[number] = len(self._graph.nodes)
        found = []
        furthest = 0
        for number in range(len(self._graph.nodes)):
            if self._constant[number]:
                continue
            more_inputs = bool(self._inputs) and number < self._inputs[-1]
            if furthest <= number and not more_inputs:
                found.append(number)
            furthest = max(furthest, last_reader.get(number, 0))
        return found

    def _range(self, start: int, end: int | None) -> list[int]:
        """The nodes of a block, its end among them."""
        stop = len(self._graph.nodes) if end is None else end + 1
        return [
            number
            for number in range(start, stop)
            if self._graph.nodes[number].operation != "input"
        ]

    def _shared_constants(self, waists: Sequence[int]) -> list[int]:
        """What depends on no input and is read in several blocks, with all that it is made of."""
        block_of = {}
        block = 0
        for number in range(len(self._graph.nodes)):
            block_of[number] = block
            block += number in set(waists)
        readers: dict[int, set[int]] = {}
        for number, node in enumerate(self._graph.nodes):
            for read in node.refs():
                readers.setdefault(read, set()).add(block_of[number])
        wanted = [
            number
            for number, is_constant in enumerate(self._constant)
            if is_constant and len(readers.get(number, {0}) | {block_of[number]}) > 1
        ]
        needed: set[int] = set()
        while wanted:
            number = wanted.pop()
            if number not in needed:
                needed.add(number)
                wanted += self._graph.nodes[number].refs()
        return sorted(needed)

    def _is_better_named(self, block: tuple[int, Sequence[int]], value: Text) -> bool:
        """Whether a block's input gets a name before it."""
        start, nodes = block
        reads = sum(number == start for each in nodes for number in self._graph.nodes[each].refs())
        return value.depth > _DEEPEST or (reads > 1 and len(value.text) > _BUDGET)

    def _chain(
        self,
        blocks: Sequence[tuple[int, Sequence[int]]],
        value: Text,
        constants: dict[int, Text],
    ) -> tuple[list[str], Text]:
        """Blocks in a row, the equal ones as a loop."""
        keys = [self._key(block, constants) for block in blocks]
        lines: list[str] = []
        at = 0
        while at < len(blocks):
            length, times = _longest_repetition(keys[at:])
            if times > 1:
                if value.text != "x":
                    lines.append(f"x = {value.text}")
                made, value = self._chain(blocks[at : at + length], Text("x"), constants)
                body = [*made, f"x = {value.text}"] if value.text != "x" else made
                lines.append(f"for _ in range({times}):")
                lines += [f"    {line}" for line in body]
                value = Text("x")
                at += length * times
                continue
            start, nodes = blocks[at]
            if value.text != "x" and self._is_better_named(blocks[at], value):
                lines.append(f"x = {value.text}")
                value = Text("x")
            made, texts = self._block(nodes, {**constants, start: value}, self._names)
            lines += made
            value = texts[nodes[-1]]
            at += 1
        return lines, value

    def _key(self, block: tuple[int, Sequence[int]], constants: dict[int, Text]) -> str:
        start, nodes = block
        lines, texts = self._block(nodes, {**constants, start: Text("x")}, value_names())
        return "\n".join([*lines, texts[nodes[-1]].text])

    def _block(
        self, nodes: Sequence[int], before: dict[int, Text], names: Iterator[str]
    ) -> tuple[list[str], dict[int, Text]]:
        """The texts of nodes in their order, and the lines that name the long ones."""
        texts: dict[int, Text] = {}
        lines: list[str] = []

        def look_up(number: int) -> Text:
            return texts[number] if number in texts else before[number]

        for number in nodes:
            made = _write(self._graph.nodes[number], look_up)
            long = self._reads[number] > 1 and len(made.text) > _BUDGET
            if (long and number != nodes[-1]) or made.depth > _DEEPEST:
                name = next(names)
                lines.append(f"{name} = {made.text}")
                made = Text(name)
            texts[number] = made
        return lines, texts


def _constants(graph: Graph) -> list[bool]:
    """Which values depend on no input."""
    found: list[bool] = []
    for node in graph.nodes:
        found.append(node.operation != "input" and all(found[number] for number in node.refs()))
    return found


def _longest_repetition(keys: Sequence[str]) -> tuple[int, int]:
    """Of the repetitions at the beginning the one that saves most: its length, and how often.

    How often is 1 where none saves enough.
    """
    best, saved = (1, 1), _BUDGET
    for length in range(1, len(keys) // 2 + 1):
        if keys[length] != keys[0]:
            continue
        times = 1
        block = keys[:length]
        while keys[times * length : (times + 1) * length] == block:
            times += 1
        saving = (times - 1) * sum(map(len, block))
        if times > 1 and saving > saved:
            best, saved = (length, times), saving
    return best


def _write(node: Node, look_up) -> Text:  # type: ignore[no-untyped-def]
    """One node as an expression."""
    inputs = [
        look_up(value.number)
        if isinstance(value, Ref)
        else Text(write_value(value, look_up, tight=True))
        for value in node.inputs
    ]
    depth = 1 + max((text.depth for text in inputs), default=0)
    if node.operation == "add":
        terms = [term for text in inputs for term in text.terms or (text.text,)]
        terms = in_order(terms)
        return Text(" + ".join(terms), depth, binds=False, terms=tuple(terms))
    if node.operation in OPERATORS and len(inputs) == 2 and not node.options:
        texts = [text.tight for text in inputs]
        if node.operation == "mul":
            texts = in_order(texts)
        return Text(f" {OPERATORS[node.operation]} ".join(texts), depth, binds=False)
    if node.operation == "getitem":
        return Text(f"{inputs[0].tight}[{write_index(node.get('index'), look_up)}]", depth)
    arguments = [text.text for text in inputs]
    options = dict(node.options)
    name = options.pop("called", node.operation)
    if node.operation == "cat" or node.operation == "stack":
        arguments = [f"[{', '.join(arguments)}]"]
    if not arguments and not options:
        return Text(name, 0)
    arguments += write_options(tuple(options.items()), look_up, short=True)
    return Text(f"{name}({', '.join(arguments)})", depth)
