"""Every kind of model and every pooling against the plain transformers loop."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from cole_core.encodings import TextEncoding
from cole_core.language_models import load, specify
from cole_core.language_models.files import find_model
from cole_core.spaces import get_space
from tests.cole_core.language_models.zoo import (
    CAUSAL,
    CONFIGS,
    ENCODERS,
    TEXTS,
    hidden_states,
    make_model,
    plain_loop,
    windowed_states,
)

POOLS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda states: states[-1].mean(0),
    "last_token": lambda states: states[-1, -1],
    "cls": lambda states: states[-1, 0],
    "avg_avg": lambda states: states.mean((0, 1)),
    "multi_layer": lambda states: states[[1, 3]].mean(1).ravel(),
}
LONG = "\n".join(TEXTS * 4)  # more tokens than the 128 that the small models take
NEIGHBOURS = [  # as renderings of one space are: a tenth of the tokens is new
    f"class Cell(nn.Module):\n    def forward(self, x0):\n        x1 = self.op_{a}(x0)\n"
    f"        x2 = self.op_{b}(x1)\n        return x1 + self.op_{c}(x2)"
    for a, b, c in product("012", repeat=3)
]


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("zoo")
    return {kind: make_model(kind, root / kind) for kind in CONFIGS}


def embed(name: str | Path, texts: list[str], batch_tokens: int = 64, **options) -> np.ndarray:
    specification = specify(str(name), **{"precision": "fp32", **options})
    vectors = np.full((len(texts), specification.dimensions), np.nan, np.float32)
    for batch in load(specification, "cpu", batch_tokens=batch_tokens, workers=2).embed(texts):
        vectors[batch.indices] = batch.vectors
    return vectors


def centred_cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(0), b - b.mean(0)
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return float(np.median(cosines))


@pytest.mark.parametrize("pooling", POOLS)
@pytest.mark.parametrize("kind", CONFIGS)
def test_every_kind_and_pooling_equals_the_plain_loop(
    zoo: dict[str, Path], kind: str, pooling: str
) -> None:
    options = {"every": 2} if pooling == "multi_layer" else {}
    ours = embed(zoo[kind], TEXTS, pooling=pooling, **options)
    np.testing.assert_allclose(ours, plain_loop(zoo[kind], TEXTS, POOLS[pooling]), atol=1e-4)


@pytest.mark.parametrize("pooling", POOLS)
@pytest.mark.parametrize("kind", CAUSAL)
def test_shared_prefixes_change_nothing(zoo: dict[str, Path], kind: str, pooling: str) -> None:
    options = {"every": 2} if pooling == "multi_layer" else {}
    ours = embed(zoo[kind], NEIGHBOURS, 400, pooling=pooling, **options)
    np.testing.assert_allclose(ours, plain_loop(zoo[kind], NEIGHBOURS, POOLS[pooling]), atol=1e-4)


@pytest.mark.parametrize("pooling", ["mean", "avg_avg", "cls", "last_token"])
def test_minilm_equals_the_plain_loop_and_bf16_is_close(pooling: str) -> None:
    texts = TEXTS + NEIGHBOURS
    exact = embed("minilm", texts, 1024, pooling=pooling)
    plain = plain_loop(find_model("minilm").folder, texts, POOLS[pooling])
    np.testing.assert_allclose(exact, plain, atol=1e-4)
    rounded = embed("minilm", texts, 1024, pooling=pooling, precision="bf16")
    assert not np.array_equal(rounded, exact)
    assert centred_cosine(rounded, exact) >= 0.999


@pytest.mark.parametrize("pooling", ["mean", "avg_avg", "cls", "last_token"])
def test_minilm_in_bf16_loses_less_than_its_own_code(pooling: str) -> None:
    texts = TEXTS + NEIGHBOURS
    folder = find_model("minilm").folder
    exact = plain_loop(folder, texts, POOLS[pooling])
    theirs = plain_loop(folder, texts, POOLS[pooling], torch.bfloat16)
    ours = embed("minilm", texts, 1024, pooling=pooling, precision="bf16")
    assert centred_cosine(ours, exact) > centred_cosine(theirs, exact)


@pytest.mark.parametrize("kind", [*ENCODERS, "llama"])
def test_bf16_is_close_whatever_runs_the_model(zoo: dict[str, Path], kind: str) -> None:
    exact = embed(zoo[kind], TEXTS)
    assert centred_cosine(embed(zoo[kind], TEXTS, precision="bf16"), exact) >= 0.999


@pytest.mark.parametrize("kind", ["bert", "modernbert", "llama"])
def test_order_batch_size_and_workers_change_nothing(zoo: dict[str, Path], kind: str) -> None:
    texts = TEXTS + NEIGHBOURS
    once = embed(zoo[kind], texts, 10_000)
    again = embed(zoo[kind], texts[::-1], 1)[::-1]
    np.testing.assert_allclose(once, again, atol=1e-4)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_last_token_does_not_depend_on_the_padding_side(tmp_path: Path, kind: str) -> None:
    left = make_model(kind, tmp_path / "left", padding_side="left")
    right = make_model(kind, tmp_path / "right", padding_side="right")
    np.testing.assert_array_equal(
        embed(left, TEXTS, pooling="last_token"), embed(right, TEXTS, pooling="last_token")
    )


@pytest.mark.parametrize("kind", ["bert", "modernbert", "llama", "gpt2"])
@pytest.mark.parametrize("pooling", ["avg_avg", "cls", "last_token"])
def test_long_texts_equal_a_plain_windowed_loop(
    zoo: dict[str, Path], kind: str, pooling: str
) -> None:
    window, overlap = 64, 10
    ours = embed(zoo[kind], [LONG, "x"], 128, pooling=pooling, window=window, overlap=overlap)
    states = windowed_states(zoo[kind], LONG, window, overlap)
    np.testing.assert_allclose(ours[0], POOLS[pooling](states), atol=1e-4)


def test_ten_networks_that_do_not_fit_are_ten_vectors() -> None:
    """Every `network` context is beyond MiniLM's 512 tokens: read in windows, none is cut."""
    from cole_core.language_models.files import find_model

    space, encoding = (
        get_space("nasbench201"),
        get_space("nasbench201").encoding("code.exclude_helper"),
    )
    assert isinstance(encoding, TextEncoding)
    rng = np.random.default_rng(0)
    texts = [encoding.render(space.sample(rng), "network") for _ in range(10)]
    batches = list(load(specify("minilm", precision="fp32")).embed(texts))
    assert min(batch.n_tokens.min() for batch in batches) > 512
    assert not any(batch.truncated.any() for batch in batches)
    ours = embed("minilm", texts, 2048)
    assert len(np.unique(ours.round(4), axis=0)) == 10
    folder = find_model("minilm").folder
    for vector, text in zip(ours, texts, strict=True):
        states = windowed_states(folder, text, 512, 64)
        np.testing.assert_allclose(vector, POOLS["avg_avg"](states), atol=1e-4)


