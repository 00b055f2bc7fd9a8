"""Stacks of searches in processes of their own, one for each core.

Most of a search is small steps of Python, which threads would take turns at.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import polars as pl

from cole_core.errors import InputError
from cole_core.processes import SPAWN
from cole_core.search import Step
from cole_core.search.tabular import TabularSearch, search_rounds

_ENDED = "a process that ran searches ended early"


@dataclass(frozen=True)
class Stack:
    """Searches of one configuration that run together; the arguments of `search_rounds`."""

    made: TabularSearch
    budget: int
    seeds: Sequence[int]
    histories: Sequence[Sequence[Step]]
    until: float | None

    def rounds(self) -> Iterator[pl.DataFrame]:
        """Runs it: the new steps of each batch."""
        return search_rounds(self.made, self.budget, self.seeds, self.histories, self.until)


def run_stacks(stacks: Sequence[Stack], processes: int) -> Iterator[pl.DataFrame]:
    """Runs stacks side by side.

    Args:
        stacks: What to run.
        processes: At most so many at once; with one, in this process.

    Yields:
        The new steps of each batch, as they come.

    Raises:
        InputError: As a stack does.
        RuntimeError: A process ended before its stack did.
    """
    if processes == 1 or len(stacks) <= 1:
        for stack in stacks:
            yield from stack.rounds()
        return
    waiting = deque(stacks)
    connections: list[Connection] = []
    workers = []
    try:
        for _ in range(min(processes, len(stacks))):
            here, there = SPAWN.Pipe()
            worker = SPAWN.Process(target=_work, args=(there,), daemon=True)
            worker.start()
            there.close()  # the worker's alone: its end is noticed here
            workers.append(worker)
            connections.append(here)
            _send(here, waiting.popleft())
        while connections:
            for connection in wait(connections):
                assert isinstance(connection, Connection)
                try:
                    said = connection.recv()
                except (EOFError, ConnectionResetError):
                    raise RuntimeError(_ENDED) from None
                if isinstance(said, InputError):
                    raise said
                if said is not None:
                    yield said
                elif waiting:
                    _send(connection, waiting.popleft())
                else:
                    connection.close()
                    connections.remove(connection)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()


def _send(connection: "Connection[Any, Any]", stack: Stack) -> None:
    try:
        connection.send(stack)
    except (BrokenPipeError, ConnectionResetError):
        raise RuntimeError(_ENDED) from None


def _work(connection: "Connection[Any, Any]") -> None:
    """Runs the stacks that come until the other end closes; None says that one is done."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    with threadpool_limits(1):
        while True:
            try:
                stack = connection.recv()
            except EOFError:
                return
            try:
                for rows in stack.rounds():
                    connection.send(rows)
            except InputError as error:
                connection.send(error)
                return
            connection.send(None)
