"""What networks find on a worker of a cluster."""

import os
import pickle
from dataclasses import dataclass, field

import pytest

from cole_core.evaluation.outcomes import OK, Attempt
from cole_core.evaluation.parcels import Parcel
from cole_core.evaluation.settings import Limits
from flows.running.hosted import TRIMMING, let_go, on_dask


@dataclass(frozen=True)
class Reads:
    """Tells a variable of its process's environment."""

    limits: Limits = field(default_factory=Limits)

    def __call__(self, native: str, seed: int) -> Attempt:
        return Attempt(native, seed, OK, os.environ.get(native), 0.0)


def test_networks_keep_their_memory_where_dask_gives_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(TRIMMING, "65536")  # as Dask starts its workers
    monkeypatch.setenv("OTHER", "kept")
    reads = Reads()
    parcel = Parcel(pickle.dumps(reads), (), reads.limits)
    try:
        found = {name: on_dask(parcel, parcel.digest, name, 0) for name in (TRIMMING, "OTHER")}
    finally:
        let_go()
    assert {name: each.error for name, each in found.items()} == {TRIMMING: None, "OTHER": "kept"}
