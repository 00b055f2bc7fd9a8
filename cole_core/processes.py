"""Processes of our own that a terminal's Ctrl-C does not reach: who started them ends them."""

import signal
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess


class _Process(SpawnProcess):
    def start(self) -> None:
        """Starts it with Ctrl-C blocked, from its first instruction on.

        Ctrl-C goes to each process of a terminal. These would answer it with a traceback each,
        beside the one line of the process that has them.
        """
        resource_tracker.ensure_running()  # which would unblock it, when it starts
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Spawning(SpawnContext):
    Process = _Process


# A fork would take the locks of torch's and Prefect's threads along.
SPAWN = _Spawning()
