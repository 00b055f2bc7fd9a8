"""How pages of text fit a terminal: sentences wrap between words, values stay whole.

In a pipe nothing wraps and tables have their full width, unless COLUMNS says how wide they may be.
"""

import os
import shlex
import textwrap
from collections.abc import Collection, Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from flows.cli.words import NO_BREAK, visible, whole
from flows.running.consoles import Console

_GAP = 2  # blanks between columns
_STEP = 2  # blanks by which something is indented

Row = Sequence[str]


class Page:
    """Standard output, line by line."""

    def __init__(self) -> None:
        self._console = Console()
        known = self._console.is_terminal or "COLUMNS" in os.environ
        self._width = self._console.width if known else None

    def say(self, text: str, indent: int = 0, title: str = "") -> None:
        """A paragraph.

        Args:
            text: Its words; what `whole` was put around stays in one line.
            indent: Blanks before each line.
            title: A word that it begins with, set off from the rest.
        """
        for number, line in enumerate(self._lines(f"{title}{text}", indent)):
            self._print(line, title if number == 0 else "")

    def heading(self, text: str) -> None:
        """A line of its own that stands out."""
        for line in self._lines(text, 0):
            self._print(line, line)

    def value(self, text: str, indent: int = _STEP) -> None:
        """A value that is longer than other words, never broken: on lines of its own."""
        for line in text.splitlines() or [""]:
            self._print(" " * indent + line)

    def fact(self, name: str, value: str) -> None:
        """A name and its value: in one line if there is room, else the value below."""
        if self._fits(cell_len(f"{name}: {value}")) and "\n" not in value:
            self._print(f"{name}: {value}")
        else:
            self._print(f"{name}:")
            self.value(value)

    def command(self, command: str) -> None:
        """The next useful command, to be copied: where it is long, a shell reads on over lines."""
        room = None if self._width is None else self._width - cell_len("next: ") - len(" \\")
        words = [whole(word) for word in _shell_words(command)]
        first, *others = _wrap(" ".join(words), room)
        lines = [f"next: {first}", *(f"{'':6}{line}" for line in others)]
        for number, line in enumerate(lines, start=1):
            self._print(line + (" \\" if number < len(lines) else ""), "next: ")

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Row],
        *,
        numbers: Collection[int] = (),
        prose: Collection[int] = (),
        flowing: bool = False,
        indent: int = 0,
    ) -> None:
        """Rows side by side where they fit, else one below the other with every value whole.

        Args:
            columns: Their names; they may wrap.
            rows: Cells; a cell may have several lines.
            numbers: Places of the columns that are set to the right.
            prose: Places of the columns whose cells may wrap.
            flowing: Where rows do not fit, their values follow each other in lines.
            indent: Blanks before each line.
        """
        room = None if self._width is None else self._width - indent
        widths = _widths(columns, rows, prose, room)
        if widths is None:
            self._records(columns, rows, flowing, indent)
            return
        for number, row in enumerate([columns, *rows]):
            for line in _set(row, widths, numbers):
                line = " " * indent + line
                self._print(line, line if number == 0 else "")

    def _records(
        self, columns: Sequence[str], rows: Sequence[Row], flowing: bool, indent: int
    ) -> None:
        """A block for each row: flowing, its first value with the others below; else its pairs."""
        longest = max(map(cell_len, columns))
        for number, row in enumerate(rows):
            if flowing:
                self.value(row[0], indent)
                pairs = [f"{name} {cell}" for name, cell in zip(columns, row, strict=True) if cell]
                text = ", ".join(whole(" ".join(pair.split())) for pair in pairs[bool(row[0]) :])
                self.say(text, indent + _STEP)
                continue
            if number:
                self._print("")
            for name, cell in zip(columns, row, strict=True):
                line = f"{'':{indent}}{name}{'':{longest - cell_len(name) + _GAP}}{cell}"
                if "\n" in cell or not self._fits(cell_len(line)):
                    self._print(f"{'':{indent}}{name}")
                    self.value(cell, indent + _STEP)
                else:
                    self._print(line.rstrip())

    def _lines(self, text: str, indent: int) -> Iterator[str]:
        for paragraph in text.splitlines() or [""]:
            room = None if self._width is None else self._width - indent
            yield from (" " * indent + line for line in _wrap(paragraph, room))

    def _fits(self, length: int) -> bool:
        return self._width is None or length <= self._width

    def _print(self, line: str, bold: str = "") -> None:
        text = Text(visible(line.replace(NO_BREAK, " ")))
        if bold and line.startswith(bold):
            text.stylize("bold", 0, len(bold))
        self._console.print(text, soft_wrap=True, highlight=False)


def _wrap(text: str, room: int | None) -> list[str]:
    """Lines of a paragraph, broken at blanks alone."""
    if room is None:
        return [text]
    wrapped = textwrap.wrap(
        text, max(room, 1), break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return wrapped or [""]


def _shell_words(command: str) -> list[str]:
    """The words of a command as they stand, an option with its value and quotes with what is in."""
    words: list[str] = []
    for word in shlex.split(command):
        after_option = bool(words) and words[-1].startswith("-") and " " not in words[-1]
        if after_option and not word.startswith("-"):
            words[-1] += f" {shlex.quote(word)}"
        else:
            words.append(shlex.quote(word))
    return words


def _widths(
    columns: Sequence[str], rows: Sequence[Row], prose: Collection[int], room: int | None
) -> list[int] | None:
    """How wide each column is; None where they do not fit side by side."""
    names = [cell_len(name) for name in columns]
    cells = [
        max((cell_len(line) for row in rows for line in row[place].splitlines()), default=0)
        for place in range(len(columns))
    ]
    full = [max(pair) for pair in zip(names, cells, strict=True)]
    gaps = _GAP * (len(columns) - 1)
    if room is None or sum(full) + gaps <= room:
        return full
    least = [
        max(
            _longest_word([name]),
            _longest_word([row[place] for row in rows]) if place in prose else cells[place],
        )
        for place, name in enumerate(columns)
    ]
    left = room - gaps - sum(least)
    if left < 0:
        return None
    for place in sorted(range(len(columns)), key=lambda place: place not in prose):
        more = min(left, full[place] - least[place])
        least[place] += more
        left -= more
    return least


def _longest_word(texts: Sequence[str]) -> int:
    return max((cell_len(word) for text in texts for word in text.split()), default=0)


def _set(row: Row, widths: Sequence[int], numbers: Collection[int]) -> Iterator[str]:
    """The lines of one row."""
    cells = [
        [line for paragraph in cell.splitlines() or [""] for line in _wrap(paragraph, width)]
        if cell_len(cell) > width
        else cell.splitlines() or [""]
        for cell, width in zip(row, widths, strict=True)
    ]
    for number in range(max(map(len, cells))):
        parts = []
        for place, (lines, width) in enumerate(zip(cells, widths, strict=True)):
            line = lines[number] if number < len(lines) else ""
            blanks = " " * (width - cell_len(line))
            parts.append(blanks + line if place in numbers else line + blanks)
        yield (" " * _GAP).join(parts).rstrip()
