"""Small random language models of every kind, made on the spot, and the plain loop to compare."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

TEXTS = [
    "class Cell(nn.Module):\n    def forward(self, x):\n        return x",
    "class Cell(nn.Module):\n    def forward(self, x):\n        return self.conv3x3(x)",
    "class Cell(nn.Module):\n    def forward(self, x):\n        return x + F.avg_pool2d(x)",
    "return self.conv1x1(self.conv3x3(x)) + F.avg_pool2d(self.conv3x3(x))",
    "x",
    "class Cell(nn.Module):\n    def forward(self, x):\n        return "
    + "self.conv3x3(" * 6
    + "x"
    + ")" * 6,
    "import torch\n\nclass Net(nn.Module): pass",
]

_SMALL = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64}
_DECODER = _SMALL | {"num_hidden_layers": 3, "num_key_value_heads": 2, "head_dim": 8}
_ENCODER = _SMALL | {"num_hidden_layers": 3}

CONFIGS: dict[str, Callable[[int], hf.PretrainedConfig]] = {
    "bert": lambda v: hf.BertConfig(vocab_size=v, max_position_embeddings=128, **_ENCODER),
    "roberta": lambda v: hf.RobertaConfig(
        vocab_size=v, max_position_embeddings=130, pad_token_id=1, type_vocab_size=1, **_ENCODER
    ),
    # Has no fused attention.
    "mpnet": lambda v: hf.MPNetConfig(
        vocab_size=v, max_position_embeddings=130, pad_token_id=1, **_ENCODER
    ),
    "modernbert": lambda v: hf.ModernBertConfig(
        vocab_size=v,
        max_position_embeddings=128,
        local_attention=16,
        global_attn_every_n_layers=2,
        pad_token_id=1,
        bos_token_id=2,
        eos_token_id=3,
        cls_token_id=2,
        sep_token_id=3,
        **_ENCODER,
    ),
    "gpt2": lambda v: hf.GPT2Config(vocab_size=v, n_positions=128, n_embd=32, n_layer=3, n_head=4),
    "llama": lambda v: hf.LlamaConfig(vocab_size=v, max_position_embeddings=128, **_DECODER),
    "qwen2": lambda v: hf.Qwen2Config(vocab_size=v, max_position_embeddings=128, **_DECODER),
    "qwen3": lambda v: hf.Qwen3Config(vocab_size=v, max_position_embeddings=128, **_DECODER),
    "mistral": lambda v: hf.MistralConfig(
        vocab_size=v, max_position_embeddings=128, sliding_window=None, **_DECODER
    ),
    "mixtral": lambda v: hf.MixtralConfig(
        vocab_size=v, max_position_embeddings=128, num_local_experts=4, **_DECODER
    ),
}
ENCODERS = ("bert", "roberta", "mpnet", "modernbert")
CAUSAL = tuple(kind for kind in CONFIGS if kind not in ENCODERS)
_SPECIAL = ["<unk>", "<pad>", "<s>", "</s>"]


def make_tokenizer(kind: str) -> hf.PreTrainedTokenizerFast:
    """Byte-level BPE, with the special tokens that such a model has."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=_SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    template = {"gpt2": "$A", "qwen2": "$A", "qwen3": "$A"}.get(
        kind, "<s> $A </s>" if kind in ENCODERS else "<s> $A"
    )
    specials = [(token, i) for i, token in enumerate(_SPECIAL)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=specials
    )
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
    )


def make_model(kind: str, folder: Path, padding_side: str = "right", seed: int = 0) -> Path:
    """Saves a small random model and its tokenizer in the layout of the hub."""
    tokenizer = make_tokenizer(kind)
    tokenizer.padding_side = padding_side
    torch.manual_seed(seed)
    config = CONFIGS[kind](len(tokenizer))
    config.initializer_range = 0.3  # states that differ, as those of a trained model do
    model = hf.AutoModel.from_config(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def hidden_states(model: torch.nn.Module, ids: Sequence[int]) -> np.ndarray:
    """All hidden states of one text, (layers + 1, tokens, hidden)."""
    with torch.no_grad():
        outputs = model(input_ids=torch.tensor([list(ids)]), output_hidden_states=True)
    return torch.cat(outputs.hidden_states).float().numpy()


def plain_loop(
    folder: Path,
    texts: Sequence[str],
    pool: Callable[[np.ndarray], np.ndarray],
    dtype: torch.dtype = torch.float32,
) -> np.ndarray:
    """The vectors by transformers alone: one text at a time, no padding."""
    model = hf.AutoModel.from_pretrained(folder, dtype=dtype).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    return np.stack([pool(hidden_states(model, tokenizer(text)["input_ids"])) for text in texts])


def windowed_states(folder: Path, text: str, window: int, overlap: int) -> np.ndarray:
    """Hidden states of a text beyond the limit, (layers + 1, tokens, hidden), by a plain loop.

    Of a token that two windows hold, the state with the wider margin to its window's ends counts.
    """
    model = hf.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    whole = tokenizer(text)["input_ids"]
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    at = whole.index(ids[0])
    before, after = whole[:at], whole[at + len(ids) :]
    room = window - len(before) - len(after)
    best: dict[int, tuple[int, np.ndarray]] = {}
    first = last = None
    start = 0
    while True:
        part = ids[start : start + room]
        states = hidden_states(model, [*before, *part, *after])
        final = start + room >= len(ids)
        for i in range(len(part)):
            left = i if start else 10**6
            right = 10**6 if final else len(part) - 1 - i
            margin = min(left, right)
            if start + i not in best or margin > best[start + i][0]:
                best[start + i] = (margin, states[:, len(before) + i])
        first = states[:, : len(before)] if first is None else first
        last = states[:, len(before) + len(part) :]
        if final:
            break
        start += room - overlap
    tokens = np.stack([best[i][1] for i in range(len(ids))], axis=1)
    return np.concatenate([first, tokens, last], axis=1)
