"""The commands that come on standard input, one after the other in one process.

A package from outside is seen by a process from its start, and a process for every command would
spend most of its time on imports. Each line in is a JSON list of arguments; each line out is a JSON
list of the exit code, the standard output and the standard error.
"""

import contextlib
import io
import json
import sys

from flows.cli.app import main


def run(arguments: list[str]) -> tuple[int, str, str]:
    """Runs `cole ARGUMENTS`, as `tests/flows` does."""
    sys.argv = ["cole", *arguments]
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    return (code if isinstance(code, int) else 0), out.getvalue(), err.getvalue()


def serve() -> None:
    """Until standard input ends."""
    answers = sys.stdout  # commands write elsewhere
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    serve()