@pytest.mark.parametrize("pooling", ["mean", "last_token"])
def test_echo_pools_over_the_second_copy(zoo: dict[str, Path], pooling: str) -> None:
    texts = [text for text in TEXTS if len(text) < 90]  # both copies within one window
    ours = embed(zoo["llama"], texts, pooling=pooling, echo=True, instruction="Repeat: ")
    model = hf.AutoModel.from_pretrained(zoo["llama"]).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(zoo["llama"])
    for vector, text in zip(ours, texts, strict=True):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        states = hidden_states(model, [*tokenizer("Repeat: ")["input_ids"], *ids, *ids])
        np.testing.assert_allclose(vector, POOLS[pooling](states[:, -len(ids) :]), atol=1e-4)


def test_an_instruction_is_a_prefix(zoo: dict[str, Path]) -> None:
    ours = embed(zoo["bert"], TEXTS, instruction="Represent: ")
    plain = plain_loop(zoo["bert"], [f"Represent: {t}" for t in TEXTS], POOLS["avg_avg"])
    np.testing.assert_allclose(ours, plain, atol=1e-4)


def test_a_choice_of_layers(zoo: dict[str, Path]) -> None:
    ours = embed(zoo["qwen2"], TEXTS, pooling="mean", layers=[-1, 1])
    plain = plain_loop(zoo["qwen2"], TEXTS, lambda states: states[[1, 3]].mean((0, 1)))
    np.testing.assert_allclose(ours, plain, atol=1e-4)


@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_random_initialisation_follows_its_seed(zoo: dict[str, Path], kind: str) -> None:
    state = torch.get_rng_state()
    first = embed(zoo[kind], TEXTS, random_init=1)
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(first, embed(zoo[kind], TEXTS, random_init=1))
    assert np.abs(first - embed(zoo[kind], TEXTS, random_init=2)).max() > 1e-3
    assert np.abs(first - embed(zoo[kind], TEXTS)).max() > 1e-3
    rounded = embed(zoo[kind], TEXTS, random_init=1, precision="bf16")
    assert centred_cosine(rounded, first) >= 0.99


def test_onednn_layers_give_what_plain_ones_give(zoo: dict[str, Path]) -> None:
    """The path that bf16 takes on processors that multiply it, here in fp32."""
    from safetensors.torch import load_file

    from cole_core.language_models.backend import pool
    from cole_core.language_models.files import find_model
    from cole_core.language_models.packed_bert import PackedBert
    from cole_core.language_models.windows import Window

    config = find_model(str(zoo["bert"])).config
    weights = load_file(zoo["bert"] / "model.safetensors")
    windows = [Window(i, np.arange(2, 10 + i, dtype=np.int32), 0, 8 + i) for i in range(3)]
    with torch.inference_mode():
        plain, packed = (
            pool(
                PackedBert(config, weights, torch.device("cpu"), torch.float32, prepack),
                windows,
                range(4),
            )
            for prepack in (False, True)
        )
    torch.testing.assert_close(plain, packed, atol=1e-4, rtol=1e-4)
