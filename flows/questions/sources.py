"""What measured values were taken in: from which file, as what, by which run."""

from pathlib import Path
from typing import Any

from flows.resolve.values import kind_in_words
from warehouse import Warehouse

_DIGITS = 12  # of a hash that people read


def sources(home: Path) -> dict[str, Any]:
    """Every source, in the order in which they came.

    Returns:
        `sources`, each with `source`, `values` (space, dataset, metric, split, epochs, evaluations,
        architectures of each kind), and `runs` (run_id, flow, started_at, origin, file, bytes,
        sha256 of each that added values).

    Raises:
        InputError: There is no warehouse.
    """
    warehouse = Warehouse(home)
    values = warehouse.source_values().partition_by("source", as_dict=True, include_key=False)
    runs = warehouse.source_runs().partition_by(
        "source", as_dict=True, include_key=False, maintain_order=True
    )
    return {
        "sources": [
            {"source": source, "values": values[source,].to_dicts(), "runs": rows.to_dicts()}
            for (source,), rows in runs.items()
        ]
    }


def in_words(source: dict[str, Any]) -> list[str]:
    """The lines that say all of one source."""
    values = (
        f"  {each['space']}: {kind_in_words(each)}: {_count(each['evaluations'], 'value')} of "
        f"{_count(each['architectures'], 'architecture')}"
        for each in source["values"]
    )
    runs = (line for run in source["runs"] for line in _run_in_words(run))
    return [source["source"], *values, *(f"  {line}" for line in runs)]


def _run_in_words(run: dict[str, Any]) -> list[str]:
    if run["started_at"] is None:
        return [f"by run {run['run_id']}, of which no more is stored"]
    lines = [f"{run['started_at']:%Y-%m-%d %H:%M} UTC by {run['flow']}, run {run['run_id']}"]
    about = [] if run["bytes"] is None else [f"{run['bytes']:,} bytes"]
    about += [f"sha256 {run['sha256'][:_DIGITS]}…"] if run["sha256"] else []
    if run["origin"] is not None:
        known = f" ({', '.join(about)})" if about else ""
        lines.append(f"  from {run['origin']}{known}")
    return lines


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
