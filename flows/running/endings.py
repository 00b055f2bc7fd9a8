"""How a command ends before its time: one line, one exit code, nothing of it left running.

What a command has stored is stored for good, and the same command goes on from there; so an ending
may be short. The first signal unwinds the command as an exception does. Where that takes longer
than a moment (a batch that is in the model, a service that does not answer), and at a second
Ctrl-C, the process ends on the spot.

It is the first thing that a command imports: nothing of it costs time.
"""

import contextlib
import os
import select
import signal
import sys
import threading
import time
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from flows.running.children import kill_children

GRACE = 2.0  # seconds that unwinding may take
_KEPT = "what it stored is kept; run the same command again, it goes on from there"
_CLEAR = "\r\x1b[2K\x1b[?25h"  # the line of a progress bar, and the cursor that it hid

_SIGNALS = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "ended by SIGTERM",
    signal.SIGHUP: "ended, its terminal is closed",
}


@dataclass(frozen=True)
class Ending:
    """Why a command ends before its time.

    Attributes:
        code: Its exit code.
        reason: In words.
    """

    code: int
    reason: str

    @property
    def line(self) -> str:
        """What is said of it."""
        return f"cole: {self.reason}: {_KEPT}"


class Ended(KeyboardInterrupt):
    """A signal that ends the command has come. No fault, as Ctrl-C is none to any library."""


class Endings:
    """Sees to it that what runs in its block ends well, in a process of its own.

    A context manager for the main thread. Signals that this process was told to ignore, as `nohup`
    does, stay ignored.
    """

    def __init__(self) -> None:
        self._ending: Ending | None = None
        self._raised = False
        self._standard_error: int | None = None
        self._beginning = threading.RLock()  # a handler may run within a handler
        self._leaving = threading.Lock()

    def __enter__(self) -> "Endings":
        global _current
        self._heard, self._hears = os.pipe()
        os.set_blocking(self._hears, False)
        # The number of each signal, at once, whatever the main thread is at, and even where a
        # library has put a handler of its own in the place of this one.
        signal.set_wakeup_fd(self._hears, warn_on_full_buffer=False)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        _current = self
        self._numbers = [
            number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN
        ]
        for number in self._numbers:
            signal.signal(number, self._raise)
        return self

    def __exit__(self, *_: object) -> None:
        global _current
        self._raised = True  # the block is left: a signal is noted from here on, and raises nothing
        signal.set_wakeup_fd(-1)
        os.close(self._hears)
        self._listener.join()
        os.close(self._heard)
        if self._ending is not None:
            with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
                sys.stdout.flush()
            self._leave()
        _current = None
        for number in self._numbers:  # all is done: what is left is to leave
            signal.signal(number, signal.SIG_DFL)

    def end_now(self, ending: Ending) -> NoReturn:
        """Ends the process on the spot, from any thread."""
        self._begin(ending)
        self._leave()

    def _raise(self, number: int, _: FrameType | None) -> None:
        self._begin(_of_signal(number))
        if not self._raised:
            self._raised = True
            raise Ended

    def _listen(self) -> None:
        """Waits for signals, in a thread; from the first one on, no longer than a moment."""
        deadline: float | None = None
        while True:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            if not select.select([self._heard], [], [], left)[0]:
                self._leave()
            with self._beginning:
                number = int.from_bytes(os.read(self._heard, 1))
                if number in _SIGNALS:
                    self._begin(_of_signal(number))
            if number == 0:  # the block has ended
                return
            if number == signal.SIGINT and deadline is not None:
                self._leave()
            if number in _SIGNALS and deadline is None:
                deadline = time.monotonic() + GRACE

    def begun(self) -> bool:
        """Whether a signal has come, be it in this moment."""
        while select.select([self._heard], [], [], 0)[0]:  # the listener is about to read it
            time.sleep(0.001)
        with self._beginning:
            return self._ending is not None

    def _begin(self, ending: Ending) -> None:
        """Notes an ending if it is the first; from here on nothing else is said.

        It takes no lock but its own: the thread that is interrupted may hold any other, and the one
        that listens must never wait for it.
        """
        with self._beginning:
            if self._ending is not None:
                return
            self._ending = ending
            with contextlib.suppress(OSError):  # it may be closed
                standard_error = os.dup(2)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                self._standard_error = standard_error

    def _leave(self) -> NoReturn:
        self._leaving.acquire()  # for good: the first thread that comes here ends them all
        assert self._ending is not None
        try:
            kill_children()
        finally:  # whatever is wrong with them: nobody but this thread ends the process
            if self._standard_error is not None:
                clear = _CLEAR if os.isatty(self._standard_error) else ""
                with contextlib.suppress(OSError):  # the terminal is gone
                    os.write(self._standard_error, f"{clear}{self._ending.line}\n".encode())
            os._exit(self._ending.code)


_current: Endings | None = None


def end_now(ending: Ending) -> None:
    """Ends the command that is under way, from any thread; nothing where no command is."""
    if _current is not None:
        _current.end_now(ending)


def ending() -> bool:
    """Whether the command that is under way is to end."""
    return _current is not None and _current.begun()


def _of_signal(number: int) -> Ending:
    return Ending(128 + number, _SIGNALS[signal.Signals(number)])
