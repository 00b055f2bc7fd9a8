"""What a definition says is what decides it, and nothing around it."""

from pathlib import Path

import pytest

from cole_core.encodings.source_files import SourceFile
from cole_core.errors import InputError
from cole_core.foreign_code.definitions import definition_digest, find_function

TEXT = '''
"""About the file."""
import torch
from math import sqrt as root

RATE = 0.1
UNUSED = 3

def helper(x):
    return x * RATE

def evaluate(network, seed, epochs=4):
    """Trains."""
    return helper(root(seed))  # a comment

class Net:
    size = UNUSED
'''


def digest(text: str, name: str = "evaluate") -> str:
    return definition_digest(SourceFile(Path("file.py"), text), name)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  # a comment", ""),
        ('"""Trains."""', '"""Trains well."""'),
        ('    """Trains."""\n', ""),
        ("x * RATE", "(x*RATE)"),
        ("UNUSED = 3", "UNUSED = 4"),
        ("import torch\n", ""),
        ('"""About the file."""', ""),
        ("def helper", "\n\n\ndef helper"),
    ],
)
def test_what_changes_nothing(before: str, after: str) -> None:
    assert before in TEXT
    assert digest(TEXT.replace(before, after, 1)) == digest(TEXT)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("RATE = 0.1", "RATE = 0.2"),
        ("x * RATE", "x + RATE"),
        ("epochs=4", "epochs=5"),
        ("sqrt as root", "exp as root"),
        ("root(seed)", "root(epochs)"),
    ],
)
def test_what_changes_the_function_or_what_it_calls(before: str, after: str) -> None:
    assert before in TEXT
    assert digest(TEXT.replace(before, after, 1)) != digest(TEXT)


def test_each_name_is_reached_by_itself() -> None:
    changed = TEXT.replace("UNUSED = 3", "UNUSED = 4")
    assert digest(changed, "Net") != digest(TEXT, "Net")


def test_a_function_says_what_it_takes(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(TEXT + "\ndef more(network, data, *, seed, depth=3, **rest): ...\n")
    found = find_function(file, "evaluate")
    assert (found.arguments, found.needed) == (("network", "seed", "epochs"), ("network", "seed"))
    found = find_function(file, "more")
    assert found.arguments == ("network", "data", "seed", "depth")
    assert found.needed == ("network", "data", "seed")
    with pytest.raises(InputError, match="has no function train: choose one of helper, eval"):
        find_function(file, "train")
