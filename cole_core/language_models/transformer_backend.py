"""Any model of the transformers library, batches padded on the right."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from cole_core.language_models.backend import Backend, Layout
from cole_core.language_models.library_errors import as_input_error
from cole_core.language_models.windows import Window


class TransformerBackend(Backend):
    """Runs a transformers model.

    Padding stands on the right, where no token of a causal model sees it: such a model needs no
    attention mask, and neither does a batch of equal lengths.

    Args:
        model: The model without a task head.
        name: What the person called it.
        causal: Whether a token sees only those before it.
        pad_id: The token id to pad with.
    """

    def __init__(self, model: nn.Module, name: str, causal: bool, pad_id: int) -> None:
        self._model = model
        self._name = name
        self._causal = causal
        self._pad_id = pad_id
        self.device = next(model.parameters()).device

    def lay_out(self, windows: Sequence[Window]) -> Layout:
        longest = max(len(window.ids) for window in windows)
        ids = np.full((len(windows), longest), self._pad_id, np.int64)
        mask = np.zeros((len(windows), longest), np.int64)
        pooling = np.zeros((len(windows), 1, longest), np.float32)
        for i, window in enumerate(windows):
            ids[i, : len(window.ids)] = window.ids
            mask[i, : len(window.ids)] = 1
            pooling[i, 0, window.start : window.stop] = 1
        inputs = {"input_ids": torch.from_numpy(ids).to(self.device)}
        if not self._causal and not mask.all():
            inputs["attention_mask"] = torch.from_numpy(mask).to(self.device)
        return Layout(inputs, torch.from_numpy(pooling).to(self.device))

    def hidden_states(self, layout: Layout, layers: Sequence[int]) -> Iterator[Tensor]:
        options = {"use_cache": False} if self._causal else {}
        with as_input_error(self._name, "it cannot be run"):
            outputs = self._model(**layout.inputs, output_hidden_states=list(layers), **options)
        yield from (outputs.hidden_states[layer] for layer in layers)
