"""Architectures of a space, drawn or all of them, each stored once."""

from flows.stages.enumerate import EnumerateRequest, enumerate_architectures
from tests.flows.conftest import SIZE, SPACE, Small


def test_sampling_is_seeded_and_adds_what_is_new(small: Small) -> None:
    asked = EnumerateRequest(space="nasbench201", home=small.home, samples=40, seed=3)
    first = enumerate_architectures(asked)
    assert first["architectures"] + first["skipped"] == 40
    assert enumerate_architectures(asked) == {"architectures": 0, "skipped": 40}
    stored = small.warehouse.architectures(SPACE)
    assert stored["position"].to_list() == list(range(SIZE + first["architectures"]))
