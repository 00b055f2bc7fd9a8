"""A folder as the recipes of the pages find it: `cole-home`, filled small, and files of a user."""

from pathlib import Path
from typing import Any

import polars as pl

from cole_core.encodings.vectors import Vectors
from flows.resolve.requests import Measured
from flows.stages.embed import EmbedRequest, embed
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.ingest import IngestRequest, ingest
from flows.stages.render import RenderRequest, render
from flows.stages.search import SearchRequest, search
from tests.cole_core.spaces.corpus.networks import RESIDUAL
from tests.flows.conftest import Small


def fill(folder: Path, made: Small) -> Path:
    """Fills `cole-home` as `cole run` does it but small, and writes `my_cell.py`."""
    where: dict[str, Any] = {"space": "nasbench201", "home": folder / "cole-home"}
    table = folder / "baseline.csv"
    pl.read_csv(made.table).rename(
        {"cifar10_test_accuracy_200": "cifar10_baseline_accuracy"}
    ).write_csv(table)
    ingest(IngestRequest(**where, origin=str(table), source="analog-nasbench"))
    render(RenderRequest(**where))
    embed(EmbedRequest(**where))
    known = where | {"measured": Measured(dataset="cifar10"), "vectors": Vectors()}
    fit_heads(FitHeadsRequest(**known, sizes=(14, 30), draws=2))
    search(SearchRequest(**known, budget=30, seeds=(0, 1)))
    (folder / "my_cell.py").write_text(RESIDUAL["modules"])
    return folder
