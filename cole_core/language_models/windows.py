"""Text to windows of tokens, each with the span of it that is pooled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from cole_core.errors import InputError, shortened
from cole_core.language_models.specification import EmbeddingSpecification

_PIECE = 1024  # texts tokenised at once: bounds what the tokenizer's own objects take


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Tokens that the model reads at once.

    Attributes:
        text: Index of the text they are from.
        ids: Token ids, with the special tokens around them.
        start: First token that is pooled.
        stop: One after the last token that is pooled.
    """

    text: int
    ids: NDArray[np.int32]
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class TokenizedTexts:
    """Texts as windows.

    Attributes:
        windows: All windows that have something to pool, text after text.
        n_tokens: Tokens of each text, special tokens included, each counted once.
        truncated: Whether a text was cut to `max_length`.
    """

    windows: list[Window]
    n_tokens: NDArray[np.int32]
    truncated: NDArray[np.bool_]


class WindowTokenizer:
    """Cuts texts into windows as a specification asks for.

    Every token of a text is pooled exactly once: where two windows overlap, each gives the half of
    the overlap that is nearer to its middle, since a token there has been read with more context.
    The special tokens count once too, those before the text with its first window, those after it
    with its last.

    Args:
        tokenizer: A tokenizer whose truncation and padding are switched off here.
        specification: Window, overlap, echo, instruction, pooling and maximum length.
        vocabulary: Tokens that the model has embeddings of, where its configuration says it.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        specification: EmbeddingSpecification,
        vocabulary: int | None = None,
    ) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._specification = specification
        self._vocabulary = vocabulary
        probe = tokenizer.encode("x")
        self._check_known("x", probe.ids)
        inner = [i for i, special in enumerate(probe.special_tokens_mask) if not special]
        self._before = np.array(probe.ids[: inner[0]], np.int32)
        self._after = np.array(probe.ids[inner[-1] + 1 :], np.int32)
        self._prefix = specification.instruction
        if specification.echo:  # both copies follow the instruction, which is read once
            instruction = tokenizer.encode(self._prefix, add_special_tokens=False).ids
            self._before = np.append(self._before, np.array(instruction, np.int32))
            self._prefix = ""
        self._special = len(self._before) + len(self._after)
        room = specification.window - self._special
        self._room = room // 2 if specification.echo else room
        if self._room <= specification.overlap:
            raise InputError(
                f"windows of {specification.window} tokens leave {self._room} for the text, "
                f"{specification.overlap} of them overlap: a larger window or a smaller overlap"
            )

    def __call__(self, texts: Sequence[str]) -> TokenizedTexts:
        """Tokenises texts.

        Raises:
            InputError: A text has no tokens at all, or one that the model has no embedding of.
        """
        windows: list[Window] = []
        n_tokens = np.empty(len(texts), np.int32)
        truncated = np.zeros(len(texts), np.bool_)
        keep = self._specification.max_length
        for start in range(0, len(texts), _PIECE):
            piece = [self._prefix + text for text in texts[start : start + _PIECE]]
            encodings = self._tokenizer.encode_batch_fast(piece, add_special_tokens=False)
            for i, encoding in enumerate(encodings, start):
                self._check_known(texts[i], encoding.ids)
                ids = np.array(encoding.ids, np.int32)
                if keep is not None and len(ids) + self._special > keep:
                    truncated[i] = True
                    ids = ids[: max(keep - self._special, 0)]
                n_tokens[i] = len(ids) + self._special
                if n_tokens[i] == 0 or (self._specification.echo and len(ids) == 0):
                    raise InputError(f"text {texts[i]!r} has no tokens: leave it out")
                windows.extend(self._cut(i, ids))
        return TokenizedTexts(windows, n_tokens, truncated)

    def _check_known(self, text: str, ids: Sequence[int]) -> None:
        """Checks that the model has an embedding of every token.

        Tokenizers of fine-tuned models may have some added that nobody trained: that matters only
        where a text has one.
        """
        last = max(ids, default=0)
        if self._vocabulary is not None and last >= self._vocabulary:
            raise InputError(
                f"{self._specification.language_model} has no embedding of the token "
                f"{self._tokenizer.id_to_token(last)!r} (id {last:,} of {self._vocabulary:,}) in "
                f"text {shortened(text)}: its tokenizer is another model's, or leave the text out"
            )

    def _cut(self, text: int, ids: NDArray[np.int32]) -> list[Window]:
        """The windows of one text, without those that have nothing to pool."""
        starts = [0]
        while starts[-1] + self._room < len(ids):
            starts.append(starts[-1] + self._room - self._specification.overlap)
        half = self._specification.overlap // 2
        windows = []
        for start in starts:
            content = ids[start : start + self._room]
            first, last = start == 0, start == starts[-1]
            pooled_from = 0 if first else half
            pooled_to = len(content) if last else self._room - self._specification.overlap + half
            window = self._window(text, content, pooled_from, pooled_to, first, last)
            if window.start < window.stop:
                windows.append(window)
        return windows

    def _window(
        self,
        text: int,
        content: NDArray[np.int32],
        pooled_from: int,
        pooled_to: int,
        first: bool,
        last: bool,
    ) -> Window:
        before = len(self._before)
        if self._specification.echo:
            ids = np.concatenate([self._before, content, content, self._after])
            start, stop = before + len(content) + pooled_from, before + len(content) + pooled_to
        else:
            ids = np.concatenate([self._before, content, self._after])
            start = 0 if first else before + pooled_from
            stop = len(ids) if last else before + pooled_to
        match self._specification.pooling:
            case "cls":
                stop = start + 1 if first else start
            case "last_token":
                start = stop - 1 if last else stop
        return Window(text, ids, start, stop)
