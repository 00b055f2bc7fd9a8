"""Everything that determines a vector besides the text, hashed into a name."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from cole_core.errors import InputError
from cole_core.hashing import hash_json

POOLINGS = ("mean", "last_token", "cls", "avg_avg", "multi_layer")
PRECISIONS = ("fp32", "bf16", "fp16", "int8", "int4")

_NAMES_ONLY = ("language_model", "revision")  # how people call it: no vector depends on it


@dataclass(frozen=True)
class EmbeddingSpecification:
    """Everything that determines a vector besides the text.

    Two specifications with the same `spec_id` give the same vectors within the bounds that the
    engine keeps: an absolute difference below 1e-4 in fp32, a median centred cosine of at least
    0.999 in bf16. Device, batch size and number of workers are therefore no part of it.

    Precision names what the weights are rounded to. Where a processor multiplies bf16 natively
    (GPU, AMX, AVX512-BF16) the arithmetic is bf16 too; elsewhere the rounded weights are
    multiplied in fp32, which is faster there and nearer to the exact result. fp16 likewise.

    Attributes:
        language_model: Catalog name, hub id or local path, for people and for `load`.
        revision: Hub revision, for people and for `load`.
        model_type: Family as `config.json` names it ("bert").
        kind: "encoder" (reads in both directions) or "causal".
        weights_sha256: SHA-256 of the weights' file, or of the sorted hashes of its shards; None
            for a randomly initialised model.
        config_sha256: SHA-256 of the configuration without what no hidden state depends on.
        tokenizer_sha256: SHA-256 of `tokenizer.json`.
        hidden_size: Width of a hidden state.
        layers: Hidden states that are read, 0 (embeddings) to the number of layers.
        pooling: What becomes of a text's token states: `mean` over the tokens of one layer,
            `last_token`, `cls` (the first token), `avg_avg` (mean over tokens, then layers),
            `multi_layer` (mean over tokens, layers side by side).
        normalize: Whether vectors are scaled to length one.
        precision: fp32, bf16, fp16, int8 or int4 weights.
        max_length: Tokens after which a text is cut (and flagged), or None.
        window: Tokens the model reads at once; longer texts are read in overlapping windows.
        overlap: Tokens that neighbouring windows share.
        echo: Whether the text is given twice and pooled over the second copy.
        instruction: Prefix of every text.
        trust_remote_code: Whether code beside the weights was run.
        random_init: Seed of randomly initialised weights, or None for the trained ones.
    """

    language_model: str
    revision: str | None
    model_type: str
    kind: str
    weights_sha256: str | None
    config_sha256: str
    tokenizer_sha256: str
    hidden_size: int
    layers: tuple[int, ...]
    pooling: str
    normalize: bool
    precision: str
    max_length: int | None
    window: int
    overlap: int
    echo: bool
    instruction: str
    trust_remote_code: bool
    random_init: int | None

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise InputError(f"unknown pooling '{self.pooling}': choose one of {_list(POOLINGS)}")
        if self.precision not in PRECISIONS:
            raise InputError(
                f"unknown precision '{self.precision}': choose one of {_list(PRECISIONS)}"
            )
        if self.max_length is not None and self.max_length < 8:
            raise InputError(f"max_length {self.max_length} leaves no text: give at least 8 tokens")
        if not 0 <= self.overlap < self.window // 2:
            raise InputError(
                f"overlap {self.overlap} does not fit windows of {self.window} tokens: "
                "give less than half a window"
            )
        if self.echo and self.kind != "causal":
            raise InputError(
                f"echo is for causal models and {self.language_model} is an {self.kind}: drop it"
            )

    @property
    def spec_id(self) -> str:
        """Hash of everything that determines a vector; it names the vector table."""
        return hash_json({k: v for k, v in asdict(self).items() if k not in _NAMES_ONLY})

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.hidden_size * (len(self.layers) if self.pooling == "multi_layer" else 1)

    @property
    def reading(self) -> str:
        """What the model is read as, in words."""
        made_up = "" if self.random_init is None else f", weights at random from {self.random_init}"
        return f"{self.model_type} {self.kind}, windows of {self.window:,} tokens{made_up}"

    def to_json(self) -> str:
        """The specification as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "EmbeddingSpecification":
        """The specification that `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**{**fields, "layers": tuple(fields["layers"])})


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)
