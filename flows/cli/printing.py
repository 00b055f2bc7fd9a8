"""What a command prints: pages for people, or one JSON object."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from flows.cli import summaries
from flows.cli.architecture_page import tell_architecture
from flows.cli.layout import Page
from flows.cli.next_steps import Step, possible
from flows.cli.words import cell, measured, whole


class Printer:
    """Prints results on standard output.

    Args:
        as_json: One JSON object instead of pages.

    Attributes:
        page: What people read.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self.page = Page()

    def summary(
        self, stage: str, summary: Mapping[str, Any], following: Step | None = None
    ) -> None:
        """What one stage did and what it skipped, and the next useful command.

        Args:
            stage: The command.
            summary: What it did.
            following: Tells the next command.
        """
        if self._as_json:
            self._json({"stage": stage, **summary})
            return
        summaries.tell(self.page, stage, summary)
        self._next(following)

    def lines(self, value: Mapping[str, Any], lines: Sequence[str]) -> None:
        """Lines, each wrapped under its own beginning, or the value that says the same."""
        if self._as_json:
            self._json(value)
            return
        for line in lines:
            words = line.lstrip()
            self.page.say(words, len(line) - len(words))

    def pipeline(
        self,
        stages: Mapping[str, Any],
        following: Step | None = None,
        explorer: str | None = None,
    ) -> None:
        """What the whole pipeline did, and the command of its explorer."""
        if self._as_json:
            self._json(stages)
            return
        summaries.done(self.page, stages)
        self.page.say("")
        summaries.kendall(self.page, stages["train"]["kendall_tau"])
        self.page.say("")
        searches = [(stage, did) for stage, did in stages.items() if did.get("searches")]
        found, algorithm = min(
            ((summaries.best_found(did), stage) for stage, did in searches),
            key=lambda pair: summaries.rank(stages[pair[1]], pair[0]),
        )
        self.page.fact("best architecture", found["best"])
        self.page.say(
            f"{measured(found['best_value'])} after {found['found_after']:,} evaluations, "
            f"{algorithm}, seed {found['seed']}",
            indent=2,
        )
        for said in stages["report"].get("findings", ()):
            self.page.say(f"{said['name']}:")
            self.page.say(f"{said['figure']} {said['unit']} ({said['note']})", indent=2)
        self.page.fact("report", stages["report"]["report"])
        if explorer is not None:
            self.page.fact("page to explore", explorer)
        self._next(following)

    def trained_pipeline(
        self,
        stages: Mapping[str, Any],
        following: Step | None = None,
        explorer: str | None = None,
    ) -> None:
        """What the pipeline did whose networks were trained here, and the command of its
        explorer."""
        if self._as_json:
            self._json(stages)
            return
        summaries.done(self.page, stages)
        self.page.say("")
        self.page.say(stages["compare"]["finding"])
        self.page.fact("table", stages["corpus"]["file"])
        self.page.fact("report", stages["report"]["report"])
        if explorer is not None:
            self.page.fact("page to explore", explorer)
        self._next(following)

    def status(self, status: Mapping[str, Any], following: Step | None = None) -> None:
        """Counts of what a warehouse holds."""
        if self._as_json:
            self._json(status)
            return
        summaries.status(self.page, status)
        self._next(following)

    def frame(
        self, frame: pl.DataFrame, following: Step | None = None, flowing: bool = False
    ) -> None:
        """The rows of a query; flowing: where they do not fit, in lines of several values."""
        if self._as_json:
            self._json({"columns": frame.columns, "rows": frame.to_dicts()})
            return
        numbers = [place for place, kind in enumerate(frame.dtypes) if kind.is_numeric()]
        rows = [[cell(value) for value in row] for row in frame.iter_rows()]
        if rows:
            self.page.table(frame.columns, rows, numbers=numbers, flowing=flowing)
        else:
            self.page.say(f"no rows of {', '.join(frame.columns)}")
        self._next(following)

    def schema(self, columns: pl.DataFrame, following: Step | None = None) -> None:
        """Views, each with its columns and what they mean."""
        if self._as_json:
            self.frame(columns)
            return
        for (view, about), rows in columns.group_by("view", "about", maintain_order=True):
            self.page.say(str(about), title=f"{view}: ")
            table = rows.select("column", "type", "meaning").rows()
            self.page.table(("column", "type", "meaning"), table, prose=(2,), indent=2)
            self.page.say("")
        self._next(following)

    def answer(
        self, question: str, found: Mapping[str, Any], about: str, following: Step | None = None
    ) -> None:
        """A list of architectures: a line for each with its numbers, and its text below.

        Args:
            question: The command.
            found: `columns` and `rows` of the answer, and what else is known of it.
            about: The same in words.
            following: Tells the next command.
        """
        if self._as_json:
            self._json({"question": question, **found})
            return
        self.page.say(about)
        for rank, row in enumerate(found["rows"], start=1):
            words = [
                whole(f"{name} {value:.4g}" if isinstance(value, float) else name)
                for name, value in row.items()
                if isinstance(value, float) or value is True
            ]
            self.page.value(f"{rank:>3}. {row['native']}", 0)
            self.page.say(", ".join(words), 5)
            if row.get("text"):
                self.page.value(row["text"], 7)
        if not found["rows"]:
            self.page.say("none")
        self._next(following)

    def architecture(self, found: Mapping[str, Any], following: Step | None = None) -> None:
        """Everything about one architecture."""
        if self._as_json:
            self._json({"question": "show", **found})
            return
        tell_architecture(self.page, found)
        self._next(following)

    def _next(self, following: Step | None) -> None:
        command = None if following is None else possible(following)
        if command is not None:
            self.page.command(command)

    def _json(self, value: Mapping[str, Any]) -> None:
        print(json.dumps(value, default=str))
