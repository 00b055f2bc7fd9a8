"""Vectors in object storage, on a real server: what a folder does, a bucket does."""

import os
from pathlib import Path

import numpy as np
import pytest

from cole_core.errors import InputError
from cole_core.hashing import hash_text
from tests.object_store import SECRET, ObjectStore
from tests.object_store import object_store as started_store
from tests.warehouse.conftest import NATIVES, SPACE, fill, vectors_of
from warehouse import Warehouse
from warehouse.claim import MARK
from warehouse.fragments import write_vectors
from warehouse.health import examine
from warehouse.vectors import VectorStore, vector_rows
from warehouse.writer import Writer


@pytest.fixture
def stored(tmp_path: Path, bucket: str) -> Warehouse:
    """What `filled` holds, with its vectors in a bucket."""
    return fill(Warehouse(tmp_path / "home", f"{bucket}/vectors"))


def written(warehouse: Warehouse, hashes: list[str], spec_id: str = "spec"):
    counts = np.arange(len(hashes), dtype=np.int32)
    rows = vector_rows(hashes, vectors_of(hashes), counts, np.zeros(len(hashes), bool))
    return write_vectors(warehouse.vectors.path(spec_id), rows)


def hashes(count: int, offset: int = 0) -> list[str]:
    return [hash_text(f"written {index + offset}") for index in range(count)]


def test_a_bucket_holds_what_a_folder_holds(
    stored: Warehouse, tmp_path: Path, object_store: ObjectStore
) -> None:
    folder = fill(Warehouse(tmp_path / "other"))
    where = (SPACE, "code.expression", "none", "spec")
    ours, theirs = stored.architecture_vectors(*where), folder.architecture_vectors(*where)
    assert ours.natives == theirs.natives == NATIVES
    assert (ours.vectors == theirs.vectors).all()
    joined = "SELECT architectures.native, vector FROM embeddings_minilm_mean_fp32 "
    joined += "JOIN renderings USING (text_hash) "
    joined += "JOIN architectures USING (architecture_id) ORDER BY 1"
    assert stored.sql(joined).equals(folder.sql(joined))
    assert stored.sql(joined).height == len(NATIVES)
    query = ours.vectors[3]
    near = stored.vectors.nearest("spec", query, 3)
    assert (
        near["distance"].to_list() == folder.vectors.nearest("spec", query, 3)["distance"].to_list()
    )
    assert not (stored.home / "vectors").exists()
    names = object_store.names(stored.vectors.uri)
    assert [name for name in names if not name.startswith("spec.lance/")] == [MARK]


