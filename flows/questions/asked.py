"""What `cole similar` is given: an architecture, an id, a file's network, or a text."""

import json
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from cole_core.encodings.base import RenderingError
from cole_core.encodings.python_source import find_network
from cole_core.encodings.registry import make_text_encoding
from cole_core.encodings.source_files import LARGEST, read_source
from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError, shortened
from cole_core.foreign_code import Runner
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.corpus import read_arguments
from cole_core.spaces.corpus.running import trace_member
from cole_core.spaces.corpus.static import static_member
from cole_core.spaces.other_notation import AmbiguousError, Written
from flows.questions.notations import refusal
from flows.resolve.corpora import RunOptions
from flows.resolve.spaces import find_space, stored_space
from flows.resolve.written import read_written
from warehouse import Warehouse

_ID = re.compile(r"[0-9a-f]{6,32}")
_FILE_NAME = re.compile(
    r"\.(bin|ckpt|csv|gguf|gz|h5|ipynb|json|keras|md|onnx|parquet|pb|pth?|py[iw]?|safetensors|toml"
    r"|txt|ya?ml|zip)$",
    re.IGNORECASE,
)


SOURCE = "code.source"
"""What a file is read as that is not run: its text is of no other encoding."""


@dataclass(frozen=True)
class Asked:
    """What is looked for.

    Attributes:
        kind: architecture, text or file.
        read: What it was read as, in words.
        text: What a language model reads of it.
        space: The search space to look in.
        native: The architecture; None for a text or a file.
        name: The same for people.
        encoding: Whose texts it is compared with.
        architecture_id: Of a stored architecture that was named by it.
    """

    kind: str
    read: str
    text: str
    space: SearchSpace
    native: str | None
    name: str
    encoding: str
    architecture_id: str | None = None


@dataclass(frozen=True)
class Question:
    """What somebody gave, and what they said of it.

    Attributes:
        what: A native string, an architecture_id or its beginning, the path of a Python file or
            FILE.py:CLASS, or a text.
        space: The search space, unless an id tells it.
        class_name: Which class of a file.
        is_text: Whether it is a text, and nothing else.
        arguments: Of the class's constructor, as JSON.
        running: Whether a file is run.
        notation: How it is written, where that is neither its space's way nor sure.
    """

    what: str
    space: str
    class_name: str | None = None
    is_text: bool = False
    arguments: str | None = None
    running: RunOptions = field(default_factory=RunOptions)
    notation: str | None = None


def read_asked(warehouse: Warehouse, question: Question, vectors: Vectors) -> Asked:
    """Finds out what somebody means. Nothing is guessed: a text is what is said to be one.

    A file is run only where its question says so; it is parsed otherwise, and its source is a text
    of `code.source` alone.

    Args:
        warehouse: Where ids are looked up.
        question: What they gave.
        vectors: Says how an architecture is written as text.

    Raises:
        InputError: It is none of what can be looked for; says what it resembles.
    """
    what = question.what
    question.running.limits()
    if not what.strip():
        raise InputError(
            f"{what!r} is empty: give an architecture, its id, FILE.py or, with --text, a text"
        )
    if len(what.encode()) > LARGEST:
        raise InputError(f"a text of {len(what):,} characters: give at most {LARGEST:,} bytes")
    space = find_space(warehouse, question.space)
    if question.is_text:
        _check_file_alone(question)
        if question.class_name is not None:
            raise InputError(f"--class {question.class_name} is for a file: leave out --text")
        if question.notation is not None:
            raise InputError(
                f"--notation {question.notation} is for an architecture: leave out --text"
            )
        name = shortened(what)
        return Asked("text", "text", what, space, None, name, _encoding(space, vectors))
    written = _written(warehouse, space, question)
    native = None if written is None else written.native
    stored = _stored(warehouse, space, what) if native is None else None
    if (native or stored) and os.path.exists(what):
        raise InputError(
            f"{what} is a file, and an architecture as well: give ./{what} for the file"
        )
    if native is None and stored is None:
        if (place := _file(what)) is not None:
            return _of_file(place, question, space, vectors)
        if _ID.fullmatch(what) and not what.isdecimal():
            raise InputError(
                f"architecture_id {what} begins none that is stored; find one with 'cole sql'"
            )
        raise refusal(warehouse, space, what)
    if question.class_name is not None:
        raise InputError(f"--class {question.class_name} is for a file: give FILE.py")
    _check_file_alone(question)
    read_as = None if written is None else written.read_as
    if stored is not None:
        native, space, id_ = stored
        found = _of_architecture(warehouse, space, native, read_as, vectors)
        return replace(found, architecture_id=id_)
    assert native is not None
    return _of_architecture(warehouse, space, native, read_as, vectors)


