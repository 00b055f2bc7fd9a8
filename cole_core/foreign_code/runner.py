"""A process for code that may raise, hang, allocate without end or crash."""

import io
import math
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Any, Literal, TypeVar

from cole_core.errors import InputError
from cole_core.foreign_code.faults import Caught, one_line
from cole_core.processes import SPAWN

Kind = Literal["raised", "timed_out", "memory", "crashed"]
_Result = TypeVar("_Result")

_PLAIN = {"set", "frozenset", "complex", "bytearray", "range", "slice"}  # of builtins, pickled
_OURS = "cole_core."


@dataclass(frozen=True)
class RunLimits:
    """What one call may cost.

    Attributes:
        seconds: Wall time.
        mebibytes: Memory beyond that of Python and torch; kept on Linux.
    """

    seconds: float = 60.0
    mebibytes: int = 4_096

    def check(self) -> None:
        """Checks both.

        Raises:
            InputError: One is not positive.
        """
        if not 0 < self.seconds < math.inf or self.mebibytes < 1:
            raise InputError(
                f"limits of {self.seconds:g} s and {self.mebibytes} MiB: give positive ones"
            )


class RunFailed(Exception):  # noqa: N818
    """A call did not come to its end.

    Attributes:
        kind: raised, timed_out, memory (beyond the limit) or crashed (its process died).
        message: What went wrong, in one line.
    """

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message

    def __str__(self) -> str:
        return self.message


class Runner:
    """One process that runs calls, one after the other. Use it as a context manager.

    It starts with the first call, and again after a call that had to be killed. What is printed
    in it is shown nowhere.

    Args:
        limits: Of each call.
    """

    def __init__(self, limits: RunLimits = RunLimits()) -> None:
        limits.check()
        self.limits = limits
        self._worker: _Worker | None = None

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def call(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """Runs a function in the process.

        Args:
            function: Of a module of ours: it is sent by its name.
            arguments: Plain values, or what else can be pickled.

        Returns:
            What the function gives: plain values, and objects of `cole_core`'s classes.

        Raises:
            InputError: The function raised it.
            RunFailed: Anything else went wrong.
        """
        if self._worker is None:
            self._worker = _Worker(self.limits)
        try:
            outcome, given = self._worker.call(function, arguments, self.limits)
        except RunFailed:
            self._end()
            raise
        if outcome == "given":
            return given
        if outcome == "input":
            raise InputError(given)
        if outcome == "memory":  # what it took is not given back for certain
            self._end()
        raise RunFailed(outcome, given)

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None


class _Worker:
    """The process, as its parent has it."""

    def __init__(self, limits: RunLimits) -> None:
        self._connection, other = SPAWN.Pipe()
        self._process = SPAWN.Process(
            target=_serve, args=(other, limits.mebibytes), daemon=True, name="foreign code"
        )
        self._process.start()
        other.close()
        self._started = False

    def call(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], limits: RunLimits
    ) -> tuple[Any, Any]:
        try:
            if not self._started:
                self._connection.recv_bytes()  # importing torch is not the call's time
                self._started = True
            self._connection.send((function, arguments))
            if not self._connection.poll(limits.seconds):
                raise RunFailed("timed_out", f"not done after {limits.seconds:g} s")
            return _read(self._connection.recv_bytes())
        except (EOFError, OSError):
            self._process.join()
            raise RunFailed("crashed", _death(self._process.exitcode)) from None

    def kill(self) -> None:
        """Ends the process, and those that it started."""
        if self._process.pid is not None and self._process.exitcode is None:
            with suppress(ProcessLookupError, PermissionError):  # it leads no group as yet
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
        self._process.join()
        self._connection.close()
        self._process.close()


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"its process died by {signal.Signals(-code).name}"
    return f"its process ended with exit code {code}"


class _Plain(pickle.Unpickler):
    """Reads plain values and our own dataclasses: nothing that makes us import other code."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "builtins" and name in _PLAIN:
            return super().find_class(module, name)
        if module.startswith(_OURS) and isinstance(found := super().find_class(module, name), type):
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is no plain value")


def _read(data: bytes) -> tuple[Any, Any]:
    try:
        outcome, given = _Plain(io.BytesIO(data)).load()
    except pickle.UnpicklingError as error:
        return "raised", f"what it gave back cannot be read: {error}"
    return outcome, given


def keep_within(mebibytes: int) -> None:
    """Limits this process's memory to so much more than it has now; on Linux.

    Private memory is what counts: files and libraries that are mapped, and address space that is
    only reserved, cost nothing.
    """
    if sys.platform != "linux":
        return
    import resource

    import psutil

    most = psutil.Process().memory_info().data + mebibytes * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def silence() -> None:
    """Shows nothing of what this process prints, whoever prints it."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def lead_group() -> None:
    """Makes this process the first of a group, so that those it starts end with it."""
    with suppress(PermissionError):  # it leads one already
        os.setsid()


def _serve(connection: Connection, mebibytes: int) -> None:
    """The process's life: calls come, outcomes go, until the other end is closed."""
    lead_group()
    silence()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)
    keep_within(mebibytes)
    connection.send_bytes(b"")
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            function, arguments = connection.recv()
            connection.send_bytes(_outcome(function, arguments))


def _outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    result: Any = None
    with Caught() as caught:
        result = pickle.dumps(("given", function(*arguments)))
    error = caught.error
    if error is None:
        return result
    if isinstance(error, InputError):
        return pickle.dumps(("input", str(error)))
    return pickle.dumps(("memory" if caught.is_memory else "raised", one_line(error)))


def _end_with_parent() -> None:
    """Ends this process when its parent is gone: nobody waits for its call any more."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    with suppress(ProcessLookupError):
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)
