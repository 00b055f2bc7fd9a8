"""A small warehouse made by code of before, by which commands it was made, and what is in it.

`old_warehouse.tar.xz` holds its home (without the reports), its export and the table that was
ingested; `old_warehouse.json` what was in it. Both were made by `python -m tests.golden.record
old-warehouse` with the code that is to be followed: newer code makes a newer warehouse, which
would say nothing about the old one.
"""

import contextlib
import hashlib
import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.golden.command import cole, cole_at
from tests.golden.observe import write_table
from warehouse import Warehouse

ARCHIVE = Path(__file__).with_name("old_warehouse.tar.xz")
CONTENT = Path(__file__).with_name("old_warehouse.json")
HOME, EXPORT, TABLE = "home", "export", "mine.csv"

MADE = "--dataset made"


@dataclass(frozen=True)
class Command:
    """One command that filled the warehouse.

    Attributes:
        words: Its arguments, all but the home.
        does_nothing: What its summary counts, and is 0 when everything is there.
    """

    words: str
    does_nothing: tuple[str, ...] = ()


COMMANDS = (
    Command("enumerate nasbench201 --samples 40 --seed 7", ("architectures",)),
    Command("enumerate einspace:1x8x8:10 --samples 8 --seed 7", ("architectures",)),
    Command(f"ingest nasbench201 {TABLE}", ("evaluations", "new_architectures")),
    Command(
        "evaluate nasbench201 --dataset digits --limit 3 --epochs 1 --proxies",
        ("trainings", "proxies"),
    ),
    Command("evaluate einspace --dataset digits --samples 4 --seed 8 --epochs 1", ("trainings",)),
    Command(
        "search nasbench201 --dataset digits --train --algorithm random_search --budget 3 "
        "--epochs 1",
        ("evaluations", "trained"),
    ),
    Command("render nasbench201", ("renderings",)),
    Command("render nasbench201 --encoding code.inline --context comment", ("renderings",)),
    Command("render nasbench201 --encoding arch_str", ("renderings",)),
    Command("render nasbench201 --encoding onnx", ("renderings",)),
    Command("render einspace --encoding derivation", ("renderings",)),
    Command("render einspace --encoding code.class", ("renderings",)),
    Command("embed nasbench201", ("embedded",)),
    Command("embed nasbench201 --encoding arch_str --pooling mean --precision fp32", ("embedded",)),
    Command("embed einspace --encoding derivation", ("embedded",)),
    Command(f"train nasbench201 {MADE} -n 12 -n 20 --draws 2", ("trials",)),
    Command(
        f"train nasbench201 {MADE} --encoding graf --head ridge -n 12 --draws 2 --seed 3",
        ("trials",),
    ),
    Command(
        f"compare predictors {MADE} --encoding code.expression --encoding graf "
        "--encoding code.expression+graf --head ridge --folds 2 --repeats 2 -n 12",
        ("trials",),
    ),
    Command(f"search nasbench201 {MADE} --budget 16 --seed 0 --seed 1", ("evaluations",)),
    Command(
        f"search nasbench201 {MADE} --algorithm regularized_evolution --budget 12",
        ("evaluations",),
    ),
    Command(
        f"compare search {MADE} --configuration encoding=graf,initial=4,batch=3 "
        "--configuration algorithm=local_search --seeds 2 --budget 10 --processes 1",
        ("evaluations",),
    ),
    Command("watch add --lm minilm --space nasbench201", ("watches",)),
)
REPORT = f"report nasbench201 {MADE}"

# Of each view the columns that name its rows and what they belong to.
IDS = {
    "architectures": "architecture_id, canonical_id, space, space_parameters, native",
    "renderings": "architecture_id, encoding, context, text_hash",
    "embeddings": "spec_id, text_hash, n_tokens, truncated",
    "evaluations": "architecture_id, dataset, metric, split, epochs, seed, source, value",
    "trainings": "architecture_id, settings_id, seed, status, source",
    "trials": "trial_id, configuration_id, spec_id, training_hash, n, draw",
    "heads": "head_id, trial_id, artifact_hash",
    "comparisons": "comparison_id, configuration_id, n, position",
    "searches": "search_id, step, architecture_id, value",
    "search_comparisons": "comparison_id, configuration_id, position, search_ids",
    "search_regrets": "comparison_id, configuration_id, evaluations",
}


def make(folder: Path) -> None:
    """Makes the warehouse in an empty folder and leaves the archive and its content here."""
    with contextlib.chdir(folder):  # no path of the machine gets into the catalog
        home = Path(HOME)
        first, *others = COMMANDS
        cole(*first.words.split(), "--home", home)
        rows = Warehouse(home).sql("SELECT native FROM architectures ORDER BY position")
        write_table(Path(TABLE), rows["native"])
        for command in others:
            cole(*command.words.split(), "--home", home)
        cole("export", EXPORT, "--home", home)  # before the report, which is large
        cole(*REPORT.split(), "--home", home)
        CONTENT.write_text(json.dumps(describe(home), indent=1) + "\n")
        shutil.rmtree(home / "artifacts" / "reports")
        with tarfile.open(ARCHIVE, "w:xz", preset=9) as archive:
            for name in (HOME, EXPORT, TABLE):
                archive.add(name, filter=_anonymous)


def unpack(folder: Path) -> Path:
    """Unpacks the archive and gives the home."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / HOME


def describe(home: Path) -> dict[str, Any]:
    """How many rows each view has, and a digest of their sorted ids."""
    content = {view: _digest(Warehouse(home).sql(f"SELECT {columns} FROM {view}").rows())
               for view, columns in IDS.items()}  # fmt: skip
    watches = cole_at(home)("watch", "list")["rows"]
    content["watches"] = _digest([(each["watch_id"], each["spec_id"]) for each in watches])
    return content


def _digest(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    lines = sorted(json.dumps(row) for row in rows)
    return {"rows": len(rows), "ids": hashlib.sha256("\n".join(lines).encode()).hexdigest()}


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if member.name.endswith(".lock"):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
