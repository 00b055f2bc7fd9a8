"""Stage: networks that somebody wrote, and what was measured of them, into the warehouse."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from prefect import flow

from cole_core.errors import InputError
from cole_core.foreign_code import RunLimits
from cole_core.hashing import hash_text
from cole_core.sources import table_files
from cole_core.sources.base import with_nature
from cole_core.sources.readings import refuse_unclear
from cole_core.sources.told import Told
from cole_core.spaces.corpus import Collected, Corpus, Member, read_arguments
from cole_core.spaces.corpus.folder import SUFFIXES, read_folder
from cole_core.spaces.corpus.table import read_code_table
from flows.resolve.corpora import RunOptions, read_corpus
from flows.resolve.origins import file_of
from flows.resolve.requests import HOME, Home, repeatable, request
from flows.running.failures import report_failures
from flows.running.names import run_name
from flows.running.runs import recorded_run
from flows.running.stage import planned
from flows.tasks.tracing import count_paths, form_rows, trace
from warehouse import Warehouse
from warehouse.reader import space_parameters


@request
class IngestCorpusRequest:
    """The networks of a folder or a table.

    Attributes:
        space: corpus:NAME.
        origin: A folder of PyTorch files and notebooks, one file, or a table with a column code
            and, where they are known, name, class, arguments and measured values.
        home: The warehouse's directory.
        source: What to call the source of a table's values; by default the file's name.
        column: What a table's column measures, see `IngestRequest`.
        skip: A column that is left out; may be repeated.
        dataset: The dataset of the columns whose heading names none.
        arguments: What constructors are given, as JSON: '{"channels": 16}'; a table's column
            arguments goes before it.
        running: Whether the code is run.
    """

    space: str = field(kw_only=False)
    origin: str = field(kw_only=False)
    home: Home = HOME
    source: str | None = None
    column: Annotated[tuple[str, ...], repeatable("--column")] = ()
    skip: Annotated[tuple[str, ...], repeatable("--skip")] = ()
    dataset: str | None = None
    arguments: str | None = None
    running: RunOptions = RunOptions()

    @property
    def told(self) -> Told:
        """What is said of a table's columns."""
        return Told(self.column, self.skip, self.dataset)


@dataclass(frozen=True)
class IngestCorpusPlan:
    """What will be stored, checked; of what is run, all has run by then.

    Attributes:
        corpus: As it will be, with what it had before.
        new: Those of its members that the source has.
        failed: Why other networks of the source are not taken in, a line each.
        rows: Measured values, as `Writer.add_evaluations` takes them.
        columns: What each column was taken for, a line each.
        file: What they were read from, see `file_of`.
    """

    corpus: Corpus
    new: tuple[Member, ...]
    failed: tuple[str, ...]
    rows: pl.DataFrame
    columns: list[str]
    file: dict[str, Any]


def check(
    request: IngestCorpusRequest, tell: Callable[[list[str]], None] = lambda _: None
) -> Collected:
    """Reads a source without running anything.

    Args:
        request: What is asked for.
        tell: Is told what each column is taken for, before anything is refused for it.

    Raises:
        InputError: It cannot be read, a column is not understood, or it has no network.
    """
    collected = collect(request)
    tell(collected.lines)
    name = Path(request.origin).name
    refuse_unclear(collected.readings, name)
    collected.check(name)
    return collected


def plan(request: IngestCorpusRequest) -> IngestCorpusPlan:
    """Resolves and checks a request; runs code where that is asked for, without any lock.

    Raises:
        InputError: As `check`; or a value changed, or no network can be made.
    """
    warehouse = Warehouse(request.home)
    known = read_corpus(warehouse, request.space)
    limits = request.running.limits()
    name = Path(request.origin).name
    collected = check(request)
    if request.running.run:
        collected = traced(collected, known, limits)
        collected.check(name)
    corpus = Corpus(known.name, [*known.members, *collected.members])
    ids = {each.native: corpus.architecture_id(each.native) for each in collected.members}
    rows = collected.rows.filter(pl.col("native").is_in(list(ids)))
    rows = with_nature(rows).with_columns(
        architecture_id=pl.col("native").replace_strict(ids, return_dtype=pl.String)
    )
    if request.source is not None:
        rows = rows.with_columns(source=pl.lit(request.source))
    warehouse.check_evaluations(rows)
    return IngestCorpusPlan(
        corpus,
        collected.members,
        collected.failed,
        rows,
        collected.lines,
        file_of(request.origin),
    )


