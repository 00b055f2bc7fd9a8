"""What `cole similar` is given: which class of a file."""

from pathlib import Path

import pytest

from cole_core.errors import InputError
from flows.questions.asked import read_class

OWN = '''
"""A network that somebody wrote."""
import os
os.system("touch ran-it")
raise SystemExit("this module was run")


class Block(nn.Module):
    def forward(self, x):
        return F.relu(x)


class Cell(nn.Module):
    block = Block()

    def forward(self, x):
        return x + self.conv3x3(x)
'''


def test_which_class_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    assert read_class(path).startswith("class Cell(nn.Module):")
    assert read_class(path, "Block").startswith("class Block(nn.Module):")
    path.write_text(OWN.replace("block = Block()", "pass"))
    with pytest.raises(InputError, match=r"--class, of Block, Cell"):
        read_class(path)
    path.write_text("class Base(torch.nn.Module): pass\nclass Net(Base): pass\nclass A: pass\n")
    assert read_class(path) == "class Net(Base): pass"
    path.write_text("class A: pass\n")
    with pytest.raises(InputError, match=r"no nn.Module"):
        read_class(path)
    assert read_class(path, "A") == "class A: pass"
