"""From what a person asks for to an embedding specification. Reads and hashes files, no more."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cole_core.errors import InputError
from cole_core.language_models.catalog import find_entry
from cole_core.language_models.damage import read_json
from cole_core.language_models.files import ModelFiles, find_model
from cole_core.language_models.sentence_files import own_pooling
from cole_core.language_models.specification import EmbeddingSpecification

# Each token of these sees those before it alone. What is not named here is run as an encoder, with
# an attention mask wherever there is padding, which is right for every model.
_CAUSAL = {
    "deepseek_v2",
    "deepseek_v3",
    "gemma",
    "gemma2",
    "gpt2",
    "gpt_neox",
    "llama",
    "mistral",
    "mixtral",
    "phi3",
    "qwen2",
    "qwen2_moe",
    "qwen3",
    "qwen3_moe",
    "starcoder2",
}
# Encoders with a decoder whose encoder transformers runs alone.
ENCODER_DECODERS = {"mt5", "t5", "umt5"}
_UNLIMITED = 10**6  # tokens: what a tokenizer names that knows no limit is larger
# These count positions from the padding token's index + 1, so that many of them are not used.
_POSITIONS_AFTER_PADDING = {"camembert", "mpnet", "roberta", "xlm-roberta"}


@dataclass(frozen=True, kw_only=True)
class EmbeddingOptions:
    """What a person says of the vectors that they want.

    Attributes:
        lm: Language model: a known name, a hub id or a local path.
        pooling: How token states become one vector: avg_avg, mean, last_token, cls, multi_layer,
            or own: pooling, scaling and default prompt as the sentence-transformers files beside
            the model say.
        precision: bf16, fp32, fp16, int8 or int4.
        layers: Layer to read, 0 (embeddings) to the number of layers, negative from the end; may be
            repeated. By default the last for mean, last_token and cls, all for avg_avg, every
            so-many-th counted from the last for multi_layer.
        every: Step between the layers of multi_layer.
        normalize: Scale vectors to length one.
        max_length: Cut texts (and flag them) after so many tokens instead of reading windows.
        window: Tokens read at once, by default as many as the model can.
        overlap: Tokens that neighbouring windows share, by default an eighth of a window up to 256.
        echo: Causal models: give the text twice and pool over the second copy.
        instruction: Prefix of every text.
        trust_remote_code: Run code that comes with the model.
        random_init: Control: weights at random with this seed.
        revision: Hub revision of the model.
    """

    lm: str = "minilm"
    pooling: str = "avg_avg"
    precision: str = "bf16"
    layers: tuple[int, ...] | None = None
    every: int = 4
    normalize: bool = False
    max_length: int | None = None
    window: int | None = None
    overlap: int | None = None
    echo: bool = False
    instruction: str = ""
    trust_remote_code: bool = False
    random_init: int | None = None
    revision: str | None = None

    def specification(self) -> EmbeddingSpecification:
        """Everything that determines the vectors besides the text.

        Raises:
            InputError: The model is not there or lacks what it needs, or an option does not fit it.
        """
        files = find_files(self)
        sha256 = files.weights_sha256 if self.random_init is None else None
        return self.specification_of(files, sha256)

    def specification_of(
        self, files: ModelFiles, weights_sha256: str | None
    ) -> EmbeddingSpecification:
        """The same for a model that was found.

        Args:
            files: The model's.
            weights_sha256: Their hash, which takes long: None where no vectors are meant.
        """
        model_type = str(files.config.get("model_type", "unknown"))
        own = _own(files, self) if self.pooling == "own" else self
        n_layers = _first(files, "num_hidden_layers", "n_layer", "n_layers", "num_layers")
        limit = _limit(files, model_type, self.window)
        window = min(self.window or limit, limit)
        return EmbeddingSpecification(
            language_model=self.lm,
            revision=files.revision,
            model_type=model_type,
            kind="causal" if model_type in _CAUSAL else "encoder",
            weights_sha256=weights_sha256,
            config_sha256=files.config_sha256(self.trust_remote_code),
            tokenizer_sha256=files.tokenizer_sha256,
            hidden_size=_first(files, "hidden_size", "n_embd", "dim", "d_model"),
            layers=_layers(n_layers, own.pooling, self.layers, self.every),
            pooling=own.pooling,
            normalize=own.normalize,
            precision=self.precision,
            max_length=self.max_length,
            window=window,
            overlap=min(window // 8, 256) if self.overlap is None else self.overlap,
            echo=self.echo,
            instruction=own.instruction,
            trust_remote_code=self.trust_remote_code,
            random_init=self.random_init,
        )


def specify(lm: str, **options: Any) -> EmbeddingSpecification:
    """The specification of a language model's vectors.

    Args:
        lm: Catalog name, hub id or local folder.
        **options: The other fields of `EmbeddingOptions`.

    Raises:
        InputError: The model is not there or lacks what it needs, or an option does not fit it.
    """
    return EmbeddingOptions(lm=lm, **options).specification()


def find_files(asked: EmbeddingOptions) -> ModelFiles:
    """The model's files, if they are of a kind that is read.

    Raises:
        InputError: They are not, or not there.
    """
    if asked.window is not None and asked.window < 1:
        raise InputError(f"windows of {asked.window} tokens: give at least 16, or leave it out")
    if asked.random_init is not None and not 0 <= asked.random_init < 2**63:
        raise InputError(f"random_init {asked.random_init}: give a seed from 0 to 2^63 - 1")
    entry = find_entry(asked.lm)
    if entry and entry.remote_code and not asked.trust_remote_code:
        raise InputError(
            f"{asked.lm} runs only with code of its own: allow it with trust_remote_code"
        )
    if entry and not entry.safetensors and asked.revision is None:
        raise InputError(
            f"the main branch of {entry.hub} has no safetensors weights and no others are read: "
            "name a revision that has them, or a local folder"
        )
    files = find_model(asked.lm, asked.revision)
    _check_kind(files)
    if "auto_map" in files.config and not asked.trust_remote_code:
        _check_known(asked.lm, files.config)
    return files


def _check_kind(files: ModelFiles) -> None:
    """Checks that a configuration is of a language model of a kind that is read.

    Raises:
        InputError: It is not.
    """
    config = files.config
    if not isinstance(config.get("model_type"), str) and "auto_map" not in config:
        raise InputError(
            f"config.json of {files.name} has no model_type, as another library's or a part of a "
            "model: give the folder that transformers saved"
        )
    if config.get("is_encoder_decoder") and config.get("model_type") not in ENCODER_DECODERS:
        raise InputError(
            f"{files.name} is an encoder with a decoder, read only if it is one of "
            f"{', '.join(sorted(ENCODER_DECODERS))}: choose an encoder or a causal model"
        )


def _check_known(name: str, config: dict[str, Any]) -> None:
    """Checks that a model which brings code of its own runs without it.

    Raises:
        InputError: It does not.
    """
    from transformers import CONFIG_MAPPING

    if config.get("model_type") not in CONFIG_MAPPING:
        raise InputError(f"{name} runs only with code of its own: allow it with trust_remote_code")


def _layers(n: int, pooling: str, chosen: Sequence[int] | None, every: int) -> tuple[int, ...]:
    """Hidden states to read of a model of n layers, in rising order."""
    if chosen is not None:
        if not chosen or any(not -n - 1 <= layer <= n for layer in chosen):
            raise InputError(f"layers {list(chosen)} are not there: choose from {-n - 1} to {n}")
        return tuple(sorted({layer % (n + 1) for layer in chosen}))
    if every < 1:
        raise InputError(f"every {every} is not a step between layers: give at least 1")
    if pooling == "avg_avg":
        return tuple(range(n + 1))
    return tuple(range(n, 0, -every))[::-1] if pooling == "multi_layer" else (n,)


def _limit(files: ModelFiles, model_type: str, window: int | None) -> int:
    """Tokens that a model reads at once.

    One whose positions are relative names no limit: its tokenizer does, or the person.
    """
    keys = ("max_position_embeddings", "n_positions", "max_seq_len")
    if model_type in ENCODER_DECODERS and not any(key in files.config for key in keys):
        settings = read_json(files.folder / "tokenizer_config.json")
        named = settings.get("model_max_length")
        limit = named if type(named) is int and 0 < named < _UNLIMITED else window
        if limit is None:
            raise InputError(f"{files.name} names no limit of tokens: give --window, such as 512")
        return limit
    limit = _first(files, *keys)
    if model_type in _POSITIONS_AFTER_PADDING:
        padding = files.config.get("pad_token_id", 1)
        if type(padding) is not int:
            raise InputError(
                f"config.json of {files.name} has the pad_token_id {padding!r}, from which "
                f"{model_type} counts its positions: fetch it again"
            )
        limit -= padding + 1
    return limit


def _own(files: ModelFiles, asked: EmbeddingOptions) -> EmbeddingOptions:
    """With pooling, scaling and prompt from the files of sentence-transformers."""
    own = own_pooling(files.name, files.around)
    return replace(
        asked,
        pooling=own.pooling,
        normalize=asked.normalize or own.normalize,
        instruction=asked.instruction or own.prompt,
    )


def _first(files: ModelFiles, *keys: str) -> int:
    """The count that a configuration has under one of several names."""
    for key in keys:
        number = files.config.get(key)
        if type(number) is int and number > 0:
            return number
    raise InputError(
        f"config.json of {files.name} has none of {', '.join(keys)}: give a language model's "
        "folder, or fetch config.json again"
    )
