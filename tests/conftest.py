"""Fixtures that every room's tests may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
