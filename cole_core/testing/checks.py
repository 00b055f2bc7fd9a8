"""What the contract suites share."""

import contextlib
import functools
import os
import pickle
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

import numpy as np

from cole_core.errors import InputError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""What may be a registered name: options, files and `+` or `:` beside it read it unambiguously."""

GARBAGE = ("", " ", "no architecture", "\0", "☃", "|" * 50, "(" * 5_000, "1e999", "x\n" * 20)
"""Strings that hardly any space means something by."""

_ELSEWHERE = """\
import os, pickle, sys
answers = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)
while True:
    try:
        sys.path[:] = pickle.load(sys.stdin.buffer)
    except EOFError:
        break
    function, arguments = pickle.load(sys.stdin.buffer)
    pickle.dump(function(*arguments), answers)
    answers.flush()
"""


def refused(call: Callable[..., Any], *arguments: Any) -> str:
    """Checks that a call is refused as bad input.

    Args:
        call: What is called.
        *arguments: Its arguments.

    Returns:
        What it says.

    Raises:
        AssertionError: It is not, or what it says is not one line. Another error passes through.
    """
    try:
        given = call(*arguments)
    except InputError as error:
        said = str(error)
        assert said.strip(), f"the InputError of {call!r} says nothing"
        assert len(said.splitlines()) == 1, f"an InputError is one line, not {said!r}"
        return said
    raise AssertionError(f"{call!r} took {arguments!r} and gave {given!r}: raise InputError")


@contextlib.contextmanager
def global_generators(seed: int) -> Iterator[None]:
    """Seeds the generators that nobody should draw from, for the time of a block."""
    torch = sys.modules.get("torch")
    kept = random.getstate(), np.random.get_state()
    states = None if torch is None else torch.random.get_rng_state()
    random.seed(seed)
    np.random.seed(seed)
    if torch is not None:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
        if torch is not None:
            torch.random.set_rng_state(states)


def in_another_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function gives in a process of its own, where strings hash to other numbers.

    Args:
        function: Of a module, so that it can be named there.
        *arguments: What pickles.

    Raises:
        AssertionError: It fails there; says how.
    """
    process, errors = _elsewhere()
    assert process.stdin is not None
    assert process.stdout is not None
    # The path first: what follows is found on it.
    process.stdin.write(pickle.dumps(sys.path) + pickle.dumps((function, arguments)))
    process.stdin.flush()
    try:
        return pickle.load(process.stdout)
    except EOFError:
        _elsewhere.cache_clear()
        process.wait()
        errors.seek(0)
        said = errors.read().decode(errors="replace")
        raise AssertionError(f"it fails in another process:\n{said}") from None


@functools.cache
def _elsewhere() -> tuple["subprocess.Popen[bytes]", IO[bytes]]:
    """The other process, which ends with this one, and what it writes on standard error."""
    errors = tempfile.TemporaryFile()  # noqa: SIM115 # as long as the process
    process = subprocess.Popen(
        [sys.executable, "-c", _ELSEWHERE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=os.environ | {"PYTHONHASHSEED": "4711"},
    )
    return process, errors


def attribute(contract: object, name: str) -> Any:
    """What a suite is given as a class attribute; a function as it is, and no method."""
    for kind in type(contract).__mro__:
        if name in vars(kind):
            found = vars(kind)[name]
            return found.__func__ if isinstance(found, staticmethod) else found
    raise AssertionError(f"{type(contract).__name__}: name what is tested as {name} = …")
