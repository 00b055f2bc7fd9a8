"""The command line of training on a dataset: `cole evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.output import Printer
from flows.server import run_flow

if TYPE_CHECKING:
    from flows.training_task import TrainingTask

Space = Annotated[str, typer.Argument(help="The search space: nasbench201 or einspace.")]
Dataset = Annotated[
    str,
    typer.Option(help="digits, add-digits, or the path of an .npz file or a folder of .npy files."),
]
Home = Annotated[Path, typer.Option(envvar="COLE_HOME", help="The warehouse's directory.")]
Size = Annotated[int | None, typer.Option(help="Training images of add-digits; by default 4,000.")]
Epochs = Annotated[int, typer.Option(help="Epochs of training.")]
Batch = Annotated[int, typer.Option(help="Images of one step.")]
Optimizer = Annotated[str, typer.Option(help="adamw or sgd; the rate follows a cosine to zero.")]
Rate = Annotated[
    float | None, typer.Option(help="Learning rate; by default 0.01 for adamw, 0.05 for sgd.")
]
Decay = Annotated[float, typer.Option(help="Weight decay.")]
Augmentation = Annotated[str, typer.Option(help="none, shift, flip or shift+flip.")]
Precision = Annotated[str, typer.Option(help="fp32, or bf16 in what autocast lowers.")]
Channels = Annotated[int | None, typer.Option(help="Of nasbench201's first stage; by default 8.")]
Cells = Annotated[int | None, typer.Option(help="Of nasbench201, in each stage; by default 1.")]
Activations = Annotated[
    int | None,
    typer.Option(
        help="Of what einspace draws, for one image; by default 3,000 for each pixel.",
    ),
]
Parameters = Annotated[int | None, typer.Option(help="Of what einspace draws; by default 500,000.")]
Seconds = Annotated[float, typer.Option(help="Time limit of one network.")]
Memory = Annotated[
    int, typer.Option(help="Memory limit of one network in MiB, inferred before it is built.")
]
Workers = Annotated[int, typer.Option(help="Processes, each with one network and one thread.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


def training_task(
    dataset: str,
    size: int | None,
    settings: dict[str, Any],
    macro: dict[str, int | None],
    bounds: dict[str, int | None],
    **others: Any,
) -> "TrainingTask":
    """The task that options name; what is None there is as usual."""
    from cole_core.evaluation.settings import TrainingSettings
    from flows.training_task import TrainingTask

    def given(options: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if value is not None}

    return TrainingTask(
        dataset=dataset,
        size=size,
        settings=TrainingSettings(macro=given(macro), **given(settings)),
        bounds=given(bounds),
        **others,
    )


def evaluate(
    space: Space,
    dataset: Dataset,
    home: Home = Path("cole-home"),
    samples: Annotated[
        int | None, typer.Option(help="Draw so many architectures and evaluate these.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Evaluate the first so many stored architectures.")
    ] = None,
    size: Size = None,
    epochs: Epochs = 8,
    batch_size: Batch = 64,
    optimizer: Optimizer = "adamw",
    learning_rate: Rate = None,
    weight_decay: Decay = 5e-4,
    augmentation: Augmentation = "none",
    precision: Precision = "fp32",
    channels: Channels = None,
    cells: Cells = None,
    max_activations: Activations = None,
    max_parameters: Parameters = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Of the draw, the weights and the order of images.")
    ] = 0,
    workers: Workers = 2,
    time_limit: Seconds = 300.0,
    memory_limit: Memory = 2_048,
    device: Device = "auto",
    train: Annotated[bool, typer.Option("--train/--no-train", help="Train the networks.")] = True,
    proxies: Annotated[
        bool, typer.Option("--proxies", help="Parameters, FLOPs, synflow and naswot as well.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try those again that failed before.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Trains architectures on a dataset and stores their accuracies; what is stored is skipped.

    A network that diverges, fails, takes too long or needs too much memory is recorded as such
    (`cole sql "SELECT * FROM trainings"`).
    """
    from cole_core.evaluation.settings import Limits

    work = training_task(
        dataset,
        size,
        {
            "epochs": epochs,
            "batch_size": batch_size,
            "optimizer": optimizer,
            "learning_rate": learning_rate,
            "weight_decay": weight_decay,
            "augmentation": augmentation,
            "precision": precision,
        },
        {"channels": channels, "cells": cells},
        {"max_activations": max_activations, "max_parameters": max_parameters},
        limits=Limits(time_limit, memory_limit),
        seed=seed,
        workers=workers,
        device=device,
    )
    arguments: dict[str, Any] = {
        "home": str(home),
        "space": space,
        "work": work,
        "samples": samples,
        "limit": limit,
        "train": train,
        "proxies": proxies,
        "retry_failed": retry_failed,
    }
    Printer(as_json).summary("evaluate", run_flow("evaluating", "evaluate", arguments))
