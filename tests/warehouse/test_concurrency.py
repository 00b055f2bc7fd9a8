"""Two processes at one warehouse: real processes, the real lock, the real databases."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from cole_core.errors import InputError
from tests.warehouse.conftest import NATIVES, architectures
from warehouse import Warehouse

HOLD = """
import sys, time
from warehouse import Warehouse
with Warehouse(sys.argv[1]).writer("holding", run_id="other"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(home: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_writer_waits(filled: Warehouse) -> None:
    process = hold(filled.home, 1.0)
    started = time.monotonic()
    with filled.writer("test", run_id="run-2"):
        waited = time.monotonic() - started
        assert process.wait(timeout=5) == 0
    assert waited > 0.5


def test_a_writer_that_does_not_end_is_named(filled: Warehouse) -> None:
    process = hold(filled.home, 60.0)
    impatient = Warehouse(filled.home, wait_seconds=0.2)
    with (
        pytest.raises(InputError, match=rf"process {process.pid} \(holding"),
        impatient.writer("test", run_id="run-2"),
    ):
        pytest.fail("two writers at once")
    process.kill()
    process.wait()


def test_a_killed_writer_leaves_no_lock(filled: Warehouse) -> None:
    process = hold(filled.home, 60.0)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with Warehouse(filled.home, wait_seconds=0.0).writer("test", run_id="run-2") as writer:
        assert writer.add_architectures(architectures(NATIVES)) == 0


def test_a_reader_waits_for_a_commit(filled: Warehouse) -> None:
    script = (
        "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); "
        "print('open', flush=True); time.sleep(0.7)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(filled.catalog.path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    assert filled.status()["spaces"]["nasbench201"]["architectures"] == 10
    process.wait()


def test_a_catalog_of_a_newer_version_is_left_alone(filled: Warehouse) -> None:
    with duckdb.connect(filled.catalog.path) as connection:
        connection.execute("INSERT INTO schema_version VALUES (99)")
    content = filled.catalog.path.read_bytes()
    with pytest.raises(InputError, match="version 99"):
        filled.status()
    with (
        filled.writer("test", run_id="run-2") as writer,
        pytest.raises(InputError, match="version 99"),
    ):
        writer.add_architectures(architectures(NATIVES))
    assert filled.catalog.path.read_bytes() == content


def test_an_error_inside_a_commit_rolls_it_back(filled: Warehouse) -> None:
    before = filled.status()

    def fails() -> None:
        with filled.catalog.write() as connection:
            connection.execute("DELETE FROM store.texts")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fails()
    assert filled.status() == before
