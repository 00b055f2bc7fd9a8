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
from cole_core.language_models.embedder import Embedder
from cole_core.language_models.files import file_sha256
from cole_core.language_models.texts import try_out
from tests.cole_core.language_models.handed_over import NESTED, WEIGHTS, as_it_is
from tests.cole_core.language_models.handed_over_cases import READ, REFUSED
from tests.cole_core.language_models.zoo import TEXTS, hidden_states, plain_loop

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


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
@given_any(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_the_configuration_is_read_or_one_line(
    models: dict[str, Path], tmp_path: Path, kind: str, file: str, data: st.DataObject
) -> None:
    whole = json.loads((models[kind] / file).read_text())
    name = data.draw(st.sampled_from(sorted(whole)))
    value = data.draw(st.sampled_from([None, "x", "4", 0, -1, 1, 1.5, 1e30, True, [], {}]))
    # Each at a path of its own: a model that was loaded is kept for its specification.
    path = shutil.copytree(models[kind], Path(tempfile.mkdtemp(dir=tmp_path)) / kind)
    (path / file).write_text(json.dumps(whole | {name: value}))
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


def test_a_description_hashes_no_weights(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def hash_(path: Path) -> str:
        hashed.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr("cole_core.language_models.files.file_sha256", hash_)
    describe(str(models["bert"]))
    assert WEIGHTS not in hashed
    describe("minilm")  # compared with the official files
    assert hashed.count(WEIGHTS) == 1


def test_a_folder_beside_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError, match=r"no language model at .*, no such folder: choose"):
        specify(str(tmp_path / "bert"))


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

    def full_on_a_cpu(*arguments: object, **options: object) -> None:
        torch.empty(2**60)

    monkeypatch.setattr(hf.AutoModel, "from_pretrained", full_on_a_cpu)
    with pytest.raises(MemoryError, match="DefaultCPUAllocator"):
        load(str(models["gpt2"]), "cpu")


def test_a_model_that_cannot_be_run_is_told_and_a_fault_of_ours_is_not(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise KeyError("no such name")

    path = as_it_is("gpt2")(models, tmp_path)
    specification = specify(str(path), precision="fp32")
    with monkeypatch.context() as patched:
        patched.setattr(hf.GPT2Model, "forward", fail)
        with pytest.raises(InputError) as error:
            try_out(specification, "cpu")
    assert str(error.value) == (
        f"{path}: it cannot be run (KeyError: 'no such name'): fetch it again, or choose another "
        "model"
    )
    monkeypatch.setattr(Embedder, "_pool", fail)
    with pytest.raises(KeyError):
        try_out(specification, "cpu")


def test_the_table_is_long() -> None:
    assert len(READ) + len(REFUSED) >= 70
