"""Trains a network on a dataset and measures its accuracies."""

import contextlib
import math
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from cole_core.evaluation.images import ImageTensors, augmentation
from cole_core.evaluation.outcomes import DivergedError, OverTimeError, Score
from cole_core.evaluation.settings import TrainingSettings
from cole_core.evaluation.target import ACCURACY

SCORED = ("valid", "test")
_MOMENTUM = 0.9
_SCORED_AT_ONCE = 512  # images


def train(
    network: nn.Module,
    data: ImageTensors,
    settings: TrainingSettings,
    seed: int,
    deadline: float = math.inf,
) -> list[Score]:
    """Trains a network in place.

    The same seed, settings and initial weights give the same accuracies on the same machine.

    Args:
        network: From images (batch, channels, height, width) to logits (batch, classes).
        data: On the network's device.
        settings: How to train.
        seed: Of the order of images and of augmentation.
        deadline: When to give up, by `time.monotonic`.

    Returns:
        Accuracies on `valid` and `test` after each of `settings.scored_epochs`.

    Raises:
        DivergedError: The loss is no number any more.
        OverTimeError: The deadline has passed.
    """
    images, labels = data.parts["train"]
    batch_size = min(settings.batch_size, len(labels))
    steps = len(labels) // batch_size  # what is left over has its turn in another epoch's order
    optimizer = _optimizer(network, settings)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs * steps)
    augment = augmentation(settings.augmentation)
    generator = torch.Generator().manual_seed(seed)
    scores = []
    for epoch in range(1, settings.epochs + 1):
        network.train()
        order = torch.randperm(len(labels), generator=generator)[: steps * batch_size]
        losses = []
        for rows in order.to(data.device).view(steps, batch_size):
            with _autocast(settings.precision, data.device):
                loss = nn.functional.cross_entropy(
                    network(augment(images[rows], generator)), labels[rows]
                )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.detach())
            if time.monotonic() > deadline:
                raise OverTimeError
        if not torch.stack(losses).isfinite().all():
            raise DivergedError
        if epoch in settings.scored_epochs:
            for split in SCORED:
                value = accuracy(network, *data.parts[split], settings.precision, deadline)
                scores.append(Score(ACCURACY, split, epoch, value))
    return scores


def accuracy(
    network: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    precision: str = "fp32",
    deadline: float = math.inf,
) -> float:
    """Percentage of images whose largest logit is their class.

    Raises:
        DivergedError: A logit is no number.
        OverTimeError: The deadline has passed.
    """
    network.eval()
    right = 0
    with torch.inference_mode(), _autocast(precision, images.device.type):
        for some, classes in zip(
            images.split(_SCORED_AT_ONCE), labels.split(_SCORED_AT_ONCE), strict=True
        ):
            logits = network(some)
            if not logits.isfinite().all():
                raise DivergedError
            right += int((logits.argmax(dim=1) == classes).sum())
            if time.monotonic() > deadline:
                raise OverTimeError
    return 100 * right / len(labels)


def _optimizer(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    common: dict[str, Any] = {
        "lr": settings.rate,
        "weight_decay": settings.weight_decay,
        "fused": True,
    }
    if settings.optimizer == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=_MOMENTUM, nesterov=True, **common)
    return torch.optim.AdamW(network.parameters(), **common)


@contextlib.contextmanager
def _autocast(precision: str, device: str) -> Iterator[None]:
    if precision == "fp32":
        yield
        return
    with torch.autocast(torch.device(device).type, torch.bfloat16):
        yield
