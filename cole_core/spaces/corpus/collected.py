"""What was found in a source of networks."""

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from cole_core.errors import InputError
from cole_core.sources.base import SCHEMA
from cole_core.sources.readings import Reading
from cole_core.spaces.corpus.members import Member


@dataclass(frozen=True)
class Collected:
    """Networks from a folder or a table, and what a table measured of them.

    Attributes:
        members: The networks, each once, in the order of the source.
        failed: Why others are none, a line each.
        folder: Whose modules their code can import; None for a table.
        rows: Measured values, as `cole_core.sources.base.checked` gives them; maybe none.
        readings: What each column of a table was taken for.
        said: How a table was read, where it is not plain.
    """

    members: tuple[Member, ...]
    failed: tuple[str, ...]
    folder: Path | None = None
    rows: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    readings: tuple[Reading, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """What each column was taken for, a line each."""
        return [*self.said, *(reading.line for reading in self.readings)]

    def check(self, source: str) -> None:
        """Checks that there is a network.

        Raises:
            InputError: All failed; says why the first did.
        """
        if self.members:
            return
        [first, *others] = self.failed
        if not others:
            raise InputError(first)
        raise InputError(f"{source}: none of {len(self.failed):,} is a network; the first: {first}")
