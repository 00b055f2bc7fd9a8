"""Texts that share a prefix share its computation, in a causal model.

A token of a causal model sees those before it alone, so its hidden states are the same in every
text that begins alike. A batch of sorted texts is packed as the tree of its prefixes: one sequence
in depth-first order with one row per distinct prefix, its depth as position, attending to its
ancestors. Every pooling follows from a text's path through the tree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from cole_core.language_models.backend import Layout
from cole_core.language_models.transformer_backend import TransformerBackend
from cole_core.language_models.windows import Window

ATTENTION = "prefix_tree"  # the name of `tree_attention` among transformers' attention functions

# Families whose attention is an exchangeable function and whose layers hold no other state.
FAMILIES = {"gpt2", "llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe"}

_WORTHWHILE = 0.7  # share of tokens that must be left at most for a tree to pay
_BLOCK = 256  # rows that attend together: larger blocks look at more rows that they mask


@dataclass(frozen=True, eq=False)
class PrefixTree:
    """The prefixes of some token sequences, in depth-first order.

    Attributes:
        ids: (rows,) the token of each row.
        depths: (rows,) how many tokens come before it.
        ends: (rows,) one after the last row that has it as an ancestor.
        paths: For each sequence the rows of its tokens.
    """

    ids: NDArray[np.int64]
    depths: NDArray[np.int64]
    ends: NDArray[np.int64]
    paths: list[NDArray[np.int64]]

    def blocks(self, size: int) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.bool_]]]:
        """Runs of rows with all that they attend to.

        Depth-first order makes this short: what a run's rows attend to outside the run are the
        ancestors of its first row.

        Yields:
            One after the last row, the rows attended to (k,), and which of them by each row
            (rows of the run, k).
        """
        for start in range(0, len(self.ids), size):
            stop = min(start + size, len(self.ids))
            ancestors = np.flatnonzero(self.ends[:start] > start)
            keys = np.concatenate([ancestors, np.arange(start, stop)])
            rows = np.arange(start, stop)[:, None]
            yield stop, keys, (keys <= rows) & (rows < self.ends[keys])


def build_tree(sequences: Sequence[NDArray[np.int32]]) -> PrefixTree:
    """The tree of sequences in lexicographic order (in another order it shares less)."""
    paths: list[NDArray[np.int64]] = []
    total = sum(map(len, sequences))
    ids, depths, ends = (np.empty(total, np.int64) for _ in range(3))
    path, previous, rows = np.empty(0, np.int64), np.empty(0, np.int32), 0
    for sequence in sequences:
        shared = _common(previous, sequence)
        new = np.arange(rows, rows + len(sequence) - shared)
        ends[path[shared:]] = rows
        ids[new], depths[new] = sequence[shared:], np.arange(shared, len(sequence))
        path, previous, rows = np.append(path[:shared], new), sequence, rows + len(new)
        paths.append(path)
    ends[path] = rows
    return PrefixTree(ids[:rows], depths[:rows], ends[:rows], paths)


def tree_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    tree: Sequence[tuple[Tensor, Tensor]] | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Scaled dot product attention of a prefix tree's rows to their ancestors.

    Args:
        module: The attention layer.
        query: (1, heads, rows, size).
        key: (1, key heads, rows, size).
        value: (1, key heads, rows, size).
        attention_mask: Of a batch that is no tree.
        scaling: Factor of the dot products.
        dropout: Not used in inference.
        tree: Rows attended to and mask of each run of rows; None for a batch that is no tree.
        options: Of a batch that is no tree.
    """
    if tree is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **options
        )
    groups = query.shape[1] // key.shape[1]
    attended = [
        F.scaled_dot_product_attention(
            run,
            key[:, :, keys].repeat_interleave(groups, dim=1),
            value[:, :, keys].repeat_interleave(groups, dim=1),
            attn_mask=mask,
            scale=scaling,
        )
        for run, (keys, mask) in zip(query.split(_BLOCK, dim=2), tree, strict=True)
    ]
    return torch.cat(attended, dim=2).transpose(1, 2).contiguous(), None


AttentionInterface.register(ATTENTION, tree_attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)


class PrefixTreeBackend(TransformerBackend):
    """Runs a causal transformers model, sharing prefixes where that leaves much less to do.

    The model must have been loaded with `attn_implementation=ATTENTION`.
    """

    def shares(self, windows: Sequence[Window], rows: int) -> bool:
        """Whether windows that have so many rows as a tree are to be run as one."""
        lengths = [len(window.ids) for window in windows]
        sliding = getattr(self._model.config, "sliding_window", None)
        everything_is_seen = sliding is None or max(lengths) <= sliding
        return everything_is_seen and rows <= _WORTHWHILE * sum(lengths)

    def batches(self, windows: Sequence[Window], tokens: int) -> Iterator[list[Window]]:
        """Windows in lexicographic order, each batch a tree of so many rows."""
        ordered = sorted(windows, key=lambda window: window.ids.astype(">u4").tobytes())
        before = [np.empty(0, np.int32), *(window.ids for window in ordered)]
        new = [len(w.ids) - _common(ids, w.ids) for ids, w in zip(before, ordered, strict=False)]
        if not self.shares(windows, sum(new)):
            yield from super().batches(windows, tokens)
            return
        batch: list[Window] = []
        rows = 0
        for window, added in zip(ordered, new, strict=True):
            if batch and rows + added > tokens:
                yield batch
                batch, rows, added = [], 0, len(window.ids)
            batch.append(window)
            rows += added
        if batch:
            yield batch

    def lay_out(self, windows: Sequence[Window]) -> Layout:
        tree = build_tree([window.ids for window in windows])
        if not self.shares(windows, len(tree.ids)):
            return super().lay_out(windows)
        pooling = np.zeros((len(windows), len(tree.ids)), np.float32)
        for i, (window, path) in enumerate(zip(windows, tree.paths, strict=True)):
            pooling[i, path[window.start : window.stop]] = 1

        def on_device(array: NDArray[Any]) -> Tensor:
            return torch.from_numpy(array).to(self.device)

        inputs = {
            "input_ids": on_device(tree.ids)[None],
            "position_ids": on_device(tree.depths)[None],
            # Four dimensions: transformers leaves it as it is, and `tree_attention` has its own.
            "attention_mask": torch.ones(1, 1, 1, 1, dtype=torch.bool, device=self.device),
            "tree": [(on_device(keys), on_device(mask)) for _, keys, mask in tree.blocks(_BLOCK)],
        }
        return Layout(inputs, on_device(pooling))


def _common(a: NDArray[np.int32], b: NDArray[np.int32]) -> int:
    """Length of the common prefix of two sequences."""
    shorter = min(len(a), len(b))
    different = np.flatnonzero(a[:shorter] != b[:shorter])
    return int(different[0]) if len(different) else shorter
