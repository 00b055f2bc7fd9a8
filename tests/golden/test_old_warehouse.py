"""A warehouse of before is opened, migrated, and found complete: nothing in it is made again.

Whoever kept a warehouse runs the same commands with newer code. If a text, a specification or a
configuration were hashed otherwise than before, the command would do its work again, beside what
is stored; here that shows as a count that is not 0.
"""

import json
from pathlib import Path

import pytest

from tests.golden.command import cole_at
from tests.golden.old_warehouse import (
    COMMANDS,
    CONTENT,
    EXPORT,
    REPORT,
    TABLE,
    describe,
    unpack,
)

BEFORE = json.loads(CONTENT.read_text())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old home; its tests leave it as it is, as that is what they test."""
    return unpack(tmp_path_factory.mktemp("old"))


def test_it_is_read_as_it_was_left(home: Path) -> None:
    assert describe(home) == BEFORE


def test_the_same_commands_do_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, so that a table names all that would do something."""
    monkeypatch.chdir(home.parent)  # where the table is
    assert Path(TABLE).is_file()
    done = {}
    for command in COMMANDS:
        summary = cole_at(home)(*command.words.split())
        counts = {name: summary[name] for name in command.does_nothing}
        if any(counts.values()):
            done[command.words] = counts
    assert done == {}
    assert describe(home) == BEFORE


def test_it_is_sound_and_reported_on(home: Path) -> None:
    kinds = {finding["kind"] for finding in cole_at(home)("doctor")["findings"]}
    assert kinds <= {"left server"}  # which is the machine's, of other tests that kill commands
    report = Path(cole_at(home)(*REPORT.split())["report"])
    assert report.stat().st_size > 100_000
    assert describe(home) == BEFORE


def test_its_export_fills_a_new_warehouse(home: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    cole_at(new)("import", home.parent / EXPORT)
    assert describe(new) == BEFORE
    again = cole_at(new)("import", home.parent / EXPORT)
    assert again["rows"] == 0
    assert describe(new) == BEFORE
