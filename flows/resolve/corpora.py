"""The corpora of a warehouse, and what is said where somebody's code is run."""

import json
import re
from collections.abc import Mapping
from typing import Any

from cole_core.errors import InputError
from cole_core.foreign_code import RunLimits
from cole_core.spaces.corpus import PREFIX, Corpus, Member
from flows.resolve.requests import Flag, request
from warehouse import Warehouse

_NAME = re.compile(rf"{PREFIX}[A-Za-z0-9][A-Za-z0-9_.-]*")


@request
class RunOptions:
    """Whether somebody's code may be run, and what one network may cost.

    Attributes:
        run: Run the code, in a process of its own; otherwise it is parsed and never run.
        run_time_limit: Seconds in which a network must be made and traced, where code is run.
        run_memory_limit: MiB that it may take.
    """

    run: Flag = False
    run_time_limit: float = RunLimits.seconds
    run_memory_limit: int = RunLimits.mebibytes

    def limits(self) -> RunLimits:
        """The limits, checked.

        Raises:
            InputError: One is not positive, or is said where nothing is run.
        """
        made = RunLimits(self.run_time_limit, self.run_memory_limit)
        made.check()
        if not self.run and made != RunLimits():
            raise InputError(
                f"limits of {made.seconds:g} s and {made.mebibytes} MiB are for code that is run: "
                "add --run"
            )
        return made


def read_corpus(warehouse: Warehouse, name: str, may_run: bool = False) -> Corpus:
    """A corpus as it is stored; without members where nothing is stored under its name.

    Args:
        warehouse: Where it is.
        name: Its full name.
        may_run: Whether its code may be run.

    Raises:
        InputError: No corpus can be called so.
    """
    if _NAME.fullmatch(name) is None:
        raise InputError(
            f"'{name}' names no corpus: call it {PREFIX}NAME, with letters, digits, '-', '_', '.'"
        )
    if not warehouse.has_catalog:
        return Corpus(name, (), may_run)
    rows = warehouse.members_of(name).iter_rows(named=True)
    return Corpus(name, [_member(row) for row in rows], may_run)


def find_corpus(warehouse: Warehouse, name: str, may_run: bool = False) -> Corpus:
    """A corpus that is there.

    Raises:
        InputError: It has no members; says how it gets some.
    """
    found = read_corpus(warehouse, name, may_run)
    if not found.members:
        raise InputError(
            f"{warehouse.home} has no {name}: take one in with 'cole ingest {name} SOURCE', a "
            "folder of PyTorch files or a table with a column 'code'"
        )
    return found


def _member(row: Mapping[str, Any]) -> Member:
    form = None
    if row["form"] is not None:
        from cole_core.spaces.corpus.stored_forms import from_json

        form = from_json(row["form"])
    return Member(
        name=row["name"],
        class_name=row["class"],
        code=row["code"],
        arguments=json.loads(row["arguments"]),
        place=row["place"],
        own=json.loads(row["own"]),
        canonical=row["canonical"],
        form=form,
    )
