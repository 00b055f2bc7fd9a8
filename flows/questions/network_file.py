"""An architecture's network as a Python file that runs with PyTorch alone."""

import json
from collections.abc import Mapping
from typing import Any

from cole_core.encodings.base import RenderingError
from cole_core.errors import InputError
from cole_core.evaluation.datasets import load_dataset
from cole_core.evaluation.training_source import in_words, training_settings, write_training
from cole_core.spaces.base import SearchSpace, Task
from flows.resolve.values import kind_in_words

_MAIN = """
if __name__ == "__main__":
    count = sum(weight.numel() for weight in Network().parameters() if weight.requires_grad)
    print(f"{count:,} trainable parameters")
"""
_IMPORTS = ("import torch", "import torch.nn as nn", "import torch.nn.functional as F")


def write_network(space: SearchSpace, native: str, known: Mapping[str, Any]) -> str:
    """The file.

    Args:
        space: Of the architecture.
        native: The architecture.
        known: What `cole show` says of it: `values` and `trainings`.

    Returns:
        A module with a class `Network` that needs no arguments; where it was trained here and that
        dataset is at hand, of that training's sizes and with a function `train` that does the same.

    Raises:
        InputError: It has no class that runs.
    """
    task, training, about = _training(known["trainings"])
    try:
        source = space.runnable(native, task)
    except RenderingError as error:
        raise InputError(
            f"{native} has no class that runs ({error}): leave --output out"
        ) from error
    lines = [f"{space.title or space.name}: {native}", "", *_reached(known["values"]), *about]
    lines += ["", "Written by 'cole show'; it needs PyTorch alone. Network() makes it."]
    if training:
        missing = [each for each in _IMPORTS if each not in source.splitlines()]
        source = "".join(f"{each}\n" for each in missing) + source
        training = f"\n\n{training}"
    docstring = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{docstring}\n"""\n\n{source.rstrip()}\n{training}\n{_MAIN}'


def _reached(values: list[dict[str, Any]]) -> list[str]:
    """A line for each measured value."""
    if not values:
        return ["Nothing was measured of it."]
    lines = ["What it reached:"]
    for value in values:
        unit = f" {value['unit']}" if value["unit"] else ""
        rank = f", rank {value['rank']:,} of {value['architectures']:,}" if value["rank"] else ""
        lines.append(
            f"    {kind_in_words(value)}, {value['source']}: {value['value']:.6g}{unit}{rank}"
        )
    return lines


def _training(trainings: list[dict[str, Any]]) -> tuple[Task | None, str, list[str]]:
    """The task of the latest training, its source, and what it was in words."""
    for row in trainings:
        settings = training_settings(json.loads(row["settings"]))
        if row["status"] != "ok" or settings is None:
            continue
        about = ["", f"Trained here on {row['dataset']}, seed {row['seed']}:", in_words(settings)]
        try:
            dataset = load_dataset(row["dataset"])
        except InputError:
            dataset = None
        if dataset is None or dataset.content_hash != row["dataset_hash"]:
            said = "That dataset is not at hand, so the sizes are the usual ones."
            return None, write_training(settings, row["seed"]), [*about, said]
        task = Task(dataset.input_shape, dataset.classes, settings.macro)
        return task, write_training(settings, row["seed"]), about
    return None, "", []
