"""Which network of a Python file is meant; what runs a file would leave a trace."""

import json
import re
import textwrap
from pathlib import Path

import pytest

from cole_core.encodings.python_source import read_network
from cole_core.errors import InputError

FORWARD = "    def forward(self, x):\n        return x\n"


def network(name: str, base: str = "nn.Module") -> str:
    return f"class {name}({base}):\n{FORWARD}"


def notebook(*cells: str | list[str], **metadata: object) -> str:
    return json.dumps(
        {
            "cells": [{"cell_type": "markdown", "source": ["# About\n"]}]
            + [{"cell_type": "code", "source": cell, "outputs": []} for cell in cells],
            "metadata": metadata,
            "nbformat": 4,
        }
    )


# Name: (what the file imports and holds, what is read).
READ = {
    "the usual": ("from torch import nn\n" + network("Net"), "class Net"),
    "whole": ("import torch\n" + network("Net", "torch.nn.Module"), "class Net"),
    "module renamed": ("import torch.nn as tnn\n" + network("Net", "tnn.Module"), "class Net"),
    "nn renamed": ("from torch import nn as N\n" + network("Net", "N.Module"), "class Net"),
    "Module renamed": ("from torch.nn import Module as M\n" + network("Net", "M"), "class Net"),
    "a name for it": (
        "import torch\nBase = torch.nn.Module\n" + network("Net", "Base"),
        "class Net",
    ),
    "no import": (network("Cell"), "class Cell"),
    "generic": ("from torch import nn\n" + network("Net", "nn.Module[int]"), "class Net"),
    "a ready module": ("from torch import nn\n" + network("Wide", "nn.Conv2d"), "class Wide"),
    "Lightning": (
        "import lightning as L\n"
        + network("Task", "L.LightningModule")
        + network("Data", "L.LightningDataModule")
        + network("Say", "L.Callback"),
        "class Task",
    ),
    "old Lightning": (
        "import pytorch_lightning as pl\n" + network("Task", "pl.LightningModule"),
        "class Task",
    ),
    "transformers": (
        "from transformers import PreTrainedModel, PretrainedConfig\n"
        + network("Config", "PretrainedConfig")
        + network("Tagger", "PreTrainedModel"),
        "class Tagger",
    ),
    "a model's own base": (
        "from transformers import BertPreTrainedModel\n" + network("Net", "BertPreTrainedModel"),
        "class Net",
    ),
    "a model of transformers": (
        "from transformers import BertModel\n" + network("Net", "BertModel"),
        "class Net",
    ),
    "graphs": (
        "from torch_geometric.nn import MessagePassing\n" + network("Layer", "MessagePassing"),
        "class Layer",
    ),
    "graphs by a ready layer": (
        "from torch_geometric.nn import GCNConv\n" + network("Layer", "GCNConv"),
        "class Layer",
    ),
    "vision": (
        "from torchvision.models import ResNet\n" + network("Mine", "ResNet"),
        "class Mine",
    ),
    "in an if": (
        "from torch import nn\nif nn:\n" + textwrap.indent(network("Net"), "    "),
        "class Net",
    ),
    "in a try": (
        "try:\n    from torch import nn\nexcept ImportError:\n    nn = None\nelse:\n"
        + textwrap.indent(network("Net"), "    "),
        "class Net",
    ),
    "in an elif": (
        "from torch import nn\nif 1:\n    pass\nelif nn:\n"
        + textwrap.indent(network("Net"), "    "),
        "class Net",
    ),
    "in a match": (
        "from torch import nn\nmatch 1:\n    case 1:\n"
        + textwrap.indent(network("Net"), "        "),
        "class Net",
    ),
    "in a function": (
        "from torch import nn\ndef make(wide):\n" + textwrap.indent(network("Block"), "    "),
        "class make.Block",
    ),
    "written anew": (
        "from torch import nn\n" + network("Net").replace("x\n", "-x\n") + network("Net"),
        "class Net",
    ),
    "a class within": (
        "from torch import nn\n"
        + network("Net")
        + textwrap.indent(network("Part"), "    ")
        + "    def more(self):\n        return Part()\n",
        "class Net",
    ),
    "what trains it": (
        "from torch import nn\n"
        + network("Part")
        + network("Net").replace("return x", "return Part()")
        + "class Trainer:\n    def run(self):\n        return Net()\n",
        "class Net",
    ),
    "looking at itself": (
        "from torch import nn\nclass Base(nn.Module):\n    def start(self, module):\n"
        "        return isinstance(module, Net)\n" + network("Net", "Base"),
        "class Net",
    ),
    "no class": ("from torch import nn\nmodel = nn.Sequential(nn.ReLU())\n", "nn.Sequential model"),
    "no class, with a type": (
        "import torch.nn\nnet: object = torch.nn.Sequential(torch.nn.ReLU())\n",
        "nn.Sequential net",
    ),
    "no class, no name": ("from torch import nn\nnn.Sequential(nn.ReLU())\n", "nn.Sequential Sequ"),
    "a class and a sequence": (
        "from torch import nn\n" + network("Net") + "other = nn.Sequential(Net())\n",
        "nn.Sequential other",
    ),
    "a class that uses a sequence": (
        "from torch import nn\nhead = nn.Sequential(nn.ReLU())\n"
        + network("Net").replace("return x", "return head(x)"),
        "class Net",
    ),
    "a part that is put in": (
        "from torch import nn\n" + network("Net") + "net = Net()\nnet.a = nn.Sequential()\n",
        "class Net",
    ),
    "a base of the file, unless it is installed": (
        "from torch import nn\ntry:\n    from timm.layers import Mlp\nexcept ImportError:\n"
        + textwrap.indent(network("Mlp"), "    ")
        + network("Net", "Mlp"),
        "class Net",
    ),
    "what trains it, by bases from elsewhere": (
        "from torch import nn\nimport enum\nfrom torch.utils.data import Dataset\n"
        "from train.base import BaseTrainer\n"
        + network("Net")
        + "".join(
            network(f"A{base[-4:]}", base).replace("return x", "return Net()")
            for base in ("object", "dict", "enum.Enum", "Dataset", "BaseTrainer")
        ),
        "class Net",
    ),
    "a form feed and tabs": (
        "from torch import nn\n\x0c\n" + network("Net").replace("    ", "\t"),
        "class Net",
    ),
    "a useless escape": ('from torch import nn\nPATTERN = "\\d"\n' + network("Net"), "class Net"),
}


