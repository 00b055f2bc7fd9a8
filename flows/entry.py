"""From arguments to an exit code: what is wrong with them is one line on standard error."""

import errno
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from cole_core.errors import InputError
from flows.output import visible

BAD_INPUT, FAULT = 2, 1
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


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Runs a command line.

    Returns:
        The exit code: 0 done, 1 a full disk, 2 bad input, 130 interrupted. Other faults raise.
    """
    try:
        check_arguments(arguments)
        return app(arguments, prog_name="cole", standalone_mode=False) or 0
    except InputError as error:
        complain(str(error))
    except TyperException as error:
        if text := error.format_message():  # a bare `cole` has printed its help by now
            if given := _given(error, arguments):
                text = f"{given}: {text.partition(': ')[2] or text}"
            complain(f"{text.rstrip('.')}; see '{_command(error)} --help'")
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
    except typer.Abort:
        return FAULT
    return BAD_INPUT


def check_arguments(arguments: Sequence[str]) -> None:
    """Checks that every argument is text.

    Raises:
        InputError: One holds a NUL or bytes that are no UTF-8.
    """
    for argument in arguments:
        if "\0" in argument or (not argument.isascii() and _has_surrogates(argument)):
            raise InputError(f"{argument!r} is not a text: give it in UTF-8, without NUL")


def complain(message: str) -> None:
    """Writes one line on standard error, whatever is in the message."""
    line = visible(" ".join(message.split()))
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"
    print(f"cole: {line}", file=sys.stderr)


def _has_surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _given(error: TyperException, arguments: Sequence[str]) -> str:
    """The option with its value as they were given, which the message about it leaves out."""
    names = getattr(getattr(error, "param", None), "opts", ())
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in names and (equals or place + 1 < len(arguments)):
            return f"{name} {value if equals else arguments[place + 1]}"
    return ""


def _command(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    return "cole" if context is None else str(context.command_path)
