"""What a string resembles that is none of what `cole similar` reads, and how that is given."""

import ast
import contextlib
import json
import re

from cole_core.errors import InputError, shortened
from cole_core.spaces import spaces
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.notation import notation_of, read_native
from flows.resolve.spaces import find_space
from warehouse import Warehouse

_NUMBER = re.compile(r"[+-]?\d[\d_,.]*(e[+-]?\d+)?", re.IGNORECASE)
_GENOTYPE = re.compile(r"\bGenotype\s*\(|\b(normal|reduce)(_concat)?['\"]?\s*[=:]\s*(\[|\(|range)")
_GENOTYPE_NAME = "a genotype of DARTS"
_INDEX = "a number, which stands for another architecture in every table"
_BRACKETS = {"(": "a tuple", "[": "a list", "{": "a dictionary"}
_UNCLOSED = re.compile(r"[(\[{]\s*[-+\d'\"(\[{]")  # how a literal begins, and prose hardly
_PYTHON = re.compile(
    r"\s*(class\s+\w+\s*[(:]|def\s+\w+\s*\(|import\s+\w|from\s+[\w.]+\s+import\b|@\w"
    r"|(self|nn|torch|F)\.\w)"
)


def refusal(
    warehouse: Warehouse, space: SearchSpace, what: str, ways: str | None = None
) -> InputError:
    """Why a string is not read: one line that says what it resembles and how that is given.

    Args:
        warehouse: Says which parameters the other spaces have.
        space: Where its architecture was looked for.
        what: Neither an architecture of the space, nor an id, nor a file.
        ways: How each of the architectures that it may mean is asked for, where it may mean some.
    """
    given = shortened(what)
    literal = _literal(what.strip())
    if literal is None and ways is not None:
        literal = "a list"
    if literal is not None:
        return InputError(
            f"{given} is {literal}, and no architecture of {space.name} is written so: write it "
            f"as the space does, as in {notation_of(space).example}, or "
            + (f"say which is meant: {ways}" if ways else _remedy(space, literal))
        )
    if _PYTHON.match(what):
        return InputError(f"{given} is Python source: give its file, or --text to take it as text")
    others = _others(warehouse, space)
    for other in others:
        if read_native(other, what) is not None:
            return InputError(
                f"{given} is an architecture of {other.name}, not of {space.name}: "
                f"give --space {other.name}"
            )
    for meant in (space, *others):
        if notation_of(meant).resembles(what):
            also = "" if meant == space else f"; once it is right, give --space {meant.name}"
            return InputError(_broken(meant, what) + also)
    return InputError(
        f"{given} is no architecture of {space.name}, no stored id and no file: correct it, or "
        "give --text if it is a text"
    )


def _remedy(space: SearchSpace, literal: str) -> str:
    """What else can be done with what was written down."""
    named = [name for name, notation in space.notations.items() if notation.is_named]
    if literal == _GENOTYPE_NAME:
        return (
            "take it into a corpus, as a text column of a table beside the code: "
            "'cole ingest corpus:NAME TABLE'"
        )
    if literal == _INDEX and named:
        return f"say what it counts: --notation {' or '.join(named)}"
    return "give the network as FILE.py"


def _others(warehouse: Warehouse, space: SearchSpace) -> list[SearchSpace]:
    found = []
    for name in spaces:
        # A package that cannot be imported is no matter of this question.
        with contextlib.suppress(InputError):
            found.append(find_space(warehouse, name))
    return [other for other in found if other.name != space.name]


def _broken(space: SearchSpace, what: str) -> str:
    """What a space says of a string that is none of its architectures."""
    try:
        space.validate(what.strip())
    except InputError as error:
        return str(error)
    return f"{shortened(what)} has blanks that do not belong there: leave them out"


def _literal(text: str) -> str | None:
    """What kind of value a string writes down; None where it writes none."""
    if _GENOTYPE.search(text):
        return _GENOTYPE_NAME
    if _NUMBER.fullmatch(text):
        return _INDEX
    if not text.startswith(("(", "[", "{", "'", '"')):
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _json(text)
    names: dict[type, str] = {tuple: "a tuple", list: "a list", dict: "a dictionary", set: "a set"}
    if isinstance(value, str):
        return "in quotes of its own"
    return names.get(type(value), _INDEX)


def _json(text: str) -> str | None:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        if text[0] in _BRACKETS and _UNCLOSED.match(text):
            return f"{_BRACKETS[text[0]]} that is not complete"
        return None
    return "JSON"
