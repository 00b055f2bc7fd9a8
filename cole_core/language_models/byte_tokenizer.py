"""ByT5's tokenizer as one of the tokenizers library: a token for each byte."""

from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers.convert_slow_tokenizer import bytes_to_unicode


def byte_tokenizer(plain: Any) -> Tokenizer:
    """The same tokens from the library that every other model is tokenised by.

    Args:
        plain: transformers' `ByT5Tokenizer`, which is written in Python.
    """
    special = sorted(plain.added_tokens_decoder.items())
    first = {token.content: id_ for id_, token in special if id_ < plain.offset}
    vocabulary = {letter: byte + plain.offset for byte, letter in bytes_to_unicode().items()}
    tokenizer = Tokenizer(models.BPE(vocab=first | vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.add_special_tokens([token for _, token in special])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {plain.eos_token}", special_tokens=[(plain.eos_token, plain.eos_token_id)]
    )
    return tokenizer