def collect(request: IngestCorpusRequest) -> Collected:
    """The networks of a source, from their code alone.

    Raises:
        InputError: It cannot be read.
    """
    path = Path(request.origin)
    arguments = (
        {} if request.arguments is None else read_arguments(request.arguments, "--arguments")
    )
    if path.is_dir() or path.suffix.lower() in SUFFIXES:
        if request.told.anything:
            raise InputError(f"{path} has no columns: leave --column, --skip and --dataset out")
        return read_folder(path, arguments)
    if not table_files.is_table_name(path):
        problem = f"no reader for '{path.suffix}'" if path.exists() else "no folder or file"
        raise InputError(
            f"{path}: {problem}: give a folder of PyTorch files, or {table_files.ABOUT} with a "
            "column 'code'"
        )
    return read_code_table(path, request.told, arguments)


def traced(collected: Collected, known: Corpus, limits: RunLimits) -> Collected:
    """The same with normal forms; what was traced before is not run again."""
    before = {each.native for each in known.members if each.form is not None}
    wanted = [each for each in collected.members if each.native not in before]
    forms, failed = trace(wanted, collected.folder, limits, "ingest")
    stored = {each.native: each.canonical for each in known.members}
    members = [
        replace(
            member,
            form=forms.get(member.native),
            canonical=stored.get(member.native)
            or (member.canonical if form is None else form.expression),
        )
        for member in collected.members
        if (form := forms.get(member.native)) is not None or member.native in before
    ]
    return replace(collected, members=tuple(members), failed=(*collected.failed, *failed.values()))


@flow(name="ingest corpus", flow_run_name=run_name("space", "origin"))
def ingest_corpus(request: IngestCorpusRequest) -> dict[str, Any]:
    """Stores networks and what was measured of them.

    Raises:
        InputError: As `plan`.
    """
    made = planned(plan, request)
    with (
        recorded_run(request.home, "ingest", request) as run,
        run.warehouse.writer("cole ingest", run.run_id) as writer,
    ):
        first = run.warehouse.architectures(made.corpus).height
        new = writer.add_members(member_rows(made.corpus, made.new, first))
        forms = form_rows(made.corpus, made.new)
        traced = writer.add_normal_forms(forms) if forms.height else 0
        writer.say_natures(made.rows)
        added = writer.add_evaluations(made.rows)
        report_failures(made.failed)
        done: dict[str, Any] = {
            "networks": new,
            "networks_skipped": len(made.new) - new,
            "evaluations": added,
            "skipped": made.rows.height - added,
        }
        if request.running.run:
            done |= {"traced": traced, "paths": count_paths(made.new)}
        if made.failed:
            done["failed"] = len(made.failed)
        run.summary = done | made.file
    return done | {"columns": made.columns}


def member_rows(corpus: Corpus, members: Sequence[Member], first: int) -> pl.DataFrame:
    """Members as `Writer.add_members` takes them.

    Args:
        corpus: Theirs.
        members: The members.
        first: The place of the first that is new.
    """
    return pl.DataFrame(
        [
            {
                "architecture_id": corpus.architecture_id(member.native),
                "space": corpus.name,
                "space_parameters": space_parameters(corpus),
                "native": member.native,
                "canonical_id": hash_text(member.canonical),
                "position": position,
                "name": member.name,
                "class": member.class_name,
                "arguments": json.dumps(dict(member.arguments)),
                "place": member.place,
                "own": json.dumps(dict(member.own)),
                "canonical": member.canonical,
                "code_hash": member.code_hash,
                "code": member.code,
            }
            for position, member in enumerate(members, start=first)
        ],
        infer_schema_length=None,
    )
