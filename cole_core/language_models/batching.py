"""Windows to batches: sorted by length, bounded by tokens, next to no padding."""

from collections.abc import Iterator, Sequence

from cole_core.language_models.windows import Window

_PADDING = 0.05  # share of a batch that may be padding before another length opens a new one


def batches_by_length(windows: Sequence[Window], tokens: int) -> Iterator[list[Window]]:
    """Groups windows of nearly equal length.

    Args:
        windows: In any order; the batches come by rising length.
        tokens: Most tokens in a batch, padding included. A longer window is a batch of its own.
    """
    batch: list[Window] = []
    real = 0
    for window in sorted(windows, key=lambda window: len(window.ids)):
        length = len(window.ids)
        padded = length * (len(batch) + 1)
        full = padded > tokens
        ragged = padded - real - length > _PADDING * padded and 2 * real > tokens
        if batch and (full or ragged):
            yield batch
            batch, real = [], 0
        batch.append(window)
        real += length
    if batch:
        yield batch
