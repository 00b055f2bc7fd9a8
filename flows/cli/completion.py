"""Completion of commands and options in a shell."""

from typing import Literal

from flows.cli.options import Json
from flows.cli.printing import Printer


def completion(shell: Literal["bash", "fish", "zsh"], /, *, as_json: Json = False) -> None:
    """Prints a script that completes commands and options of `cole` in a shell.

    For bash once and for all: `cole completion bash >> ~/.bash_completion`; for fish
    `cole completion fish > ~/.config/fish/completions/cole.fish`; for zsh into a file _cole of a
    folder that $fpath names.

    Args:
        shell: Which shell: bash, fish or zsh.
    """
    from flows.cli.app import make_app

    script = make_app().generate_completion(shell=shell)
    if as_json:
        Printer(as_json).lines({"shell": shell, "script": script}, [])
    else:
        print(script)  # as it is: a shell reads it, and no line of it may be wrapped
