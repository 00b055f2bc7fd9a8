"""A warehouse as people ask it in a notebook: polars frames and Altair charts."""

import os
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

import warehouse
from cole_core.encodings.base import NO_CONTEXT
from cole_core.encodings.vectors import Vectors
from cole_core.spaces.base import SearchSpace
from flows.questions.best import BestRequest, best
from flows.questions.similar import SimilarRequest, similar
from flows.report.charts import map_chart
from flows.report.data import EmbeddingMap
from flows.report.measure import Measure, measure_of
from flows.report.summaries import principal_plane
from flows.resolve.corpora import RunOptions
from flows.resolve.requests import DEFAULT_SPACE, HOME, Measured
from flows.resolve.spaces import known_space
from flows.resolve.values import find_targets
from flows.resolve.vectors import find_vectors, load_vectors

_WIDTH = 640  # pixels of a chart, about as wide as a cell's output


class Warehouse(warehouse.Warehouse):
    """One directory of architectures, vectors, measured values, heads and searches.

    What is named (a space, a dataset, an encoding) is found as the command line finds it, and what
    is wrong with a name is an `InputError` of one line that says the remedy. Everything here reads;
    a warehouse is filled by the commands of `cole`.

    Args:
        home: The directory; by default `$COLE_HOME`, or `cole-home` in the current directory.

    Raises:
        InputError: `home` is a file.

    Examples:
        ```python
        from cole import Warehouse

        warehouse = Warehouse("cole-home")
        warehouse.best("cifar10", k=3)
        ```
    """

    def __init__(self, home: str | Path | None = None) -> None:
        super().__init__(Path(home or os.environ.get("COLE_HOME") or HOME))

    def architectures(self, space: SearchSpace | str = DEFAULT_SPACE) -> pl.DataFrame:
        """The architectures of a space, in its own order.

        Args:
            space: A name, as the command line takes it.

        Returns:
            A row for each of n architectures, shape (n, 4): architecture_id, native,
            canonical_id (equal for twins, which compute the same function), position.

        Raises:
            InputError: The name is not known.
        """
        named = known_space(self, space) if isinstance(space, str) else space
        return super().architectures(named)

    def best(
        self,
        dataset: str | None = None,
        *,
        k: int = 10,
        space: str = DEFAULT_SPACE,
        metric: str | None = None,
        split: str | None = None,
        epochs: int | None = None,
        source: str | None = None,
        predicted: bool = False,
        head: str | None = None,
        canonical: bool = False,
    ) -> pl.DataFrame:
        """The best architectures, by measured values or by what a stored head predicts.

        Args:
            dataset: Of the values; by default any, the accuracy that people mean first.
            k: How many.
            space: The search space.
            metric: Such as accuracy, or `latency:lower` where nobody said which is better.
            split: valid or test.
            epochs: Of training behind the values.
            source: Of the values, where several hold them.
            predicted: By a stored head, measured or not.
            head: Which head, by the beginning of its head_id.
            canonical: One architecture of each group of twins alone.

        Returns:
            At most k rows, best first: rank, architecture_id, native, value; shape (k, 4). With
            `predicted` (k, 6): the value where it was measured, predicted, and std, the
            prediction's standard deviation.

        Raises:
            InputError: A name is unknown, or nothing was measured or trained.
        """
        measured = Measured(
            dataset=dataset, metric=metric, split=split, epochs=epochs, source=source
        )
        request = BestRequest(
            space=space,
            home=self.home,
            measured=measured,
            k=k,
            predicted=predicted,
            head=head,
            canonical=canonical,
        )
        return _frame(best(request))

    def similar(
        self,
        what: str,
        *,
        k: int = 10,
        where: str | None = None,
        space: str = DEFAULT_SPACE,
        encoding: str | None = None,
        lm: str | None = None,
        run: bool = False,
        text: bool = False,
    ) -> pl.DataFrame:
        """The architectures whose vectors are nearest to one, to a network or to a text.

        Args:
            what: A native string, the beginning of an architecture_id, `FILE.py:CLASS`, or a text.
            k: How many.
            where: A condition in SQL on measured values, distance and text: "cifar10 > 93".
            space: The search space, unless an id tells it.
            encoding: Of the texts that are compared; by default the space's reference.
            lm: The language model, where several read them.
            run: A file is run, in a process of its own, so that what it computes is compared.
            text: `what` is a text, in words or code.

        Returns:
            At most k rows, nearest first: architecture_id, native, distance, nearer_than (the
            share of pairs of stored texts that are farther from each other), twin, a column for
            each dataset with measured values, text; shape (k, 6 + datasets).

        Raises:
            InputError: A name, the text or the condition is not right, or nothing was embedded.
        """
        request = SimilarRequest(
            what=what,
            home=self.home,
            space=space,
            k=k,
            where=where,
            vectors=Vectors(encoding=encoding, lm=lm),
            running=RunOptions(run=run),
            text=text,
        )
        return _frame(similar(request))

    def map(
        self,
        dataset: str | None = None,
        *,
        space: str = DEFAULT_SPACE,
        metric: str | None = None,
        split: str | None = None,
        epochs: int | None = None,
        source: str | None = None,
        encoding: str | None = None,
        lm: str | None = None,
        context: str = NO_CONTEXT,
        points: int = 5_000,
    ) -> alt.Chart:
        """A space in the plane: its vectors' first two principal components, by measured value.

        Args:
            dataset: Of the values that colour the points; by default any. Grey is not measured.
            space: The search space.
            metric: Of the values.
            split: valid or test.
            epochs: Of training behind the values.
            source: Of the values, where several hold them.
            encoding: Of the vectors; by default the space's reference.
            lm: The language model, where several read the texts.
            context: What stands around the architecture in its text.
            points: How many are drawn: the best, and the others at random with a fixed seed.

        Returns:
            A chart of at most `points` points, which tell their architecture and value; drag to
            move, Shift and the wheel to zoom. `.save("map.html")` keeps it.

        Raises:
            InputError: A name is unknown, or there are no vectors.
        """
        known = known_space(self, space)
        [vectors] = find_vectors(self, known, [Vectors(encoding=encoding, lm=lm, context=context)])
        found = load_vectors(self, known, vectors)
        measured = Measured(
            dataset=dataset, metric=metric, split=split, epochs=epochs, source=source
        )
        values: dict[str, float] = {}
        measure = Measure()
        if measured.asked or not self.targets(known).is_empty():
            target = find_targets(self, known, measured)[0]
            values, measure = dict(self.labels(known, target).iter_rows()), measure_of(target)
        plane, shares = principal_plane(found.vectors)
        measured_values = [values.get(id_) for id_ in found.architecture_ids]
        frame = pl.DataFrame(
            {
                "native": found.natives,
                "x": plane[:, 0],
                "y": plane[:, 1],
                "value": pl.Series(measured_values, dtype=pl.Float64),
            }
        )
        axes = (
            f"first principal component ({shares[0]:.0%} of the variance)",
            f"second principal component ({shares[1]:.0%})",
        )
        label = " · ".join(part for part in (vectors.encoding, vectors.language_model) if part)
        chart = alt.Chart.from_dict(map_chart(EmbeddingMap(frame, label, axes), points, measure))
        return chart.properties(width=_WIDTH, title=label)


def _frame(answer: dict[str, Any]) -> pl.DataFrame:
    """The rows of an answer, with its columns even where there are none."""
    return pl.DataFrame(
        answer["rows"], schema=answer["columns"], infer_schema_length=None, orient="row"
    )
