"""The command line: `cole`. It checks names, calls one flow, and prints what the flow did."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cole_core.errors import InputError
from flows import (
    compare_cli,
    deploy_cli,
    doctor_cli,
    entry,
    evaluate_cli,
    maintenance_cli,
    questions_cli,
    transfer_cli,
    watch_cli,
)
from flows.choices import MAX_SEED, Measured, Vectors
from flows.output import Printer
from flows.server import run_flow

app = typer.Typer(
    help="""Neural architectures as code, embedded by a frozen language model, kept to be searched.

    Begin with **cole run nasbench201**: it fills the warehouse and writes a report.
    Each stage also runs alone, does only what is missing, and says what it skipped:

    enumerate → render → embed → ingest → train → search → report

    Then ask: **cole best**, **cole similar**, **cole sql** (**cole schema**), **cole status**.

    Exit codes: 0 done, 2 bad input (one line says what to change), 1 a fault.
    """,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(compare_cli.app, name="compare", rich_help_panel="Comparisons")

STAGES, QUESTIONS = "Stages, in the order of the data", "Questions"
UPKEEP = "Upkeep"

Space = Annotated[str, typer.Argument(help="The search space: nasbench201 or einspace.")]
Home = Annotated[
    Path, typer.Option(envvar="COLE_HOME", help="The warehouse's directory.", show_default=True)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Encoding = Annotated[
    str,
    typer.Option(
        help="code.expression, code.inline, code.helper, code.exclude_helper, arch_str; without "
        "a language model: path, adjacency, graf, ngram."
    ),
]
Context = Annotated[
    str, typer.Option(help="What stands around the architecture: none, network or comment.")
]
LanguageModel = Annotated[
    str, typer.Option("--lm", help="Language model: minilm, a hub id or a local path.")
]
Pooling = Annotated[
    str, typer.Option(help="avg_avg, mean, last_token, cls, multi_layer, or the model's own.")
]
Precision = Annotated[str, typer.Option(help="bf16, fp32, fp16, int8 or int4.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Dataset = Annotated[str, typer.Option(help="Dataset of the measured values, such as cifar10.")]
Metric = Annotated[str | None, typer.Option(help="Metric of the measured values.")]
Split = Annotated[str | None, typer.Option(help="valid or test.")]
Epochs = Annotated[int | None, typer.Option(help="Epochs of training behind the values.")]
Source = Annotated[str | None, typer.Option(help="Source of the values, where several hold them.")]
Seed = Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of every random choice.")]

HOME = Path("cole-home")


@app.command(rich_help_panel="All of it")
def run(
    space: Space,
    home: Home = HOME,
    source: Annotated[
        str, typer.Option(help="Accuracies: analog-nasbench, or a file or folder.")
    ] = "analog-nasbench",
    samples: Annotated[
        int | None,
        typer.Option(
            help="No accuracies from elsewhere: draw so many architectures and train them on "
            "--dataset."
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Of the accuracies, by default cifar10; or what networks are trained on: digits "
            "by default, add-digits, an .npz file or a folder of .npy files.",
            show_default=False,
        ),
    ] = None,
    metric: Metric = None,
    split: Split = None,
    epochs: Epochs = None,
    lm: LanguageModel = "minilm",
    device: Device = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """The whole pipeline: enumerate, render, embed, ingest, train, search, report.

    A space without accuracies, such as einspace, is sampled and its networks are trained here.
    """
    if samples is not None or space.partition(":")[0] != "nasbench201":
        from flows.training_task import training_task

        if metric is not None or split is not None:
            raise InputError(
                "--metric and --split name stored accuracies, and networks that are trained here "
                "are compared by valid accuracy: leave them out"
            )
        work = training_task(dataset or "digits", epochs, seed)
        trained = {"home": str(home), "space": space, "work": work, "lm": lm, "device": device}
        if samples is not None:
            trained["samples"] = samples
        Printer(as_json).trained_pipeline(run_flow("trained_pipeline", "run_trained", trained))
        return
    arguments: dict[str, Any] = {
        "home": str(home),
        "space": space,
        "source": source,
        "measured": Measured(dataset or "cifar10", metric, split, epochs),
        "lm": lm,
        "device": device,
        "seed": seed,
    }
    Printer(as_json).pipeline(run_flow("pipeline", "run_pipeline", arguments))


@app.command(name="enumerate", rich_help_panel=STAGES)
def enumerate_command(
    space: Space,
    home: Home = HOME,
    samples: Annotated[
        int | None, typer.Option(help="Draw so many at random instead of all.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Stores a space's architectures."""
    arguments: dict[str, Any] = {
        "home": str(home),
        "space": space,
        "samples": samples,
        "seed": seed,
    }
    Printer(as_json).summary(
        "enumerate", run_flow("enumeration", "enumerate_architectures", arguments)
    )


