"""Processes of our own that a terminal's Ctrl-C does not reach: who started them ends them."""

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

_starting = threading.Lock()


class _Process(SpawnProcess):
    def start(self) -> None:
        """Starts it with Ctrl-C blocked, from its first instruction on.

        Ctrl-C goes to each process of a terminal. These would answer it with a traceback each,
        beside the one line of the process that has them.
        """
        resource_tracker.ensure_running()  # which would unblock it, when it starts
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with _starting, _no_daemon():
                super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _no_daemon() -> Iterator[None]:
    """Lets a daemon have children, which multiprocessing refuses: Dask's workers are daemons.

    Nobody ends the children of one that is killed. Ours end when their parent is gone.
    """
    settings: dict[str, Any] = vars(multiprocessing.current_process())["_config"]
    before = settings.get("daemon", False)
    settings["daemon"] = False
    try:
        yield
    finally:
        settings["daemon"] = before


class _Spawning(SpawnContext):
    Process = _Process


# A fork would take the locks of torch's and Prefect's threads along.
SPAWN = _Spawning()
