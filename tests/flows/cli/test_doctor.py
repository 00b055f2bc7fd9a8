"""Faults for real, and what the doctor says to each: what is wrong, what is lost, what to do.

Run with -s to read its lines.
"""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import lance
import numpy as np
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.language_models import specify
from flows.resolve.requests import AskedEmbeddings, Measured
from flows.running import left_servers
from flows.running.server_process import PROGRAM, SERVER_OF
from flows.stages.embed import EmbedRequest, embed
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from tests.flows.conftest import SPACE, Small
from warehouse import Warehouse
from warehouse.health import Finding, doctor, examine

SPEC = specify("minilm", precision="fp32").spec_id
MEAN = AskedEmbeddings(pooling="mean", precision="fp32")

# As `cole embed`, in shards of eight; it says after each commit how many vectors there are.
EMBED = """
import os, sys, time
from flows.stages import embed as embedding
from warehouse.writer import Writer
embedding.SHARD, pause = 8, float(sys.argv[2])
add = Writer.add_embeddings
def announced(self, *arguments):
    added = add(self, *arguments)
    print("committed", flush=True)
    time.sleep(pause)
    return added
Writer.add_embeddings = announced
from flows.cli import main
{limit}
sys.argv = ["cole", "embed", "nasbench201", "--home", sys.argv[1], "--precision", "fp32",
            "--pooling", "mean"]
main()
"""


def said(kind: str, found: list[Finding]) -> str:
    """The one finding of that kind, printed."""
    (line,) = [finding.line for finding in found if finding.kind == kind]
    print(f"\n[{kind}] {line}")
    return line


def vectors(home: Path, spec_id: str = SPEC) -> dict[str, np.ndarray]:
    dataset = Warehouse(home).vectors.dataset(spec_id)
    assert dataset is not None
    found = dataset.to_table().to_pydict()
    assert len(set(found["text_hash"])) == len(found["text_hash"])
    pairs = zip(found["text_hash"], found["vector"], strict=True)
    return {text_hash: np.array(vector, np.float32) for text_hash, vector in pairs}


def embed_all(home: Path, options: AskedEmbeddings) -> int:
    """How many texts had no vector."""
    asked = EmbedRequest(space="nasbench201", home=home, options=options)
    return embed(asked)["embedded"]


def train(small: Small, draws: int) -> dict[str, Any]:
    return fit_heads(
        FitHeadsRequest(
            space="nasbench201",
            home=small.home,
            measured=Measured(dataset="cifar10"),
            vectors=Vectors(precision="fp32"),
            sizes=(20,),
            draws=draws,
        )
    )


def embed_again(small: Small, missing: int) -> None:
    """The command that the doctor names embeds just what is missing, and all is well."""
    assert embed_all(small.home, AskedEmbeddings(precision="fp32")) == missing
    assert examine(small.warehouse)[0] == []


def data_files(home: Path, spec_id: str = SPEC) -> list[Path]:
    """Of the table as it is now, in the order of its fragments."""
    folder = home / "vectors" / f"{spec_id}.lance"
    fragments = lance.dataset(str(folder)).get_fragments()
    return [folder / "data" / file.path for f in fragments for file in f.data_files()]


@pytest.fixture
def many(small: Small, monkeypatch: pytest.MonkeyPatch) -> Small:
    """Its vectors in several files."""
    shutil.rmtree(small.home / "vectors")
    monkeypatch.setattr("flows.stages.embed.SHARD", 12)
    embed_all(small.home, AskedEmbeddings(precision="fp32"))
    assert len(data_files(small.home)) >= 3
    return small


def test_a_sound_warehouse(small: Small) -> None:
    assert examine(small.warehouse) == ([], [])
    assert examine(small.warehouse, repair=True) == ([], [])


