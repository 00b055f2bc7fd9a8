"""Specifications, the catalog, windows, batches and the embedder's bookkeeping."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cole_core.errors import InputError
from cole_core.language_models import EmbeddingSpecification, catalog, is_here, load, specify
from cole_core.language_models.backend import Backend, Layout
from cole_core.language_models.batching import PADDING, batches_by_length
from cole_core.language_models.embedder import Embedder
from cole_core.language_models.files import find_model
from cole_core.language_models.prefix_tree import build_tree
from cole_core.language_models.windows import Window, WindowTokenizer
from tests.cole_core.language_models.zoo import TEXTS, make_model, make_tokenizer


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model("bert", tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model("llama", tmp_path_factory.mktemp("models") / "llama")


def vectors_of(specification: EmbeddingSpecification, texts: Sequence[str]) -> np.ndarray:
    vectors = np.full((len(texts), specification.dimensions), np.nan, np.float32)
    for batch in load(specification, "cpu", workers=1).embed(texts):
        vectors[batch.indices] = batch.vectors
    return vectors


def test_a_specification_survives_json() -> None:
    specification = specify("minilm", pooling="multi_layer", every=2)
    assert specification.layers == (2, 4, 6)
    assert specification.dimensions == 3 * 384
    assert EmbeddingSpecification.from_json(specification.to_json()) == specification


def test_the_id_names_what_determines_a_vector_and_nothing_else(bert: Path, tmp_path: Path) -> None:
    specification = specify(str(bert))
    copy = shutil.copytree(bert, tmp_path / "copy")
    assert specify(str(copy)).spec_id == specification.spec_id
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"transformers_version": "0"}))
    assert specify(str(copy)).spec_id == specification.spec_id
    (copy / "config.json").write_text(json.dumps(config | {"layer_norm_eps": 1e-3}))
    assert specify(str(copy)).spec_id != specification.spec_id
    changes = [
        {"pooling": "mean"},
        {"precision": "fp32"},
        {"max_length": 32},
        {"window": 64},
        {"instruction": "x"},
        {"normalize": True},
        {"random_init": 1},
        {"layers": [1]},
    ]
    ids = {specify(str(bert), **change).spec_id for change in changes}
    assert len(ids | {specification.spec_id}) == len(changes) + 1


def test_the_package_and_the_hub_id_are_one_specification() -> None:
    assert specify("minilm").spec_id == specify("sentence-transformers/all-MiniLM-L6-v2").spec_id


def test_specifying_imports_no_engine() -> None:
    code = (
        "import sys; from cole_core.language_models import specify; specify('minilm');"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_minilm_needs_no_transformers() -> None:
    code = (
        "import sys; sys.modules['transformers'] = None;"
        "from cole_core.language_models import load; next(load('minilm').embed(['x']))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("/not/there", {}, "no language model at /not/there"),
        ("codebert", {}, "no safetensors"),
        ("coderankembed", {}, "trust_remote_code"),
        ("minilm", {"pooling": "median"}, "unknown pooling 'median'"),
        ("minilm", {"precision": "fp8"}, "unknown precision 'fp8'"),
        ("minilm", {"echo": True}, "echo is for causal models"),
        ("minilm", {"layers": [9]}, "layers"),
        ("minilm", {"max_length": 2}, "max_length 2"),
        ("minilm", {"window": 64, "overlap": 40}, "overlap 40"),
    ],
)
def test_bad_input_is_one_clear_line(name: str, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        specify(name, **options)
    assert "\n" not in str(error.value)


def test_a_hub_id_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants as hub

    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="the model hub does not give 'nobody/nothing'"):
        specify("nobody/nothing")


def test_pickled_weights_are_not_read(bert: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bert, tmp_path / "copy")
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(InputError, match="only safetensors weights are read"):
        specify(str(copy))


def test_weights_that_changed_since_they_were_specified(bert: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bert, tmp_path / "copy")
    specification = specify(str(copy))
    make_model("bert", copy, seed=1)
    with pytest.raises(InputError, match="specify it again"):
        load(specification)


def test_no_such_device(bert: Path) -> None:
    with pytest.raises(InputError, match="no device 'abacus'"):
        load(str(bert), "abacus")


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_integers_work_or_say_what_they_need(llama: Path, precision: str) -> None:
    specification = specify(str(llama), precision=precision)
    try:
        vectors = vectors_of(specification, TEXTS)
    except InputError as error:
        assert "torchao" in str(error) or "CUDA" in str(error)  # noqa: PT017
    else:
        assert np.isfinite(vectors).all()


def test_the_catalog_is_complete_and_minilm_is_here() -> None:
    assert is_here(catalog()["minilm"])
    hubs = [entry.hub for entry in catalog().values()]
    assert len(hubs) == len(set(hubs)) >= 30
    assert {entry.kind for entry in catalog().values()} == {"encoder", "causal"}


def test_sentence_transformers_files_decide_their_own_pooling(bert: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bert, tmp_path / "copy")
    steps = ["Transformer", "Pooling", "Normalize"]
    modules = [
        {"idx": i, "path": f"{i}_{step}", "type": f"sentence_transformers.models.{step}"}
        for i, step in enumerate(steps)
    ]
    (copy / "modules.json").write_text(json.dumps(modules))
    (copy / "1_Pooling").mkdir()
    (copy / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    prompts = {"prompts": {"code": "Represent: "}, "default_prompt_name": "code"}
    (copy / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    own = specify(str(copy), pooling="own", precision="fp32")
    assert (own.pooling, own.normalize, own.instruction) == ("cls", True, "Represent: ")
    named = specify(str(bert), pooling="cls", precision="fp32", instruction="Represent: ")
    expected = vectors_of(named, TEXTS)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors_of(own, TEXTS), expected, atol=1e-6)
    with pytest.raises(InputError, match="no pooling of its own"):
        specify(str(bert), pooling="own")


def test_equal_texts_run_once_and_every_row_is_there(bert: Path) -> None:
    specification = specify(str(bert), precision="fp32")
    texts = [TEXTS[i % 3] for i in range(50)]
    embedder = load(specification, "cpu", workers=1)
    batches = list(embedder.embed(texts))
    indices = np.concatenate([batch.indices for batch in batches])
    assert sorted(indices) == list(range(50))
    vectors = np.concatenate([batch.vectors for batch in batches])[np.argsort(indices)]
    np.testing.assert_array_equal(vectors, vectors[np.arange(50) % 3])
    assert list(embedder.embed([])) == []


def test_cut_texts_are_flagged_and_counted(bert: Path) -> None:
    tokenizer = make_tokenizer("bert")
    specification = specify(str(bert), precision="fp32", max_length=12)
    texts = ["x", TEXTS[0]]
    for batch in load(specification, "cpu").embed(texts):
        for i, n_tokens, truncated in zip(
            batch.indices, batch.n_tokens, batch.truncated, strict=True
        ):
            length = len(tokenizer(texts[i])["input_ids"])
            assert n_tokens == min(length, 12)
            assert truncated == (length > 12)
    cut = tokenizer.decode(tokenizer(TEXTS[0], add_special_tokens=False)["input_ids"][: 12 - 2])
    whole = replace(specification, max_length=None)
    np.testing.assert_allclose(
        vectors_of(specification, [TEXTS[0]]), vectors_of(whole, [cut]), atol=1e-6
    )


def test_a_text_without_tokens_is_named(tmp_path: Path) -> None:
    folder = make_model("gpt2", tmp_path / "gpt2")
    with pytest.raises(InputError, match="'' has no tokens"):
        list(load(str(folder), "cpu").embed(["x", ""]))


class CountingBackend(Backend):
    """Hidden states that are the token ids; refuses batches beyond what its memory holds."""

    device = torch.device("cpu")

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.sizes: list[int] = []

    def lay_out(self, windows: Sequence[Window]) -> Layout:
        ids = np.concatenate([window.ids for window in windows]).astype(np.float32)
        pooling = np.zeros((len(windows), len(ids)), np.float32)
        offset = 0
        for i, window in enumerate(windows):
            pooling[i, offset + window.start : offset + window.stop] = 1
            offset += len(window.ids)
        return Layout(torch.from_numpy(ids)[:, None], torch.from_numpy(pooling))

    def hidden_states(self, layout: Layout, layers: Sequence[int]) -> Iterator[torch.Tensor]:
        if len(layout.inputs) > self.memory:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.sizes.append(len(layout.inputs))
        yield from [layout.inputs] * len(layers)


def counting_embedder(
    bert: Path, memory: int, batch_tokens: int, **options: int
) -> tuple[Embedder, CountingBackend]:
    specification = specify(str(bert), pooling="mean", **options)
    backend = CountingBackend(memory)
    backend_tokenizer = make_tokenizer("bert").backend_tokenizer
    tokenizer = WindowTokenizer(backend_tokenizer, specification)
    return Embedder(specification, backend, tokenizer, batch_tokens, workers=1), backend


def test_a_batch_that_does_not_fit_is_halved(bert: Path) -> None:
    embedder, backend = counting_embedder(bert, memory=130, batch_tokens=500)
    tokenizer = make_tokenizer("bert")
    rows = {}
    for batch in embedder.embed(TEXTS):
        rows.update(zip(batch.indices, batch.vectors, strict=True))
    for i, text in enumerate(TEXTS):
        np.testing.assert_allclose(rows[i], np.mean(tokenizer(text)["input_ids"]), rtol=1e-6)
    assert max(backend.sizes) <= 130
    smallest, _ = counting_embedder(bert, memory=3, batch_tokens=500)
    with pytest.raises(torch.OutOfMemoryError):
        list(smallest.embed(TEXTS))


@given(st.lists(st.integers(0, 400), min_size=1, max_size=6), st.integers(16, 40), st.data())
def test_windows_pool_every_token_once(
    bert: Path, lengths: list[int], window: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, window // 2 - 2))
    embedder, _ = counting_embedder(
        bert, memory=10**6, batch_tokens=64, window=window, overlap=overlap
    )
    texts = ["x " * length + str(i) for i, length in enumerate(lengths)]
    tokenizer = make_tokenizer("bert")
    seen = 0
    for batch in embedder.embed(texts):
        for i, vector, n_tokens in zip(batch.indices, batch.vectors, batch.n_tokens, strict=True):
            ids = tokenizer(texts[i])["input_ids"]
            np.testing.assert_allclose(vector, np.mean(ids), rtol=1e-5)
            assert n_tokens == len(ids)
            seen += 1
    assert seen == len(texts)


@given(st.lists(st.integers(1, 60), max_size=40), st.integers(1, 200), st.booleans())
def test_batches_keep_every_window_within_the_budget(
    lengths: list[int], tokens: int, padded: bool
) -> None:
    windows = [Window(i, np.zeros(n, np.int32), 0, n) for i, n in enumerate(lengths)]
    batches = list(batches_by_length(windows, tokens, padded))
    assert sorted(w.text for batch in batches for w in batch) == list(range(len(windows)))
    for batch in batches:
        real = sum(len(window.ids) for window in batch)
        computed = max(len(window.ids) for window in batch) * len(batch) if padded else real
        assert computed <= tokens or len(batch) == 1
        assert computed - real <= PADDING * computed
    flat = [len(window.ids) for batch in batches for window in batch]
    assert flat == sorted(flat)


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=12),
    st.booleans(),
    st.integers(1, 7),
)
def test_a_prefix_tree_holds_each_prefix_once(
    sequences: list[list[int]], ordered: bool, size: int
) -> None:
    if ordered:
        sequences = sorted(sequences)
    tree = build_tree([np.array(sequence, np.int32) for sequence in sequences])
    attends: dict[int, set[int]] = {}
    start = 0
    for stop, keys, mask in tree.blocks(size):
        for row in range(start, stop):
            attends[row] = set(keys[mask[row - start]].tolist())
        start = stop
    for sequence, path in zip(sequences, tree.paths, strict=True):
        assert tree.ids[path].tolist() == sequence
        assert tree.depths[path].tolist() == list(range(len(sequence)))
        for depth, row in enumerate(path):
            assert attends[row] == set(path[: depth + 1].tolist())
    if ordered:
        prefixes = {tuple(s[:n]) for s in sequences for n in range(1, len(s) + 1)}
        assert len(tree.ids) == len(prefixes)


def test_the_packaged_model_must_be_the_official_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from cole_core.language_models import files

    other = replace(catalog()["minilm"], weights_sha256="0" * 64)
    monkeypatch.setattr(files, "find_entry", lambda name: other)
    with pytest.raises(InputError, match="not the official weights"):
        find_model("minilm")
