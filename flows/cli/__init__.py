"""The command line: `cole`. It fills a request, runs what it is of, and prints what came of it."""

from flows.running.endings import Endings


def main() -> None:
    """The entry point. How it may end is seen to before anything else is imported."""
    with Endings():
        from flows.cli import app

        app.main()
