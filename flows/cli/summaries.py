"""What each command did, in words: a function for each, by the command's name."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import groupby
from typing import Any

from flows.cli.layout import Page
from flows.cli.words import cell, count, measured, number, size, spread, stored, whole

Summary = Mapping[str, Any]


def tell(page: Page, stage: str, summary: Summary) -> None:
    """Says what a command did and what it skipped."""
    _TELLERS.get(stage, _any)(page, f"{stage}: ", summary)


def _enumerate(page: Page, title: str, did: Summary) -> None:
    page.say(stored(did["architectures"], did["skipped"], "architecture", "stored"), title=title)


def _render(page: Page, title: str, did: Summary) -> None:
    failed = did.get("failed", 0)
    if failed and not did["renderings"]:
        text = f"no architecture written as text, {_already(did)}"
    else:
        text = stored(did["renderings"], did["skipped"], "text", "written")
    if paths := did.get("paths"):
        text += f"; {_paths(paths)}"
    page.say(text, title=title)
    if failed:
        page.say(f"{count(failed, 'architecture')} could not be written and will be tried again.")


def _paths(paths: Mapping[str, int]) -> str:
    """By which way networks were read: "12 by fx, 3 by export, 1 as source"."""
    words = {"fx": "by fx", "export": "by export", "source": "as source"}
    return ", ".join(f"{paths[path]:,} {words[path]}" for path in words if path in paths)


def _embed(page: Page, title: str, did: Summary) -> None:
    text = stored(did["embedded"], did["skipped"], "text", "embedded")
    if did["embedded"]:
        text += f"; {count(did['tokens'], 'token')} read"
    page.say(text, title=title)
    if did["truncated"]:
        page.say(f"{count(did['truncated'], 'text')} cut by --max-length.")
    if did["recovered"]:
        page.say(f"{count(did['recovered'], 'vector')} of an interrupted run taken over.")
    if did["lost"]:
        page.say(f"{count(did['lost'], 'vector')} lost from the table and made again.")
    page.fact("specification", did["spec_id"])


def _ingest(page: Page, title: str, did: Summary) -> None:
    for line in did["columns"]:
        page.say(line)
    if "networks" in did:
        _ingest_networks(page, title, did)
        title = ""
        if not did["evaluations"] and not did["skipped"]:
            return
    text = stored(did["evaluations"], did["skipped"], "measured value", "stored")
    if did.get("new_architectures"):
        text += f"; {count(did['new_architectures'], 'architecture')} came with them"
    page.say(text, title=title)


def _ingest_networks(page: Page, title: str, did: Summary) -> None:
    """What came of the code of a corpus."""
    text = stored(did["networks"], did["networks_skipped"], "network", "stored")
    failed = did.get("failed", 0)
    if "paths" in did:
        text += f"; {count(did['traced'], 'normal form')} stored, {_paths(did['paths'])}"
    page.say(text, title=title)
    if failed:
        page.say(f"{count(failed, 'other')} could not be taken in.")


def _evaluate(page: Page, title: str, did: Summary) -> None:
    for kind, one, done in (
        ("trainings", "network", "trained"),
        ("proxies", "network", "measured by proxies"),
    ):
        if kind not in did:
            continue
        skipped = did["skipped" if kind == "trainings" else "proxies_skipped"]
        failed = {
            name.removeprefix(f"{kind}_").replace("_", " "): value
            for name, value in did.items()
            if name.startswith(f"{kind}_") and name not in (f"{kind}_source", f"{kind}_skipped")
        }
        text = stored(did[kind], skipped, one, done)
        if failed and not did[kind]:
            text = f"no network {done}, {skipped:,} already there"
        text += "".join(f", {value:,} {status}" for status, value in failed.items())
        page.say(text, title=title)
        page.fact("source of the values", did[f"{kind}_source"])
    if any(name in did for name in ("trainings_failed", "trainings_crashed")):
        page.say(
            "Why: cole sql \"SELECT native, status, error FROM trainings WHERE status <> 'ok'\""
        )


def _train(page: Page, title: str, did: Summary) -> None:
    page.say(stored(did["trials"], did["skipped"], "trial", "run"), title=title)
    page.fact("values", did["values"])
    for old in did.get("transfer", ()):
        weights = ", ".join(f"{each['weight']:.2f} at {each['n']:,}" for each in old["weights"])
        page.fact(
            "old task", f"{old['task']}: {count(old['values'], 'value')}, mean weight {weights}"
        )
    page.say(f"Ranks of {count(did['n_test'], 'architecture')} held out:")
    kendall(page, did["kendall_tau"])


def kendall(page: Page, rows: list[dict[str, Any]]) -> None:
    """How well heads rank, by the number of labelled architectures."""
    page.table(
        ("labelled", "draws", "Kendall tau"),
        [
            (
                cell(row["n"]),
                cell(row["draws"]),
                "none: the head gives all one value"
                if row["mean"] is None
                else spread(row["mean"], row["std"], ".3f"),
            )
            for row in rows
        ],
        numbers=(0, 1),
        flowing=True,
        indent=2,
    )


def _search(page: Page, title: str, did: Summary) -> None:
    text = stored(did["evaluations"], did["skipped"], "evaluation", "made")
    if "trained" in did:
        text += f"; {count(did['trained'], 'network')} trained for them"
    if "transfer" in did:
        text += f"; learning from {count(len(did['transfer']), 'other task')}"
    page.say(text, title=title)
    if "values" in did:
        page.fact("values", did["values"])
    if "objectives" in did:
        _fronts(page, did)
        return
    for place, old in enumerate(did.get("transfer", ())):
        weights = [found["old_task_weights"][place] for found in did["searches"]]
        weight = sum(weights) / len(weights)
        page.fact(
            "old task", f"{old['task']}: {count(old['values'], 'value')}, weight {weight:.2f}"
        )
    tested = any("best_test" in found for found in did["searches"])
    columns = ["seed", "best value", "found after", "evaluations"]
    page.table(
        [*columns, "on test images"] if tested else columns,
        [
            (
                str(found["seed"]),
                measured(found["best_value"]),
                cell(found["found_after"]),
                cell(found["evaluations"] + found["skipped"]),
                *([measured(found["best_test"])] if tested else []),
            )
            for found in did["searches"]
        ],
        numbers=range(5 if tested else 4),
        flowing=True,
        indent=2,
    )
    found = best_found(did)
    page.fact(f"best, of seed {found['seed']}", found["best"])


def _fronts(page: Page, did: Summary) -> None:
    """What searches of several objectives found: how much of the whole front, and the best one."""
    page.table(
        ("seed", "evaluations", "on the front", "of all hypervolume"),
        [
            (
                str(found["seed"]),
                cell(found["evaluations"] + found["skipped"]),
                cell(len(found["front"])),
                number(found["hypervolume"], ".1%"),
            )
            for found in did["searches"]
        ],
        numbers=range(4),
        flowing=True,
        indent=2,
    )
    found = max(did["searches"], key=lambda each: each["hypervolume"] or 0.0)
    page.say(f"The front of seed {found['seed']}:")
    page.table(
        (*did["objectives"], "found after", "architecture"),
        [
            (
                *(measured(row[name]) for name in did["objectives"]),
                cell(row["step"]),
                row["native"],
            )
            for row in found["front"]
        ],
        numbers=range(len(did["objectives"]) + 1),
        flowing=True,
        indent=2,
    )


def best_found(did: Summary) -> dict[str, Any]:
    """Of several searches the one with the best value, and of those the one that had it first."""
    best: dict[str, Any] = min(did["searches"], key=partial(rank, did))
    return best


def rank(did: Summary, found: Mapping[str, Any]) -> tuple[float, int]:
    """By which the best search of a stage comes first."""
    sign = 1 if did.get("direction") == "lower" else -1
    return sign * found["best_value"], found["found_after"]


def _report(page: Page, title: str, did: Summary) -> None:
    if did["reports"]:
        page.say(f"page written, {size(did['bytes'])}", title=title)
    else:
        page.say("nothing new since it was written", title=title)
    page.fact("file", did["report"])


def _sql(page: Page, title: str, did: Summary) -> None:
    page.say(f"{count(did['rows'], 'row')} written as {did['format']}", title=title)
    page.fact("file", did["output"])


def _export(page: Page, title: str, did: Summary) -> None:
    if "rows" in did:
        page.say(f"{count(did['rows'], 'row')} written", title=title)
        page.fact("file", did["file"])
    else:
        page.say(f"{count(did['files'], 'file')} written, {size(did['bytes'])}", title=title)
        page.fact("folder", did["folder"])


def _import(page: Page, title: str, did: Summary) -> None:
    rows = [(name.replace("_", " "), cell(value)) for name, value in did.items() if value]
    if not rows:
        page.say("nothing new: every row is there already", title=title)
        return
    page.say("rows added:", title=title)
    page.table(("table", "rows"), rows, numbers=(1,), indent=2)


def _backup(page: Page, title: str, did: Summary) -> None:
    removed = f"; {count(did['removed'], 'older copy', 'older copies')} removed"
    page.say(f"copied{removed if did['removed'] else ''}", title=title)
    page.fact("copy", did["backup"])


def _optimize(page: Page, title: str, did: Summary) -> None:
    if not did["tables"]:
        page.say("nothing to do: there is no table of vectors yet", title=title)
        return
    text = f"{count(did['tables'], 'table')} of vectors in order"
    if did["fragments_joined"]:
        text += f", {count(did['fragments_joined'], 'fragment')} joined"
    if did["bytes_removed"]:
        text += f", {size(did['bytes_removed'])} freed"
    page.say(text, title=title)
    if did["indices"]:
        page.table(
            ("specification", "index", "recall"),
            [
                (spec_id, cell(index), number(did["recall"].get(spec_id), ".1%"))
                for spec_id, index in did["indices"].items()
            ],
            numbers=(2,),
            indent=2,
        )


def _watch_add(page: Page, title: str, did: Summary) -> None:
    page.say("watched from now on" if did["watches"] else "watched already", title=title)
    page.fact("watch", did["watch_id"])
    page.fact("specification", did["spec_id"])


def _watch_remove(page: Page, title: str, did: Summary) -> None:
    page.say("watched no longer; its vectors stay", title=title)
    page.fact("watch", did["watch_id"])


def _any(page: Page, title: str, did: Summary) -> None:
    """What has no words of its own: whole values, one below the other where they are long."""
    short = [
        f"{name.replace('_', ' ')} {cell(value)}"
        for name, value in did.items()
        if not isinstance(value, str)
    ]
    page.say(", ".join(short) or "done", title=title)
    for name, value in did.items():
        if isinstance(value, str):
            page.fact(name.replace("_", " "), value)


def _already(did: Summary) -> str:
    return f"{did['skipped']:,} there already" if did["skipped"] else "none there before"


_TELLERS: dict[str, Callable[[Page, str, Summary], None]] = {
    "enumerate": _enumerate,
    "render": _render,
    "embed": _embed,
    "ingest": _ingest,
    "evaluate": _evaluate,
    "proxies": _evaluate,
    "train": _train,
    "search": _search,
    "report": _report,
    "sql": _sql,
    "export": _export,
    "import": _import,
    "backup": _backup,
    "optimize": _optimize,
    "watch add": _watch_add,
    "watch remove": _watch_remove,
}


def done(page: Page, stages: Mapping[str, Summary]) -> None:
    """What each stage of a pipeline did."""
    rows = []
    for stage, did in stages.items():
        counts = ((name, value) for name, value in did.items() if isinstance(value, int))
        unit, new = next((pair for pair in counts if pair[0] != "skipped"), ("", 0))
        rows.append((stage, f"{new:,} {unit.replace('_', ' ')}", cell(did.get("skipped", 0))))
    page.table(("stage", "done", "already there"), rows, numbers=(2,), flowing=True)


def status(page: Page, counts: Mapping[str, Any]) -> None:
    """What a warehouse holds."""
    page.fact("warehouse", counts["home"])
    spaces = [{"space": space} | rows for space, rows in counts["spaces"].items()]
    _counted(page, "spaces", spaces)
    for title in ("renderings", "evaluations"):
        by_space = groupby(counts[title], key=lambda row: row["space"])
        for space, rows in by_space:
            about = [{name: row[name] for name in row if name != "space"} for row in rows]
            _counted(page, f"{title} of {space}", about)
    _counted(page, "embeddings", counts["embeddings"])
    page.say("")
    listed = ("home", "spaces", "renderings", "embeddings", "evaluations")
    rest = {name: value for name, value in counts.items() if name not in listed and value}
    words = ", ".join(whole(f"{name.replace('_', ' ')} {value:,}") for name, value in rest.items())
    page.say(words or "nothing ran yet")


_COLUMNS = {"canonical": "canonical forms", "spec_id": "specification", "evaluations": "values"}


def _counted(page: Page, title: str, rows: list[dict[str, Any]]) -> None:
    """A table of counts; columns in which nothing stands are left out."""
    page.say("")
    page.heading(title)
    if not rows:
        page.say("none yet", 2)
        return
    columns = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    page.table(
        [_COLUMNS.get(name, name.replace("_", " ")) for name in columns],
        [[cell(row[name]) for name in columns] for row in rows],
        numbers=[
            place
            for place, name in enumerate(columns)
            if all(isinstance(row[name], int | None) for row in rows)
        ],
        flowing=True,
        indent=2,
    )
