"""Evaluators on their way to machines that lack their files, and what hosts them there."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cole_core.errors import InputError
from cole_core.evaluation import hosting, parcels
from cole_core.evaluation.hosting import Host
from cole_core.evaluation.network_training import NetworkTraining
from cole_core.evaluation.outcomes import CRASHED, OK, TIMED_OUT
from cole_core.evaluation.own_training import OwnEvaluator, own_training
from cole_core.evaluation.parcels import Parcel, pack, unpack
from cole_core.evaluation.settings import Limits, TrainingSettings
from cole_core.foreign_code.imports import with_imported
from cole_core.spaces import parse_space

FILES = {
    "mine/net.py": """
from typing import Literal
import torch
from layers import wide

class Net(torch.nn.Linear):
    def __init__(self, what: Literal["fine", "die", "hang"]):
        super().__init__(wide(1), 2)
        self.what = what
""",
    "mine/layers.py": "def wide(n):\n    return 4 * n\n",
    "other/train.py": """
import os, time
import parts.inner
def evaluate(network, seed):
    if network.what == "die":
        os._exit(3)
    if network.what == "hang":
        time.sleep(600)
    return parts.inner.score(seed) + os.getpid() / 1e9
""",
    "other/parts/__init__.py": "",
    "other/parts/inner.py": "from .deep import ten\ndef score(seed):\n    return ten + seed\n",
    "other/parts/deep.py": "ten = 10\n",
    "other/unused.py": "raise RuntimeError\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(parcels.tempfile, "gettempdir", lambda: str(tmp_path / "scratch"))
    return tmp_path / "home"


def evaluator(folder: Path, limits: Limits = Limits(20.0, 2_000)) -> OwnEvaluator:  # noqa: B008
    space = parse_space(f"{folder / 'mine/net.py'}:Net")
    about = {"metric": None, "dataset": None, "epochs": 1, "seed": 0, "workers": 1}
    training = own_training(folder / "other/train.py", "evaluate", limits=limits, **about)  # type: ignore[arg-type]
    return training.evaluator(space)


def lose(folder: Path) -> None:
    """The files are not there any more, as on another machine."""
    folder.rename(folder.with_name("elsewhere"))


def test_what_a_file_imports_from_its_folder(folder: Path) -> None:
    found = with_imported([folder / "other/train.py", folder / "mine/net.py"])
    names = [path.relative_to(folder.resolve()).as_posix() for path in found]
    assert names == sorted(set(FILES) - {"other/unused.py"})


def test_a_parcel_holds_the_files_as_they_are(folder: Path) -> None:
    parcel = pack(evaluator(folder))
    assert {Path(path).name for path, _ in parcel.files} == {
        "net.py", "layers.py", "train.py", "__init__.py", "inner.py", "deep.py"
    }  # fmt: skip
    assert str(folder).encode() not in parcel.content
    assert all(Path(path).read_bytes() == data for path, data in parcel.files)
    assert pack(evaluator(folder)).digest == parcel.digest


def test_files_that_are_there_are_run_where_they_are(folder: Path, tmp_path: Path) -> None:
    made = unpack(pack(evaluator(folder)))
    assert made.files == evaluator(folder).files
    assert not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("change", ["lost", "edited"])
def test_a_machine_without_the_files_runs_what_was_sent(
    folder: Path, change: str, tmp_path: Path
) -> None:
    parcel = pack(evaluator(folder))
    if change == "lost":
        lose(folder)
    else:
        (folder / "other/parts/deep.py").write_text("ten = 20\n")
    assert all(str(tmp_path / "scratch") in str(path) for path in unpack(parcel).files)
    found = Host().run(parcel.digest, lambda: parcel, "Net(what='fine')", 3)
    assert (found.status, found.error) == (OK, None)
    assert int(found.scores[0].value) == 13


def test_code_is_not_run_from_a_folder_of_others(folder: Path, tmp_path: Path) -> None:
    parcel = pack(evaluator(folder))
    lose(folder)
    place = tmp_path / "scratch" / f"cole-code-{os.getuid()}"
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(InputError, match="may be written by others"):
        unpack(parcel)


def test_the_dataset_travels_within() -> None:
    training = NetworkTraining(settings=TrainingSettings(epochs=1), device="cpu")
    dataset = training.load()
    made = training.evaluator(training.space("nasbench201", dataset), dataset)
    copy = unpack(pack(made))
    assert copy.files == ()
    assert copy.settings_id == made.settings_id
    assert copy.dataset_hash == made.dataset_hash


class Fetching:
    """Counts how often a parcel is asked for."""

    def __init__(self, parcel: Parcel) -> None:
        self.parcel = parcel
        self.times = 0

    def __call__(self) -> Parcel:
        self.times += 1
        return self.parcel


def process_of(score: float) -> int:
    return round(score % 1 * 1e9)


def test_one_process_serves_networks_and_a_deadly_one_costs_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cole_core.evaluation.workers._GRACE_SECONDS", 1.0)
    parcel = pack(evaluator(folder, Limits(4.0, 2_000)))
    host, fetch = Host(), Fetching(parcel)
    names = ["fine", "fine", "die", "hang", "fine"]
    found = [host.run(parcel.digest, fetch, f"Net(what='{name}')", 0) for name in names]
    assert [each.status for each in found] == [OK, OK, CRASHED, TIMED_OUT, OK]
    assert fetch.times == 1
    first, second = (process_of(each.scores[0].value) for each in found[:2])
    assert first == second
    host.close_idle(0.0)


def test_threads_of_one_worker_have_a_process_each_that_ends_when_idle(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "IDLE_SECONDS", 0.1)
    parcel = pack(evaluator(folder))
    host, together = Host(), threading.Barrier(2)

    def fetch() -> Parcel:
        together.wait(30)  # both lack a process at the same time
        return parcel

    with ThreadPoolExecutor(2) as pool:
        found = list(
            pool.map(lambda seed: host.run(parcel.digest, fetch, "Net(what='fine')", seed), (1, 2))
        )
    assert sorted(int(each.scores[0].value) for each in found) == [11, 12]
    processes = {process_of(each.scores[0].value) for each in found}
    assert len(processes) == 2
    end = time.monotonic() + 30
    while any(Path(f"/proc/{each}").exists() for each in processes):
        assert time.monotonic() < end
        time.sleep(0.05)
