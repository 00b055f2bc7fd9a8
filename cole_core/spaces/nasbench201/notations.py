"""Cells as others write them: operation lists in several orders, nested lists, places in the list.

    notation        edges                           operations by their numbers
    naslib          0→1, 0→2, 0→3, 1→2, 1→3, 2→3    skip, none, 3×3, 1×1, pool
    analognas       the same                        the same
    hw-nas-bench    0→1, 0→2, 1→2, 0→3, 1→3, 2→3    none, skip, 1×1, 3×3, pool
    index           the place in the official list

The orders of `hw-nas-bench` are those of NAS-Bench-201 itself: HW-NAS-Bench names architectures by
native strings and by places in the official list. Lists of names differ by the order of edges
alone, and where both orders give one cell it is sure what is meant.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from cole_core.errors import InputError, shortened
from cole_core.spaces.nasbench201.cell import EDGES, NODES, OPERATIONS, Cell, parse
from cole_core.spaces.other_notation import Lookup, OtherNotation

_BY_SOURCE = tuple(sorted(EDGES))
_NASLIB = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
_NASLIB_CLASSES = {
    "Identity": "skip_connect",
    "Zero": "none",
    "ReLUConvBN3x3": "nor_conv_3x3",
    "ReLUConvBN1x1": "nor_conv_1x1",
    "AvgPool1x1": "avg_pool_3x3",  # so called there; it pools 3×3
}
_NUMBERS = [str(number) for number in range(len(OPERATIONS))]
_LIST = re.compile(r"\s*[(\[]?([^()\[\]{}]*?),?\s*[)\]]?\s*")
_EDGE = re.compile(r"\(?\s*(\d)\s*(?:_|,|-|->|→|~)\s*(\d)\s*\)?")


def from_numbers(numbers: Sequence[int], notation: str) -> str:
    """The cell of an operation list by numbers.

    Args:
        numbers: Six of them.
        notation: naslib, analognas or hw-nas-bench.

    Raises:
        IndexError: A number is none of an operation.
        ValueError: They are not six.
    """
    edges, operations = _ORDERS[notation]
    return _cell(dict(zip(edges, (operations[number] for number in numbers), strict=True)))


_ORDERS = {
    "naslib": (_BY_SOURCE, _NASLIB),
    "analognas": (_BY_SOURCE, _NASLIB),
    "hw-nas-bench": (EDGES, OPERATIONS),
}


def _cell(operations: Mapping[tuple[int, int], str]) -> str:
    return Cell(tuple(operations[edge] for edge in EDGES)).format()


def _read_list(text: str, lookup: Lookup, notation: str) -> str:
    """An operation list, by numbers or by names, with brackets or without, commas or blanks."""
    edges, _ = _ORDERS[notation]
    found = _LIST.fullmatch(text)
    items = re.split(r"\s*,\s*|\s+", found[1].strip()) if found else []
    items = [item.strip("'\"") for item in items]
    if len(items) != len(EDGES):
        raise InputError(
            f"{shortened(text)} is no operation list: give six operations, of the edges "
            f"{', '.join(f'{source}→{target}' for source, target in edges)}"
        )
    if all(item in _NUMBERS for item in items):
        return from_numbers([int(item) for item in items], notation)
    if notation == "naslib" and all(item in _NASLIB_CLASSES for item in items):
        items = [_NASLIB_CLASSES[item] for item in items]
    are_numbers = all(re.fullmatch(r"\d+", item, re.ASCII) for item in items)
    for item in items:
        if item not in (_NUMBERS if are_numbers else OPERATIONS):
            raise InputError(
                f"{shortened(text)}: unknown operation '{item}': give numbers from 0 to 4, or "
                f"names of {', '.join(OPERATIONS)}"
            )
    return _cell(dict(zip(edges, items, strict=True)))


def _read_without_plus(text: str, lookup: Lookup) -> str:
    """A native string whose nodes are not joined by a plus: `|op~0||op~0|op~1||…`."""
    bare = "".join(text.split())
    if "+" in bare:
        raise InputError(f"{shortened(text)} has plus signs: give it without, or as it should be")
    found = re.fullmatch(r"\|((?:[^|]+\|+)+)", bare)
    edges = re.split(r"\|+", found[1].rstrip("|")) if found else []
    nodes, rest = [], edges
    for target in range(1, NODES):
        nodes.append("|" + "".join(f"{edge}|" for edge in rest[:target]))
        rest = rest[target:]
    if rest:
        raise InputError(f"{shortened(text)}: edges are {len(EDGES)}, not {len(edges)}")
    return parse("+".join(nodes)).format()


def _read_nodes(text: str, lookup: Lookup) -> str:
    """For each node its (operation, source) pairs: `[[('none', 0)], [('none', 0), …], …]`."""
    value = _value(text)
    try:
        operations = [
            ((int(source), target), str(operation))
            for target, node in enumerate(value, start=1)
            for operation, source in node
        ]
    except (TypeError, ValueError):
        operations = []
    return _complete(operations, text, "(operation, source) pairs of each node")


def _read_edges(text: str, lookup: Lookup) -> str:
    """Edges by name: `{'0_1': 'none', …}`, or (0, 1) as keys."""
    value = _value(text)
    operations: list[tuple[tuple[int, int], str]] = []
    for key, operation in value.items() if isinstance(value, dict) else ():
        edge = _EDGE.fullmatch(str(key))
        if edge is not None:
            operations.append(((int(edge[1]), int(edge[2])), str(operation)))
    return _complete(operations, text, "an operation for each of 0_1, 0_2, 1_2, 0_3, 1_3, 2_3")


def _read_configuration(text: str, lookup: Lookup) -> str:
    """What `get_net_config` of the official programs gives: a dictionary with `arch_str`."""
    value = _value(text)
    if not isinstance(value, dict) or not isinstance(value.get("arch_str"), str):
        raise InputError(f"{shortened(text)}: give a dictionary with 'arch_str'")
    return parse(value["arch_str"]).format()


def _complete(operations: Sequence[tuple[tuple[int, int], str]], text: str, form: str) -> str:
    if sorted(edge for edge, _ in operations) != list(_BY_SOURCE):
        raise InputError(f"{shortened(text)}: give {form}")
    return parse(_cell(dict(operations))).format()


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise InputError(f"{shortened(text)} is no value of Python: write it as one") from None


def _read_index(text: str, lookup: Lookup) -> str:
    """A place in the official list."""
    if not re.fullmatch(r"\s*\d{1,9}\s*", text, re.ASCII):
        raise InputError(f"{shortened(text)} is no place in a list: give a number, 0 or more")
    return lookup(int(text))


NOTATIONS: Mapping[str, OtherNotation] = {
    "naslib": OtherNotation(
        "an operation list in NASLib's order", partial(_read_list, notation="naslib")
    ),
    "analognas": OtherNotation(
        "an operation list in AnalogNAS-Bench's order", partial(_read_list, notation="analognas")
    ),
    "hw-nas-bench": OtherNotation(
        "an operation list in the order of NAS-Bench-201 and HW-NAS-Bench",
        partial(_read_list, notation="hw-nas-bench"),
    ),
    "index": OtherNotation("a place in the official list", _read_index, is_named=True),
    "without-plus": OtherNotation("a native string without plus signs", _read_without_plus),
    "nodes": OtherNotation("a list of each node's operations and sources", _read_nodes),
    "edges": OtherNotation("a dictionary of edges", _read_edges),
    "configuration": OtherNotation("a configuration with arch_str", _read_configuration),
}
