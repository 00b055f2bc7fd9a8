"""Warehouses to explore, made once, and the explorer as a program of its own."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.explorer.warehouses import usual_warehouse
from warehouse import Warehouse


@pytest.fixture(scope="session")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A usual warehouse, which nobody changes."""
    return usual_warehouse(tmp_path_factory.mktemp("explored") / "home")


@contextlib.contextmanager
def served(home: Path) -> Iterator[str]:
    """The explorer of a warehouse; gives its address."""
    pytest.importorskip("nicegui")
    command = [sys.executable, "-m", "flows.cli", "ui", "--home", str(home), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert found, said
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 130
