"""Commands in a terminal of their own, and the ways in which a terminal and others end them."""

import contextlib
import os
import pty
import re
import select
import signal
import sys
import termios
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from flows.running.server_process import PROGRAM

_WRITTEN = re.compile(r"\x1b\[(\d*)([A-Za-z])|\x1b\[\?25[hl]|[\r\n]|[^\x1b\r\n]+")
_MARK = "COLE_TEST_COMMAND"  # in the environment of a command and of all that it starts
_PATIENCE = 240.0  # seconds for a command to come to where it is to be ended; a busy machine

WAYS = ("Ctrl-C", "Ctrl-C twice", "SIGTERM", "SIGTERM to its group", "SIGHUP", "server killed")
CODES = {"Ctrl-C": 130, "Ctrl-C twice": 130, "SIGHUP": 129, "server killed": 1}  # others: 143


def screen(output: bytes) -> list[str]:
    """The lines that stand in a terminal after something was written to it; a wide one."""
    lines, row, column = [""], 0, 0
    for found in _WRITTEN.finditer(output.decode()):
        piece, (number, letter) = found[0], found.groups()
        if piece == "\r":
            column = 0
        elif piece == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif letter == "A":
            row = max(row - int(number or 1), 0)
        elif letter == "K":
            lines[row] = ""
        elif not piece.startswith("\x1b"):
            kept = lines[row].ljust(column)
            lines[row] = kept[:column] + piece + kept[column + len(piece) :]
            column += len(piece)
    return lines


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: Its exit code; minus the signal that killed it.
        seconds: From the signal to its end.
        lines: What stands in the terminal after it, from the signal on.
        cursor: Whether the cursor is shown.
        left: Processes of it that were there after it.
    """

    code: int
    seconds: float
    lines: list[str]
    cursor: bool
    left: list[str]


@dataclass
class Terminal:
    """A command at work in a terminal.

    Args:
        arguments: Of `cole`.
        settings: Of its environment, added to this process's without what is Prefect's.
        hang_up: What SIGHUP does to it: ends it, as in a terminal that a person opened (also
            where the suite itself runs under `nohup`), or nothing, as under `nohup`.
    """

    arguments: tuple[str, ...]
    settings: dict[str, str]
    hang_up: signal.Handlers = signal.SIG_DFL
    output: bytes = field(default=b"", init=False)

    def __post_init__(self) -> None:
        self._mark = uuid.uuid4().hex
        kept = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
        environment = kept | self.settings | {_MARK: self._mark, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "flows.cli", *self.arguments]
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGHUP, self.hang_up)  # a child inherits what is ignored
            os.execve(sys.executable, command, environment)
        self.running = True
        self._before = termios.tcgetattr(self._screen)

    def wait_for(self, words: str) -> None:
        """Waits until the terminal has shown something."""
        deadline = time.monotonic() + _PATIENCE
        while words.encode() not in self.output:
            assert time.monotonic() < deadline, f"waited in vain for {words}: {self.output!r}"
            assert self._read(1.0), f"ended before it said {words}: {self.output!r}"

    def wait_a_moment(self) -> None:
        """Waits until Python runs the command, which still imports what it needs."""
        deadline = time.monotonic() + _PATIENCE
        cmdline = Path(f"/proc/{self.pid}/cmdline")
        while b"flows.cli" not in cmdline.read_bytes() or not self._catches():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _catches(self) -> bool:
        """Whether it has said by now what is to happen at SIGTERM."""
        (mask,) = re.findall(r"SigCgt:\s+(\w+)", Path(f"/proc/{self.pid}/status").read_text())
        return bool(int(mask, 16) >> (signal.SIGTERM - 1) & 1)

    def end(self, way: str) -> Ended:
        """Ends it, and tells how it went."""
        so_far, begun = len(screen(self.output)) - 1, time.monotonic()
        match way:
            case "Ctrl-C":
                os.write(self._screen, b"\x03")
            case "Ctrl-C twice":
                os.write(self._screen, b"\x03")
                time.sleep(0.2)
                if not self._has_ended():  # nobody presses it then
                    os.write(self._screen, b"\x03")
            case "SIGTERM":
                os.kill(self.pid, signal.SIGTERM)
            case "SIGTERM to its group":
                os.killpg(self.pid, signal.SIGTERM)
            case "SIGHUP":
                os.close(self._screen)
            case "server killed":
                os.kill(self._server(), signal.SIGKILL)
        return self._finish(so_far, begun, closed=way == "SIGHUP")

    def see_end(self) -> Ended:
        """Waits until something else has ended it, and tells how it went."""
        return self._finish(len(screen(self.output)) - 1, time.monotonic(), closed=False)

    def run(self) -> int:
        """Lets it come to its own end; gives its exit code."""
        return self._finish(0, time.monotonic(), closed=False, limit=_PATIENCE).code

    def _finish(self, so_far: int, begun: float, closed: bool, limit: float = 30.0) -> Ended:
        while not closed and self._read(0.1):
            if time.monotonic() > begun + limit:
                os.kill(self.pid, signal.SIGKILL)
        self.running = False
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        seconds = time.monotonic() - begun
        if not closed:
            assert termios.tcgetattr(self._screen) == self._before
            os.close(self._screen)
        time.sleep(0.2)  # killed processes go when the system comes to it
        hidden, shown = (self.output.rfind(f"\x1b[?25{letter}".encode()) for letter in "lh")
        lines = [line for line in screen(self.output)[so_far:] if line]
        return Ended(status, seconds, lines, shown >= hidden, list(self._processes().values()))

    def _has_ended(self) -> bool:
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, how) is not None

    def _read(self, seconds: float) -> bool:
        """Reads what there is; False once the command has closed the terminal."""
        if not select.select([self._screen], [], [], seconds)[0]:
            return True
        try:
            said = os.read(self._screen, 65_536)
        except OSError:  # how Linux says that the other side is closed
            return False
        self.output += said
        return bool(said)

    def _server(self) -> int:
        (pid,) = [pid for pid, command in self._processes().items() if str(PROGRAM) in command]
        return pid

    def _processes(self) -> dict[int, str]:
        """The processes of this command that live, whoever their parent is by now."""
        mark, found = f"{_MARK}={self._mark}".encode(), {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # ended since, or another user's
                if mark in (folder / "environ").read_bytes():
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found[int(folder.name)] = command
        return found
