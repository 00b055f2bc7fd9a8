"""Accuracies of all chains, as somebody measured them."""

import polars as pl

from cole_core.hashing import hash_text
from cole_core.sources.base import Source, check_natives, checked, require_space
from cole_tiny.space import Tiny, signal


class TinyBench(Source):
    """What comes with the package."""

    name = "tiny-bench"
    about = "tiny-bench, the installed package"

    def recognises(self, origin: str) -> bool:
        return origin == self.name

    def read(self, origin, space) -> pl.DataFrame:
        require_space(space, "tiny", self.name)
        natives = list(Tiny().enumerate())
        check_natives(natives, space, self.name)
        rows = (
            (native, "shapes", "accuracy", "test", 10, None, self.name, self._accuracy(native))
            for native in natives
        )
        return checked(rows, self.name)

    @staticmethod
    def _accuracy(native: str) -> float:
        noise = int(hash_text(native)[:4], 16) / 2**16
        return 55 + signal(native) + noise
