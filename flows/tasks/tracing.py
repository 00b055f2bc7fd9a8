"""Normal forms of a corpus's members: made in a process of its own, without any lock."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from cole_core.errors import InputError
from cole_core.foreign_code import RunLimits, Runner
from cole_core.spaces.corpus import Corpus, Member
from flows.running.progress import track
from flows.running.runs import Run

if TYPE_CHECKING:
    from cole_core.encodings.normal_form import NormalForm


def trace(
    members: Sequence[Member], folder: Path | None, limits: RunLimits, stage: str
) -> tuple[dict[str, "NormalForm"], dict[str, str]]:
    """Runs the code of members and traces their networks.

    Args:
        members: The members.
        folder: Whose modules their code can import.
        limits: Of each of them.
        stage: What progress is called.

    Returns:
        Normal forms by native strings, and why others have none, a line each by theirs.
    """
    from cole_core.spaces.corpus.running import trace_member

    forms: dict[str, NormalForm] = {}
    failed: dict[str, str] = {}
    with Runner(limits) as runner, track(f"{stage} · networks run", len(members)) as advance:
        for member in members:
            try:
                forms[member.native] = trace_member(runner, member, folder)
            except InputError as error:
                failed[member.native] = str(error)
            advance(1)
    return forms, failed


def trace_missing(
    run: Run, corpus: Corpus, natives: Sequence[str], limits: RunLimits
) -> tuple[Corpus, dict[str, str]]:
    """Traces those members that were not yet, and stores what is found.

    Args:
        run: Writes, once everything has run.
        corpus: Whose code may be run.
        natives: Which members.
        limits: Of each of them.

    Returns:
        The corpus with its normal forms, and why members have none: a line each, by native strings.
    """
    known = set(corpus.traced)
    wanted = [corpus.member(native) for native in natives if native not in known]
    forms, failed = trace(wanted, None, limits, "render")
    if not forms:
        return corpus, failed
    members = [replace(each, form=forms.get(each.native, each.form)) for each in corpus.members]
    made = Corpus(corpus.name, members, corpus.may_run)
    with run.warehouse.writer("cole render", run.run_id) as writer:
        writer.add_normal_forms(form_rows(made, [made.member(native) for native in forms]))
    return made, failed


def form_rows(corpus: Corpus, members: Sequence[Member]) -> pl.DataFrame:
    """Those of the members that were traced, as `Writer.add_normal_forms` takes them."""
    from cole_core.spaces.corpus.stored_forms import to_json

    found = [(each.native, each.form) for each in members if each.form is not None]
    return pl.DataFrame(
        {
            "architecture_id": [corpus.architecture_id(native) for native, _ in found],
            "form": [to_json(form) for _, form in found],
        },
        schema={"architecture_id": pl.String, "form": pl.String},
    )


def count_paths(members: Sequence[Member]) -> dict[str, int]:
    """How many normal forms came by which path."""
    return dict(Counter(each.form.path for each in members if each.form is not None))