def test_a_truncated_lance_file(many: Small) -> None:
    before, victim = vectors(many.home), data_files(many.home)[1]
    os.truncate(victim, victim.stat().st_size // 2)
    result = subprocess.run(
        [sys.executable, "-m", "flows.cli", "embed", "nasbench201", "--precision", "fp32"],
        env=os.environ | {"COLE_HOME": str(many.home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert result.returncode == 2, result.stderr
    assert "'cole doctor' says what is lost" in result.stderr.splitlines()[-1]

    found, _ = examine(many.warehouse)
    line = said("damaged table", found)
    assert f"12 of {len(before)} vectors" in line
    assert "cole embed nasbench201 --encoding code.bare --lm minilm" in line
    assert victim.exists()
    assert examine(many.warehouse)[0][0].what == found[0].what  # it changed nothing

    left, repaired = examine(many.warehouse, repair=True)
    assert [finding.kind for finding in left] == ["unfinished runs"]  # the command above
    assert [finding.kind for finding in repaired] == ["damaged table"]
    assert len(list((many.home / "quarantine").rglob(victim.name))) == 1
    kept = vectors(many.home)
    assert len(kept) == len(before) - 12
    assert all(np.array_equal(before[key], kept[key]) for key in kept)
    embed_again(many, 12)
    assert vectors(many.home).keys() == before.keys()


def test_a_data_file_that_is_gone(many: Small) -> None:
    data_files(many.home)[0].unlink()
    assert "12 of" in said("damaged table", examine(many.warehouse)[0])
    assert examine(many.warehouse, repair=True)[0] == []
    embed_again(many, 12)


@pytest.mark.parametrize("how_many", [1, 100])
def test_truncated_manifests(many: Small, how_many: int) -> None:
    total = len(vectors(many.home))
    folder = many.home / "vectors" / f"{SPEC}.lance"
    manifests = sorted((folder / "_versions").glob("*.manifest"))[:how_many]  # newest first
    for manifest in manifests:
        os.truncate(manifest, 10)
    assert "cannot be opened" in said("damaged table", examine(many.warehouse)[0])
    assert examine(many.warehouse, repair=True)[0] == []
    left = len(vectors(many.home)) if how_many == 1 else 0
    assert left == (total - (total % 12 or 12) if how_many == 1 else 0)
    embed_again(many, total - left)


def test_a_deleted_vector_table(small: Small) -> None:
    total = len(vectors(small.home))
    shutil.rmtree(small.home / "vectors" / f"{SPEC}.lance")
    line = said("deleted table", examine(small.warehouse)[0])
    assert f"promises {total} vectors" in line
    assert f"Lost: {total} vectors, which are made again" in line
    assert examine(small.warehouse, repair=True)[0] == []
    embed_again(small, total)


def test_vectors_that_the_catalog_does_not_know(small: Small) -> None:
    before = vectors(small.home)
    with duckdb.connect(small.warehouse.catalog.path) as connection:
        connection.execute(
            "DELETE FROM store.embeddings WHERE text_hash IN "
            "(SELECT text_hash FROM store.embeddings ORDER BY text_hash LIMIT 5)"
        )
        gone = len(before) - connection.table("store.embeddings").count("*").fetchall()[0][0]
    assert f"{gone} vectors" in said("unpromised vectors", examine(small.warehouse)[0])
    assert examine(small.warehouse, repair=True)[0] == []
    assert vectors(small.home).keys() == before.keys()
    embed_again(small, 0)


def test_promises_without_a_vector(small: Small) -> None:
    dataset = lance.dataset(str(small.home / "vectors" / f"{SPEC}.lance"))
    gone = dataset.to_table(columns=["text_hash"])["text_hash"].to_pylist()[:4]
    dataset.delete("text_hash IN ({})".format(", ".join(f"'{text_hash}'" for text_hash in gone)))
    assert "4 of" in said("missing vectors", examine(small.warehouse)[0])
    assert examine(small.warehouse, repair=True)[0] == []
    embed_again(small, 4)


def test_duplicates(small: Small) -> None:
    dataset = lance.dataset(str(small.home / "vectors" / f"{SPEC}.lance"))
    total = dataset.count_rows()
    dataset.insert(dataset.to_table(limit=3))
    with duckdb.connect(small.warehouse.catalog.path) as connection:
        for table in ("embeddings", "evaluations"):
            connection.execute(f"INSERT INTO store.{table} SELECT * FROM store.{table} LIMIT 2")
    found, _ = examine(small.warehouse)
    assert "3 vectors" in said("duplicate vectors", found)
    rows = [finding.what for finding in found if finding.kind == "duplicate rows"]
    assert [what.split(" (")[0] for what in rows] == [
        "2 rows of embeddings are there twice",
        "2 rows of evaluations are there twice",
    ]
    assert examine(small.warehouse, repair=True)[0] == []
    assert len(vectors(small.home)) == total
    assert len(small.accuracies) == small.warehouse.sql("SELECT count(*) FROM evaluations").item()


def test_an_unknown_table_is_kept(small: Small) -> None:
    other = small.home / "vectors" / ("0" * 32 + ".lance")
    shutil.copytree(small.home / "vectors" / f"{SPEC}.lance", other)
    assert "does not know the vector table 000" in said(
        "unknown table", examine(small.warehouse, repair=True)[0]
    )
    assert other.is_dir()


def test_a_corrupt_artifact(small: Small) -> None:
    train(small, draws=2)
    (path,) = (small.home / "artifacts" / "heads").iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    line = said("corrupt artifact", examine(small.warehouse)[0])
    assert "one trained head (gaussian_process on code.bare, n=20)" in line
    assert path.exists()
    left, _ = examine(small.warehouse, repair=True)
    assert left == []
    assert not path.exists()
    assert len(list((small.home / "quarantine").rglob(path.name))) == 1
    again = train(small, draws=2)
    assert (again["trials"], again["skipped"]) == (1, 1)
    assert path.read_bytes()[:4] == content[:4]
    assert examine(small.warehouse)[0] == []


def test_an_artifact_that_is_gone(small: Small) -> None:
    train(small, draws=1)
    shutil.rmtree(small.home / "artifacts")
    assert "is not there" in said("corrupt artifact", examine(small.warehouse)[0])
    assert examine(small.warehouse, repair=True)[0] == []


def test_a_catalog_of_a_newer_version(small: Small) -> None:
    with duckdb.connect(small.warehouse.catalog.path) as connection:
        connection.execute("INSERT INTO schema_version VALUES (99)")
    content = small.warehouse.catalog.path.read_bytes()
    assert "has version 99" in said("newer catalog", examine(small.warehouse, repair=True)[0])
    assert small.warehouse.catalog.path.read_bytes() == content


@pytest.mark.parametrize("damage", ["zeros", "truncated", "gone"])
def test_a_damaged_catalog(small: Small, damage: str) -> None:
    path, total = small.warehouse.catalog.path, len(vectors(small.home))
    backup = small.home.parent / "backup.duckdb"
    shutil.copyfile(path, backup)
    if damage == "zeros":
        path.write_bytes(bytes(path.stat().st_size))
    elif damage == "truncated":
        os.truncate(path, 5_000)
    else:
        path.unlink()
    kind = "no catalog" if damage == "gone" else "damaged catalog"
    assert "copy catalog.duckdb back" in said(kind, examine(small.warehouse, repair=True)[0])
    shutil.copyfile(backup, path)
    assert examine(small.warehouse)[0] == []
    assert len(vectors(small.home)) == total


def test_what_killed_writers_leave(small: Small) -> None:
    part = small.home / "artifacts" / "heads" / "x.npz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    holder = {"pid": 999_999_999, "purpose": "cole embed", "since": "2026-01-01T00:00:00+00:00"}
    (small.home / "writer.json").write_text(json.dumps(holder))
    found, told = examine(small.warehouse)
    assert "process 999999999 (cole embed" in said("stale lock", told)
    assert not (small.home / "writer.json").exists()
    assert "x.npz.part" in said("unfinished file", found)
    assert part.exists()
    examine(small.warehouse, repair=True)
    assert not part.exists()


def test_disk_nearly_full(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SPARE", 1 << 60)
    assert "MB left" in said("disk", examine(small.warehouse)[0])


def start(
    small_home: Path, pause: float, limit: str = "", **environment: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", EMBED.format(limit=limit), str(small_home), str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
        start_new_session=True,
    )


def recovers(home: Path) -> None:
    """After a fault half-way: nothing is lost, nothing is there twice, the rest is embedded."""
    spec_id = specify("minilm", pooling="mean", precision="fp32").spec_id
    kept = Warehouse(home).vectors.keys(spec_id).height
    texts = Warehouse(home).texts(SPACE, "code.bare", "none").height
    assert embed_all(home, MEAN) == texts - kept
    assert len(vectors(home, spec_id)) == texts
    assert [f.kind for f in examine(Warehouse(home))[0] if not f.harmless] == []


@pytest.fixture
def full_disk(small: Small, tmp_path: Path) -> Iterator[Small]:
    """The warehouse on a file system of a few megabytes, and what is left of it taken."""
    disk = tmp_path / "disk"
    disk.mkdir()
    size = sum(path.stat().st_size for path in small.home.rglob("*") if path.is_file())
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size // 1024 + 1500}k", "tmpfs", str(disk)]
    if subprocess.run(mount, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("only root may mount a small file system")
    try:
        shutil.copytree(small.home, disk / "home")
        yield Small(disk / "home", small.table)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk(full_disk: Small, tmp_path: Path) -> None:
    ballast = full_disk.home.parent / "ballast"
    process = start(full_disk.home, 0.3)
    assert process.stdout is not None
    assert process.stdout.readline() == "committed\n"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        file.writelines(itertools.repeat(bytes(4096)))
    _, error = process.communicate(timeout=120)
    print(error.splitlines()[-1])
    assert process.returncode == 1
    assert "no space left on the disk" in error.splitlines()[-1]
    ballast.unlink()
    found, _ = examine(full_disk.warehouse)
    said("disk", found)
    assert "embed (1)" in said("unfinished runs", found)
    ample = tmp_path / "ample"
    shutil.copytree(full_disk.home, ample)
    recovers(ample)


@pytest.mark.slow
def test_a_process_that_may_not_have_more_memory(small: Small) -> None:
    limit = (
        "import resource, threading; "
        "taken = int(open('/proc/self/statm').read().split()[0]) * 4096; "
        "resource.setrlimit(resource.RLIMIT_AS, (taken + (100 << 20), -1))"
    )
    process = start(small.home, 0, limit)
    _, error = process.communicate(timeout=120)
    assert process.returncode != 0, error
    print(error.splitlines()[-1] if error else process.returncode)
    recovers(small.home)


@pytest.mark.slow
def test_a_process_that_is_killed_for_memory(small: Small) -> None:
    """As the system does it: SIGKILL, without a word."""
    process = start(small.home, 30)
    assert process.stdout is not None
    assert process.stdout.readline() == "committed\n"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    found, told = examine(small.warehouse)
    said("stale lock", told)
    assert "embed (1)" in said("unfinished runs", found)
    recovers(small.home)
    assert examine(small.warehouse)[0] == []  # the run was repeated


@pytest.mark.slow
def test_prefects_server_gone_half_way(small: Small, tmp_path: Path) -> None:
    port = 19_000 + os.getpid() % 1000
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "prefect", "server", "start", "--no-ui"),
            *("--host", "127.0.0.1", "--port", str(port)),
        ],
        env=os.environ | {"PREFECT_HOME": str(tmp_path / "prefect")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/api"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                httpx.get(f"{url}/health").raise_for_status()
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.3)
        process = start(small.home, 0.2, PREFECT_API_URL=url)
        assert process.stdout is not None
        assert process.stdout.readline() == "committed\n"
    finally:
        server.kill()
        server.wait()
    _, error = process.communicate(timeout=300)
    print(process.returncode, error.splitlines()[-1] if error else "")
    recovers(small.home)


def test_a_server_that_outlived_its_command() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)", str(PROGRAM)],
        env=os.environ | {SERVER_OF: "999999999"},
    )
    time.sleep(0.5)
    try:
        (finding,) = left_servers.check_servers(repair=False)
        assert str(process.pid) in said("left server", [finding])
        assert process.poll() is None
        assert left_servers.check_servers(repair=True) == []
        assert process.wait(timeout=10) == -signal.SIGTERM
    finally:
        process.kill()


def test_from_the_command_line(small: Small) -> None:
    def cole(*arguments: str) -> tuple[int, str]:
        result = subprocess.run(
            [sys.executable, "-m", "flows.cli", "doctor", "--home", small.home, *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        return result.returncode, result.stdout

    assert cole() == (0, f"{small.home} is in order\n")
    shutil.rmtree(small.home / "vectors" / f"{SPEC}.lance")
    code, output = cole()
    assert (code, output[:26]) == (1, "wrong: the vector table " + SPEC[:2])
    code, output = cole("--json", "--repair")
    assert code == 0
    assert [entry["kind"] for entry in json.loads(output)["repaired"]] == ["deleted table"]
