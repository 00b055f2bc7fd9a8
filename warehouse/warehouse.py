"""A warehouse on disk: what is there, what is missing, and who may write."""

import contextlib
import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from cole_core.encodings.vectors import ArchitectureVectors
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.sources.base import with_nature
from cole_core.spaces.base import SearchSpace
from warehouse.catalog import frame
from warehouse.claim import check_claim, claim
from warehouse.expressions import interrupted_after
from warehouse.guard import check_query
from warehouse.lock import writer_lock
from warehouse.queries import query
from warehouse.reader import Reader, space_filter
from warehouse.results import Texts, presentable
from warehouse.schema import explain
from warehouse.spool import Spool, spool
from warehouse.store_faults import store_fault
from warehouse.writer import Writer

_SORT_MEMORY = "1GB"  # beyond it DuckDB sorts on disk
_SPOOL_BLOCK = 2_048  # rows in memory at once
_BLOCK = 16_384  # rows of a person's query at once


class Warehouse(Reader):
    """One directory: `catalog.duckdb`, `vectors/`, `artifacts/`.

    Args:
        home: The directory; the first write makes it.
        vectors_uri: Where the vectors are: a folder, or an object store's bucket and prefix. By
            default where they were put first, `$COLE_VECTORS`, or `home/vectors`.
        wait_seconds: How long a writer waits for another one.

    Raises:
        InputError: `home` is a file, or the vectors are not and cannot be at `vectors_uri`.
    """

    @contextlib.contextmanager
    def writer(self, purpose: str, run_id: str) -> Iterator[Writer]:
        """The right to write, held until the end of the block.

        Args:
            purpose: What for; those who wait read it.
            run_id: The flow run that writes.

        Raises:
            InputError: Another writer did not end in time.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        with writer_lock(self.home, purpose, self._wait_seconds):
            owner = self._location.keep(check_claim)
            if owner is not None:
                claim(self.vectors.uri, owner)
            yield Writer(self.catalog, self.vectors, self.artifacts, run_id)

    def sql(self, statement: str) -> pl.DataFrame:
        """Runs one query over the views, the embedding tables among them.

        Read-only, and without access to files or network: the connection has neither.

        Raises:
            InputError: DuckDB does not accept the statement, or it is not a query of the views.
        """
        with self.query(statement) as rows:
            return pl.DataFrame(pl.from_arrow(rows.read_all()))

    @contextlib.contextmanager
    def query(
        self, statement: str, texts: Texts = Texts.NONE, seconds: float | None = None
    ) -> Iterator[pa.RecordBatchReader]:
        """As `sql`, with the rows in blocks: what is large need not be in memory at once.

        Args:
            statement: One query.
            texts: Which types come as text.
            seconds: After which it is given up; None waits as long as it takes.
        """
        with self.asking() as connection, interrupted_after(connection, seconds):
            check_query(connection, statement)
            rows = presentable(connection.sql(statement), texts)
            yield rows.to_arrow_reader(_BLOCK)

    @contextlib.contextmanager
    def asking(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for what people write, after which nothing can be opened up any more."""
        with self._reading() as connection:
            self._register_embeddings(connection)
            connection.execute("SET lock_configuration = true")
            try:
                yield connection
            except duckdb.Error as error:
                if (fault := store_fault(error, self.vectors.uri)) is not None:
                    raise fault from error
                reason = " ".join(str(error).split())
                raise InputError(f"{reason}; see 'cole schema' and correct the query") from error

    def schema(self) -> pl.DataFrame:
        """view, about, column, type, meaning of every column that `sql` sees."""
        with self._reading() as connection:
            self._register_embeddings(connection)
            return explain(frame(connection, query("columns")))

    def status(self) -> dict[str, Any]:
        """Counts of everything, as plain values."""
        with self._reading() as connection:

            def rows(name: str) -> list[dict[str, Any]]:
                return frame(connection, query(name)).to_dicts()

            spaces = {row.pop("space"): row for row in rows("status_spaces")}
            return {
                "home": str(self.home),
                "spaces": spaces,
                "renderings": rows("status_renderings"),
                "embeddings": rows("status_embeddings"),
                "evaluations": rows("status_evaluations"),
                **rows("status_counts")[0],
            }

    def architectures(self, space: SearchSpace) -> pl.DataFrame:
        """architecture_id, native, canonical_id, position of a space's architectures."""
        return self.read("architectures", **space_filter(space))

    def members_of(self, space: str) -> pl.DataFrame:
        """name, class, code, arguments, place, own, canonical, form (null: not traced) of the
        members of a corpus, in the order in which they came."""
        return self.read("members_of", space=space)

    def missing_renderings(self, space: SearchSpace, encoding: str, context: str) -> pl.DataFrame:
        """architecture_id, native of the architectures without that rendering."""
        return self.read(
            "missing_renderings", **space_filter(space), encoding=encoding, context=context
        )

    def rendered_as(self, space: SearchSpace) -> list[tuple[str, str]]:
        """The encodings and contexts in which a space has texts."""
        return self.read("rendered_as", **space_filter(space)).rows()

    def texts(self, space: SearchSpace, encoding: str, context: str) -> pl.DataFrame:
        """text_hash, text of a space's distinct renderings."""
        return self.read("texts", **space_filter(space), encoding=encoding, context=context)

    def count_texts(
        self, space: SearchSpace, encoding: str, context: str, spec_id: str
    ) -> tuple[int, int]:
        """How many distinct renderings there are, and of how many the vector is of a cut text."""
        where = space_filter(space) | {"encoding": encoding, "context": context}
        return self.read("count_texts", **where, spec_id=spec_id).row(0)

    def count_missing_texts(
        self, space: SearchSpace, encoding: str, context: str, spec_id: str
    ) -> int:
        """How many distinct renderings have no vector under a specification yet."""
        where = space_filter(space) | {"encoding": encoding, "context": context}
        return int(self.read("count_missing_texts", **where, spec_id=spec_id).item())

    @contextlib.contextmanager
    def missing_texts(
        self, space: SearchSpace, encoding: str, context: str, spec_id: str
    ) -> Iterator[Spool]:
        """text_hash, text of the distinct renderings without a vector, in the order of the texts.

        They are copied to a file that lasts as long as the block, so that neither memory nor the
        catalog is held while they are worked on.
        """
        where = space_filter(space) | {"encoding": encoding, "context": context, "spec_id": spec_id}
        with contextlib.ExitStack() as stack:
            with self._reading() as connection:
                connection.execute(f"SET memory_limit = '{_SORT_MEMORY}'")
                rows = connection.sql(query("missing_texts"), params=where)
                reader = rows.to_arrow_reader(_SPOOL_BLOCK)
                texts = stack.enter_context(spool(reader, self.home))
            yield texts

    def specifications(self) -> pl.DataFrame:
        """The embedding specifications that were ever used."""
        return self.read("specifications")

    def embedded(self, space: SearchSpace, encoding: str, context: str) -> pl.DataFrame:
        """spec_id, architectures, cut: how many of a rendering's architectures have a vector
        under each specification, and how many of their texts were cut."""
        return self.read(
            "embedded_architectures", **space_filter(space), encoding=encoding, context=context
        )

    def architecture_vectors(
        self, space: SearchSpace, encoding: str, context: str, spec_id: str
    ) -> ArchitectureVectors:
        """The space's architectures with their vectors under a specification.

        Raises:
            InputError: There are none; says which commands make them.
        """
        rows = self.read("rendered", **space_filter(space), encoding=encoding, context=context)
        dataset = self.vectors.dataset(spec_id)
        if rows.is_empty() or dataset is None:
            missing = "render" if rows.is_empty() else "embed"
            raise InputError(
                f"{space.name} has no vectors of '{encoding}' with context '{context}': "
                f"make them with 'cole {missing} {space.name} --encoding {encoding}'"
            )
        table = dataset.to_table(columns=["text_hash", "vector"])
        place = pl.DataFrame({"text_hash": pl.from_arrow(table["text_hash"])}).with_row_index("row")
        rows = rows.join(place, on="text_hash", how="inner", maintain_order="left")
        vectors = table["vector"].combine_chunks()
        matrix = vectors.flatten().to_numpy().reshape(len(vectors), -1)
        order = rows["row"].to_numpy()
        if not np.array_equal(order, np.arange(len(matrix))):  # mostly they are: then no copy
            matrix = matrix[order]
        return ArchitectureVectors(
            architecture_ids=rows["architecture_id"].to_list(),
            natives=rows["native"].to_list(),
            canonical_ids=rows["canonical_id"].to_list(),
            vectors=matrix,
        )

    def text_hash(self, space: SearchSpace, native: str, encoding: str, context: str) -> str | None:
        """Under which hash an architecture's rendering is stored; None if it is not."""
        where = space_filter(space) | {"encoding": encoding, "context": context}
        rows = self.read("text_of", **where, native=native)
        return None if rows.is_empty() else str(rows["text_hash"][0])

    def architectures_by_id(self, beginning: str, limit: int) -> pl.DataFrame:
        """architecture_id, space, space_parameters (JSON), native, canonical_id of those whose id
        begins so."""
        return self.read("architectures_by_id", beginning=beginning, limit=limit)

    def listed(self, space: str, place: int) -> pl.DataFrame:
        """source, native: what stands at a place of a space's official list, counted from 0, in
        each source that brought that list."""
        return self.read("listed", space=space, place=place)

    def listing_sources(self, space: str) -> pl.DataFrame:
        """source, places of the sources that brought a space's official list."""
        return self.read("listing_sources", space=space)

    def parameters_of(self, space: str) -> list[dict[str, Any]]:
        """The parameters under which a space's architectures are stored, the most used first."""
        rows = self.read("space_parameters", space=space)
        return [json.loads(text) for text in rows["space_parameters"]]

    def measured_spaces(self) -> pl.DataFrame:
        """space, space_parameters (JSON) of all spaces of which something was measured."""
        return self.read("measured_spaces")

    def targets(self, space: SearchSpace) -> pl.DataFrame:
        """dataset, metric, split, epochs, source, architectures, unit, direction of each kind of
        value measured."""
        return self.read("measured_targets", **space_filter(space))

    def values_of(self, architecture_ids: list[str], target: Target) -> pl.DataFrame:
        """architecture_id, value (the mean over seeds) of those that were measured."""
        return self.read("values_of", architecture_ids=architecture_ids, **target.key)

    def read_proxies(self, space: SearchSpace, source: str, metrics: Sequence[str]) -> pl.DataFrame:
        """architecture_id, metric, value (the mean over seeds) of the zero-cost proxies that a
        source has of a space's architectures."""
        where = space_filter(space) | {"source": source}
        return self.read("proxies", **where, metrics=list(metrics))

    def labels(self, space: SearchSpace, target: Target) -> pl.DataFrame:
        """architecture_id, value (the mean over seeds), ordered by architecture_id."""
        return self.read("labels", **space_filter(space), **target.key)

    def check_evaluations(self, rows: pl.DataFrame) -> None:
        """Checks that no stored value would have to change.

        Args:
            rows: As `Writer.add_evaluations` takes them.

        Raises:
            InputError: A value differs from the one stored under the same key, or its metric has
                another unit or direction there.
        """
        if not self.has_catalog:
            return
        with self._reading() as connection:
            connection.register("incoming", with_nature(rows).to_arrow())
            conflict = connection.execute(query("conflicting_evaluations")).fetchone()
            nature = connection.execute(query("conflicting_natures")).fetchone()
        if conflict is not None:
            native, dataset, metric, source, new, old = conflict
            raise InputError(
                f"{dataset} {metric} of {native} is stored as {old:g} and comes as {new:g}: "
                "name the new measurements with --source, or take the stored ones back first "
                f"with 'cole forget {shlex.quote(source)}'"
            )
        if nature is not None:
            dataset, metric, source, new, old = nature
            raise InputError(
                f"{dataset} {metric} of {source} is stored as {old} and comes as {new}: name the "
                "new measurements with --source, or the metric otherwise with --column"
            )

    def text(self, architecture_id: str, encoding: str, context: str) -> str | None:
        """An architecture's rendering, None if it was not rendered."""
        rows = self.read(
            "text_of_architecture",
            architecture_id=architecture_id,
            encoding=encoding,
            context=context,
        )
        return None if rows.is_empty() else str(rows["text"][0])

    def _register_embeddings(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Makes each embedding table queryable; a stored view over one would dangle."""
        names = embedding_table_names(frame(connection, query("specifications")))
        for spec_id, view in names.items():
            dataset = self.vectors.dataset(spec_id)
            if dataset is not None:
                connection.register(f"stored_{view}", dataset)
                connection.execute(query("embedding_view").format(view=view))


def embedding_table_names(specifications: pl.DataFrame) -> dict[str, str]:
    """What the embedding tables are called in SQL, by spec_id.

    `embeddings_<language model>_<pooling>_<precision>`, with the beginning of the spec_id where
    two specifications would share a name.
    """
    named = {
        row["spec_id"]: "embeddings_"
        + "".join(
            letter if letter.isalnum() else "_"
            for letter in f"{row['language_model']}_{row['pooling']}_{row['precision']}".lower()
        )
        for row in specifications.iter_rows(named=True)
    }
    names = list(named.values())
    return {
        spec_id: name if names.count(name) == 1 else f"{name}_{spec_id[:8]}"
        for spec_id, name in named.items()
    }
