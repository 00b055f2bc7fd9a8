"""From arguments to an exit code: what is wrong with them is one line on standard error."""

import contextlib
import difflib
import errno
import os
import select
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import cyclopts
from cyclopts.exceptions import (
    CoercionError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)

from cole_core.errors import InputError
from cole_core.registry import PluginWarning
from flows.cli.invalid import name_of, problem, shown, wanted
from flows.cli.vectors_option import faults_told, vectors_named
from flows.cli.words import visible

BAD_INPUT, FAULT, ENOUGH_READ = 2, 1, 141
_LONGEST = 1_000  # characters of a message

# What is wrong with a path that somebody named, and not with the machine.
_PATH_ERRORS = {
    errno.EACCES,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


def run(app: Callable[[list[str]], object], arguments: Sequence[str]) -> int:
    """Runs a command line.

    Args:
        app: What takes it, without what is for all commands.
        arguments: All of it.

    Returns:
        The exit code: 0 done, 1 a full disk or memory, 2 bad input, 141 where nobody reads on, as
        behind `| head`. Other faults raise, and so do the signals of `flows.running.endings`.
    """
    try:
        check_arguments(arguments)
        with plugin_warnings(), vectors_named(arguments) as rest, faults_told():
            app(rest)
        sys.stdout.flush()
        return 0
    except InputError as error:
        complain(str(error))
    except cyclopts.CycloptsError as error:
        complain(_explain(error))
    except BrokenPipeError:
        if not (closed := _closed_pipes()):
            raise
        for stream in closed:  # what is left to be written
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        return ENOUGH_READ
    except MemoryError as error:
        complain(
            f"not enough memory{f' ({error})' if str(error) else ''}: free some, or ask for less "
            "at a time (a smaller model, fewer samples); what was committed is kept"
        )
        return FAULT
    except OSError as error:
        if error.errno == errno.ENOSPC:
            complain(
                "no space left on the disk: free some and run the same command again, it goes on "
                "from what was committed"
            )
            return FAULT
        if error.errno not in _PATH_ERRORS or error.filename is None:
            raise
        complain(f"{error.filename}: {error.strerror}; name a place that can be used")
    return BAD_INPUT


def _explain(error: cyclopts.CycloptsError) -> str:
    """What is wrong with the words of a command line, in one line."""
    if isinstance(error, ValidationError) and (said := problem(error)) is not None:
        return said
    if isinstance(error, CoercionError) and error.token is not None:
        option = error.token.keyword or (name_of(error.argument) if error.argument else "value")
        if (remedy := wanted(error.target_type)) is not None:
            return f"{option} {shown(error.token.value)}: {remedy}"
    if isinstance(error, RepeatArgumentError):
        return f"{f'{error.token.keyword} {error.token.value}'.strip()}: given twice, give it once"
    help_ = " ".join(("cole", *(error.command_chain or ()), "--help"))
    return f"{_problem(error)}; see '{help_}'"


def _problem(error: cyclopts.CycloptsError) -> str:
    """The same of what no value is wrong with."""
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        if error.keyword is not None:
            return f"the value of {error.keyword} is missing"
        return f"{name_of(error.argument)} is missing"
    if isinstance(error, UnusedCliTokensError):
        return f"too many arguments: {' '.join(error.unused_tokens or ())}"
    if isinstance(error, UnknownCommandError) and error.app and error.unused_tokens:
        commands = [name for name in error.app if not name.startswith("-")]
        return _unknown("command", error.unused_tokens[0], commands)
    if isinstance(error, UnknownOptionError):
        options = [name for argument in error.argument_collection for name in argument.names]
        return _unknown("option", error.token.keyword or error.token.value, options)
    return " ".join(str(error).split()).rstrip(".")


def _unknown(kind: str, given: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(given, list(known), n=1)
    return f"no {kind} {given}" + (f" (did you mean {near[0]}?)" if near else "")


def check_arguments(arguments: Sequence[str]) -> None:
    """Checks that every argument is text.

    Raises:
        InputError: One holds a NUL or bytes that are no UTF-8.
    """
    for argument in arguments:
        if "\0" in argument or (not argument.isascii() and _has_surrogates(argument)):
            raise InputError(f"{argument!r} is not a text: give it in UTF-8, without NUL")


@contextlib.contextmanager
def plugin_warnings() -> Iterator[None]:
    """What is wrong with a package's plug-in is one line, too, for the time of a block."""
    usual = warnings.showwarning

    def show(
        message: Warning | str, category: type[Warning], *place: Any, **elsewhere: Any
    ) -> None:
        if issubclass(category, PluginWarning):
            complain(str(message))
        else:
            usual(message, category, *place, **elsewhere)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = usual


def complain(message: str) -> None:
    """Writes one line on standard error, whatever is in the message."""
    line = visible(" ".join(message.split()))
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"
    print(f"cole: {line}", file=sys.stderr)


def _closed_pipes() -> list[int]:
    """Standard output and standard error, those that nobody reads."""
    poll = select.poll()
    for stream in (sys.stdout, sys.stderr):
        poll.register(stream.fileno(), 0)  # what is wrong with a stream is told unasked
    return [stream for stream, what in poll.poll(0) if what & select.POLLERR]


def _has_surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
