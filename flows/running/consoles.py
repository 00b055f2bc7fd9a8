"""Rich's console, as this program writes to it."""

import sys

from rich.console import Console as RichConsole


class Console(RichConsole):
    """One that says when nobody reads any more, where Rich would end the program by itself.

    Args:
        stderr: Standard error instead of standard output.
    """

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(file=sys.stderr if stderr else None)

    def on_broken_pipe(self) -> None:
        """Lets the error go on to who decides what it means."""
        raise  # called while it is handled
