"""Evaluates several networks at a time, each in a process that may die."""

import contextlib
import math
import multiprocessing
import os
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import Protocol

from cole_core.evaluation.outcomes import CRASHED, TIMED_OUT, Attempt, over_time
from cole_core.evaluation.pool import NetworkPool
from cole_core.evaluation.settings import Limits
from cole_core.processes import SPAWN

_ATTEMPTS = 2  # of a network whose process died: the machine's fault once, its own the second time
_GRACE_SECONDS = 10.0  # beyond the limit, which a network keeps by itself while it trains


@dataclass(frozen=True)
class Job:
    """One network to evaluate."""

    native: str
    seed: int
    crashes: int = 0


class Evaluates(Protocol):
    """What a worker runs; can be sent to another process."""

    @property
    def limits(self) -> Limits:
        """What one network may cost."""

    def __call__(self, native: str, seed: int) -> Attempt:
        """Evaluates one network."""


class Workers(NetworkPool):
    """Processes that evaluate networks, one thread each. Use it as a context manager.

    Args:
        evaluator: Sent to each process once.
        count: Number of processes; they start with the first network.
    """

    def __init__(self, evaluator: Evaluates, count: int) -> None:
        self._evaluator = evaluator
        self._count = count
        self._workers: list[_Worker] = []
        self._waiting: deque[Job] = deque()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes."""
        for worker in self._workers:
            worker.kill()
        self._workers.clear()

    @property
    def slots(self) -> int:
        return self._count

    @property
    def pending(self) -> int:
        return len(self._waiting) + len(self._busy)

    def submit(self, native: str, seed: int) -> None:
        self._waiting.append(Job(native, seed))
        self._hand_out()

    def done(self, timeout: float | None = None) -> list[Attempt]:
        """As the base class has it.

        Raises:
            RuntimeError: A process died before it had a network.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        while self.pending:
            self._hand_out()
            busy = self._busy
            nearest = min(end, *(worker.deadline for worker in busy))
            wait(
                [worker.connection for worker in busy],
                None if nearest == math.inf else max(nearest - time.monotonic(), 0.0),
            )
            found = [each for worker in busy if (each := self._look(worker))]
            self._hand_out()
            if found or time.monotonic() >= end:
                return found
        return []

    @property
    def _busy(self) -> list["_Worker"]:
        return [worker for worker in self._workers if worker.job]

    def _hand_out(self) -> None:
        waiting = self._waiting
        while waiting and len(self._workers) < min(self._count, self.pending):
            self._workers.append(_Worker(self._evaluator))
        for worker in self._workers:
            if waiting and worker.job is None:
                worker.begin(waiting.popleft())

    def _look(self, worker: "_Worker") -> Attempt | None:
        """What came of a worker's network, None while it is at work or is to be tried again."""
        job = worker.job
        assert job is not None
        try:
            if worker.connection.poll():
                attempt: Attempt | None = worker.connection.recv()
                if attempt is None:  # it has started, and begins with the network now
                    worker.deadline = time.monotonic() + worker.allowed
                    return None
                worker.end()
                return attempt
        except (EOFError, ConnectionError):
            code = worker.bury()
            self._workers.remove(worker)
            if worker.deadline == math.inf:
                raise RuntimeError(f"a worker process does not start: exit code {code}") from None
            if job.crashes + 1 < _ATTEMPTS:
                self._waiting.appendleft(replace(job, crashes=job.crashes + 1))
                return None
            error = f"its process died {_ATTEMPTS} times, with exit code {code}"
            return Attempt(job.native, job.seed, CRASHED, error, time.monotonic() - worker.begun)
        if time.monotonic() < worker.deadline:
            return None
        worker.kill()
        self._workers.remove(worker)
        error = over_time(self._evaluator.limits)
        return Attempt(job.native, job.seed, TIMED_OUT, error, time.monotonic() - worker.begun)


class _Worker:
    """One process and the network that it is at."""

    def __init__(self, evaluator: Evaluates) -> None:
        self.connection, other = SPAWN.Pipe()
        self._process = SPAWN.Process(target=_work, args=(other,), daemon=True)
        self._process.start()
        other.close()
        # Not among the arguments: of a process that dies before it reads them, `start` would wait
        # for ever to hand over the dataset.
        self._send(evaluator)
        self.allowed = evaluator.limits.seconds + _GRACE_SECONDS
        self.job: Job | None = None
        self.begun = time.monotonic()
        self.deadline = math.inf  # until it has started

    def begin(self, job: Job) -> None:
        self.job = job
        self.begun = time.monotonic()
        if self.deadline < math.inf:
            self.deadline = self.begun + self.allowed
        self._send((job.native, job.seed))

    def _send(self, what: object) -> None:
        with contextlib.suppress(ConnectionError):  # it died: its end is seen where others' are
            self.connection.send(what)

    def end(self) -> None:
        self.job = None

    def kill(self) -> None:
        """Ends the process."""
        self._process.kill()
        self.bury()

    def bury(self) -> int | None:
        """Waits for the process, which is dying; returns its exit code."""
        self._process.join()
        code = self._process.exitcode
        self.connection.close()
        self._process.close()
        return code


def _work(connection: Connection) -> None:
    """A worker's life: networks come, attempts go, until the other end is closed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    evaluator = connection.recv()
    import torch

    torch.set_num_threads(1)
    connection.send(None)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        while True:
            native, seed = connection.recv()
            connection.send(evaluator(native, seed))


def _end_with_parent() -> None:
    """Ends this process when its parent is gone: nobody waits for its network any more."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
