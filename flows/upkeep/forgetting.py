"""A source taken back: its measured values, and all that was made from them.

What was made from values goes with them: a head, a search or a comparison of values that are not
there any more could be neither checked nor continued, and values that come again under the same
name would be taken for those it was made from. Architectures, their texts and vectors do not depend
on values and stay, as do the runs, which say what was done, and files outside the warehouse.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cole_core.errors import InputError
from flows.questions.sources import in_words, sources
from flows.running.runs import recorded_run
from warehouse import Warehouse

_NAMED = 5  # of a kind that are named one by one
_KINDS = {
    "head": ("trained head", "trained heads"),
    "trial": ("trial", "trials"),
    "search": ("search", "searches"),
    "comparison": ("comparison", "comparisons"),
    "training": ("record of a training", "records of trainings"),
    "report": ("report", "reports"),
}


def plan(home: Path, source: str) -> dict[str, Any]:
    """What would be taken back.

    Returns:
        The source's entry of `sources`, and `derived`: id and about of each thing made from its
        values, by kind.

    Raises:
        InputError: There is no warehouse, or no such source.
    """
    known = {entry["source"]: entry for entry in sources(home)["sources"]}
    if source not in known:
        listed = f"choose one of {', '.join(known)}" if known else "take some in with 'cole ingest'"
        raise InputError(f"no values from '{source}': {listed}")
    derived: dict[str, list[dict[str, str]]] = {}
    for kind, id_, about in Warehouse(home).derived_from(source).drop("file").iter_rows():
        derived.setdefault(kind, []).append({"id": id_, "about": about})
    return known[source] | {"derived": derived}


def forget(home: Path, source: str) -> int:
    """Takes a source back.

    Returns:
        How many values there were.

    Raises:
        InputError: Another writer did not end in time.
    """
    with (
        recorded_run(home, "forget", {"source": source}) as run,
        run.warehouse.writer("cole forget", run.run_id) as writer,
    ):
        evaluations = writer.forget_source(source)
        run.summary = {"evaluations": evaluations}
    return evaluations


def plan_in_words(planned: Mapping[str, Any]) -> list[str]:
    """The lines that say what would be taken back."""
    lines = in_words(dict(planned))
    derived = planned["derived"]
    if not derived:
        return [*lines, "Nothing was made from its values."]
    lines.append("Made from its values, and taken back with them:")
    for kind, (one, several) in _KINDS.items():
        things = derived.get(kind, [])
        if not things:
            continue
        lines.append(f"  {len(things):,} {one if len(things) == 1 else several}")
        if kind not in ("trial", "training"):
            lines += [f"    {each['about']} ({each['id']})" for each in things[:_NAMED]]
            if len(things) > _NAMED:
                lines.append(f"    and {len(things) - _NAMED:,} more")
    return lines