@app.command(rich_help_panel=STAGES)
def render(
    space: Space,
    home: Home = HOME,
    encoding: Encoding = "code.expression",
    context: Context = "none",
    samples: Annotated[
        int | None, typer.Option(help="Render so many of the architectures, drawn at random.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Writes the architectures as texts."""
    arguments: dict[str, Any] = {
        "home": str(home),
        "space": space,
        "encoding": encoding,
        "context": context,
        "samples": samples,
        "seed": seed,
    }
    Printer(as_json).summary("render", run_flow("rendering", "render", arguments))


@app.command(rich_help_panel=STAGES)
def embed(
    space: Space,
    home: Home = HOME,
    encoding: Encoding = "code.expression",
    lm: LanguageModel = "minilm",
    context: Context = "none",
    pooling: Pooling = "avg_avg",
    precision: Precision = "bf16",
    max_length: Annotated[
        int | None,
        typer.Option(min=1, help="Cut texts after so many tokens instead of reading windows."),
    ] = None,
    layer: Annotated[
        list[int] | None,
        typer.Option(
            help="Layer to read, negative from the end; may be repeated.", show_default=False
        ),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Step between multi_layer's layers.")] = 4,
    normalize: Annotated[bool, typer.Option("--normalize", help="Vectors of length one.")] = False,
    echo: Annotated[
        bool, typer.Option("--echo", help="Causal models: the text twice, the second pooled.")
    ] = False,
    instruction: Annotated[str, typer.Option(help="Prefix of every text.")] = "",
    window: Annotated[int | None, typer.Option(help="Tokens read at once.")] = None,
    overlap: Annotated[int | None, typer.Option(help="Tokens that windows share.")] = None,
    random_init: Annotated[
        int | None, typer.Option(help="Control: weights at random with this seed.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Hub revision of the model.")] = None,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that comes with the model.")
    ] = False,
    device: Device = "auto",
    strict_length: Annotated[
        bool, typer.Option("--strict-length", help="Embed nothing if --max-length cuts a text.")
    ] = False,
    runner: Annotated[
        str, typer.Option(help="local, or the processes of a cluster: ray or dask.")
    ] = "local",
    workers: Annotated[
        int | None,
        typer.Option(help="Processes of a cluster on this machine; by default one per core."),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="A cluster that runs already, such as ray://head:10001.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Embeds the texts that have no vector yet."""
    from flows.cluster import Cluster

    arguments: dict[str, Any] = {
        "home": str(home),
        "space": space,
        "encoding": encoding,
        "lm": lm,
        "context": context,
        "pooling": pooling,
        "precision": precision,
        "max_length": max_length,
        "device": device,
        "strict_length": strict_length,
        "cluster": Cluster(runner, workers, address),
        "options": {
            "layers": layer,
            "every": every,
            "normalize": normalize,
            "echo": echo,
            "instruction": instruction,
            "window": window,
            "overlap": overlap,
            "random_init": random_init,
            "revision": revision,
            "trust_remote_code": trust_remote_code,
        },
    }
    Printer(as_json).summary("embed", run_flow("embedding", "embed", arguments))


@app.command(rich_help_panel=STAGES)
def ingest(
    space: Space,
    origin: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="analog-nasbench; a CSV or Parquet table; the official NAS-Bench-201 file or "
            "NATS-Bench folder.",
        ),
    ],
    home: Home = HOME,
    source: Annotated[
        str | None, typer.Option(help="What to call the source; by default the file's name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Stores measured accuracies."""
    arguments: dict[str, Any] = {
        "home": str(home),
        "space": space,
        "origin": origin,
        "source": source,
    }
    Printer(as_json).summary("ingest", run_flow("ingestion", "ingest", arguments))


app.command(rich_help_panel=STAGES)(evaluate_cli.evaluate)


@app.command(rich_help_panel=STAGES)
def train(
    space: Space,
    dataset: Dataset,
    home: Home = HOME,
    encoding: Encoding = "code.expression",
    lm: LanguageModel = "minilm",
    context: Context = "none",
    pooling: Pooling = "avg_avg",
    precision: Precision = "bf16",
    head: Annotated[
        str, typer.Option(help="gaussian_process, kernel_ridge, ridge, mlp, xgboost or perceiver.")
    ] = "gaussian_process",
    loss: Annotated[str | None, typer.Option(help="Of the mlp head: mse or hinge.")] = None,
    metric: Metric = None,
    split: Split = None,
    epochs: Epochs = None,
    source: Source = None,
    n: Annotated[
        list[int] | None, typer.Option("-n", help="Labelled architectures; may be repeated.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Random splits for each size.")] = 10,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Trains a head on stored vectors and tests how well it ranks a held-out tenth."""
    arguments: dict[str, Any] = {
        "home": str(home),
        "space": space,
        "measured": Measured(dataset, metric, split, epochs, source),
        "vectors": Vectors(encoding, lm, context, pooling, precision),
        "head": head,
        "head_parameters": {} if loss is None else {"loss": loss},
        "sizes": n or [220],
        "draws": draws,
        "seed": seed,
    }
    Printer(as_json).summary("train", run_flow("training", "train", arguments))


@app.command(rich_help_panel=STAGES)
def search(
    space: Space,
    dataset: Dataset,
    home: Home = HOME,
    algorithm: Annotated[
        str, typer.Option(help="bananas, regularized_evolution, local_search or random_search.")
    ] = "bananas",
    encoding: Encoding = "code.expression",
    lm: LanguageModel = "minilm",
    context: Context = "none",
    pooling: Pooling = "avg_avg",
    precision: Precision = "bf16",
    metric: Metric = None,
    split: Split = None,
    epochs: Epochs = None,
    source: Source = None,
    budget: Annotated[int, typer.Option(help="Number of evaluations.")] = 100,
    head: Annotated[
        str | None, typer.Option(help="Of bananas: gaussian_process, or the paper's mlp ensemble.")
    ] = None,
    acquisition: Annotated[
        str | None, typer.Option(help="Of bananas: ucb, its, ei or exploit.")
    ] = None,
    candidates: Annotated[
        str | None, typer.Option(help="Of bananas: the whole space, or mutation of the best.")
    ] = None,
    initial: Annotated[
        int | None, typer.Option(help="Of bananas: architectures at random at the beginning.")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Of bananas: evaluations at a time.")] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(min=0, max=MAX_SEED, help="Seed of a search; may be repeated."),
    ] = None,
    train_networks: Annotated[
        bool,
        typer.Option(
            "--train",
            help="An evaluation is a training on --dataset digits, add-digits or a path; what "
            "follows says how.",
        ),
    ] = False,
    size: evaluate_cli.Size = None,
    channels: evaluate_cli.Channels = None,
    cells: evaluate_cli.Cells = None,
    max_activations: evaluate_cli.Activations = None,
    max_parameters: evaluate_cli.Parameters = None,
    training_seed: Annotated[int, typer.Option(min=0, help="Seed of every training.")] = 0,
    workers: evaluate_cli.Workers = 2,
    time_limit: evaluate_cli.Seconds = 300.0,
    memory_limit: evaluate_cli.Memory = 2_048,
    as_json: Json = False,
) -> None:
    """Searches for the best architecture, reading cached vectors and measured values; with
    --train by training networks, whose vectors and accuracies are kept."""
    asked = {
        "head": head,
        "acquisition": acquisition,
        "candidates": candidates,
        "initial": initial,
        "batch": batch,
    }
    arguments: dict[str, Any] = {
        "home": str(home),
        "space": space,
        "measured": Measured(dataset, metric, split, epochs, source),
        "vectors": Vectors(encoding, lm, context, pooling, precision),
        "algorithm": algorithm,
        "algorithm_parameters": {name: value for name, value in asked.items() if value is not None},
        "budget": budget,
        "seeds": seed or [0],
    }
    if not train_networks:
        Printer(as_json).summary("search", run_flow("searching", "search", arguments))
        return
    from cole_core.evaluation.settings import Limits

    del arguments["measured"]
    arguments["work"] = evaluate_cli.training_task(
        dataset,
        size,
        {"epochs": epochs},
        {"channels": channels, "cells": cells},
        {"max_activations": max_activations, "max_parameters": max_parameters},
        limits=Limits(time_limit, memory_limit),
        seed=training_seed,
        workers=workers,
    )
    Printer(as_json).summary("search", run_flow("training_search", "search_by_training", arguments))


@app.command(rich_help_panel=STAGES)
def report(
    space: Space,
    home: Home = HOME,
    dataset: Annotated[
        str | None,
        typer.Option(help="Dataset it is about; where several values fit, those used last."),
    ] = None,
    metric: Metric = None,
    split: Split = None,
    epochs: Epochs = None,
    source: Source = None,
    as_json: Json = False,
) -> None:
    """Writes what is known of a space into one HTML file."""
    arguments: dict[str, Any] = {
        "home": str(home),
        "space": space,
        "measured": Measured(dataset, metric, split, epochs, source),
    }
    Printer(as_json).summary("report", run_flow("reporting", "report", arguments))


@app.command(rich_help_panel=QUESTIONS)
def models(as_json: Json = False) -> None:
    """Lists the language models that --lm knows by name; hub ids and local paths work as well."""
    import polars as pl

    from cole_core.language_models.catalog import catalog
    from cole_core.language_models.files import is_here

    Printer(as_json).frame(
        pl.DataFrame(
            {
                "name": name,
                "parameters": entry.parameters,
                "kind": entry.kind,
                "limit": entry.limit,
                "safetensors": entry.safetensors,
                "remote_code": entry.remote_code,
                "here": is_here(entry),
                "hub": entry.hub,
            }
            for name, entry in catalog().items()
        )
    )


@app.command(rich_help_panel=QUESTIONS)
def status(home: Home = HOME, as_json: Json = False) -> None:
    """Counts what the warehouse holds."""
    from warehouse import Warehouse

    Printer(as_json).status(Warehouse(home).status())


for question in (
    questions_cli.sql,
    questions_cli.schema,
    questions_cli.similar,
    questions_cli.best,
):
    app.command(rich_help_panel=QUESTIONS)(question)

app.add_typer(watch_cli.app, name="watch", rich_help_panel=UPKEEP)
app.command(rich_help_panel=UPKEEP)(deploy_cli.deploy)
app.command(rich_help_panel=UPKEEP)(doctor_cli.doctor)
app.command(rich_help_panel=UPKEEP)(maintenance_cli.optimize)
app.command(rich_help_panel=UPKEEP)(transfer_cli.backup)
app.command(rich_help_panel=UPKEEP)(transfer_cli.export)
app.command(name="import", rich_help_panel=UPKEEP)(transfer_cli.import_)


def main() -> None:
    """The entry point; turns bad input into one line and exit code 2."""
    sys.exit(entry.run(app, sys.argv[1:]))


if __name__ == "__main__":
    main()
