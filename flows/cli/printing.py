"""What a command prints: tables for people, or one JSON object."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text


class Printer:
    """Prints results on standard output.

    Args:
        as_json: One JSON object instead of tables.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console()

    def summary(self, stage: str, summary: Mapping[str, Any]) -> None:
        """What one stage did and what it skipped."""
        if self._as_json:
            self._json({"stage": stage, **summary})
            return
        self._console.print(f"[bold]{stage}[/]: {_words(summary)}", highlight=False)

    def lines(self, value: Mapping[str, Any], lines: Sequence[str]) -> None:
        """Lines as they are, or the value that says the same."""
        if self._as_json:
            self._json(value)
            return
        print(*map(visible, lines), sep="\n")

    def pipeline(self, stages: Mapping[str, Any]) -> None:
        """What the whole pipeline did."""
        if self._as_json:
            self._json(stages)
            return
        self._done(stages)
        for row in stages["train"]["kendall_tau"]:
            tau = "none, the head collapsed"
            if row["mean"] is not None:
                tau = f"{row['mean']:.3f} ± {row['std']:.3f}"
            self._console.print(
                f"Kendall tau with {row['n']} labelled: {tau} ({row['draws']} draws)",
                highlight=False,
            )
        algorithm, best = max(
            (
                (stage, found)
                for stage, summary in stages.items()
                for found in summary.get("searches", [])
            ),
            key=lambda pair: (
                pair[1]["best_value"] * (-1 if stages[pair[0]]["direction"] == "lower" else 1),
                -pair[1]["found_after"],
            ),
        )
        self._console.print(
            f"Best architecture: {best['best']}\n  {best['best_value']:.2f} after "
            f"{best['found_after']} evaluations, {algorithm}, seed {best['seed']}",
            highlight=False,
            markup=False,
        )
        self._console.print(f"Report: {stages['report']['report']}", highlight=False)

    def trained_pipeline(self, stages: Mapping[str, Any]) -> None:
        """What the pipeline did whose networks were trained here."""
        if self._as_json:
            self._json(stages)
            return
        self._done(stages)
        self._console.print(stages["compare"]["finding"], highlight=False, markup=False)
        for name, path in (
            ("Table", stages["corpus"]["file"]),
            ("Report", stages["report"]["report"]),
        ):
            self._console.print(f"{name}: {path}", highlight=False, markup=False)

    def _done(self, stages: Mapping[str, Any]) -> None:
        table = Table(title="What was done")
        for column in ("stage", "done", "already there"):
            table.add_column(column)
        for stage, summary in stages.items():
            unit, done = next(iter(_counts(summary).items()))
            table.add_row(stage, f"{done:,} {unit}", f"{summary.get('skipped', 0):,}")
        self._console.print(table)

    def status(self, status: Mapping[str, Any]) -> None:
        """Counts of what a warehouse holds."""
        if self._as_json:
            self._json(status)
            return
        for title in ("spaces", "renderings", "embeddings", "evaluations"):
            rows = status[title]
            if isinstance(rows, Mapping):
                rows = [{"space": space} | counts for space, counts in rows.items()]
            if rows:
                self._table(pl.DataFrame(rows), title=title)
        others = {name: status[name] for name in ("trials", "heads", "searches", "runs")}
        self._console.print(_words(others), highlight=False)

    def frame(self, frame: pl.DataFrame) -> None:
        """The rows of a query."""
        if self._as_json:
            self._json({"columns": frame.columns, "rows": frame.to_dicts()})
            return
        self._table(frame)

    def schema(self, columns: pl.DataFrame) -> None:
        """Views, each with its columns and what they mean."""
        if self._as_json:
            self.frame(columns)
            return
        for (view, about), rows in columns.group_by("view", "about", maintain_order=True):
            self._console.print(f"\n[bold]{view}[/]: {escape(str(about))}", highlight=False)
            table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
            table.add_column(no_wrap=True)
            table.add_column(no_wrap=True, style="dim")
            table.add_column()
            for row in rows.iter_rows(named=True):
                table.add_row(*(Text(str(row[name])) for name in ("column", "type", "meaning")))
            self._console.print(table)

    def answer(self, question: str, found: Mapping[str, Any], about: str) -> None:
        """A list of architectures: a line for each with its numbers, and its text below.

        Args:
            question: The command.
            found: `columns` and `rows` of the answer, and what else is known of it.
            about: The same in words.
        """
        if self._as_json:
            self._json({"question": question, **found})
            return
        lines = [about]
        for rank, row in enumerate(found["rows"], start=1):
            words = [
                f"{name} {value:.4g}" if isinstance(value, float) else name
                for name, value in row.items()
                if isinstance(value, float) or value is True
            ]
            lines.append(f"{rank:>3}. {row['native']}\n     {', '.join(words)}")
            lines += [f"       {line}" for line in row.get("text", "").splitlines()]
        if not found["rows"]:
            lines.append("none")
        print(visible("\n".join(lines)))

    def _table(self, frame: pl.DataFrame, title: str | None = None) -> None:
        table = Table(title=title, title_justify="left")
        for column in frame.columns:
            numeric = frame[column].dtype.is_numeric()
            header = Text(visible(column))
            table.add_column(header, justify="right" if numeric else "left", overflow="fold")
        for row in frame.iter_rows():
            table.add_row(*(Text(visible(_cell(value))) for value in row))
        self._console.print(table)

    def _json(self, value: Mapping[str, Any]) -> None:
        print(json.dumps(value, default=str))


def visible(text: str) -> str:
    """A text without characters that a terminal obeys: they are written as escapes."""
    return "".join(
        letter
        if letter.isprintable() or letter in "\n\t"
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and len(value) > 8:  # a vector
        return f"[{', '.join(f'{number:.3g}' for number in value[:4])}, … {len(value)}]"
    return "" if value is None else str(value)


def _counts(summary: Mapping[str, Any]) -> dict[str, int]:
    return {
        name: value
        for name, value in summary.items()
        if isinstance(value, int) and name != "skipped"
    }


def _words(summary: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_word(value)}" for name, value in summary.items())


def _word(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
