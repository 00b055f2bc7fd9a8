"""What the pages for people say: their commands, their links, their headings."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
PROGRAMS = ("cole", "make", "pip", "python")

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    """As a person names it: README.md, docs/ask.md."""
    return str(page.relative_to(ROOT))


def commands(page: Path) -> list[list[str]]:
    """The words of each command of the indented blocks, in their order; a comment behind one is
    none of them, and a quotation may go over lines."""
    found: list[list[str]] = []
    begun = ""
    for line in _FENCED.sub("", page.read_text(encoding="utf-8")).splitlines():
        if not begun and not re.match(rf" {{4}}({'|'.join(PROGRAMS)}) ", line):
            continue
        begun += f"{line}\n"
        try:
            found.append(shlex.split(begun, comments=True))
        except ValueError:  # a quotation that goes on
            continue
        begun = ""
    assert not begun, f"{name_of(page)}: a quotation has no end: {begun}"
    return found


def mentioned(page: Path) -> list[list[str]]:
    """The words of each command that stands in a sentence or a table, where all of it does."""
    spans = re.findall(r"`(cole [^`]+)`", page.read_text(encoding="utf-8"))
    return [shlex.split(span) for span in spans if not re.search("[…→]", span)]


def links(page: Path) -> list[str]:
    """Where its links and pictures point that do not leave the repository."""
    text = re.sub(r"`[^`\n]*`", "", _FENCED.sub("", page.read_text(encoding="utf-8")))
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not re.match(r"\w+:", target)]


def anchors(page: Path) -> set[str]:
    """What a link may name behind `#`: each heading in small letters, with hyphens."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}
