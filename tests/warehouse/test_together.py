"""Several statements over one connection, beside another process that writes."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.warehouse.conftest import NATIVES, SPACE
from warehouse import Warehouse

ADD = """
import sys
from warehouse import Warehouse
from tests.warehouse.conftest import evaluations, NATIVES
with Warehouse(sys.argv[1]).writer("adding", run_id="other") as writer:
    print("held", flush=True)
    writer.add_evaluations(evaluations(NATIVES[:3], [1.0, 2.0, 3.0], source="theirs"))
"""


def sources(warehouse: Warehouse) -> list[str]:
    return warehouse.targets(SPACE)["source"].to_list()


def test_one_state_is_read_and_a_writer_waits_for_the_end(filled: Warehouse) -> None:
    with filled.together():
        command = [sys.executable, "-c", ADD, str(filled.home)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2.0)  # alone it is done in a tenth of that
        assert sources(filled) == ["mine"]
        with filled.together():  # one within another is the same
            assert filled.architectures(SPACE).height == len(NATIVES)
        assert filled.targets(SPACE).height == 1
    assert process.wait(timeout=60) == 0
    assert sources(filled) == ["mine", "theirs"]


def test_answers_are_those_of_single_statements(filled: Warehouse) -> None:
    where = (SPACE, "code.expression", "none")
    alone = (
        filled.embedded(*where),
        filled.texts(*where).sort("text_hash"),
        filled.architecture_vectors(*where, "spec"),
    )
    with filled.together():
        for _ in range(2):
            assert filled.embedded(*where).equals(alone[0])
            assert filled.texts(*where).sort("text_hash").equals(alone[1])
            found = filled.architecture_vectors(*where, "spec")
            np.testing.assert_array_equal(found.vectors, alone[2].vectors)
            assert found.natives == alone[2].natives


def test_another_thread_waits_for_the_end(filled: Warehouse) -> None:
    read: list[str] = []
    other = threading.Thread(target=lambda: read.extend(sources(filled)))
    with filled.together():
        other.start()
        other.join(timeout=0.5)
        assert read == []
    other.join(timeout=60)
    assert read == ["mine"]


def empty(home: Path) -> Warehouse:
    warehouse = Warehouse(home)
    with warehouse.writer("test", run_id="run") as writer:
        writer.start_run("test", {}, {})
    return warehouse


def test_a_catalog_that_is_looked_at_is_let_go(filled: Warehouse) -> None:
    """The DuckDB in which it was looked at stays; the file in it does not."""
    assert sources(filled) == ["mine"]
    command = [sys.executable, "-c", ADD, str(filled.home)]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert sources(filled) == ["mine", "theirs"]


def test_two_catalogs_are_looked_at_at_once(filled: Warehouse, tmp_path: Path) -> None:
    """Each answers of itself: names are looked for in no other."""
    other = empty(tmp_path / "other")
    with filled.catalog.attached() as first, other.catalog.attached() as second:
        counts = [
            connection.execute("SELECT count(*) FROM architectures").fetchone()
            for connection in (first, second)
        ]
    assert counts == [(len(NATIVES),), (0,)]


def test_a_home_with_a_quote_is_looked_at(tmp_path: Path) -> None:
    assert sources(empty(tmp_path / "Ada's; DROP")) == []
