"""The command line: `cole`. It fills a request, runs what it is of, and prints what came of it."""

import contextlib
import sys

from flows.running import server_process
from flows.running.endings import Endings

# The commands that run flows, for which a server is there.
WITH_FLOWS = {
    *("run", "enumerate", "render", "embed", "ingest", "evaluate", "proxies", "train", "search"),
    *("report", "compare", "optimize"),
}
_NO_FLOWS = {"--help", "-h", "--dry-run"}


def main() -> None:
    """The entry point. How it may end is seen to before anything else is imported."""
    with Endings(), server_process.prepared() if _runs(sys.argv[1:]) else contextlib.nullcontext():
        from flows.cli import app

        app.main()


def _runs(arguments: list[str]) -> bool:
    return bool(WITH_FLOWS.intersection(arguments[:1])) and not _NO_FLOWS.intersection(arguments)
