"""A dataset as tensors, and what is done to its images before a training step."""

from collections.abc import Callable

import torch
from torch import nn

from cole_core.evaluation.datasets import PARTS, Dataset


class ImageTensors:
    """A dataset's images, standardized channel by channel by the training images.

    Args:
        dataset: Where they come from.
        device: Where they go.

    Attributes:
        device: Where they are.
        parts: Images (n, channels, height, width) float32 and labels (n,) int64 of each part.
    """

    def __init__(self, dataset: Dataset, device: str = "cpu") -> None:
        images = dataset.train.images
        mean = images.mean(axis=(0, 2, 3), keepdims=True, dtype="f8")
        std = images.std(axis=(0, 2, 3), keepdims=True, dtype="f8")
        self.device = device
        self.parts: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        for name in PARTS:
            part = getattr(dataset, name)
            standardized = torch.tensor((part.images - mean) / (std + 1e-6), dtype=torch.float32)
            self.parts[name] = standardized.to(device), torch.tensor(part.labels).to(device)


def augmentation(name: str) -> Callable[[torch.Tensor, torch.Generator], torch.Tensor]:
    """What is done to a batch of images before each step.

    Args:
        name: One of `cole_core.evaluation.settings.AUGMENTATIONS`.
    """
    chosen = name.split("+")

    def augment(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        if "shift" in chosen:
            images = shift(images, generator)
        if "flip" in chosen:
            flipped = torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5
            images = torch.where(flipped.to(images.device), images.flip(-1), images)
        return images

    return augment


def shift(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Moves each image by up to an eighth of its sides; what comes in is zero, the mean."""
    count, _, height, width = images.shape
    most_down, most_right = max(height // 8, 1), max(width // 8, 1)
    padded = nn.functional.pad(images, (most_right, most_right, most_down, most_down))
    down = torch.randint(2 * most_down + 1, (count, 1), generator=generator)
    right = torch.randint(2 * most_right + 1, (count, 1), generator=generator)
    rows = (down + torch.arange(height)).to(images.device)
    columns = (right + torch.arange(width)).to(images.device)
    each = torch.arange(count, device=images.device)[:, None, None]
    # Indexing with a slice between indices puts the indexed dimensions first.
    return padded[each, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
