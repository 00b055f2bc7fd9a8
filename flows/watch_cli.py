"""The command line of the watch list: `cole watch`."""

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from flows.output import Printer

app = typer.Typer(
    help="Embedding specifications that 'cole deploy' keeps up to date.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

Home = Annotated[Path, typer.Option(envvar="COLE_HOME", help="The warehouse's directory.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]

HOME = Path("cole-home")


@app.command()
def add(
    lm: Annotated[str, typer.Option("--lm", help="A known name, a hub id or a local path.")],
    home: Home = HOME,
    space: Annotated[str | None, typer.Option(help="Only this search space.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Only this encoding.")] = None,
    context: Annotated[str | None, typer.Option(help="Only this context.")] = None,
    pooling: Annotated[str, typer.Option(help="How token states become one vector.")] = "avg_avg",
    precision: Annotated[str, typer.Option(help="bf16, fp32, fp16, int8 or int4.")] = "bf16",
    max_length: Annotated[int | None, typer.Option(min=1, help="Cut texts after it.")] = None,
    layer: Annotated[list[int] | None, typer.Option(help="Layer to read; repeatable.")] = None,
    normalize: Annotated[bool, typer.Option("--normalize", help="Vectors of length one.")] = False,
    echo: Annotated[bool, typer.Option("--echo", help="Causal models: the text twice.")] = False,
    instruction: Annotated[str, typer.Option(help="Prefix of every text.")] = "",
    revision: Annotated[str | None, typer.Option(help="Hub revision of the model.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    as_json: Json = False,
) -> None:
    """Keeps an embedding specification up to date, on all renderings or some."""
    from flows.watching import Watch, add_watch

    path = Path(lm)
    arguments: dict[str, Any] = {
        "name_or_path": str(path.resolve()) if path.is_dir() else lm,  # read from elsewhere later
        "pooling": pooling,
        "precision": precision,
        "max_length": max_length,
        "layers": layer,
        "normalize": normalize,
        "echo": echo,
        "instruction": instruction,
        "revision": revision,
    }
    watch = Watch(arguments, space, encoding, context, device)
    Printer(as_json).summary("watch add", add_watch(str(home), watch))


@app.command(name="list")
def list_(home: Home = HOME, as_json: Json = False) -> None:
    """Lists what is kept up to date."""
    from warehouse import Warehouse

    def of(name: str) -> pl.Expr:
        return pl.col("arguments").str.json_path_match(f"$.{name}")

    any_ = pl.lit("any")
    Printer(as_json).frame(
        Warehouse(home)
        .watches()
        .select(
            of("name_or_path").alias("language_model"),
            of("pooling").alias("pooling"),
            of("precision").alias("precision"),
            pl.col("space").fill_null(any_),
            pl.col("encoding").fill_null(any_),
            pl.col("context").fill_null(any_),
            "spec_id",
            "watch_id",
        )
    )


@app.command()
def remove(
    name: Annotated[
        str, typer.Argument(help="A language model, or the beginning of a watch_id or spec_id.")
    ],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Keeps a specification up to date no longer; its vectors stay."""
    from flows.watching import remove_watch

    Printer(as_json).summary("watch remove", remove_watch(str(home), name))
