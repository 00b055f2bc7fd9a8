"""Spaces whose networks fail or leave a trace.

The processes that train import this module: it imports no more than they need.
"""

import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import nn

from cole_core.spaces.nasbench201 import NASBench201

CELL = "|{}~0|+|{}~0|none~1|+|skip_connect~0|none~1|none~2|"
FRAGILE = {
    CELL.format("none", "none"): "crashed",
    CELL.format("none", "skip_connect"): "failed",
    CELL.format("skip_connect", "none"): "ok",
}


class Fragile(NASBench201):
    """Three cells, whose networks may kill their process or fail."""

    name = "fragile"

    def sample(self, rng: np.random.Generator) -> str:
        return list(FRAGILE)[rng.integers(len(FRAGILE))]

    def build_for(self, native: str, *arguments: Any) -> nn.Module:
        if FRAGILE[native] == "crashed":
            os._exit(3)
        if FRAGILE[native] == "failed":
            return nn.Linear(3, 10)
        return super().build_for(native, *arguments)


class Distinct(Fragile):
    """The same, each the only one of its canonical form."""

    name = "distinct"

    def canonical_form(self, native: str) -> str:
        return native


class Choosy(NASBench201):
    """Cells whose networks fail where they pool what comes in."""

    name = "choosy"

    def build_for(self, native: str, *arguments: Any) -> nn.Module:
        network = super().build_for(native, *arguments)
        return nn.Linear(3, 10) if "avg_pool_3x3~0" in native else network


class Diarist(NASBench201):
    """Writes down each network that it builds to be trained."""

    diary: ClassVar[Path]

    def __init__(self) -> None:
        self.path = self.diary  # travels to the processes that build

    def build_for(self, native: str, *arguments: Any) -> nn.Module:
        network = super().build_for(native, *arguments)
        if next(network.parameters()).device.type != "meta":
            with self.path.open("a") as diary:
                diary.write(f"{native}\n")
        return network
