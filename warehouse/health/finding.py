"""One thing that is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from warehouse.writer import Writer

Repair = Callable[[Writer], None]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        kind: What kind of thing, in a word or two: the same for the same fault.
        what: What is wrong.
        lost: What is lost by it; "nothing" where that is so.
        remedy: What `cole doctor --repair` does, or what a person can do.
        repair: Does it; None where only a person can.
        harmless: Whether the warehouse works as it should nevertheless.
    """

    kind: str
    what: str
    lost: str
    remedy: str
    repair: Repair | None = None
    harmless: bool = False

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.what}. Lost: {self.lost}. Remedy: {self.remedy}."


def set_aside(home: Path, path: Path) -> Path:
    """Moves a damaged file or table into `quarantine/`: nothing is deleted.

    Returns:
        Where it is now.
    """
    target = quarantine(home) / path.relative_to(home)
    target.parent.mkdir(parents=True)
    return path.rename(target)


def quarantine(home: Path) -> Path:
    """A folder of its own for what is set aside now."""
    return home / "quarantine" / datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
