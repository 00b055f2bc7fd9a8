"""Shards from disk: what is embedded, what is refused, what is left alone, what a kill costs."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import lance
import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from cole_core.encodings import TextEncoding
from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.language_models import embedder, load, specify
from cole_core.language_models import texts as embedding_texts
from cole_core.spaces import get_space
from flows.resolve.requests import AskedEmbeddings, Measured
from flows.stages import embed as embedding
from flows.stages.embed import EmbedRequest, embed
from flows.stages.enumerate import EnumerateRequest, enumerate_architectures
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.render import RenderRequest, render
from tests.cole_core.language_models.handed_over import WEIGHTS, make_whole
from tests.cole_core.language_models.zoo import make_model
from tests.flows.conftest import SIZE, SPACE, Cole, Small

FP32 = AskedEmbeddings(precision="fp32")


def asking(small: Small, encoding: str | None = None, **options: object) -> EmbedRequest:
    """A request for vectors in fp32, otherwise as usual but for the options that are named."""
    asked = replace(FP32, **options)  # type: ignore[arg-type]
    return EmbedRequest(space="nasbench201", home=small.home, encoding=encoding, options=asked)


def table(small: Small, spec_id: str) -> lance.LanceDataset:
    dataset = small.warehouse.vectors.dataset(spec_id)
    assert dataset is not None
    return dataset


def texts(small: Small) -> set[str]:
    return set(small.warehouse.texts(SPACE, "code.bare", "none")["text_hash"])


def test_vectors_are_those_of_the_texts(made: Small) -> None:
    """From the warehouse's vectors back to the language model, without the flow between."""
    encoding = get_space("nasbench201").encoding("code.bare")
    assert isinstance(encoding, TextEncoding)
    specification = specify("minilm", precision="fp32")
    stored = made.warehouse.architecture_vectors(SPACE, "code.bare", "none", specification.spec_id)
    written = [encoding.render(native) for native in stored.natives]
    alone = np.zeros_like(stored.vectors)
    for batch in load(specification).embed(written):
        alone[batch.indices] = batch.vectors
    assert len(stored.natives) == SIZE
    np.testing.assert_allclose(stored.vectors, alone, atol=1e-4)


def test_embedding_again_embeds_nothing(small: Small) -> None:
    again = embed(asking(small))
    assert (again["embedded"], again["skipped"]) == (0, len(texts(small)))


def test_a_second_specification_touches_nothing_of_the_first(small: Small) -> None:
    first = specify("minilm", precision="fp32").spec_id
    rows = f"SELECT * FROM embeddings WHERE spec_id = '{first}' ORDER BY text_hash"
    promised, version = small.warehouse.sql(rows), table(small, first).version
    files = {path: path.stat().st_mtime_ns for path in Path(table(small, first).uri).rglob("*")}

    summary = embed(asking(small, pooling="mean"))
    assert summary["spec_id"] != first
    assert (summary["embedded"], summary["skipped"]) == (len(texts(small)), 0)
    assert table(small, first).version == version
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert small.warehouse.sql(rows).equals(promised)


def test_new_architectures_embed_just_their_texts(small: Small) -> None:
    before = texts(small)
    known = set(small.warehouse.architectures(SPACE)["native"])
    enumerate_architectures(
        EnumerateRequest(space="nasbench201", home=small.home, samples=100, seed=4)
    )
    added = set(small.warehouse.architectures(SPACE)["native"]) - known
    render(RenderRequest(space="nasbench201", home=small.home))
    summary = embed(asking(small))
    assert summary["embedded"] == len(texts(small) - before) <= len(added) <= 100
    assert summary["skipped"] == len(before)


def test_long_contexts_are_read_in_windows(small: Small) -> None:
    text = {"encoding": "code.exclude_helper", "context": "network"}
    render(RenderRequest(space="nasbench201", home=small.home, **text))
    summary = embed(EmbedRequest(space="nasbench201", home=small.home, **text, options=FP32))
    assert summary["truncated"] == 0
    assert summary["tokens"] > 512 * summary["embedded"]
    stored = small.warehouse.architecture_vectors(SPACE, *text.values(), summary["spec_id"])
    assert len(np.unique(stored.vectors.round(5), axis=0)) == summary["embedded"]


