"""Networks on a cluster, whichever engine runs it."""

import contextlib
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cole_core.errors import InputError
from cole_core.evaluation.attempts import AnyEvaluator
from cole_core.evaluation.outcomes import CRASHED, Attempt
from cole_core.evaluation.pool import NetworkPool

Pools = Callable[[AnyEvaluator], contextlib.AbstractContextManager[NetworkPool]]
"""Gives what runs an evaluator's networks, until the end of a with statement."""

Handle = TypeVar("Handle", bound=Hashable)


@dataclass(frozen=True)
class Sent:
    """A network that the cluster has."""

    native: str
    seed: int
    since: float


class ClusterNetworks(NetworkPool, Generic[Handle]):
    """Networks that an engine runs, which knows of dead workers and nodes by itself.

    It has twice as many as it runs at once, so that no worker waits for this process.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, int]] = deque()
        self._sent: dict[Handle, Sent] = {}

    @property
    def pending(self) -> int:
        return len(self._waiting) + len(self._sent)

    def submit(self, native: str, seed: int) -> None:
        self._waiting.append((native, seed))
        self._send()

    def done(self, timeout: float | None = None) -> list[Attempt]:
        """As the base class has it.

        Raises:
            InputError: The cluster is gone, or its workers cannot run the evaluator.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while self.pending:
            left = None if end is None else max(end - time.monotonic(), 0.0)
            found: list[Attempt] = []
            for handle in self._finished(left):
                sent = self._sent.pop(handle)
                attempt = self._outcome(handle, sent)
                if attempt is None:
                    self._waiting.appendleft((sent.native, sent.seed))
                else:
                    found.append(attempt)
            self._send()
            if found or left == 0.0:
                return found
        return []

    def _send(self) -> None:
        if not self._waiting:
            return
        room = 2 * self.slots - len(self._sent)
        for _ in range(min(room, len(self._waiting))):
            native, seed = self._waiting.popleft()
            self._sent[self._start(native, seed)] = Sent(native, seed, time.monotonic())

    @abstractmethod
    def _start(self, native: str, seed: int) -> Handle:
        """Hands a network to the engine."""

    @abstractmethod
    def _finished(self, timeout: float | None) -> list[Handle]:
        """Networks that the engine is done with; waits for one, so many seconds at most."""

    @abstractmethod
    def _outcome(self, handle: Handle, sent: Sent) -> Attempt | None:
        """What came of a network; None where it is to be sent again."""


def died(sent: Sent, error: BaseException) -> Attempt:
    """What is recorded of a network whose every worker died."""
    seconds = time.monotonic() - sent.since
    said = f"each worker that had it died: {type(error).__name__}"
    return Attempt(sent.native, sent.seed, CRASHED, said, seconds)


def not_started(place: str, error: BaseException) -> InputError:
    """What is said where a worker cannot run networks at all."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return InputError(
        f"a worker of {place} cannot run networks: {lines[-1].strip()}: install there what is "
        "installed here"
    )


def gone(place: str) -> InputError:
    """What is said where a cluster does not answer any more."""
    return InputError(
        f"{place} is gone: start it and repeat the command, which goes on from what is stored"
    )
