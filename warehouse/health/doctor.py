"""All checks in their order, under the writer lock, and the repairs that are asked for."""

import shutil
from collections.abc import Callable, Iterator

from cole_core.errors import InputError
from warehouse.health.artifacts import check_artifacts, check_left_heads
from warehouse.health.catalog import check_catalog, check_metrics, check_rows, check_runs
from warehouse.health.finding import Finding
from warehouse.health.leftovers import check_lock, check_unfinished_files
from warehouse.health.tables import check_tables
from warehouse.warehouse import Warehouse

SPARE = 1 << 30  # bytes that should stay free on the disk
_ROUNDS = 5  # a repair may uncover what the next one is for


def examine(warehouse: Warehouse, repair: bool = False) -> tuple[list[Finding], list[Finding]]:
    """Looks for everything that may be wrong.

    It reads every vector. Without `repair` it changes nothing but the version of an earlier
    catalog, as any reader does.

    Args:
        warehouse: What is examined, under its writer lock.
        repair: Whether to put right what can be put right.

    Returns:
        What is wrong now; what was and has been repaired.

    Raises:
        InputError: There is no such directory, or another writer did not end in time.
    """
    if not warehouse.home.is_dir():
        raise InputError(f"no warehouse at {warehouse.home}: name one with --home")
    before = list(check_lock(warehouse))  # whoever takes the lock clears it
    repaired = []
    with warehouse.writer("cole doctor", run_id="doctor") as writer:
        found = list(_examine(warehouse))
        for _ in range(_ROUNDS):
            fixable = [finding for finding in found if finding.repair is not None]
            if not repair or not fixable:
                break
            for finding in fixable:
                assert finding.repair is not None
                finding.repair(writer)
            repaired += fixable
            found = list(_examine(warehouse))
    return found, [*before, *repaired]


def _examine(warehouse: Warehouse) -> Iterator[Finding]:
    yield from check_disk(warehouse)
    broken = list(check_catalog(warehouse))
    yield from broken
    if not broken:
        checks: tuple[Callable[[Warehouse], Iterator[Finding]], ...] = (
            check_rows,
            check_metrics,
            check_tables,
            check_artifacts,
            check_left_heads,
            check_runs,
        )
        for check in checks:
            yield from check(warehouse)
    yield from check_unfinished_files(warehouse)


def check_disk(warehouse: Warehouse) -> Iterator[Finding]:
    """Whether there is room to write."""
    free = shutil.disk_usage(warehouse.home).free
    if free < SPARE:
        yield Finding(
            "disk",
            f"the disk of {warehouse.home} has {free / 1e6:,.0f} MB left",
            "nothing, but the next run may end half-way; it goes on when it is run again",
            "free some space, or move the warehouse with 'cole export' and 'cole import'",
        )
