"""How a network was trained, as source that runs without this program."""

import textwrap
from collections.abc import Mapping
from typing import Any

from cole_core.evaluation.settings import TrainingSettings

_INDENT = " " * 4
_SHIFT = '''\
def shift(images, generator):
    """Moves each image by up to an eighth of its sides; what comes in is zero, the mean."""
    count, _, height, width = images.shape
    down, right = max(height // 8, 1), max(width // 8, 1)
    padded = F.pad(images, (right, right, down, down))
    rows = torch.randint(2 * down + 1, (count, 1), generator=generator) + torch.arange(height)
    columns = torch.randint(2 * right + 1, (count, 1), generator=generator) + torch.arange(width)
    each = torch.arange(count)[:, None, None]
    moved = padded[each, :, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


'''

_TRAIN = '''\
def train(images, labels, seed={seed}):
    """A new network, trained as this one was.

{words}

    Args:
        images: (n, channels, height, width) float32, each channel standardized: minus its mean over
            the training images, divided by its standard deviation plus 1e-6.
        labels: (n,) int64, from 0.
        seed: Of weights, order of images and augmentation.
    """
    torch.manual_seed(seed)
    network = Network()
    batch_size = min({batch_size}, len(labels))
    steps = len(labels) // batch_size
    optimizer = torch.optim.{optimizer}
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, {epochs} * steps)
    generator = torch.Generator().manual_seed(seed)
    for _ in range({epochs}):
        network.train()
        order = torch.randperm(len(labels), generator=generator)[: steps * batch_size]
        for rows in order.view(steps, batch_size):
            batch = images[rows]
{step}            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()
'''

_OPTIMIZERS = {
    "adamw": "AdamW(network.parameters(), {common})",
    "sgd": "SGD(network.parameters(), momentum=0.9, nesterov=True, {common})",
}


def training_settings(stored: Mapping[str, Any]) -> TrainingSettings | None:
    """Settings as they were stored; None for what did not train by this procedure."""
    known = {name: stored[name] for name in TrainingSettings.__dataclass_fields__ if name in stored}
    if set(known) != set(TrainingSettings.__dataclass_fields__):
        return None
    return TrainingSettings(**known)


def write_training(settings: TrainingSettings, seed: int) -> str:
    """The functions that train a class `Network`; they need `torch`, `nn` and `F`.

    Args:
        settings: How.
        seed: The seed that it was trained with.
    """
    common = f"lr={settings.rate!r}, weight_decay={settings.weight_decay!r}, fused=True"
    loss = "loss = F.cross_entropy(network(batch), labels[rows])"
    lines = []
    if "shift" in settings.augmentation:
        lines.append("batch = shift(batch, generator)")
    if "flip" in settings.augmentation:
        lines.append("flipped = torch.rand(len(batch), 1, 1, 1, generator=generator) < 0.5")
        lines.append("batch = torch.where(flipped, batch.flip(-1), batch)")
    if settings.precision == "bf16":
        lines.append("with torch.autocast(images.device.type, torch.bfloat16):")
        loss = f"    {loss}"
    text = _TRAIN.format(
        seed=seed,
        words=textwrap.fill(
            f"{in_words(settings)}.", 96, initial_indent=_INDENT, subsequent_indent=_INDENT
        ),
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        optimizer=_OPTIMIZERS[settings.optimizer].format(common=common),
        step="".join(f"{'':12}{line}\n" for line in [*lines, loss]),
    )
    return (_SHIFT if "shift" in settings.augmentation else "") + text


def in_words(settings: TrainingSettings) -> str:
    """How networks are trained, in one phrase."""
    said = [
        f"{settings.epochs} epochs" if settings.epochs > 1 else "1 epoch",
        f"batches of {settings.batch_size}",
        f"{settings.optimizer} with learning rate {settings.rate:g} by a cosine to zero",
        f"weight decay {settings.weight_decay:g}",
    ]
    if settings.augmentation != "none":
        said.append(f"augmentation {settings.augmentation}")
    return ", ".join([*said, settings.precision])