def test_a_warehouse_remembers_where_its_vectors_are(
    stored: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = Warehouse(stored.home)
    assert again.vectors.uri == stored.vectors.uri
    assert again.vectors.count("spec") == 8
    monkeypatch.setenv("COLE_VECTORS", f"{stored.vectors.uri}/")  # the same place
    assert Warehouse(stored.home).vectors.count("spec") == 8


def test_promised_vectors_are_not_looked_for_elsewhere(stored: Warehouse, tmp_path: Path) -> None:
    filled = fill(Warehouse(tmp_path / "on disk"))
    for warehouse, elsewhere in (
        (stored, str(tmp_path / "elsewhere")),
        (stored, f"{stored.vectors.uri}/below"),
        (filled, stored.vectors.uri),
    ):
        with pytest.raises(InputError, match="leave --vectors and COLE_VECTORS out"):
            Warehouse(warehouse.home, elsewhere)
        assert Warehouse(warehouse.home).vectors.count("spec") == 8


def test_without_promises_another_place_may_be_named(tmp_path: Path, bucket: str) -> None:
    home = tmp_path / "home"
    with Warehouse(home, str(tmp_path / "first")).writer("test", "run"):
        pass
    assert Warehouse(home).vectors.uri == str(tmp_path / "first")
    assert fill(Warehouse(home, bucket)).vectors.count("spec") == 8
    assert Warehouse(home).vectors.uri == bucket


def test_who_read_the_place_before_somebody_changed_it_does_not_write(
    tmp_path: Path, bucket: str
) -> None:
    early = Warehouse(tmp_path / "home")
    fill(Warehouse(tmp_path / "home", bucket))
    with pytest.raises(InputError, match=f"put in {bucket} meanwhile"):
        fill(early)
    assert not (tmp_path / "home" / "vectors").exists()


def test_nothing_secret_is_kept(stored: Warehouse) -> None:
    for path in stored.home.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path
    key = os.environ["AWS_ACCESS_KEY_ID"]
    assert key not in (stored.home / "vectors.json").read_text()


def test_fragments_of_workers_become_rows_once(
    stored: Warehouse, object_store: ObjectStore
) -> None:
    """Three that belong to the table, one that was written twice, one that nobody committed."""
    parts = [written(stored, hashes(5, start)) for start in (0, 5, 10)]
    twice = written(stored, hashes(5, 5))
    with stored.writer("test", "run-2") as writer:
        assert writer.add_fragments("spec", [*parts, twice]) == 15
        assert writer.add_fragments("spec", parts) == 0
    keys = stored.vectors.keys("spec")["text_hash"]
    assert keys.n_unique() == len(keys) == 8 + 15
    assert stored.vectors.vectors_of("spec", hashes(15)).keys() == set(hashes(15))
    promised = stored.read("promised_embeddings", spec_id="spec")["text_hash"]
    assert sorted(promised) == sorted(keys)
    rows = stored.vectors.vectors_of("spec", hashes(15))
    assert all((rows[each] == vectors_of([each])[0]).all() for each in hashes(15))


def test_the_first_commit_makes_the_table(tmp_path: Path, bucket: str) -> None:
    warehouse = Warehouse(tmp_path / "home", bucket)
    with warehouse.writer("test", "run") as writer:
        writer.add_specification("new", "minilm", "mean", "fp32", "{}", 4)
        parts = [written(warehouse, hashes(3, start), "new") for start in (0, 3)]
        assert writer.add_fragments("new", parts) == 6
        added = hashes(4, 6)
        counts = np.ones(4, np.int32)
        writer.add_embeddings("new", added, vectors_of(added), counts, counts < 0)
    keys = warehouse.vectors.keys("new")
    assert sorted(keys["text_hash"]) == sorted(hashes(10))
    found = warehouse.vectors.nearest("new", vectors_of(hashes(8)[7:])[0], 1)
    assert found["text_hash"].to_list() == hashes(8)[7:]


def test_a_store_that_is_not_to_be_had_is_one_line(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    with pytest.raises(InputError, match=r"no bucket for s3://not-there/v at http.*--vectors"):
        Warehouse(home, "s3://not-there/v")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(InputError, match="refuses these credentials: set AWS_ACCESS_KEY_ID"):
        Warehouse(home, f"{bucket}/other")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="does not answer: see that it runs"):
        Warehouse(home, f"{bucket}/third")
    assert not home.exists()


def doctor(warehouse: Warehouse, repair: bool = False) -> list[str]:
    """The kinds of what is found, or has been repaired."""
    found, repaired = examine(Warehouse(warehouse.home), repair)
    return [finding.kind for finding in (repaired if repair else found)]


def test_the_doctor_finds_in_a_bucket_what_it_finds_in_a_folder(
    stored: Warehouse, object_store: ObjectStore
) -> None:
    sound = doctor(stored)
    before = object_store.names(stored.vectors.uri)
    written(stored, hashes(5))  # by a worker that was killed, of a table that there is
    written(stored, hashes(5), "other")  # and of one that there is not
    assert [kind for kind in doctor(stored) if kind not in sound] == ["left file", "left file"]
    assert doctor(stored, repair=True).count("left file") == 2
    assert object_store.names(stored.vectors.uri) == before
    assert len(list((stored.home / "quarantine").rglob("*.lance/data/*"))) == 2
    assert doctor(stored) == sound
    assert stored.vectors.count("spec") == 8


def test_vectors_between_store_and_catalog_are_adopted(stored: Warehouse) -> None:
    sound = doctor(stored)
    stored.vectors.commit("spec", [written(stored, hashes(5))])
    assert "unpromised vectors" in doctor(stored)
    assert "unpromised vectors" in doctor(stored, repair=True)
    assert len(stored.read("promised_embeddings", spec_id="spec")) == 8 + 5
    assert set(doctor(stored)) - set(sound) == {"vectors without text", "dangling rows"}


def test_a_damaged_file_in_a_bucket(stored: Warehouse, object_store: ObjectStore) -> None:
    sound = doctor(stored)
    [name] = [n for n in object_store.names(stored.vectors.uri) if "/data/" in n]
    place = f"{stored.vectors.uri}/{name}".removeprefix("s3://")
    with object_store.files.open_input_file(place) as file:
        content = file.read()
    with object_store.files.open_output_stream(place) as stream:
        stream.write(content[: len(content) // 2])
    assert "damaged table" in doctor(stored)
    assert "damaged table" in doctor(stored, repair=True)
    assert doctor(stored) == sound
    assert stored.read("promised_embeddings", spec_id="spec").is_empty()
    [aside] = (stored.home / "quarantine").rglob("*.lance/data/*")
    assert aside.read_bytes() == content[: len(content) // 2]


def test_a_store_that_is_gone_is_not_a_lost_table(
    stored: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor would withdraw every promise, the writer too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for read in (VectorStore.keys, VectorStore.dataset, VectorStore.count):
        with pytest.raises(InputError, match="does not answer"):
            read(Warehouse(stored.home).vectors, "spec")
    with (
        pytest.raises(InputError, match="does not answer"),
        Warehouse(stored.home).writer("test", "run-2") as writer,
    ):
        writer.recover_embeddings("spec")
    for repair in (False, True):
        with pytest.raises(InputError, match="does not answer"):
            examine(Warehouse(stored.home), repair)
    assert len(stored.read("promised_embeddings", spec_id="spec")) == 8


def add_wide(writer: Writer, added: list[int], wide: int = 1_000) -> None:
    """A hundred megabytes, in commits of two; notes what each added."""
    writer.add_specification("wide", "minilm", "mean", "fp32", "{}", wide)
    for start in range(0, 25_000, 500):
        some, counts = hashes(500, start), np.ones(500, np.int32)
        vectors = np.full((500, wide), start + 1, np.float32)
        added.append(writer.add_embeddings("wide", some, vectors, counts, counts < 0))


@pytest.mark.slow  # a server of its own that is filled
def test_a_store_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SeaweedFS calls it an internal error; what was committed before stays, and goes on later."""
    small = ("-volume.max=2", "-master.volumeSizeLimitMB=2")
    with started_store(tmp_path / "server", *small) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        warehouse = fill(Warehouse(tmp_path / "home", server.bucket("own")))
        added: list[int] = []
        with (
            pytest.raises(InputError, match=r"s3://own at http.* has room; what was stored"),
            warehouse.writer("test", "run") as writer,
        ):
            add_wide(writer, added)
        stored = sum(added)
        assert stored > 0
        promised = Warehouse(warehouse.home).read("promised_embeddings", spec_id="wide")
        assert len(promised) == Warehouse(warehouse.home).vectors.count("wide") == stored
