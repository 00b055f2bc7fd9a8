"""What a warehouse's catalog says of results: evaluations, trials, heads, searches, runs."""

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.spaces.base import SearchSpace
from warehouse.catalog import Catalog, OutdatedCatalogError, frame
from warehouse.location import CATALOG, Location
from warehouse.lock import writer_lock
from warehouse.queries import query
from warehouse.vectors import VectorStore


class Reader:
    """Reads the catalog, held open for one statement at a time, or for those of `together`.

    Args:
        home: The directory; the first write makes it.
        vectors_uri: Where the vectors are: a folder, or an object store's bucket and prefix. By
            default where they were put first, `$COLE_VECTORS`, or `home/vectors`.
        wait_seconds: How long a writer waits for another one.

    Raises:
        InputError: `home` is a file, or the vectors are not and cannot be at `vectors_uri`.
    """

    def __init__(
        self, home: str | Path, vectors_uri: str | None = None, wait_seconds: float = 3600.0
    ) -> None:
        self.home = Path(home)
        if self.home.exists() and not self.home.is_dir():
            raise InputError(f"--home {self.home} is a file: name a directory")
        self.catalog = Catalog(self.home / CATALOG)
        self.artifacts = self.home / "artifacts"
        self._wait_seconds = wait_seconds
        self._shared = threading.local()
        self._location = Location(self.home, vectors_uri, self._promises)
        self.vectors = VectorStore(self._location.uri)
        if self._location.is_new:
            self.vectors.check()

    @property
    def has_catalog(self) -> bool:
        """Whether anything was ever written."""
        return self.catalog.path.exists()

    def _promises(self) -> bool:
        return self.has_catalog and bool(self.read("promises_any").item())

    def trainings(self, space: SearchSpace, settings_id: str, seed: int) -> pl.DataFrame:
        """architecture_id, native, status, error, limits (JSON) of the networks that were tried."""
        return self.read("trainings", **space_filter(space), settings_id=settings_id, seed=seed)

    def trained_values(self, space: SearchSpace, source: str) -> pl.DataFrame:
        """native, canonical_id, parameters, flops, seconds, dataset, split, metric, epochs, value
        of the networks that were trained under the settings behind a source."""
        return self.read("trained_values", **space_filter(space), source=source)

    def seed_values(self, space: SearchSpace, target: Target, seed: int) -> pl.DataFrame:
        """architecture_id, value of the evaluations with one seed."""
        return self.read("seed_values", **space_filter(space), **target.key, seed=seed)

    def trial_results(self, trial_ids: list[str]) -> pl.DataFrame:
        """Those trials that are stored.

        Returns:
            trial_id, n, draw, kendall_tau (NaN where collapsed), spearman, mse, top_recall,
            collapsed, old_task_weights (null where nothing was transferred).
        """
        return self.read("trial_results", trial_ids=trial_ids)

    def head_artifact(self, head_id: str) -> Path | None:
        """The file of a trained head, None if it is not stored."""
        rows = self.read("head", head_id=head_id)
        return None if rows.is_empty() else self.artifacts / rows["artifact"][0]

    def search_steps(self, search_ids: list[str]) -> pl.DataFrame:
        """search_id, step, native, value, predicted_mean, predicted_std, seconds (null: not known),
        objectives (JSON; null: one alone), proposed, running (JSON; null: not asynchronous) of
        searches so far."""
        return self.read("search_steps", search_ids=search_ids)

    def used_targets(self, space: SearchSpace) -> list[Target]:
        """What was searched and learned, the latest first."""
        texts = self.read("used_targets", space=space.name)["target"]
        return [Target(**json.loads(text)) for text in texts]

    def searches_of(
        self, space: SearchSpace, target: Target, several: bool = False
    ) -> pl.DataFrame:
        """search_id, algorithm, seed, spec_id, configuration (JSON), compared (whether a comparison
        ran it first) of every search for a target that has a step.

        Args:
            space: The search space.
            target: What the best is sought of.
            several: Whether those for which it is the first of several objectives, or those for
                which it is the only one.
        """
        return self.read("searches_of", **_learned(space, target), several=several)

    def comparisons_of(self, space: SearchSpace, target: Target) -> pl.DataFrame:
        """Every row of every comparison on a target (the columns of store.comparisons and
        started_at), the oldest comparison first."""
        return self.read("comparisons_of", space=space.name, target=target.to_json())

    def search_comparisons_of(self, space: SearchSpace, target: Target) -> pl.DataFrame:
        """Every row of every comparison of searches for a target (the columns of
        store.search_comparisons and started_at), the oldest comparison first."""
        return self.read("search_comparisons_of", space=space.name, target=target.to_json())

    def search_regrets(self, comparison_id: str) -> pl.DataFrame:
        """Regret at numbers of evaluations of one comparison of searches."""
        return self.read("search_regrets", comparison_id=comparison_id)

    def trials_of(self, space: SearchSpace, target: Target) -> pl.DataFrame:
        """Every trial of every head that predicts a target, but those of comparisons."""
        return self.read("trials_of", **_learned(space, target))

    def heads_of(self, space: SearchSpace, target: Target) -> pl.DataFrame:
        """The stored heads that predict a target, those with the most labelled first."""
        return self.read("heads_of", **_learned(space, target))

    def best_head(self, space: SearchSpace, target: Target) -> dict[str, Any] | None:
        """The stored head with the most labelled architectures, the best of those."""
        rows = self.read("best_head", **_learned(space, target))
        return None if rows.is_empty() else rows.row(0, named=True)

    def latest_summary(self, space: SearchSpace, flow: str) -> dict[str, Any] | None:
        """Summary of the latest run of a flow in a space that ended; None before the first."""
        rows = self.read("latest_summary", space=space.name, flow=flow)
        return None if rows.is_empty() else json.loads(rows["summary"][0])

    def source_values(self) -> pl.DataFrame:
        """source, space, dataset, metric, split, epochs, evaluations, architectures of each kind of
        value that each source has."""
        return self.read("source_values")

    def source_runs(self) -> pl.DataFrame:
        """source, run_id, flow, started_at, origin, file, bytes, sha256 (null: not known) of each
        run that added values, the oldest first."""
        return self.read("source_runs")

    def other_sources(self, space: SearchSpace, target: Target) -> list[str]:
        """The other sources of the same kind of values."""
        rows = self.read("other_sources", **space_filter(space), **target.key)
        return [str(source) for source in rows["source"]]

    def derived_from(self, source: str) -> pl.DataFrame:
        """kind, id, about, file (below the artifacts; null: none) of all that was made from a
        source's values."""
        return self.read("derived_from_source", source=source)

    def values_of_architecture(self, space: SearchSpace, architecture_id: str) -> pl.DataFrame:
        """dataset, metric, split, epochs, source, value (a mean over seeds), measured (how many),
        unit, direction of every kind of value of an architecture; and above, below, architectures:
        how many of the space's have a higher and a lower one, and how many have one."""
        return self.read(
            "values_of_architecture", **space_filter(space), architecture_id=architecture_id
        )

    def texts_of(self, architecture_id: str) -> pl.DataFrame:
        """encoding, context, text of an architecture; language_model, n_tokens, truncated of each
        specification that embedded it (null: none did)."""
        return self.read("texts_of_architecture", architecture_id=architecture_id)

    def trainings_of(self, architecture_id: str) -> pl.DataFrame:
        """dataset, dataset_hash, source, seed, status, error, seconds, parameters, flops, settings
        (JSON) of each time that an architecture was trained here, the latest first."""
        return self.read("trainings_of", architecture_id=architecture_id)

    def twins_of(self, space: SearchSpace, architecture_id: str, canonical_id: str) -> pl.DataFrame:
        """architecture_id, native of the others that compute the same function."""
        where = {"architecture_id": architecture_id, "canonical_id": canonical_id}
        return self.read("twins_of", **space_filter(space), **where)

    def watches(self) -> pl.DataFrame:
        """watch_id, spec_id, space, encoding, context (null: any), arguments (JSON), device,
        added_at of the specifications that are kept up to date."""
        return self.read("watches")

    def first_rendered(self, space: SearchSpace, encodings: Sequence[str]) -> str | None:
        """Which of some encodings a space's architectures were written in first; None: in none."""
        rows = self.read("first_rendered", space=space.name, encodings=list(encodings))
        return None if rows.is_empty() else str(rows["encoding"][0])

    def rendered_kinds(self) -> pl.DataFrame:
        """space, space_parameters, encoding, context of every rendering there is, and whether it
        was made of the whole space once."""
        return self.read("rendered_kinds")

    def trained_heads(self) -> pl.DataFrame:
        """What `cole train` has trained: space, encoding, context, spec_id, head, target,
        surrogate (JSON), seed, sizes, draws."""
        return self.read("trained_heads")

    def recent_runs(self, limit: int) -> pl.DataFrame:
        """flow, run_id, started_at, ended_at, summary (JSON) of the latest runs, newest first."""
        return self.read("recent_runs", limit=limit)

    def migrate(self) -> None:
        """Brings a catalog of an earlier version to this program's; its caller may hold the lock.

        Raises:
            InputError: There is no catalog, or it is of a newer version.
        """
        try:
            with self.catalog.read():
                pass
        except OutdatedCatalogError:
            with self.catalog.write():
                pass  # opening to write migrates

    @contextlib.contextmanager
    def _reading(self, briefly: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection; a catalog of an earlier version is migrated first.

        Args:
            briefly: Whether for a statement of our own that sets nothing.
        """
        opened = self.catalog.attached if briefly else self.catalog.read
        with contextlib.ExitStack() as stack:
            try:
                connection = stack.enter_context(opened())
            except OutdatedCatalogError:
                with (
                    writer_lock(self.home, "migration", self._wait_seconds),
                    self.catalog.write(),
                ):
                    pass  # opening to write migrates
                connection = stack.enter_context(opened())
            yield connection

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """One connection for all that this thread reads within the block, and one state of the
        catalog: the same statement is run once. Writers wait for its end.

        Raises:
            InputError: There is no catalog, or it is of a newer version.
        """
        if self._connection is not None:
            yield
            return
        with self._reading() as connection:
            self._shared.connection, self._shared.frames = connection, {}
            try:
                yield
            finally:
                self._shared.connection, self._shared.frames = None, {}

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection | None:
        return getattr(self._shared, "connection", None)

    def read(self, name: str, **parameters: Any) -> pl.DataFrame:
        """The rows of a statement of queries.sql."""
        if self._connection is not None:
            return self._read_once(self._connection, name, parameters)
        with self._reading(briefly=True) as connection:
            return frame(connection, query(name), parameters or None)

    def _read_once(
        self, connection: duckdb.DuckDBPyConnection, name: str, parameters: dict[str, Any]
    ) -> pl.DataFrame:
        if any(isinstance(value, list) for value in parameters.values()):
            return frame(connection, query(name), parameters)
        asked = (name, *sorted(parameters.items()))
        if asked not in self._shared.frames:
            self._shared.frames[asked] = frame(connection, query(name), parameters or None)
        return self._shared.frames[asked]


def _learned(space: SearchSpace, target: Target) -> dict[str, Any]:
    """Heads that predict a target; those of which a higher prediction is a better one."""
    return {
        "space": space.name,
        "target": target.to_json(),
        "direction": target.orientation.get("direction"),
    }


def space_parameters(space: SearchSpace) -> str:
    """A space's parameters as the catalog holds them: JSON with sorted keys."""
    return json.dumps(dict(space.parameters), sort_keys=True)


def space_filter(space: SearchSpace) -> dict[str, str]:
    """A space as the statements of queries.sql name it."""
    return {"space": space.name, "space_parameters": space_parameters(space)}
