"""Fixtures that every room's tests may use."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.object_store import ObjectStore
from tests.object_store import object_store as started_store

settings.register_profile("cole", deadline=None)  # first calls fill memos, and machines are shared
settings.load_profile("cole")

# xdist tells its workers that a terminal is 80 columns wide; a pipe has no width.
os.environ.pop("COLUMNS", None)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared measurements beside the repository; skips where it is missing."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs the folder of shared measurements, {folder}")
    return folder


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """One real object store for all tests of a session; each makes a bucket of its own."""
    with started_store(tmp_path_factory.mktemp("store")) as server:
        yield server


@pytest.fixture
def bucket(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URI of a new bucket of a test, and the environment that opens it."""
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("COLE_VECTORS", raising=False)
    return object_store.bucket(f"b{uuid.uuid4().hex}")
