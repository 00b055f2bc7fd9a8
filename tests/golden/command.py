"""The command line as these tests drive it: found as installed, run in this process.

What the command `cole` stands for is read from the installed package, so that a move of the
module behind it changes nothing here; and one process for all commands loads PyTorch once.
"""

import contextlib
import io
import json
import signal
import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

Cole = Callable[..., dict[str, Any]]


def cole_at(home: Path) -> Cole:
    """Runs `cole ARGUMENTS --home HOME --json` and gives the object that it prints."""

    def run(*arguments: object) -> dict[str, Any]:
        return cole(*arguments, "--home", home)

    return run


def cole(*arguments: object) -> dict[str, Any]:
    """Runs `cole ARGUMENTS --json` and gives the object that it prints."""
    (script,) = (
        each
        for each in distribution("cole-warehouse").entry_points
        if (each.group, each.name) == ("console_scripts", "cole")
    )
    main = script.load()  # which says how the whole process may end: that is ours to say
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    given, printed = sys.argv, io.StringIO()
    sys.argv = ["cole", *map(str, arguments), "--json"]
    try:
        with contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code, f"{' '.join(sys.argv)} ended with {ended.value.code}"
    finally:
        sys.argv = given
        for number, handler in handlers.items():
            if signal.getsignal(number) is not handler and handler is not None:
                signal.signal(number, handler)
    summary: dict[str, Any] = json.loads(printed.getvalue())
    return summary
