"""Whatever is given as a language model: what it is read as, or the line that refuses it."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from hypothesis import HealthCheck, settings
from hypothesis import given as given_any
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

import tests.cole_core.language_models.handed_over as given
from cole_core.errors import InputError
from cole_core.language_models import load, specify
from cole_core.language_models.description import describe
from cole_core.language_models.texts import try_out
from tests.cole_core.language_models.handed_over import INDEX, NESTED, WEIGHTS, Maker, as_it_is, but
from tests.cole_core.language_models.zoo import TEXTS, hidden_states, plain_loop

DENSE = "encoder.layer.0.output.dense.weight"
MLP = "h.0.mlp.c_fc.weight"
POINTER = (
    "is a Git LFS pointer, not the file it stands for: run 'git lfs pull' in its folder, or fetch "
    "it again"
)
ANOTHER = "half a model, or another one's config.json; fetch both again"
ONE_OF_THEM = "one of them is another model's, fetch both again"
CONVERT = "AutoModel.from_pretrained('{given}').save_pretrained('{given}')"

READ: dict[str, tuple[Maker, str]] = {
    "bert": (as_it_is("bert"), "bert encoder, windows of 128 tokens"),
    "gpt2": (as_it_is("gpt2"), "gpt2 causal, windows of 128 tokens"),
    "llama": (as_it_is("llama"), "llama causal, windows of 128 tokens"),
    "shards": (as_it_is("bert_in_shards"), "bert encoder, windows of 128 tokens"),
    "t5, of which the encoder": (as_it_is("t5"), "t5 encoder, windows of 256 tokens"),
    "byt5, saved as its encoder": (as_it_is("byt5"), "t5 encoder, windows of 512 tokens"),
    "t5 that names a limit": (
        but("t5", given.configured(n_positions=64)),
        "t5 encoder, windows of 64 tokens",
    ),
    "no settings of the tokenizer": (
        but("bert", given.without("tokenizer_config.json")),
        "bert encoder, windows of 128 tokens",
    ),
    "a byte order mark in config.json": (
        but("bert", given.with_mark("config.json")),
        "bert encoder, windows of 128 tokens",
    ),
    "sentence-transformers": (
        given.sentence(("Transformer", ""), ("Pooling", "1_Pooling")),
        "bert encoder, windows of 128 tokens",
    ),
    "sentence-transformers, older": (
        given.sentence(*NESTED),
        "bert encoder, windows of 128 tokens",
    ),
    "sentence-transformers, a dense step that is not asked for": (
        given.sentence(*NESTED, ("Dense", "2_Dense")),
        "bert encoder, windows of 128 tokens",
    ),
    "broken modules.json that is not asked for": (
        but("bert", given.containing("modules.json", "[{")),
        "bert encoder, windows of 128 tokens",
    ),
}

# The whole line. {given} is what was given, {folder} the folder that it is in.
REFUSED: dict[str, tuple[Maker, str]] = {
    # sentence-transformers
    "a step that is no transformer": (
        given.sentence(("StaticEmbedding", "0_StaticEmbedding")),
        "{given} begins with a StaticEmbedding step and only a Transformer is read: choose another "
        "model",
    ),
    "a step without a kind": (
        given.sentence_that_says_nothing,
        "{given}/modules.json of {given} has a step without a kind or a folder of its own: fetch "
        "it again",
    ),
    "a step outside the folder": (
        given.sentence(("Transformer", "../elsewhere")),
        "{given}/modules.json of {given} has a step without a kind or a folder of its own: fetch "
        "it again",
    ),
    "the pooling alone": (
        given.a_step_of_it,
        "config.json of {given} has no model_type, as another library's or a part of a model: give "
        "the folder that transformers saved",
    ),
    # weights
    "half the weights": (
        but("bert", given.cut(WEIGHTS)),
        "{given}/model.safetensors has 85,524 of 171,048 bytes: half a download, fetch it again",
    ),
    "a hundredth of the weights": (
        but("bert", given.cut(WEIGHTS, 0.01)),
        "{given}/model.safetensors is damaged, or half a download: fetch it again",
    ),
    "a pointer for the weights": (
        but("bert", given.pointer(WEIGHTS)),
        "{given}/model.safetensors " + POINTER,
    ),
    "empty weights": (
        but("bert", given.containing(WEIGHTS, "")),
        "{given}/model.safetensors is empty: half a download, fetch it again",
    ),
    "a page for the weights": (
        but("bert", given.containing(WEIGHTS, "<!DOCTYPE html><html>Not found</html>")),
        "{given}/model.safetensors is a web page, not the file itself: fetch it again",
    ),
    "noise for the weights": (
        but("bert", given.containing(WEIGHTS, "\x07" * 5_000)),
        "{given}/model.safetensors is damaged, or half a download: fetch it again",
    ),
    "a pickle under another name": (
        but("bert", given.pickle_under_another_name),
        "{given}/model.safetensors is a pickle under another name: save the model anew with "
        "save_pretrained",
    ),
    "no weights": (
        but("bert", given.without(WEIGHTS)),
        "{given} has no weights, no model.safetensors: only safetensors weights are read; fetch "
        "them too",
    ),
    "a link to weights that are gone": (
        but("bert", given.link_to_nothing),
        "{given} has model.safetensors as a link to a file that is gone: copy the file itself",
    ),
    "weights of another name": (
        but("bert", given.renamed(WEIGHTS, "weights.safetensors")),
        "{given} has weights.safetensors, and weights are read from model.safetensors: rename it",
    ),
    "pickled weights": (
        given.pickled,
        "{given} has pickled weights (pytorch_model.bin) and only safetensors weights are read: "
        "convert it with transformers, " + CONVERT,
    ),
    "TensorFlow weights": (
        but("bert", given.renamed(WEIGHTS, "tf_model.h5")),
        "{given} has TensorFlow weights and only safetensors weights are read: convert it to "
        "PyTorch, or fetch its safetensors",
    ),
    "an ONNX export": (
        but("bert", given.renamed(WEIGHTS, "model.onnx")),
        "{given} has an ONNX export and only safetensors weights are read: give the model that was "
        "exported",
    ),
    "a shard is missing": (
        but("bert_in_shards", given.without("model-00001-of-00003.safetensors")),
        "{given} has 2 of 3 shards, no model-00001-of-00003.safetensors: half a download, fetch it "
        "again",
    ),
    "a shard is half there": (
        but("bert_in_shards", given.cut("model-00002-of-00003.safetensors", 0.1)),
        "{given}/model-00002-of-00003.safetensors has 6,268 of 62,688 bytes: half a download, "
        "fetch it again",
    ),
    "a pointer for a shard": (
        but("bert_in_shards", given.pointer("model-00002-of-00003.safetensors")),
        "{given}/model-00002-of-00003.safetensors " + POINTER,
    ),
    "shards without their index": (
        but("bert_in_shards", given.without(INDEX)),
        "{given} has shards (model-00001-of-00003.safetensors) and no "
        "model.safetensors.index.json: half a download, fetch it again",
    ),
    "an index of nothing": (
        but("bert_in_shards", given.containing(INDEX, "{}")),
        "{given}/model.safetensors.index.json is empty: half a download, fetch it again",
    ),
    "an index that names no shards": (
        but("bert_in_shards", given.containing(INDEX, '{"weight_map": 3}')),
        "{given}/model.safetensors.index.json names no shards: fetch it again",
    ),
    # other things than whole models
    "an adapter": (
        given.adapter,
        "{given} is a PEFT adapter of my/base, no whole model: merge it into its base first "
        "(merge_and_unload), save that with its tokenizer, and give that folder",
    ),
    "an adapter beside a model": (
        but("bert", given.adapter_beside),
        "{given} holds a whole model and a PEFT adapter of my/base: remove adapter_config.json, or "
        "merge the adapter into its base first (merge_and_unload) and save that",
    ),
    "a GGUF file": (
        given.gguf_file,
        "{given} is a GGUF file, quantized for llama.cpp: give the folder of the model that it was "
        "made from, in safetensors",
    ),
    "a folder with a GGUF file": (
        given.gguf_folder,
        "{given} holds no language model, no config.json: it is GGUF, quantized for llama.cpp; "
        "give the folder of the model that it was made from, in safetensors",
    ),
    "a GGUF file beside config.json": (
        given.gguf_with_config,
        "{given} has quantized GGUF weights and only safetensors weights are read: give the folder "
        "of the model that they were made from",
    ),
    # configurations
    "no config.json": (
        but("bert", given.without("config.json")),
        "{given} holds no language model, no config.json: half a download, fetch it again",
    ),
    "an empty config.json": (
        but("bert", given.containing("config.json", "")),
        "{given}/config.json is not JSON: it is empty: half a download, fetch it again",
    ),
    "half a config.json": (
        but("bert", given.containing("config.json", '{"model_type": "bert", ')),
        "{given}/config.json is not JSON: it is damaged, or half a download: fetch it again",
    ),
    "a list for config.json": (
        but("bert", given.containing("config.json", "[1]")),
        "{given}/config.json is JSON of another kind, not names with values: fetch it again",
    ),
    "a pointer for config.json": (
        but("bert", given.pointer("config.json")),
        "{given}/config.json is not JSON: it " + POINTER,
    ),
    "no model_type": (
        but("bert", given.configured(model_type=None)),
        "config.json of {given} has no model_type, as another library's or a part of a model: give "
        "the folder that transformers saved",
    ),
    "an unknown model_type": (
        but("bert", given.configured(model_type="frobnicator")),
        "{given} has the model_type 'frobnicator', which transformers "
        + hf.__version__
        + " does not know: upgrade it, or fetch config.json again",
    ),
    "another encoder with a decoder": (
        but("bert", given.configured(model_type="bart", is_encoder_decoder=True)),
        "{given} is an encoder with a decoder, read only if it is one of mt5, t5, umt5: choose an "
        "encoder or a causal model",
    ),
    "no number of layers": (
        but("bert", given.configured(num_hidden_layers=None)),
        "config.json of {given} has none of num_hidden_layers, n_layer, n_layers, num_layers: give "
        "a language model's folder, or fetch config.json again",
    ),
    "no limit": (
        but(
            "byt5",
            given.containing("tokenizer_config.json", '{"tokenizer_class": "ByT5Tokenizer"}'),
        ),
        "{given} names no limit of tokens: give --window, such as 512",
    ),
    "another width": (
        but("bert", given.configured(hidden_size=64)),
        "{given} has embeddings.word_embeddings.weight as [326, 32] and its config.json says "
        "[326, 64]: " + ONE_OF_THEM,
    ),
    "another width, by transformers": (
        but("gpt2", given.configured(n_embd=64)),
        "{given} has h.0.attn.c_attn.bias as [96] and its config.json says [192]: " + ONE_OF_THEM,
    ),
    "more layers": (
        but("bert", given.configured(num_hidden_layers=4)),
        "{given} has no tensor encoder.layer.3.attention.self.query.weight: " + ANOTHER,
    ),
    "heads that do not divide": (
        but("bert", given.configured(num_attention_heads=5)),
        "config.json of {given} divides a hidden_size of 32 among 5 heads: fetch it again",
    ),
    "a word for a number": (
        but("llama", given.configured(num_attention_heads="4")),
        "{given}: its tokenizer cannot be loaded (StrictDataclassFieldValidationError: Validation "
        "error for field 'num_attention_heads': TypeError: Field 'num_attention_heads' expected "
        "int, got str (value: '4')): fetch it again, or choose another model",
    ),
    # tensors
    "a tensor is missing": (
        but("bert", given.weighing(lambda tensors: tensors.pop(DENSE))),
        "{given} has no tensor encoder.layer.0.output.dense.weight: " + ANOTHER,
    ),
    "a tensor is missing, by transformers": (
        but("gpt2", given.weighing(lambda tensors: tensors.pop(MLP))),
        "{given} lacks 1 tensors, such as h.0.mlp.c_fc.weight: " + ANOTHER,
    ),
    "no number": (
        but("bert", given.weighing(given.spoilt(DENSE))),
        "{given} gives text 'x' a vector that is not finite: its weights are damaged, fetch "
        "it again",
    ),
    "no number, by transformers": (
        but("gpt2", given.weighing(given.spoilt(MLP))),
        "{given} gives text 'x' a vector that is not finite: its weights are damaged, fetch "
        "it again",
    ),
    # tokenizers
    "no tokenizer": (
        but("bert", given.without("tokenizer.json")),
        "{given} has no tokenizer: save one beside its config.json",
    ),
    "a pointer for the tokenizer": (
        but("bert", given.pointer("tokenizer.json")),
        "{given}/tokenizer.json is not JSON: it " + POINTER,
    ),
    "half a tokenizer": (
        but("bert", given.cut("tokenizer.json")),
        "{given}/tokenizer.json is not JSON: it is damaged, or half a download: fetch it again",
    ),
    "a tokenizer of nothing": (
        but("bert", given.containing("tokenizer.json", "{}")),
        "{given}/tokenizer.json has no vocabulary: save the tokenizer anew, or fetch it again",
    ),
    "a tokenizer without its merges": (
        but("bert", given.containing("tokenizer.json", '{"model": {"type": "BPE", "vocab": {}}}')),
        "{given}/tokenizer.json has no vocabulary: save the tokenizer anew, or fetch it again",
    ),
    "a pointer for an older tokenizer": (
        but("bert", given.both(given.without("tokenizer.json"), given.pointer("vocab.txt"))),
        "{given}/vocab.txt " + POINTER,
    ),
    "a tokenizer of more tokens": (
        but("bert", given.both(given.configured(vocab_size=50), given.weighing(given.fewer_words))),
        "{given} has a tokenizer of 326 tokens and embeddings of 50: " + ONE_OF_THEM,
    ),
    # other paths
    "an empty folder": (
        given.empty,
        "{given} holds no language model, no config.json: the folder is empty, fetch the model "
        "again",
    ),
    "a folder of something else": (
        given.holiday,
        "{given} holds no language model, no config.json: give the folder of one",
    ),
    "the folder above": (
        given.checkpoints,
        "{given} holds no language model, no config.json: give the folder below it, "
        "{given}/checkpoint-500",
    ),
    "the weights' file": (
        given.a_file_of_it,
        "{given} is a file of a model: give its folder, {folder}/bert",
    ),
    "an archive": (
        given.archive,
        "{given} is an archive: unpack it and give the model's folder",
    ),
    "a file of something else": (
        given.a_text,
        "{given} is a file and no language model's folder: give the folder with config.json",
    ),
    "a typing error": (
        given.a_typing_error,
        "no language model at {given}, no such folder (did you mean {folder}/bert?): choose from "
        "`cole models`, or give the path of one",
    ),
    "a name that no file can have": (
        given.too_long,
        "no language model at {given}, no such folder: choose from `cole models`, or give the path "
        "of one",
    ),
}
POOLS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda states: states[-1].mean(0),
    "last_token": lambda states: states[-1, -1],
    "cls": lambda states: states[-1, 0],
    "avg_avg": lambda states: states.mean((0, 1)),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("whole")
    return {kind: given.make_whole(kind, root / kind) for kind in given.WHOLE}


def contents(folder: Path) -> dict[Path, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def embed(name: str | Path, texts: list[str], **options: object) -> np.ndarray:
    specification = specify(str(name), **{"precision": "fp32", **options})
    vectors = np.full((len(texts), specification.dimensions), np.nan, np.float32)
    for batch in load(specification, "cpu", batch_tokens=64, workers=2).embed(texts):
        vectors[batch.indices] = batch.vectors
    return vectors


@pytest.mark.parametrize("name", READ)
def test_what_is_read(models: dict[str, Path], tmp_path: Path, name: str) -> None:
    make, reading = READ[name]
    path = make(models, tmp_path)
    before = contents(tmp_path)
    specification = specify(str(path), precision="fp32")
    assert specification.reading == reading
    try_out(specification, "cpu")
    said = describe(str(path))
    assert (said["model"], said["read_as"]) == (str(path), reading)
    assert (Path(said["folder"]) / said["weights"].split(", ")[0]).is_file()
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(models: dict[str, Path], tmp_path: Path, name: str) -> None:
    make, line = REFUSED[name]
    path = make(models, tmp_path)
    before = contents(tmp_path)
    with pytest.raises(InputError) as error:
        try_out(specify(str(path), precision="fp32"), "cpu")
    said = str(error.value).replace(str(path), "{given}").replace(str(tmp_path), "{folder}")
    assert said == line.replace("{folder}", "{given}" if path == tmp_path else "{folder}")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
@given_any(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_config_json_is_read_or_one_line(
    models: dict[str, Path], tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    whole = json.loads((models[kind] / "config.json").read_text())
    name = data.draw(st.sampled_from(sorted(whole)))
    value = data.draw(st.sampled_from([None, "x", "4", 0, -1, 1, 1.5, True, [], {}]))
    # Each at a path of its own: a model that was loaded is kept for its specification.
    path = shutil.copytree(models[kind], Path(tempfile.mkdtemp(dir=tmp_path)) / kind)
    (path / "config.json").write_text(json.dumps(whole | {name: value}))
    said = None
    try:
        try_out(specify(str(path), precision="fp32"), "cpu")
    except InputError as error:
        said = str(error)
    if said is None:
        assert np.isfinite(embed(path, TEXTS[:2])).all()
    else:
        assert "\n" not in said
        assert str(path) in said or "windows of" in said


def test_the_table_is_long() -> None:
    assert len(READ) + len(REFUSED) >= 70


@pytest.mark.parametrize("pooling", POOLS)
@pytest.mark.parametrize("kind", ["t5", "byt5"])
def test_an_encoder_of_two_equals_the_plain_loop(
    models: dict[str, Path], kind: str, pooling: str
) -> None:
    model = hf.T5EncoderModel.from_pretrained(models[kind]).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(models[kind])
    texts = [*TEXTS, "é 中 😀\n\n  </s>?"]
    plain = [POOLS[pooling](hidden_states(model, tokenizer(text)["input_ids"])) for text in texts]
    np.testing.assert_allclose(embed(models[kind], texts, pooling=pooling), plain, atol=1e-4)


def test_relative_positions_read_windows_as_long_as_asked_for(
    models: dict[str, Path], tmp_path: Path
) -> None:
    """Where nothing names a limit, the person does."""
    make, _ = REFUSED["no limit"]
    path = make(models, tmp_path)
    text = "\n".join(TEXTS * 2)
    model = hf.T5EncoderModel.from_pretrained(path).eval()
    ids = hf.ByT5Tokenizer()(text)["input_ids"]
    assert 600 < len(ids) < 1_000
    whole = POOLS["avg_avg"](hidden_states(model, ids))
    np.testing.assert_allclose(embed(path, [text], window=1_000)[0], whole, atol=1e-4)


def test_an_encoder_of_two_at_random_is_its_encoder(models: dict[str, Path]) -> None:
    first = embed(models["t5"], TEXTS, random_init=1)
    assert np.isfinite(first).all()
    assert np.abs(first - embed(models["t5"], TEXTS)).max() > 1e-3


def test_the_older_layout_is_its_transformer_and_its_pooling(
    models: dict[str, Path], tmp_path: Path
) -> None:
    path = given.sentence(*NESTED, ("Normalize", "2_Normalize"))(models, tmp_path)
    plain = plain_loop(models["bert"], TEXTS, POOLS["avg_avg"])
    np.testing.assert_allclose(embed(path, TEXTS), plain, atol=1e-4)
    assert specify(str(path)).spec_id == specify(str(models["bert"])).spec_id
    own = plain_loop(models["bert"], TEXTS, POOLS["cls"])
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    np.testing.assert_allclose(embed(path, TEXTS, pooling="own"), own, atol=1e-4)


@pytest.mark.parametrize(
    ("steps", "pooling", "line"),
    [
        ((*NESTED, ("Dense", "2_Dense")), None, "has a Dense step: name a pooling such as mean"),
        (NESTED, given.MEAN_AND_MAX, "has a pooling that is not known here: name mean or cls"),
        (NESTED, {"pooling_mode": "max"}, "has a pooling that is not known here: name mean or cls"),
        (NESTED[:1], None, "has no pooling of its own: name a pooling such as mean"),
    ],
)
def test_a_pooling_that_is_not_known_is_not_guessed(
    models: dict[str, Path],
    tmp_path: Path,
    steps: tuple[tuple[str, str], ...],
    pooling: dict | None,
    line: str,
) -> None:
    path = given.sentence(*steps, pooling=pooling)(models, tmp_path)
    with pytest.raises(InputError) as error:
        specify(str(path), pooling="own")
    assert str(error.value).startswith(f"{path} {line}")


def test_a_prompt_that_is_left_out_of_the_pooling(models: dict[str, Path], tmp_path: Path) -> None:
    path = given.sentence(*NESTED, pooling=given.CLS | {"include_prompt": False})(models, tmp_path)
    assert specify(str(path), pooling="own").pooling == "cls"  # there is no prompt
    prompts = {"prompts": {"code": "Represent: "}, "default_prompt_name": "code"}
    (path / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    with pytest.raises(InputError, match="pools without its prompt"):
        specify(str(path), pooling="own")


def spoil_a_token(models: dict[str, Path], folder: Path, token: str) -> Path:
    """A model that has no number for the embedding of one token."""
    path = as_it_is("bert")(models, folder)
    id_ = hf.AutoTokenizer.from_pretrained(path).convert_tokens_to_ids(token)
    tensors = load_file(path / WEIGHTS)
    (path / WEIGHTS).unlink()
    tensors["embeddings.word_embeddings.weight"][id_] = float("inf")
    save_file(tensors, path / WEIGHTS, {"format": "pt"})
    return path


@pytest.mark.parametrize(
    ("precision", "remedy"),
    [
        ("fp32", "its weights are damaged, fetch it again"),
        (
            "bf16",
            "its weights are damaged, fetch it again; or bf16 does not hold its numbers, take fp32",
        ),
    ],
)
def test_a_vector_that_is_not_finite_is_refused_by_its_text(
    models: dict[str, Path], tmp_path: Path, precision: str, remedy: str
) -> None:
    path = spoil_a_token(models, tmp_path, "z")
    specification = specify(str(path), precision=precision)
    try_out(specification, "cpu")  # only a text with that token shows it
    with pytest.raises(InputError) as error:
        list(load(specification, "cpu").embed([*TEXTS, "z" * 200]))
    text = "z" * 80 + " … " + "z" * 80
    assert str(error.value) == f"{path} gives text '{text}' a vector that is not finite: {remedy}"


def test_a_token_without_an_embedding_is_refused_by_its_text(
    models: dict[str, Path], tmp_path: Path
) -> None:
    """Fine-tuned models have tokens added that nobody trained: most texts have none of them."""
    path = as_it_is("bert")(models, tmp_path)
    tokenizer = hf.AutoTokenizer.from_pretrained(path)
    tokenizer.add_tokens(["<mine>"])
    tokenizer.save_pretrained(path)
    np.testing.assert_array_equal(embed(path, TEXTS), embed(models["bert"], TEXTS))
    with pytest.raises(InputError) as error:
        embed(path, [*TEXTS, "a <mine>"])
    assert str(error.value) == (
        f"{path} has no embedding of the token '<mine>' (id 326 of 326) in text 'a <mine>': its "
        "tokenizer is another model's, or leave the text out"
    )


def test_memory_that_is_full_is_not_the_files_fault(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(hf.AutoModel, "from_pretrained", full)
    with pytest.raises(torch.OutOfMemoryError):
        load(str(models["gpt2"]), "cpu")
