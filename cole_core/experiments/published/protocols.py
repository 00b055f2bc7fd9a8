"""The protocols of figures that other people published, as a space lists them: one TOML file.

A protocol is data: which values are learned and which judge, what is labelled, how much, by which
score, and the figures of each work with their source.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from cole_core.errors import InputError
from cole_core.spaces import space_class, spaces
from cole_core.spaces.base import SearchSpace

Score = Literal["kendall_tau", "spearman", "best"]
SCORES: Mapping[str, str] = {
    "kendall_tau": "Kendall tau",
    "spearman": "Spearman",
    "best": "best so far",
}
"""What a protocol is judged by: of rankings, or of the best that a search has found."""


@dataclass(frozen=True)
class Values:
    """A kind of measured values, from whatever source.

    Attributes:
        dataset, split, metric: As in `Target`.
        epochs: Epochs of training behind them.
    """

    dataset: str
    split: str
    metric: str
    epochs: int

    @classmethod
    def columns(cls) -> list[str]:
        """What an evaluation calls its fields."""
        return [each.name for each in fields(cls)]

    @property
    def words(self) -> str:
        """As people say it."""
        return f"{self.dataset} {self.split} {self.metric} after {self.epochs} epochs"

    @property
    def heading(self) -> str:
        """A table's heading that is read as this."""
        return f"{self.dataset}_{self.split}_{self.metric}_{self.epochs}"


@dataclass(frozen=True)
class Work:
    """One work's figures.

    Attributes:
        name: What it is called.
        source: Where the figures stand.
        figures: By size.
    """

    name: str
    source: str
    figures: Mapping[int, float]


@dataclass(frozen=True)
class PublishedProtocol:
    """How figures were measured.

    Attributes:
        name: What people ask for.
        title: A heading.
        about: The protocol in a sentence.
        learned: The values that heads learn, or that searches see.
        judged: The values that rankings, or what was found, are judged by.
        architectures: How many there must be.
        labelled: Which architectures are labelled: random ones, or the first in a file's order;
            None for searches.
        held_out: How many others are ranked; None ranks all, the labelled among them.
        sizes: Numbers of labelled architectures, or of evaluations.
        score: What is told: one of `SCORES`.
        works: Whose figures stand beside ours.
    """

    name: str
    title: str
    about: str
    learned: Values
    judged: Values
    architectures: int
    labelled: Literal["random", "first"] | None
    held_out: int | None
    sizes: tuple[int, ...]
    score: Score
    works: tuple[Work, ...]

    @property
    def is_search(self) -> bool:
        """Whether it is about searches, and not about rankings."""
        return self.score == "best"

    @property
    def needs(self) -> tuple[Values, ...]:
        """The kinds of values that it reads, each once."""
        return tuple(dict.fromkeys((self.learned, self.judged)))

    def theirs(self, size: int) -> list[dict[str, Any]]:
        """The works with a figure at a size: work, source, figure."""
        return [
            {"work": work.name, "source": work.source, "figure": work.figures[size]}
            for work in self.works
            if size in work.figures
        ]


def read_protocols(space: SearchSpace) -> dict[str, PublishedProtocol]:
    """The protocols that a space lists, by name and in its order; none where it lists none."""
    if space.published is None:
        return {}
    listed = tomllib.loads(space.published.read_text(encoding="utf-8"))
    return {name: _protocol(name, entry) for name, entry in listed.items()}


def choose_protocols(space: SearchSpace, names: Sequence[str]) -> list[PublishedProtocol]:
    """Those that are named, or all.

    Raises:
        InputError: There is none, or none of a name.
    """
    known = read_protocols(space)
    if not known:
        listing = [name for name in spaces if space_class(name).published is not None]
        raise InputError(
            f"no published figures of {space.name} are listed: choose --space {', '.join(listing)}"
        )
    for name in names:
        if name not in known:
            raise InputError(f"unknown protocol '{name}': choose one of {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


def _protocol(name: str, entry: Mapping[str, Any]) -> PublishedProtocol:
    judged = Values(**entry["judged"])
    return PublishedProtocol(
        name=name,
        title=entry["title"],
        about=entry["about"],
        learned=Values(**entry["learned"]) if "learned" in entry else judged,
        judged=judged,
        architectures=entry["architectures"],
        labelled=entry.get("labelled"),
        held_out=entry.get("held_out"),
        sizes=tuple(entry["sizes"]),
        score=entry["score"],
        works=tuple(_work(each) for each in entry["works"]),
    )


def _work(entry: Mapping[str, Any]) -> Work:
    figures = {int(size): float(figure) for size, figure in entry["figures"].items()}
    return Work(entry["name"], entry["source"], figures)
