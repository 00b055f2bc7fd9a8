"""`--vectors`: what it takes, what it refuses, and every command with vectors in a real store."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.flows.conftest import Cole, Small
from tests.object_store import SECRET, ObjectStore
from warehouse import Warehouse
from warehouse.claim import claim
from warehouse.object_storage import check_store

SAYS_WHERE = "credentials belong in the environment, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (f"s3://someone:{SECRET}@bucket/prefix", SAYS_WHERE),
        (f"s3://someone@bucket/prefix?secret={SECRET}", SAYS_WHERE),
        (f"s3://bucket/prefix?aws_secret_access_key={SECRET}", SAYS_WHERE),
        ("s3://bucket:8333/prefix", "an endpoint in AWS_ENDPOINT_URL"),
        (f"gs://{SECRET}@bucket/prefix", "in the environment, as GOOGLE_SERVICE_ACCOUNT"),
        ("s3://", "--vectors s3:// names no bucket: give s3://bucket/prefix"),
        ("s3:///prefix", "--vectors s3:///prefix names no bucket"),
        ("ftp://bucket/prefix", "no store ftp://, name a folder, or s3://bucket/prefix"),
        ("", "--vectors is empty: name a folder, or s3://bucket/prefix"),
    ],
)
@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_place_that_is_none(
    cole: Cole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, line: str, by: str
) -> None:
    home = tmp_path / "home"
    named = ["--vectors", place] if by == "option" else []
    if by == "environment":
        if not place:
            pytest.skip("an empty variable is one that is not set")
        monkeypatch.setenv("COLE_VECTORS", place)
    code, out, err = cole("enumerate", "nasbench201", "--home", home, *named)
    assert (code, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1
    assert SECRET not in err
    assert not home.exists()


def test_the_option_is_given_once_with_a_value(cole: Cole, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert cole("status", "--home", home, "--vectors") == (
        2,
        "",
        "cole: the value of --vectors is missing\n",
    )
    twice = ("--vectors", "a", "--vectors=b")
    code, _, err = cole("status", "--home", home, *twice)
    assert (code, err) == (2, "cole: --vectors: given twice, give it once\n")


def test_a_folder_elsewhere(cole: Cole, tmp_path: Path, small: Small) -> None:
    home, elsewhere = tmp_path / "new", tmp_path / "else where"
    assert cole("export", tmp_path / "export", "--home", small.home)[0] == 0
    assert cole("import", tmp_path / "export", "--home", home, f"--vectors={elsewhere}")[0] == 0
    assert not (home / "vectors").exists()
    spec_ids = Warehouse(small.home).vectors.spec_ids()
    assert Warehouse(home).vectors.spec_ids() == spec_ids
    assert {path.stem for path in elsewhere.iterdir()} == {*spec_ids, "warehouse"}
    assert cole("doctor", "--home", home)[0] == 0
    assert cole("backup", tmp_path / "copies", "--home", home)[0] == 0
    [copy] = (tmp_path / "copies").iterdir()
    assert Warehouse(copy).vectors.count(spec_ids[0]) == Warehouse(home).vectors.count(spec_ids[0])
    code, _, err = cole("status", "--home", home, "--vectors", tmp_path / "third")
    assert code == 2
    assert f"the vectors of {home} are in {elsewhere}, not in {tmp_path / 'third'}" in err


def test_the_whole_pipeline_in_a_bucket(
    cole: Cole, tmp_path: Path, small: Small, bucket: str, object_store: ObjectStore
) -> None:
    """Every command that reads or writes vectors, against the same warehouse on a disk."""
    home = tmp_path / "new"

    def both(*words: str) -> tuple[str, str]:
        said = []
        for where in (home, small.home):
            code, out, err = cole(*words, "--home", where)
            assert code == 0, err
            assert SECRET not in out + err
            said.append(out)
        return said[0], said[1]

    code, _, err = cole("ingest", "nasbench201", small.table, "--home", home, "--vectors", bucket)
    assert code == 0, err
    assert cole("render", "nasbench201", "--home", home)[0] == 0
    embed = ("embed", "nasbench201", "--precision", "fp32", "--json")
    first, nothing = (json.loads(said) for said in both(*embed))
    assert first["embedded"] == nothing["skipped"] > 30
    assert json.loads(both(*embed)[0])["embedded"] == 0
    count = "SELECT count(*), count(DISTINCT text_hash), sum(vector[1]) "
    count += "FROM embeddings_minilm_avg_avg_fp32"
    ours, theirs = (Warehouse(each).sql(count).row(0) for each in (home, small.home))
    assert ours[:2] == theirs[:2]
    assert ours[2] == pytest.approx(theirs[2], rel=1e-5)
    native = pl.read_csv(small.table)["arch_str"][0]
    on = "nasbench201 --dataset cifar10 --head ridge --precision fp32"
    both("similar", native, "-k", "5", "--precision", "fp32")
    for line in (
        f"train {on} -n 20 --draws 2",
        f"search {on} --budget 15",
        "sql SELECT~count(*)~FROM~embeddings",
        "optimize",
        "doctor",
    ):
        both(*(word.replace("~", " ") for word in line.split()))
    code, _, err = cole("backup", tmp_path / "copies", "--home", home)
    assert code == 2
    assert f"'cole export {tmp_path / 'copies'}' writes all of it" in err
    assert not (tmp_path / "copies").exists()
    assert cole("export", tmp_path / "export", "--home", home)[0] == 0
    assert cole("import", tmp_path / "export", "--home", tmp_path / "back")[0] == 0
    [spec_id] = Warehouse(home).vectors.spec_ids()
    keys = Warehouse(tmp_path / "back").vectors.keys(spec_id)["text_hash"]
    assert sorted(keys) == sorted(Warehouse(home).vectors.keys(spec_id)["text_hash"])
    assert not (home / "vectors").exists()
    names = [name for name in object_store.names(bucket) if name != "warehouse.json"]
    assert all(name.startswith(f"{spec_id}.lance/") for name in names)
    mark = json.loads((home / "vectors.json").read_text())
    assert mark["uri"] == bucket
    for path in home.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_a_place_is_one_warehouses(
    cole: Cole, tmp_path: Path, request: pytest.FixtureRequest, where: str
) -> None:
    """Another one's `doctor --repair` would take its vectors for leftovers."""
    place = tmp_path / "vectors" if where == "folder" else request.getfixturevalue("bucket")
    command = ("enumerate", "nasbench201", "--samples", 2)
    first, second = tmp_path / "first", tmp_path / "second"
    assert cole(*command, "--home", first, "--vectors", place)[0] == 0
    claim.cache_clear()  # as in another process
    assert cole(*command, "--home", first)[0] == 0
    said = cole(*command, "--home", second, "--vectors", place)
    line = f"cole: {place} holds the vectors of another warehouse: name another place"
    assert (said[0], said[1], said[2].startswith(line), said[2].count("\n")) == (2, "", True, 1)
    assert not (second / "vectors.json").exists()
    assert cole(*command, "--home", second, "--vectors", f"{place}/second")[0] == 0


