"""Shards from disk: what is embedded, what is refused, what is left alone, what a kill costs."""

import json
import subprocess
import sys
from pathlib import Path

import lance
import pytest

from cole_core.errors import InputError
from cole_core.language_models import embedder, load, specify
from flows.cli.app import main
from flows.stages import embed as embedding
from flows.stages.embed import embed
from flows.stages.enumerate import enumerate_architectures
from flows.stages.render import render
from tests.flows.conftest import SPACE, Small

FP32 = {"precision": "fp32"}


def table(small: Small, spec_id: str) -> lance.LanceDataset:
    dataset = small.warehouse.vectors.dataset(spec_id)
    assert dataset is not None
    return dataset


def texts(small: Small) -> set[str]:
    return set(small.warehouse.texts(SPACE, "code.expression", "none")["text_hash"])


def test_a_second_specification_touches_nothing_of_the_first(small: Small) -> None:
    first = specify("minilm", **FP32).spec_id
    rows = f"SELECT * FROM embeddings WHERE spec_id = '{first}' ORDER BY text_hash"
    promised, version = small.warehouse.sql(rows), table(small, first).version
    files = {path: path.stat().st_mtime_ns for path in Path(table(small, first).uri).rglob("*")}

    summary = embed(str(small.home), "nasbench201", pooling="mean", **FP32)
    assert summary["spec_id"] != first
    assert (summary["embedded"], summary["skipped"]) == (len(texts(small)), 0)
    assert table(small, first).version == version
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert small.warehouse.sql(rows).equals(promised)


def test_a_hundred_architectures_embed_at_most_a_hundred_texts(small: Small) -> None:
    before = texts(small)
    known = set(small.warehouse.architectures(SPACE)["native"])
    enumerate_architectures(str(small.home), "nasbench201", samples=100, seed=4)
    added = set(small.warehouse.architectures(SPACE)["native"]) - known
    render(str(small.home), "nasbench201")
    summary = embed(str(small.home), "nasbench201", **FP32)
    assert summary["embedded"] == len(texts(small) - before) <= len(added) <= 100
    assert summary["skipped"] == len(before)


def test_shards_of_any_size_give_the_same_vectors(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "SHARD", 7)
    monkeypatch.setattr(embedding, "SHARD_CHARACTERS", 1_000)
    summary = embed(str(small.home), "nasbench201", "code.exclude_helper", **FP32)
    assert summary["embedded"] == 0  # never rendered
    render(str(small.home), "nasbench201", "code.exclude_helper")
    summary = embed(str(small.home), "nasbench201", "code.exclude_helper", **FP32)
    stored = small.warehouse.texts(SPACE, "code.exclude_helper", "none")
    assert summary["embedded"] == stored.height
    spec_id = summary["spec_id"]
    assert len(table(small, spec_id).get_fragments()) < 32  # joined at the end of the stage
    found = table(small, spec_id).to_table().to_pydict()
    vector_of = dict(zip(found["text_hash"], found["vector"], strict=True))
    for batch in load(specify("minilm", **FP32)).embed(stored["text"].to_list()):
        for index, vector in zip(batch.indices, batch.vectors, strict=True):
            assert vector_of[stored["text_hash"][int(index)]] == pytest.approx(vector, abs=1e-4)


def test_strict_length_embeds_nothing_and_loads_no_weights(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_weights(*arguments: object) -> None:
        pytest.fail("the weights were loaded")

    before = small.warehouse.status()["embeddings"]
    with monkeypatch.context() as patched:
        patched.setattr(embedder, "load_backend", no_weights)
        embedding._embedder.cache_clear()
        with pytest.raises(InputError, match=r"\d+ texts have more than 60 tokens.*--max-length"):
            embed(str(small.home), "nasbench201", max_length=60, strict_length=True, **FP32)
    assert small.warehouse.status()["embeddings"] == before

    cut = embed(str(small.home), "nasbench201", max_length=60, **FP32)
    assert 0 < cut["truncated"] < cut["embedded"]
    with pytest.raises(InputError, match=f"^{cut['truncated']} texts have more than 60 tokens"):
        embed(str(small.home), "nasbench201", max_length=60, strict_length=True, **FP32)
    whole = embed(str(small.home), "nasbench201", max_length=500, strict_length=True, **FP32)
    assert whole["embedded"] == len(texts(small))
    assert whole["truncated"] == 0


def test_strict_length_ends_with_exit_code_2(
    small: Small, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["cole", "embed", "nasbench201", "--home", str(small.home), "--precision", "fp32"]
    options = ["--max-length", "60", "--json"]

    monkeypatch.setattr(sys, "argv", [*command, *options, "--strict-length"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("cole: ")
    assert "--strict-length" in error
    assert small.warehouse.sql("SELECT DISTINCT spec_id FROM embeddings").height == 1

    monkeypatch.setattr(sys, "argv", [*command, *options])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert not exit_.value.code
    summary = json.loads(capsys.readouterr().out)
    flagged = small.warehouse.sql(
        f"SELECT count(*) FROM embeddings WHERE truncated AND spec_id = '{summary['spec_id']}'"
    )
    assert summary["truncated"] == flagged.item() > 0


@pytest.mark.slow
def test_many_texts_killed_half_way() -> None:
    """100,000 of the benchmark's million, in processes of their own."""
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.streaming", "--texts", "100000", "--kill", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured = json.loads(result.stdout)
    assert measured["lost"] == measured["duplicates"] == 0
    assert measured["stored_at_kill"] + measured["embedded"] == 100_000
    assert measured["peak_gb_beyond_few"] < 1
    assert measured["fragments"] == 1
