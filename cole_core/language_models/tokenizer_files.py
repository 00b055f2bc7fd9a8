"""The tokenizer's files in a model's folder. The tokenizers library is not imported."""

from pathlib import Path
from typing import Any

from cole_core.errors import InputError
from cole_core.language_models.damage import is_pointer, likely_cause, read_json

# What stands for tokenizer.json in older models.
_OLDER = ("vocab.txt", "vocab.json", "merges.txt", "tokenizer.model", "spiece.model")


def tokenizer_files(folder: Path, name: str, vocabulary: int | None) -> list[Path]:
    """`tokenizer.json`, or the files that stand for it in older models.

    Args:
        folder: With `config.json`.
        name: What the person called the model.
        vocabulary: Tokens that the model has embeddings of, where its configuration says it.

    Raises:
        InputError: There is no tokenizer, it is damaged, or it is another model's.
    """
    whole = folder / "tokenizer.json"
    if not whole.is_file():
        return _older(folder, name)
    last = _last_id(read_json(whole).get("model"))
    if last is None:
        raise InputError(f"{whole} has no vocabulary: save the tokenizer anew, or fetch it again")
    if vocabulary is not None and last >= vocabulary:
        raise InputError(
            f"{name} has a tokenizer of {last + 1:,} tokens and embeddings of {vocabulary:,}: one "
            "of them is another model's, fetch both again"
        )
    return [whole]


def _last_id(model: Any) -> int | None:
    """The last token id of a tokenizer's model, None where it holds no vocabulary."""
    if not isinstance(model, dict) or (model.get("type") == "BPE" and "merges" not in model):
        return None
    match model.get("vocab"):
        case dict() as ids if all(type(id_) is int for id_ in ids.values()):
            return max(ids.values(), default=-1)
        case list() as tokens:  # Unigram: in the order of their ids
            return len(tokens) - 1
    return None


def _older(folder: Path, name: str) -> list[Path]:
    older = [folder / each for each in _OLDER if (folder / each).is_file()]
    if not older and _reads_bytes(folder):
        return [folder / "tokenizer_config.json"]
    if not older:
        raise InputError(f"{name} has no tokenizer: save one beside its config.json")
    for path in older:
        with path.open("rb") as file:
            start = file.read(64)
        if not start or is_pointer(start):
            raise InputError(f"{path} {likely_cause(path)}")
    return older


def _reads_bytes(folder: Path) -> bool:
    """Whether the tokenizer is ByT5's, whose tokens are bytes: it has no vocabulary."""
    settings = read_json(folder / "tokenizer_config.json")
    return settings.get("tokenizer_class") == "ByT5Tokenizer"
