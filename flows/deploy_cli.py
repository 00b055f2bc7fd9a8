"""The command line of schedules: `cole deploy`."""

from pathlib import Path
from typing import Annotated

import typer

from cole_core.errors import InputError

Home = Annotated[Path, typer.Option(envvar="COLE_HOME", help="The warehouse's directory.")]

HOME = Path("cole-home")


def deploy(
    home: Home = HOME,
    embeddings: Annotated[
        str, typer.Option(help="When watched specifications are brought up to date.")
    ] = "0 * * * *",
    heads: Annotated[str, typer.Option(help="When heads are trained on new labels.")] = "0 2 * * *",
    comparison: Annotated[str, typer.Option(help="When the comparison runs.")] = "0 3 * * *",
    optimize: Annotated[str, typer.Option(help="When the tables are compacted.")] = "0 4 * * *",
    backup: Annotated[
        str | None,
        typer.Option(help="When the warehouse is copied to --backups; by default '0 5 * * *'."),
    ] = None,
    backups: Annotated[
        Path | None, typer.Option(help="Where the copies go; without it there are none.")
    ] = None,
    keep: Annotated[int, typer.Option(min=1, help="How many copies are left there.")] = 7,
    space: Annotated[str, typer.Option(help="Of the comparison.")] = "nasbench201",
    experiment: Annotated[str, typer.Option(help="Which comparison.")] = "primitives",
    dataset: Annotated[str | None, typer.Option(help="Dataset that it predicts.")] = None,
    metric: Annotated[str | None, typer.Option(help="Metric that it predicts.")] = None,
    source: Annotated[str | None, typer.Option(help="Source of the values.")] = None,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Of Prefect's page, on this machine alone.")
    ] = 4200,
) -> None:
    """Serves the schedules, until it is interrupted: one run at a time, seen in Prefect's page.

    A schedule is a cron line ('0 3 * * *', UTC), 'every 30 minutes', or 'never'. Where
    PREFECT_API_URL names a server the deployments appear there.
    """
    from flows.deploying import NEVER, Deployed, serve_deployments
    from flows.experiments import EXPERIMENTS
    from warehouse import Warehouse

    if not Warehouse(home).has_catalog:
        raise InputError(f"no warehouse at {home}: make one with 'cole run nasbench201'")
    if backup is not None and backups is None:
        raise InputError(f"--backup '{backup}': name with --backups FOLDER where the copies go")
    if experiment not in EXPERIMENTS:
        raise InputError(f"no experiment '{experiment}': choose one of {', '.join(EXPERIMENTS)}")
    where = str(home.resolve())  # runs start elsewhere
    compared = {"dataset": dataset, "metric": metric, "source": source}
    serve_deployments(
        [
            Deployed(
                "embeddings",
                "watching",
                "keep_embeddings_current",
                {"home": where},
                embeddings,
                "Every watched specification over every new rendering.",
            ),
            Deployed(
                "heads",
                "maintenance",
                "retrain_heads",
                {"home": where},
                heads,
                "Every head on the labels of today.",
            ),
            Deployed(
                "comparison",
                "maintenance",
                "nightly_comparison",
                {"home": where, "space": space, "experiment": experiment, "measured": compared},
                comparison,
                f"The comparison '{experiment}' on {space}.",
            ),
            Deployed(
                "optimize",
                "maintenance",
                "optimize",
                {"home": where},
                optimize,
                "Tables compacted, old versions dropped, indices refreshed.",
            ),
            Deployed(
                "backup",
                "maintenance",
                "backup",
                {"home": where, "folder": str((backups or Path()).resolve()), "keep": keep},
                NEVER if backups is None else backup or "0 5 * * *",
                "A copy of the warehouse.",
            ),
        ],
        port,
    )
