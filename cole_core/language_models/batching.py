"""Windows to batches: sorted by length, bounded by tokens, next to no padding."""

from collections.abc import Iterator, Sequence

from cole_core.language_models.windows import Window

PADDING = 0.1  # share of a batch that may be padding before another length opens a new one


def batches_by_length(
    windows: Sequence[Window], tokens: int, padded: bool = True
) -> Iterator[list[Window]]:
    """Groups windows of nearly equal length.

    Args:
        windows: In any order; the batches come by rising length.
        tokens: Most tokens in a batch. A longer window is a batch of its own.
        padded: Whether the model pads a batch to its longest window, so that padding counts as
            tokens and is kept small; a model that packs windows takes any lengths together.
    """
    batch: list[Window] = []
    real = 0
    for window in sorted(windows, key=lambda window: len(window.ids)):
        length = len(window.ids)
        computed = length * (len(batch) + 1) if padded else real + length
        padding = computed - real - length
        if batch and (computed > tokens or padding > PADDING * computed):
            yield batch
            batch, real = [], 0
        batch.append(window)
        real += length
    if batch:
        yield batch
