"""What a worker of a cluster does with networks: a process of its own runs them.

That process keeps the limits, and may die without its worker: so a network that kills its process
costs nobody else anything. It serves the next networks as well, and ends when none comes.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cole_core.evaluation.outcomes import Attempt
from cole_core.evaluation.parcels import Parcel, Unopened
from cole_core.evaluation.workers import Workers

IDLE_SECONDS = 30.0  # then the process and its dataset go


@dataclass(frozen=True)
class _Idle:
    digest: str
    workers: Workers
    since: float


class Host:
    """The processes of one worker that run networks. Its threads may ask at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Idle] = []

    def run(self, digest: str, fetch: Callable[[], Parcel], native: str, seed: int) -> Attempt:
        """Runs one network.

        Args:
            digest: Of the evaluator's parcel.
            fetch: Gets it, where no process has it yet.
            native: The network.
            seed: Of its weights and of the order of images.

        Raises:
            RuntimeError: The evaluator does not start here.
        """
        with contextlib.ExitStack() as stack:
            workers = self._take(digest) or Workers(Unopened(fetch()), 1)
            stack.push(workers)
            workers.submit(native, seed)
            [attempt] = workers.done()
            stack.pop_all()
        self._keep(digest, workers)
        return attempt

    def close_idle(self, seconds: float) -> None:
        """Ends processes that had nothing to do for so long."""
        with self._lock:
            due = [each for each in self._idle if time.monotonic() - each.since >= seconds]
            self._idle = [each for each in self._idle if each not in due]
        for each in due:
            each.workers.close()

    def _take(self, digest: str) -> Workers | None:
        with self._lock:
            for each in self._idle:
                if each.digest == digest:
                    self._idle.remove(each)
                    return each.workers
        return None

    def _keep(self, digest: str, workers: Workers) -> None:
        with self._lock:
            self._idle.append(_Idle(digest, workers, time.monotonic()))
        timer = threading.Timer(IDLE_SECONDS, self.close_idle, [IDLE_SECONDS])
        timer.daemon = True
        timer.start()


HOST = Host()
"""This process's."""
