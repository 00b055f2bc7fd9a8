"""A process that runs stages in children, so that a test can kill one without paying its imports.

    python -m tests.flows.running.killable

Reads one JSON object per line ({"stage": ..., "home": ..., "model": ..., "table": ...}), forks, and
writes lines: the child's process id; what the child announces ("begun" when the run is recorded or
the migration starts, "ending" before its end is), each with a monotonic time; and the child's exit
status. It imports everything and starts nothing, so that its children inherit no threads.
"""

import json
import os
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from cole_core.encodings.vectors import Vectors
from flows.resolve.requests import AskedEmbeddings, Measured
from flows.stages import embed as embedding
from flows.stages import render as rendering
from flows.stages.embed import EmbedRequest, embed
from flows.stages.enumerate import EnumerateRequest, enumerate_architectures
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.render import RenderRequest, render
from flows.stages.search import SearchRequest, search
from flows.tasks import architectures
from flows.upkeep.maintenance import OptimizeRequest, optimize
from warehouse import Warehouse
from warehouse.writer import Writer

SIZE = 100
MEASURED = Measured(dataset="mine")

# Many commits to be killed between.
architectures.SHARD = 12
rendering.SHARD = 12
embedding.SHARD = 8


def options(model: str) -> AskedEmbeddings:
    """How texts are embedded."""
    return AskedEmbeddings(lm=model, pooling="mean", precision="fp32")


def _vectors(model: str) -> Vectors:
    return Vectors(lm=model, pooling="mean", precision="fp32")


def _run(stage: str, home: Path, model: str, table: str) -> Any:
    where: dict[str, Any] = {"space": "nasbench201", "home": home}
    on: dict[str, Any] = where | {"measured": MEASURED, "vectors": _vectors(model)}
    match stage:
        case "enumerate":
            return enumerate_architectures(EnumerateRequest(**where, samples=SIZE, seed=1))
        case "render":
            return render(RenderRequest(**where))
        case "embed":
            return embed(EmbedRequest(**where, options=options(model)))
        case "ingest":
            return ingest(IngestRequest(**where, origin=table))
        case "train":
            return fit_heads(FitHeadsRequest(**on, head="ridge", sizes=(20, 40), draws=4))
        case "search":
            return search(SearchRequest(**on, budget=40, seeds=(0, 1)))
        case "optimize":
            return optimize(OptimizeRequest(home=home, older_than=0))
        case "migrate":
            return _migrate(home)
    raise ValueError(stage)


def _migrate(home: Path) -> None:
    _announce("begun")
    Warehouse(home).migrate()
    _announce("ending")


def _announce(what: str) -> None:
    _write(f"{what} {time.monotonic()}")


def _write(line: str) -> None:
    """In one piece, since parent and child write to the same pipe."""
    os.write(1, f"{line}\n".encode())


def _announcing() -> None:
    """From here on a run says when its stage begins and ends."""
    start, finish = Writer.start_run, Writer.finish_run

    def start_run(self: Writer, *arguments: Any) -> None:
        start(self, *arguments)
        _announce("begun")

    def finish_run(self: Writer, *arguments: Any) -> None:
        _announce("ending")
        finish(self, *arguments)

    Writer.start_run, Writer.finish_run = start_run, finish_run  # type: ignore[method-assign]


def _child(command: dict[str, str]) -> None:
    _announcing()
    code = 1
    try:
        _run(command["stage"], Path(command["home"]), command["model"], command["table"])
        code = 0
    finally:  # the child ends here whatever happens, and says why
        if code:
            traceback.print_exc()
        os._exit(code)


def main() -> None:
    """Serves until its standard input ends."""
    warnings.filterwarnings("ignore", message=".*fork")
    _write("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _child(json.loads(line))
        _write(f"child {child}")
        _, status = os.waitpid(child, 0)
        _write(f"status {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
