"""The command line: `cole`. It fills a request, runs what it is of, and prints what came of it."""

from flows.cli.app import main

__all__ = ["main"]