def test_a_place_of_before_is_marked_by_the_next_writer(cole: Cole, tmp_path: Path) -> None:
    home, place = tmp_path / "home", tmp_path / "vectors"
    command = ("enumerate", "nasbench201", "--samples", 2, "--home", home)
    assert cole(*command, "--vectors", place)[0] == 0
    (home / "vectors.json").write_text(json.dumps({"uri": str(place)}))
    (place / "warehouse.json").unlink()
    claim.cache_clear()
    assert cole(*command)[0] == 0
    owner = json.loads((place / "warehouse.json").read_text())["owner"]
    assert json.loads((home / "vectors.json").read_text()) == {"uri": str(place), "owner": owner}


def test_a_mark_that_is_damaged(cole: Cole, tmp_path: Path) -> None:
    home, place = tmp_path / "home", tmp_path / "vectors"
    place.mkdir()
    (place / "warehouse.json").write_text("[]")
    code, _, err = cole("enumerate", "nasbench201", "--home", home, "--vectors", place)
    assert (code, err.count("\n")) == (2, 1)
    assert f"{place}/warehouse.json, which says whose vectors are there, is damaged" in err


def test_a_folder_in_another_warehouse(cole: Cole, tmp_path: Path, small: Small) -> None:
    inside = small.home / "vectors"
    code, _, err = cole(
        "enumerate", "nasbench201", "--home", tmp_path / "other", "--vectors", inside
    )
    assert (code, err.count("\n")) == (2, 1)
    assert f"is in the directory of another warehouse, {small.home}: name a folder" in err
    own = ("--home", tmp_path / "own", "--vectors", tmp_path / "own" / "mine")
    for _ in range(2):
        assert cole("enumerate", "nasbench201", "--samples", 2, *own)[0] == 0


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.slow  # half a minute: the store is given time to answer
def test_a_store_that_never_answers(
    cole: Cole, tmp_path: Path, bucket: str, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", silent)
    check_store.cache_clear()
    code, out, err = cole(
        "enumerate", "nasbench201", "--home", tmp_path / "home", "--vectors", f"{bucket}/v"
    )
    assert (code, out) == (2, "")
    assert f"cole: {bucket}/v at {silent} does not answer" in err
    assert not (tmp_path / "home").exists()