@pytest.mark.parametrize("case", READ)
def test_a_network_is_found(tmp_path: Path, case: str) -> None:
    source, expected = READ[case]
    path = tmp_path / "net.py"
    path.write_text(source)
    found = read_network(path)
    assert f"{found.kind} {found.name}".startswith(expected)
    # The text is a part of the file, moved to the left as a whole, and Python by itself.
    lines = found.text.splitlines()
    assert textwrap.dedent(found.text) == found.text
    places = [at for at, line in enumerate(source.splitlines()) if line.strip() == lines[0]]
    assert any(
        [line.strip() for line in source.splitlines()[at : at + len(lines)]]
        == [line.strip() for line in lines]
        for at in places
    )
    compile(found.text, "net", "exec")


SEVERAL = "from torch import nn\n" + network("Gelu") + network("Old", "Gelu") + network("Tagger")

# Name: (what the file holds, what the line says).
REFUSED = {
    "nothing": ("", "is empty"),
    "blanks alone": (" \n\n", "is empty"),
    "a comment alone": ("# to do\n", "holds no class"),
    "a table": ("a,b\n1,2\n", "holds no class"),
    "prose": ("A network of mine.\n", r"line 1, column 3"),
    "a missing colon": ("\nclass Net(nn.Module)\n    pass\n", r"line 2, column 21"),
    "an open bracket": ("from torch import nn\nx = (1,\n", r"line 2, column 5.*never closed"),
    "Python 2": ("class Net:\n    def f(self):\n        print 3\n", r"is Python 2, line 3"),
    "an old except": ("try:\n    pass\nexcept IOError, e:\n    pass\n", "is Python 2, line 3"),
    "Keras": ("import tensorflow as tf\n" + network("Net", "tf.keras.Model"), "Net is.*Keras"),
    "Keras alone": ("from keras import Model\n" + network("Net", "Model"), "Net is.*Keras"),
    "Keras in sequence": ("import keras\nmodel = keras.Sequential([])\n", "of Keras"),
    "Flax": ("import flax.linen as nn\n" + network("Net"), "Net is.*Flax"),
    "Paddle": ("from paddle import nn\n" + network("Net", "nn.Layer"), "Net is.*Paddle"),
    "no module": ("class A: pass\nclass B(dict): pass\n", "--class, of A, B$"),
    "an unknown base": ("from .base import Base\n" + network("Net", "Base"), "--class, of Net$"),
    "data alone": ("import lightning as L\n" + network("D", "L.LightningDataModule"), "of D$"),
    "a function alone": (
        "from torch import nn\ndef make():\n    return nn.Sequential()\n",
        r"net\.py:make$",
    ),
    "several": (SEVERAL, r"2 networks.*: name one as .*net\.py:\w+ or .*, of Old, Tagger$"),
    "two in sequence": (
        "from torch import nn\na = nn.Sequential()\nb = nn.Sequential()\n",
        "2 networks.*of a, b$",
    ),
    "one that looks at others": (
        "from torch import nn\nclass Base(nn.Module):\n    def start(self, module):\n"
        "        return isinstance(module, (Tagger, nn.Linear))\n"
        + network("Tagger", "Base")
        + network("Old"),
        "of Tagger, Old$",
    ),
    "two that use each other, and a third": (
        "from torch import nn\nclass A(nn.Module):\n    b = lambda: B\n"
        "class B(nn.Module):\n    a = A\n" + network("C"),
        "3 networks.*of C, A, B$",
    ),
    "one of another file": (
        "from torch import nn\nfrom .base import Base\n"
        + network("Part")
        + network("Tagger", "Base").replace("x\n", "Part()(x)\n"),
        "2 networks.*of Part, Tagger$",
    ),
    "one of another package": (
        "from torch import nn\nfrom mmengine.model import BaseModule\n"
        + network("Block")
        + network("Net", "BaseModule").replace("return x", "return Block()"),
        "2 networks.*of Block, Net$",
    ),
    "one of another package, by a class of the file": (
        "from torch import nn\nfrom models.base import BaseNet\n"
        + network("Block")
        + network("Mine", "BaseNet")
        + network("Net", "Mine").replace("return x", "return Block()"),
        "2 networks.*of Block, Net$",
    ),
    "one whose base is made": (
        "from torch import nn\n"
        + network("Block")
        + network("Net", "base_of(3)").replace("return x", "return Block()"),
        "2 networks.*of Block, Net$",
    ),
    "a class and a sequence that use nothing": (
        "from torch import nn\n" + network("Net") + "other = nn.Sequential(nn.ReLU())\n",
        "2 networks.*of Net, other$",
    ),
    "MLX": ("import mlx.nn as nn\n" + network("Net"), "Net is.*MLX"),
    "Sonnet": ("import sonnet as snt\n" + network("Net", "snt.Module"), "Net is.*Sonnet"),
    "Jittor": ("import jittor as jt\n" + network("Net", "jt.Module"), "Net is.*Jittor"),
    "tinygrad": ("from tinygrad import nn\n" + network("Net"), "Net is.*tinygrad"),
    "a Module of anybody's": ("from amaranth import Module\n" + network("A", "Module"), "of A$"),
    "a parameter": ("from torch import nn\n" + network("Scale", "nn.Parameter"), "of Scale$"),
    "weights": (
        "from torchvision.models import ResNet18_Weights\n" + network("Mine", "ResNet18_Weights"),
        "of Mine$",
    ),
    "each uses the other": (
        "from torch import nn\nclass A(nn.Module):\n    b = lambda: B\n"
        "class B(nn.Module):\n    a = A\n",
        "of A, B$",
    ),
    "61 classes": (
        "from torch import nn\n" + "".join(network(f"N{at}") for at in range(61)),
        "61 networks.* N7 and 53 more$",
    ),
    "one of two": (
        "from torch import nn\nif nn:\n"
        + textwrap.indent(network("Net"), "    ")
        + "else:\n"
        + textwrap.indent(network("Net"), "    "),
        "defines Net in line 3 and line 7",
    ),
    "nested deeply": ("x = " + "(" * 500 + ")" * 500, r"net\.py"),
    "a long elif": ("if 1:\n    pass\n" + "elif 1:\n    pass\n" * 5_000, "nested too deeply"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_sure_is_refused(tmp_path: Path, case: str) -> None:
    source, said = REFUSED[case]
    path = tmp_path / "net.py"
    path.write_text(source)
    with pytest.raises(InputError, match=re.escape(str(path))) as refused:
        read_network(path)
    assert re.search(said, str(refused.value))
    assert "\n" not in str(refused.value)


def test_what_is_named_is_read(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(
        SEVERAL + "def make():\n" + textwrap.indent(network("Gelu"), "    ") + "    return 1\n"
        "model = nn.Sequential()\n"
    )
    assert read_network(path, "Tagger").text == network("Tagger").rstrip()
    assert read_network(path, "make.Gelu").text == network("Gelu").rstrip()
    assert read_network(path, "Gelu").name == "Gelu"
    assert read_network(path, "make").kind == "function"
    assert read_network(path, "make").text.endswith("return 1")
    assert read_network(path, "model").text == "model = nn.Sequential()"
    for name in ("forward", "nothing", "nn", "x"):
        with pytest.raises(InputError, match=rf"{name}: choose one of"):
            read_network(path, name)
    path.write_text("def a():\n    class N: pass\ndef b():\n    class N: pass\n")
    with pytest.raises(InputError, match=r"2 of the name N: choose one of a\.N, b\.N"):
        read_network(path, "N")
    path.write_text("class A: pass\nclass B(dict): pass\n")  # whose bases say nothing
    assert read_network(path, "B").text == "class B(dict): pass"


UMLAUT = "from torch import nn\n# Gewöhnlich\nclass Net(nn.Module):\n    pass  # größer\n"
ENCODED = {
    "UTF-8": UMLAUT.encode(),
    "a byte order mark": b"\xef\xbb\xbf" + UMLAUT.encode(),
    "Windows' line ends": UMLAUT.replace("\n", "\r\n").encode(),
    "both": b"\xef\xbb\xbf" + UMLAUT.replace("\n", "\r\n").encode(),
    "old Macintosh's line ends": UMLAUT.replace("\n", "\r").encode(),
    "Latin-1, declared": b"# -*- coding: latin-1 -*-\n" + UMLAUT.encode("latin-1"),
    "the same in line 2": b"#!/usr/bin/python\n# coding=cp1252\n" + UMLAUT.encode("cp1252"),
}


@pytest.mark.parametrize("case", ENCODED)
def test_encodings_give_the_same_text(tmp_path: Path, case: str) -> None:
    path = tmp_path / "net.py"
    path.write_bytes(ENCODED[case])
    assert read_network(path).text == "class Net(nn.Module):\n    pass"


NO_TEXT = {
    "Latin-1, not declared": (UMLAUT.encode("latin-1"), r"UTF-8 at line 2 \(byte 0xf6\)"),
    "in its first line": ("# Größe\n".encode("latin-1"), r"UTF-8 at line 1 \(byte 0xf6\)"),
    "not what it declares": (b"# coding: ascii\n" + UMLAUT.encode(), "ASCII at line 3.*declares"),
    "an unknown encoding": (b"# coding: utf-99\n", "unknown encoding: utf-99"),
    "an encoding of no text": (b"# coding: rot13\nx\n", "rot13"),
    "UTF-16": (UMLAUT.encode("utf-16"), "is UTF-16: save it as UTF-8"),
    "an archive": (b"PK\x03\x04\x00\x00", "NUL"),
}


@pytest.mark.parametrize("case", NO_TEXT)
def test_what_is_no_text_says_where_and_why(tmp_path: Path, case: str) -> None:
    data, said = NO_TEXT[case]
    path = tmp_path / "net.py"
    path.write_bytes(data)
    with pytest.raises(InputError, match=said):
        read_network(path)


NET = ["from torch import nn\n", *network("Net").splitlines(keepends=True)]
NOTEBOOKS = {
    "lines": notebook(NET),
    "one string": notebook("".join(NET)),
    "in two cells": notebook(NET[0], "".join(NET[1:])),
    "a cell run again": notebook("".join(NET).replace("return x", "return -x"), "".join(NET)),
    "commands": notebook("%matplotlib inline\n!pip install torch\nnn?\n", NET),
    "another language within": notebook("%%bash\nls -l | wc\n", NET),
    "timed": notebook(["%%time\n", *NET]),
    "timed, with commands": notebook(["\n%%capture\n%%time\n!pip install torch\n", *NET]),
    "a file written": notebook("%%writefile other.py\nclass Other(nn.Module): pass ]\n", NET),
    "of Python": notebook(NET, kernelspec={"language": "python"}),
    "before format 4": json.dumps(
        {"worksheets": [{"cells": [{"cell_type": "code", "input": NET}]}], "metadata": {}}
    ),
}


@pytest.mark.parametrize("case", NOTEBOOKS)
def test_notebooks_are_read(tmp_path: Path, case: str) -> None:
    path = tmp_path / "net.IPYNB"
    path.write_text(NOTEBOOKS[case])
    assert read_network(path).text == network("Net").rstrip()


NO_NOTEBOOKS = {
    "broken code": (notebook(NET, "x = 1\nclass Other(nn.Module) pass"), "cell 3, line 2, column"),
    "broken code that is timed": (
        notebook(NET, "\n\n%%time\n!pip install torch\nclass Other(nn.Module) pass"),
        "cell 3, line 5, column",
    ),
    "a NUL": (notebook("x = '\0'"), "null bytes.*correct it"),
    "half a letter": (notebook("x = '\ud800'"), "not text that can be parsed .*surrogates"),
    "half of it": (notebook(NET)[:40], "no notebook that can be read"),
    "a list": ("[]", "no notebook that can be read"),
    "an object": ("{}", "no notebook that can be read"),
    "no code": (notebook(), "holds no code"),
    "R": (notebook("x <- 1", kernelspec={"language": "R", "name": "ir"}), "notebook in r: give"),
    "Julia": (notebook("x", language_info={"name": "julia"}), "notebook in julia"),
}


@pytest.mark.parametrize("case", NO_NOTEBOOKS)
def test_other_notebooks_are_refused(tmp_path: Path, case: str) -> None:
    written, said = NO_NOTEBOOKS[case]
    path = tmp_path / "net.ipynb"
    path.write_text(written)
    with pytest.raises(InputError, match=said):
        read_network(path)


def test_a_file_is_never_run(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    trace = tmp_path / "trace"
    path.write_text(f"open({str(trace)!r}, 'w')\nfrom torch import nn\n{network('Net')}")
    assert read_network(path).name == "Net"
    assert not trace.exists()
