"""What only a space knows stands in its folder: no module elsewhere names one."""

import re
from pathlib import Path

import pytest

import cole_core
from cole_core.spaces import spaces

ROOT = Path(cole_core.__file__).parents[1]
ROOMS = ("cole_core", "warehouse", "flows")
TEXTS = (".py", ".sql", ".toml", ".jinja", ".css", ".md")

# Registrations, what is meant where no space is named, and what a newcomer types first.
ALLOWED = {
    "cole_core/spaces/__init__.py": r'"(\w+)": "cole_core\.spaces\.\1:\w+",',
    "cole_core/sources/__init__.py": r'.*"cole_core\.spaces\.\w+\.benchmarks\.\w+:\w+",?',
    "flows/resolve/requests.py": r'DEFAULT_SPACE = "\w+"',
    "flows/cli/app.py": r"Begin with \*\*cole run \w+\*\*: .*",
}


def is_allowed(path: str, line: str) -> bool:
    return path in ALLOWED and re.fullmatch(ALLOWED[path], line.strip()) is not None


@pytest.mark.parametrize("space", spaces)
def test_a_space_is_named_in_its_folder_alone(space: str) -> None:
    own = ROOT / "cole_core" / "spaces" / space
    assert own.is_dir()
    places = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in TEXTS]
    assert len(places) > 150
    found = []
    for path in places:
        if own in path.parents:
            continue
        name = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if space in line.lower() and not is_allowed(name, line):
                found.append(f"{name}:{number}: {line.strip()}")
    assert found == []
