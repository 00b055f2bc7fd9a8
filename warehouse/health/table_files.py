"""The files of vector tables, in a folder or an object store: what no version names, and moving."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import lance

from cole_core.errors import InputError
from warehouse.health.finding import Finding, quarantine, set_aside
from warehouse.object_storage import files_below, move_here, storage_options
from warehouse.store_faults import told
from warehouse.vectors import VectorStore
from warehouse.warehouse import Warehouse

_DATA, _VERSIONS = "data/", "_versions/"


def open_table(store: VectorStore, spec_id: str, version: int | None = None) -> lance.LanceDataset:
    """A table as its files are now; the store's own session remembers them as they were.

    Raises:
        ValueError: It cannot be opened.
        InputError: The object store is at fault.
    """
    with told(store.uri):
        path = store.path(spec_id)
        return lance.dataset(path, version=version, storage_options=storage_options(store.uri))


def manifests_of(store: VectorStore, spec_id: str) -> list[str]:
    """The files that describe a table's versions, the newest first."""
    names = files_below(store.path(spec_id))
    manifests = [
        name for name in names if name.startswith(_VERSIONS) and name.endswith(".manifest")
    ]
    # Lance counts names down from 2^64 so that the newest sorts first.
    digits = len(Path(manifests[0]).stem) if manifests else 0
    return manifests if digits == 20 else manifests[::-1]


def put_aside(warehouse: Warehouse, spec_id: str, names: Sequence[str]) -> None:
    """Moves files of a table into the warehouse's `quarantine/`; those that are gone are left out.

    Args:
        warehouse: Whose table it is.
        spec_id: The table.
        names: Paths from the table's own.
    """
    store = warehouse.vectors
    target = quarantine(warehouse.home) / "vectors" / Path(store.path(spec_id)).name
    there = set(files_below(store.path(spec_id)))
    for name in names:
        if name not in there:
            continue
        if store.is_remote:
            move_here(store.path(spec_id), name, target / name)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(store.path(spec_id)) / name, target / name)


def put_table_aside(warehouse: Warehouse, spec_id: str) -> None:
    """The same with all of a table."""
    store = warehouse.vectors
    folder = Path(store.path(spec_id))
    if not store.is_remote and folder.is_relative_to(warehouse.home):
        set_aside(warehouse.home, folder)
    else:
        put_aside(warehouse, spec_id, files_below(store.path(spec_id)))


def check_left_files(warehouse: Warehouse, spec_id: str) -> Iterator[Finding]:
    """Files of vectors that no version names: whoever wrote them was killed before the commit, or
    they were written again. The lock is held, so that nobody is about to commit them."""
    left = _unnamed(warehouse.vectors, spec_id)
    if left:
        yield Finding(
            "left file",
            f"{len(left):,} files of vectors of {spec_id} are of no version of the table, "
            f"as {left[0]}: a run was killed while it wrote them",
            "nothing: the run that is repeated writes what it needs",
            "'cole doctor --repair' sets the files aside",
            lambda writer: put_aside(warehouse, spec_id, left),
            harmless=True,
        )


def _unnamed(store: VectorStore, spec_id: str) -> list[str]:
    """Data files that neither the latest version of a table names nor an earlier one; none where an
    earlier one cannot be read, which may name any."""
    data = {name for name in files_below(store.path(spec_id)) if name.startswith(_DATA)}
    versions = len(manifests_of(store, spec_id))
    if not data or not versions:
        return sorted(data)
    latest = open_table(store, spec_id)
    data -= _named(latest)
    if data and versions > 1:
        try:
            for version in latest.versions():
                data -= _named(open_table(store, spec_id, version["version"]))
        except InputError:
            raise
        except ValueError:
            return []
    return sorted(data)


def _named(dataset: lance.LanceDataset) -> set[str]:
    return {
        _DATA + file.path for fragment in dataset.get_fragments() for file in fragment.data_files()
    }
