"""What may be written, by whoever holds the writer lock."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from cole_core.hashing import hash_bytes, hash_text
from cole_core.sources.base import with_nature
from warehouse.catalog import Catalog, frame
from warehouse.fragments import WrittenVectors
from warehouse.queries import query
from warehouse.vectors import VectorStore, vector_rows

# What stands on a row goes before it.
_OF_SOURCE = (
    *("forget_comparisons_of", "forget_heads_of", "forget_trials_of"),
    *("forget_regrets_of", "forget_search_comparisons_of"),
    *("forget_steps_of", "forget_searches_of"),
    *("forget_trainings_of", "forget_lists_of", "forget_evaluations_of"),
)


class Writer:
    """Writes, each idempotent: what is there already is left alone.

    Made by `Warehouse.writer`, which holds the lock. Every method is one commit; each returns the
    number of rows that were new.

    Args:
        catalog: Where the metadata goes.
        vectors: Where the vectors go.
        artifacts: Directory for files of trained heads and reports.
        run_id: The flow run that writes.
    """

    def __init__(
        self, catalog: Catalog, vectors: VectorStore, artifacts: Path, run_id: str
    ) -> None:
        self._catalog = catalog
        self._vectors = vectors
        self._artifacts = artifacts
        self._run_id = run_id
        # Text hashes of the vector tables that are written, true for as long as the lock is held:
        # what makes a commit cost what it adds, not what is there.
        self._stored: dict[str, set[str]] = {}

    def start_run(
        self, flow: str, parameters: Mapping[str, Any], versions: Mapping[str, str]
    ) -> None:
        """Records that the flow run began."""
        with self._catalog.write() as connection:
            connection.execute(
                query("insert_run"),
                [self._run_id, flow, json.dumps(parameters), json.dumps(versions), _now()],
            )

    def finish_run(self, summary: Mapping[str, Any]) -> None:
        """Records that the flow run ended, and what it did."""
        with self._catalog.write() as connection:
            connection.execute(query("finish_run"), [_now(), json.dumps(summary), self._run_id])

    def add_architectures(self, rows: pl.DataFrame) -> int:
        """Adds architectures.

        Args:
            rows: architecture_id, space, space_parameters, native, canonical_id, position.
        """
        return self._insert(["insert_architectures"], rows)

    def add_members(self, rows: pl.DataFrame) -> int:
        """Adds members of a corpus, as the architectures that they are and with their code.

        Args:
            rows: As `add_architectures`, and name, class, arguments, place, own, canonical,
                code_hash, code.
        """
        statements = ["insert_codes", "insert_members", "insert_architectures_of_members"]
        return self._insert(statements, rows)

    def add_normal_forms(self, rows: pl.DataFrame) -> int:
        """Adds what tracing found.

        Args:
            rows: architecture_id, form (JSON).
        """
        return self._insert(["insert_normal_forms"], rows)

    def add_renderings(self, rows: pl.DataFrame) -> int:
        """Adds renderings and the texts among them that are new.

        Args:
            rows: architecture_id, encoding, context, text; and, where there are several ways to a
                text, path and reason.
        """
        hashed = rows.with_columns(
            text_hash=pl.Series([hash_text(text) for text in rows["text"]], dtype=pl.String)
        )
        return self._insert(["insert_texts", "insert_renderings"], hashed)

    def add_specification(
        self,
        spec_id: str,
        language_model: str,
        pooling: str,
        precision: str,
        specification: str,
        dimension: int,
    ) -> int:
        """Registers an embedding specification (given as JSON)."""
        row = {
            "spec_id": spec_id,
            "language_model": language_model,
            "pooling": pooling,
            "precision": precision,
            "specification": specification,
            "dimension": dimension,
        }
        return self._insert(["insert_specification"], pl.DataFrame([row]))

    def add_embeddings(
        self,
        spec_id: str,
        text_hashes: list[str],
        vectors: np.ndarray,
        n_tokens: np.ndarray,
        truncated: np.ndarray,
    ) -> int:
        """Stores vectors, then promises them in the catalog.

        Args: see `warehouse.vectors.vector_rows`.
        """
        rows = vector_rows(text_hashes, vectors, n_tokens, truncated)
        stored = self._vectors_of(spec_id)
        first = {text_hash: row for row, text_hash in reversed(list(enumerate(text_hashes)))}
        new = sorted(row for text_hash, row in first.items() if text_hash not in stored)
        if not new:
            return 0
        rows = rows.take(new)
        self._vectors.append(spec_id, rows)
        return self._promise(spec_id, rows.drop_columns(["vector"]))

    def add_fragments(self, spec_id: str, written: Sequence[WrittenVectors]) -> int:
        """Commits vectors that workers have written to the store, then promises them.

        Fragments that hold a text which is there already are left out whole: their files stay
        behind, of no table, and what else they held counts as missing.
        """
        taken = set(self._vectors_of(spec_id))
        new = []
        for each in written:
            hashes = each.keys["text_hash"].to_pylist()
            if taken.isdisjoint(hashes) and len(set(hashes)) == len(hashes):
                taken.update(hashes)
                new.append(each)
        if not new:
            return 0
        self._vectors.commit(spec_id, new)
        return self._promise(spec_id, pa.concat_tables([each.keys for each in new]))

    def _promise(self, spec_id: str, keys: pa.Table) -> int:
        promised = pl.DataFrame(pl.from_arrow(keys)).with_columns(spec_id=pl.lit(spec_id))
        added = self._insert(["insert_embeddings"], promised)
        self._stored[spec_id].update(promised["text_hash"])
        return added

    def _vectors_of(self, spec_id: str) -> set[str]:
        """The texts whose vectors are stored."""
        if spec_id not in self._stored:
            self.recover_embeddings(spec_id)
        return self._stored[spec_id]

    def recover_embeddings(self, spec_id: str) -> tuple[int, int]:
        """Makes the catalog promise exactly the vectors that are there.

        A crash between the two writes leaves vectors without a promise: they are adopted. A
        promise without its vector (a table that was damaged or deleted) is withdrawn, so that the
        text counts as missing again.

        Returns:
            Number adopted, number withdrawn.
        """
        stored = self._vectors.keys(spec_id)
        with self._catalog.write() as connection:
            promised = frame(connection, query("promised_embeddings"), {"spec_id": spec_id})
        unpromised = stored.join(promised, on="text_hash", how="anti")
        unkept = promised.join(stored, on="text_hash", how="anti")
        if not unpromised.is_empty():
            self._insert(["insert_embeddings"], unpromised.with_columns(spec_id=pl.lit(spec_id)))
        if not unkept.is_empty():
            with self._catalog.write() as connection:
                connection.register("incoming", unkept.to_arrow())
                connection.execute(query("withdraw_embeddings"), {"spec_id": spec_id})
        self._stored[spec_id] = set(stored["text_hash"])
        return unpromised.height, unkept.height

    def compact_embeddings(self, spec_id: str) -> int:
        """Joins the fragments that many commits left; returns how many fewer there are."""
        return self._vectors.compact(spec_id)

    def checkpoint(self) -> None:
        """Folds the catalog's write-ahead log into its file."""
        with self._catalog.write():
            pass  # a catalog may be of an earlier version
        self._catalog.checkpoint()

    def add_evaluations(self, rows: pl.DataFrame) -> int:
        """Adds measured values, after `Warehouse.check_evaluations`.

        Args:
            rows: architecture_id, native, dataset, metric, split, epochs, seed, source, value; and
                unit and direction where the metric's name does not tell them.
        """
        return self._insert(["insert_evaluations"], with_nature(rows))

    def add_list(self, space: str, source: str, natives: Sequence[str]) -> int:
        """Adds the official list that a source brings, unless it brought one before."""
        rows = pl.DataFrame({"native": natives}, schema={"native": pl.String})
        rows = rows.with_row_index("place").with_columns(
            pl.col("place").cast(pl.Int32), space=pl.lit(space), source=pl.lit(source)
        )
        return self._insert(["insert_lists"], rows)

    def say_natures(self, rows: pl.DataFrame) -> int:
        """Adds unit and direction to stored values of which nobody had said them.

        Args:
            rows: As `add_evaluations`, after the same check.

        Returns:
            Number of values.
        """
        return self._insert(["say_natures"], with_nature(rows))

    def add_trainings(self, rows: pl.DataFrame, evaluations: pl.DataFrame) -> None:
        """Stores what came of networks, in the place of what was known of them, with their values.

        The values come first: a row of store.trainings promises them.

        Args:
            rows: The columns of store.trainings but run_id.
            evaluations: As `add_evaluations`.
        """
        self.add_evaluations(evaluations)
        self._insert(["insert_trainings"], rows)

    def add_trials(self, rows: pl.DataFrame) -> int:
        """Adds trials (the columns of store.trials but run_id)."""
        return self._insert(["insert_trials"], rows)

    def add_comparison(self, rows: pl.DataFrame) -> int:
        """Stores a comparison's table (the columns of store.comparisons but run_id)."""
        return self._insert(["insert_comparison"], rows)

    def add_search_comparison(self, thresholds: pl.DataFrame, regrets: pl.DataFrame) -> None:
        """Stores a comparison's tables in the place of those it had before.

        Args:
            thresholds: The columns of store.search_comparisons but run_id.
            regrets: The columns of store.search_regrets but run_id.
        """
        self._insert(["clear_search_comparison", "insert_search_comparison"], thresholds)
        self._insert(["clear_search_regrets", "insert_search_regrets"], regrets)

    def add_head(self, head_id: str, trial_id: str, save: Callable[[Path], None]) -> int:
        """Stores a trained head's file, then its row.

        Args:
            head_id: What it is called; its file is `heads/<head_id>.npz` below the artifacts.
            trial_id: The trial that trained it.
            save: Writes the file.
        """
        artifact = f"heads/{head_id}.npz"
        path = self._write_artifact(artifact, save)
        row = {
            "head_id": head_id,
            "trial_id": trial_id,
            "artifact": artifact,
            "artifact_hash": hash_bytes(path.read_bytes()),
        }
        return self._insert(["insert_head"], pl.DataFrame([row]))

    def add_artifact(self, name: str, source: Path) -> int:
        """Copies a file to a path below the artifacts' directory, unless there is one."""
        if (self._artifacts / name).exists():
            return 0
        self._write_artifact(name, lambda path: shutil.copyfile(source, path))
        return 1

    def keep_artifact(self, name: str, save: Callable[[Path], object]) -> None:
        """Writes a file below the artifacts' directory that can be made again.

        Args:
            name: Its path below the directory.
            save: Writes it.
        """
        self._write_artifact(name, save)

    def add_watch(self, row: Mapping[str, Any]) -> int:
        """Adds an embedding specification to those that are kept up to date (the columns of
        store.watches but added_at and run_id)."""
        columns: dict[str, Any] = {**row, "added_at": _now()}
        texts = dict.fromkeys(("space", "encoding", "context"), pl.String)
        return self._insert(["insert_watch"], pl.DataFrame([columns], schema_overrides=texts))

    def remove_watch(self, watch_id: str) -> None:
        """Keeps a specification up to date no longer; its vectors stay."""
        with self._catalog.write() as connection:
            connection.execute(query("delete_watch"), {"watch_id": watch_id})

    def forget_source(self, source: str) -> int:
        """Takes back a source's values and all that was made from them; the runs are kept.

        The rows go in one transaction. Reports go before it: `cole report` writes them again from
        what is there. Files of heads go after it: without their rows nobody reads them.

        Returns:
            How many values there were.
        """
        with self._catalog.write() as connection:
            files = frame(connection, query("derived_from_source"), {"source": source})
            reports = pl.col("kind") == "report"
            self._remove(files.filter(reports)["file"])
            for name in _OF_SOURCE:
                row = connection.execute(query(name), {"source": source}).fetchone()
        self._remove(files.filter(~reports)["file"].drop_nulls())
        # What is kept of old tasks is made again where it is read.
        shutil.rmtree(self._artifacts / "old_tasks", ignore_errors=True)
        return int(row[0]) if row else 0

    def _remove(self, artifacts: Iterable[str]) -> None:
        for name in artifacts:
            (self._artifacts / name).unlink(missing_ok=True)

    def add_report(self, name: str, html: str) -> Path:
        """Stores a report below the artifacts' directory and returns its path."""
        return self._write_artifact(
            f"reports/{name}.html", lambda path: path.write_text(html, encoding="utf-8")
        )

    def add_searches(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """Registers searches (the columns of store.searches but run_id)."""
        return self._insert(["insert_search"], pl.DataFrame(rows, infer_schema_length=None))

    def add_search_steps(self, rows: pl.DataFrame) -> int:
        """Adds steps: search_id, step, architecture_id, value, predicted_mean, predicted_std,
        seconds, old_task_weights; of several objectives also objectives (JSON)."""
        stamped = rows.with_columns(evaluated_at=pl.lit(_now()))
        return self._insert(["insert_search_steps"], stamped)

    def _insert(self, statements: list[str], rows: pl.DataFrame) -> int:
        """Runs the statements over `incoming` in one transaction; counts the last one's rows."""
        inserted = 0
        with self._catalog.write() as connection:
            connection.register(
                "incoming", rows.with_columns(run_id=pl.lit(self._run_id)).to_arrow()
            )
            for statement in statements:
                row = connection.execute(query(statement)).fetchone()
                inserted = int(row[0]) if row else 0
        return inserted

    def _write_artifact(self, name: str, save: Callable[[Path], object]) -> Path:
        """Writes a file whole or not at all."""
        path = self._artifacts / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        save(part)
        part.replace(path)
        return path


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
