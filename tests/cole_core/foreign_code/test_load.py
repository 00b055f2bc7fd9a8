"""Files as modules, and the networks in them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cole_core.errors import InputError
from cole_core.foreign_code import RunFailed, Runner
from tests.cole_core.foreign_code import misbehaving

NET = """
from torch import nn
from layers import Wide

class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = Wide(width)

class NoNetwork:
    pass
"""
LAYERS = "from torch import nn\n\nclass Wide(nn.Linear):\n    def __init__(self, w):\n"
LAYERS += "        super().__init__(w, w, bias=False)\n"


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner() as runner:
        yield runner


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "layers.py").write_text(LAYERS)
    (tmp_path / "torch.py").write_text(NET)  # a name that is taken
    return str(tmp_path / "my_net.py") if (tmp_path / "my_net.py").write_text(NET) else ""


def test_a_network_is_made_with_what_its_folder_has(runner: Runner, file: str) -> None:
    assert runner.call(misbehaving.count_parameters, file, "Net", {"width": 5}) == 25


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("Nett", {}, "my_net.py has no class Nett: choose one of Net"),
        ("NoNetwork", {}, "NoNetwork is no nn.Module"),
        ("Net", {}, "arguments of Net: missing a required argument: 'width'"),
        ("Net", {"width": 2, "depth": 3}, "got an unexpected keyword argument 'depth'"),
    ],
)
def test_what_does_not_fit_is_one_line(
    runner: Runner, file: str, name: str, arguments: dict[str, int], said: str
) -> None:
    with pytest.raises(InputError, match=said) as raised:
        runner.call(misbehaving.count_parameters, file, name, arguments)
    assert "\n" not in str(raised.value)


def test_an_error_of_the_network_has_its_line(runner: Runner, file: str) -> None:
    with pytest.raises(RunFailed, match=r"^TypeError: .* \(layers\.py, line 5\)$"):
        runner.call(misbehaving.count_parameters, file, "Net", {"width": "wide"})


def test_each_folder_has_modules_of_its_own(runner: Runner, tmp_path: Path) -> None:
    paths = []
    for value in (1, 2):
        folder = tmp_path / str(value)
        folder.mkdir()
        (folder / "helper.py").write_text(f"VALUE = {value}\n")
        (folder / "main.py").write_text("from helper import VALUE\n")
        paths.append(str(folder / "main.py"))
    assert runner.call(misbehaving.read_values, [*paths, *paths]) == [1, 2, 1, 2]
