"""The files of trained heads against what the catalog says of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cole_core.hashing import hash_bytes
from warehouse.catalog import frame
from warehouse.health.finding import Finding, set_aside
from warehouse.queries import query
from warehouse.warehouse import Warehouse


def check_artifacts(warehouse: Warehouse) -> Iterator[Finding]:
    """Whether each head's file is there and is what was written."""
    with warehouse.catalog.read() as connection:
        heads = frame(connection, query("head_files"))
    for head in heads.iter_rows(named=True):
        path = warehouse.artifacts / head["artifact"]
        if not path.is_file():
            problem = "is not there"
        elif hash_bytes(path.read_bytes()) != head["artifact_hash"]:
            problem = "is not what was written: its hash differs"
        else:
            continue
        yield Finding(
            "corrupt artifact",
            f"{path} {problem}",
            f"one trained head ({head['head']} on {head['encoding']}, n={head['n']})",
            "'cole doctor --repair' sets the file aside and forgets the head and its trial, "
            f"'cole train {head['space']}' with the same options makes both again",
            lambda writer, head=head: _forget(warehouse, head["head_id"], head["artifact"]),  # type: ignore[misc]
        )


def check_left_heads(warehouse: Warehouse) -> Iterator[Finding]:
    """Files of heads without a row: whoever wrote or took back the head was killed at it."""
    with warehouse.catalog.read() as connection:
        known = set(frame(connection, query("head_files"))["artifact"])
    files = sorted((warehouse.artifacts / "heads").glob("*.npz"))
    left = [path for path in files if f"heads/{path.name}" not in known]
    if left:
        yield Finding(
            "left file",
            f"{len(left):,} files of heads that the catalog does not have, as {left[0].name}",
            "nothing: the heads were taken back, or the run that is repeated makes them",
            "'cole doctor --repair' sets the files aside",
            lambda writer: _set_aside(warehouse, left),
            harmless=True,
        )


def _set_aside(warehouse: Warehouse, paths: Sequence[Path]) -> None:
    for path in paths:
        set_aside(warehouse.home, path)


def _forget(warehouse: Warehouse, head_id: str, artifact: str) -> None:
    path = warehouse.artifacts / artifact
    if path.is_file():
        set_aside(warehouse.home, path)
    with warehouse.catalog.write() as connection:
        connection.execute(query("forget_trial_of_head"), {"head_id": head_id})
        connection.execute(query("forget_head"), {"head_id": head_id})