def test_what_is_not_finite_is_never_stored(small: Small, tmp_path: Path) -> None:
    """A model that runs, but has no number for a token that some of the texts have."""
    path = make_model("bert", tmp_path / "my-model")
    token = AutoTokenizer.from_pretrained(path)("avg", add_special_tokens=False)["input_ids"][0]
    weights = load_file(path / WEIGHTS)
    (path / WEIGHTS).unlink()  # they are read from there as they are needed
    weights["embeddings.word_embeddings.weight"][token] = float("nan")
    save_file(weights, path / WEIGHTS, {"format": "pt"})
    before = small.warehouse.specifications()
    with pytest.raises(InputError, match=r"my-model gives text '.*avg.*' a vector that is not fin"):
        embed(asking(small, lm=str(path)))
    assert small.warehouse.specifications().equals(before)
    assert small.warehouse.vectors.dataset(specify(str(path), precision="fp32").spec_id) is None


def test_the_summary_says_what_a_model_was_read_as(small: Small, tmp_path: Path) -> None:
    summary = embed(asking(small, lm=str(make_whole("t5", tmp_path / "t5"))))
    assert summary["read_as"] == "t5 encoder, windows of 256 tokens"
    assert summary["embedded"] == len(texts(small))


def test_a_language_model_of_ones_own_by_its_path(small: Small, tmp_path: Path) -> None:
    path = str(make_model("bert", tmp_path / "my-model"))
    assert embed(asking(small, lm=path, pooling="mean"))["embedded"] > 0
    trained = fit_heads(
        FitHeadsRequest(
            space="nasbench201",
            home=small.home,
            measured=Measured(dataset="cifar10"),
            vectors=Vectors(lm=path, pooling="mean", precision="fp32"),
            sizes=(20,),
            draws=1,
        )
    )
    assert trained["trials"] == 1


def test_shards_of_any_size_give_the_same_vectors(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "SHARD", 7)
    monkeypatch.setattr(embedding, "SHARD_CHARACTERS", 150)  # one or two texts
    asked = asking(small, "arch_str")
    with pytest.raises(InputError, match=r"nothing to embed.* cole render nasbench201"):
        embed(asked)  # never rendered
    render(RenderRequest(space="nasbench201", home=small.home, encoding="arch_str"))
    summary = embed(asked)
    stored = small.warehouse.texts(SPACE, "arch_str", "none")
    assert summary["embedded"] == stored.height == SIZE
    spec_id = summary["spec_id"]
    assert len(table(small, spec_id).get_fragments()) < 32  # joined at the end of the stage
    found = table(small, spec_id).to_table().to_pydict()
    vector_of = dict(zip(found["text_hash"], found["vector"], strict=True))
    for batch in load(FP32.specification()).embed(stored["text"].to_list()):
        for index, vector in zip(batch.indices, batch.vectors, strict=True):
            assert vector_of[stored["text_hash"][int(index)]] == pytest.approx(vector, abs=1e-4)


def test_cut_texts_are_counted_and_flagged(small: Small) -> None:
    whole = dict(small.warehouse.sql("SELECT text_hash, n_tokens FROM embeddings").iter_rows())
    summary = embed(asking(small, max_length=60))
    rows = small.warehouse.sql(
        "SELECT text_hash, n_tokens, truncated FROM embeddings "
        f"WHERE spec_id = '{summary['spec_id']}'"
    )
    for text_hash, n_tokens, truncated in rows.iter_rows():
        assert n_tokens == min(whole[text_hash], 60)
        assert truncated == (whole[text_hash] > 60)
    assert 0 < summary["truncated"] == rows["truncated"].sum() < summary["embedded"]

    strict = replace(asking(small, max_length=60), strict_length=True)
    with pytest.raises(InputError, match=f"^{summary['truncated']} texts have more than 60 tokens"):
        embed(strict)
    long = replace(asking(small, max_length=500), strict_length=True)
    summary = embed(long)
    assert (summary["embedded"], summary["truncated"]) == (len(texts(small)), 0)


def test_strict_length_embeds_nothing_and_loads_no_weights(
    small: Small, cole: Cole, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_weights(*arguments: object) -> None:
        pytest.fail("the weights were loaded")

    before = small.warehouse.status()["embeddings"]
    command = ["embed", "nasbench201", "--home", small.home, "--precision", "fp32"]
    options = ["--max-length", "60", "--json"]
    with monkeypatch.context() as patched:
        patched.setattr(embedder, "load_backend", no_weights)
        embedding_texts._embedder.cache_clear()
        code, _, error = cole(*command, *options, "--strict-length")
    assert code == 2
    line = error.splitlines()[-1]
    assert line.startswith("cole: ")
    assert "texts have more than 60 tokens" in line
    assert "--strict-length" in line
    assert small.warehouse.status()["embeddings"] == before

    code, out, _ = cole(*command, *options)
    assert code == 0
    summary = json.loads(out)
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
