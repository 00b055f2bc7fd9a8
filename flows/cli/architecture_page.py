"""What `cole show` says, laid out for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from flows.cli.layout import Page
from flows.cli.words import NOTHING, cell, count, measured, spread, whole
from flows.resolve.values import kind_in_words

_LISTED = 5  # twins


def tell_architecture(page: Page, found: Mapping[str, Any]) -> None:
    """Everything about one architecture, what matters most first.

    Args:
        page: Where it is said.
        found: What `flows.questions.show.show` gives.
    """
    page.say(found["read"])
    page.value(found["native"], 0)
    page.fact("architecture_id", found["architecture_id"])
    if not found["stored"]:
        page.say("not in the warehouse")
    if sizes := _sizes(found):
        page.say(", ".join(sizes))
    _values(page, found["values"])
    _predictions(page, found["predictions"])
    _trainings(page, found["trainings"])
    _twins(page, found["twins"], found["canonical_form"])
    _neighbours(page, found["neighbours"])
    _texts(page, found["texts"])
    if "output" in found:
        page.say("")
        page.fact("written" if found["written"] else "there already", found["output"])


def _sizes(known: Mapping[str, Any]) -> list[str]:
    """Parameters and multiply-accumulates, where they are known."""
    names = {"parameters": "trainable parameters", "flops": "multiply-accumulates"}
    return [
        whole(f"{known[name]:,} {words}")
        for name, words in names.items()
        if known[name] is not None
    ]


def _heading(page: Page, text: str) -> None:
    page.say("")
    page.heading(text)


def _values(page: Page, values: Sequence[Mapping[str, Any]]) -> None:
    _heading(page, "Measured" if values else "Measured: nothing")
    if not values:
        return
    rows = [
        (
            kind_in_words(row),
            _with_unit(measured(row["value"]), row["unit"]),
            _rank(row["rank"], row["architectures"]),
            row["source"] + (f" (mean of {row['measured']})" if row["measured"] > 1 else ""),
        )
        for row in values
    ]
    page.table(("of", "value", "rank", "source"), rows, numbers=(1, 2), prose=(0,), flowing=True)


def _predictions(page: Page, predictions: Sequence[Mapping[str, Any]]) -> None:
    if not predictions:
        return
    _heading(page, "Predicted")
    rows = [
        (
            f"{row['dataset']} {row['target']}",
            _with_unit(spread(row["predicted"], row["std"], ".2f"), row["unit"]),
            _rank(row["rank"], row["architectures"]),
            f"{row['head']} on {row['encoding']}, trained on {row['n']:,}",
        )
        for row in predictions
    ]
    page.table(("of", "value", "rank", "by"), rows, numbers=(1, 2), prose=(0, 3), flowing=True)


def _trainings(page: Page, trainings: Sequence[Mapping[str, Any]]) -> None:
    if not trainings:
        return
    _heading(page, "Trained here")
    for row in trainings:
        came = row["status"] if row["error"] is None else f"{row['status']}: {row['error']}"
        took = whole(f"{row['seconds']:.1f} s")
        about = [row["dataset"], f"seed {row['seed']}", took, *_sizes(row), row["source"]]
        page.say(f"{', '.join(about)}: {came}", 2)


def _twins(page: Page, twins: Sequence[Mapping[str, Any]], canonical: str | None) -> None:
    said = count(len(twins), "other architecture") + (
        " computes the same" if len(twins) == 1 else " compute the same"
    )
    _heading(page, said if twins else "No other stored architecture computes the same")
    if canonical is not None:
        page.value(canonical)
    for twin in twins[:_LISTED]:
        page.value(twin["native"])
    if len(twins) > _LISTED:
        page.say(f"and {len(twins) - _LISTED:,} more", 2)


def _neighbours(page: Page, neighbours: Mapping[str, Any] | None) -> None:
    if neighbours is None:
        return
    _heading(page, f"Nearest by {neighbours['encoding']}")
    for place, row in enumerate(neighbours["rows"], start=1):
        page.value(f"{place}. {row['native']}")
        words = [
            whole(f"{name} {value:.4g}" if isinstance(value, float) else name)
            for name, value in row.items()
            if (isinstance(value, float) and name != "nearer_than") or value is True
        ]
        page.say(", ".join(words), 5)


def _texts(page: Page, texts: Sequence[Mapping[str, Any]]) -> None:
    for text in texts:
        context = "" if text["context"] == "none" else f", context {text['context']}"
        tokens = [f"{number:,} tokens of {model}" for model, number in text["tokens"].items()]
        _heading(page, ", ".join([f"{text['encoding']}{context}", *map(whole, tokens)]))
        page.value(text["text"])


def _with_unit(value: str, unit: str | None) -> str:
    return value if unit is None or value == NOTHING else f"{value} {unit}"


def _rank(rank: int | None, of: int) -> str:
    return NOTHING if rank is None else f"{cell(rank)} of {cell(of)}"