def _check_file_alone(question: Question) -> None:
    """Checks that nothing is said of a file's code where there is no file."""
    for option, given in (("--run", question.running.run), ("--arguments", question.arguments)):
        if given:
            raise InputError(f"{option} is for a file, and {shortened(question.what)} is none")


def _written(warehouse: Warehouse, space: SearchSpace, question: Question) -> Written | None:
    """The architecture that is written down, if one is."""
    try:
        return read_written(warehouse, space, question.what, question.notation)
    except AmbiguousError as error:
        if os.path.exists(question.what):
            return None
        raise refusal(warehouse, space, question.what, error.ways) from error


def _encoding(space: SearchSpace, vectors: Vectors) -> str:
    return space.reference(vectors.context) if vectors.encoding is None else vectors.encoding


def _stored(
    warehouse: Warehouse, space: SearchSpace, beginning: str
) -> tuple[str, SearchSpace, str] | None:
    """The architecture whose id begins so, or that a space without its file has; None: none.

    Of the space that was named it is that one, whose file may run.
    """
    if space.is_absent:
        known = warehouse.architectures(space).filter(pl.col("native") == beginning)
        if not known.is_empty():
            return beginning, space, str(known["architecture_id"][-1])
    if not _ID.fullmatch(beginning):
        return None
    rows = warehouse.architectures_by_id(beginning, limit=4)
    if rows.is_empty():
        return None
    if rows.height > 1:
        listed = ", ".join(rows["architecture_id"].to_list())
        raise InputError(
            f"architecture_id {beginning} begins several: {listed}; give more of one of them"
        )
    row = rows.row(0, named=True)
    parameters = json.loads(row["space_parameters"])
    if row["space"] == space.name and space.is_foreign and space.takes(parameters):
        found: SearchSpace = (
            space if dict(space.parameters) == parameters else type(space)(**parameters)
        )
    else:
        found = stored_space(warehouse, row)
    return row["native"], found, row["architecture_id"]


def _of_architecture(
    warehouse: Warehouse,
    space: SearchSpace,
    native: str,
    read_as: str | None,
    vectors: Vectors,
) -> Asked:
    encoding = _encoding(space, vectors)
    writer = make_text_encoding(space, encoding, vectors.context)
    try:
        text = _stored_text(warehouse, space, native, encoding, vectors.context)
        text = writer.render(native, vectors.context) if text is None else text
    except RenderingError as error:
        raise InputError(f"{native} has no text of '{encoding}': {error}") from error
    read = f"architecture of {space.name}" + (f", read as {read_as}" if read_as else "")
    return Asked("architecture", read, text, space, native, native, encoding)


def _stored_text(
    warehouse: Warehouse, space: SearchSpace, native: str, encoding: str, context: str
) -> str | None:
    """The stored text of a space without its file, which nothing else can write."""
    if not space.is_absent:
        return None
    rows = warehouse.architectures(space).filter(pl.col("native") == native)
    return (
        None if rows.is_empty() else warehouse.text(rows["architecture_id"][-1], encoding, context)
    )


def _file(what: str) -> tuple[Path, str | None] | None:
    """The file that is meant, and which of its classes; None where no file is."""
    if os.path.exists(what):
        return Path(what), None
    before, colon, class_name = what.rpartition(":")
    if colon and (os.path.exists(before) or _FILE_NAME.search(before)):
        return Path(before), class_name
    if _FILE_NAME.search(what):
        return Path(what), None
    is_path = os.sep in what and not re.search(r"[\s(){}\[\]|]", what)
    return (Path(what), None) if is_path else None


def _of_file(
    place: tuple[Path, str | None], question: Question, space: SearchSpace, vectors: Vectors
) -> Asked:
    path, class_name = place
    named = question.class_name
    if class_name is not None and named is not None:
        raise InputError(f"--class {named} and {path}:{class_name}: give one of them")
    if class_name == "":
        raise InputError(f"{path}: after the colon name a class, or leave it out")
    source = read_source(path)
    network = find_network(source, named if class_name is None else class_name)
    arguments = question.arguments
    given = {} if arguments is None else read_arguments(arguments, "--arguments")
    member = static_member(source, network, name=path.name, arguments=given, place=str(path))
    read = f"file {path}, {network.kind} {network.name}"
    if not question.running.run:
        return Asked("file", read, member.canonical, space, None, str(path), SOURCE)
    encoding = _encoding(space, vectors)
    with Runner(question.running.limits()) as runner:
        form = trace_member(runner, member, path.parent)
    how = f"traced by {form.path}" if form.graph is not None else f"not traced: {form.reason}"
    try:
        text = member.canonical if encoding == SOURCE else space.write_foreign(form, encoding)
    except RenderingError as error:
        raise InputError(f"{path} has no text of '{encoding}': {error}") from error
    return Asked("file", f"{read}, run, {how}", text, space, None, str(path), encoding)
