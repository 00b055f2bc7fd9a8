"""The next useful command after each one, as it can be copied."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from cole_core.encodings.proxies import PROXIES
from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.experiments.head_trials import n_test
from cole_core.spaces.base import SearchSpace
from cole_core.spaces.corpus import is_corpus
from cole_core.spaces.own import file_name
from flows.cli.summaries import best_found
from flows.resolve.commands import command
from flows.resolve.corpora import read_corpus
from flows.resolve.requests import DEFAULT_SPACE, Measured
from flows.resolve.spaces import known_space
from flows.resolve.values import find_targets
from flows.resolve.vectors import find_vectors, load_labelled
from flows.stages.fit_heads import FitHeadsRequest
from warehouse import Warehouse

Step = Callable[[], str | None]

_SAMPLES = 500  # of a space that has no end
_FEWEST = 2  # architectures that a head learns from
_ID = 12  # digits of a hash that name it
_USUAL = Vectors()


def possible(step: Step) -> str | None:
    """The command; None where there is none, or where something that it needs cannot be told."""
    try:
        return step()
    except InputError:
        return None


def whole_space(home: Path, name: str) -> str:
    """Stores a space's architectures."""
    space = known_space(Warehouse(home), name)
    return command(home, "enumerate", name, samples=_SAMPLES if space.size is None else None)


def first_missing(home: Path, name: str) -> str:
    """The first stage whose result a space does not have yet; the report where it has all."""
    warehouse = Warehouse(home)
    space = known_space(warehouse, name)
    if not warehouse.has_catalog or warehouse.architectures(space).is_empty():
        return whole_space(home, name)
    rendered = warehouse.rendered_as(space)
    if not rendered:
        return command(home, "render", name)
    try:
        find_vectors(warehouse, space, [_USUAL])
    except InputError:
        return command(
            home, "embed", name, encoding=_unusual(space, [name for name, _ in rendered])
        )
    if warehouse.targets(space).is_empty():
        return measure(home, name)
    target = find_targets(warehouse, space, Measured())[0]
    if warehouse.heads_of(space, target).is_empty():
        return train(home, name)
    if warehouse.searches_of(space, target).is_empty():
        return command(home, "search", name, **narrowed(warehouse, space, target))
    return command(home, "report", name)


def after_status(home: Path, spaces: Mapping[str, Mapping[str, int]]) -> str:
    """The first missing stage of the space with the most architectures; all of it where none is."""
    if not spaces:
        return command(home, "run", DEFAULT_SPACE)
    return first_missing(home, max(spaces, key=lambda name: spaces[name]["architectures"]))


def embed(home: Path, name: str, encoding: str | None, context: str) -> str:
    """Embeds what was rendered."""
    space = known_space(Warehouse(home), name)
    return command(
        home,
        *("embed", name),
        encoding=_unusual(space, [encoding or space.roles.reference]),
        context=None if context == "none" else context,
    )


def measure(home: Path, name: str) -> str:
    """Takes measured values in, or makes them."""
    space = known_space(Warehouse(home), name)
    if space.default_source is not None:
        return command(home, "ingest", name, space.default_source)
    runs_code = True if is_corpus(name) else None  # which is run where somebody says so alone
    return command(home, "evaluate", name, dataset="digits", run=runs_code)


def after_proxies(home: Path, name: str) -> str:
    """Trains a head that reads them, once there are vectors and values."""
    warehouse = Warehouse(home)
    space = known_space(warehouse, name)
    vectors = Vectors(encoding=f"{space.reference()}+{PROXIES}")
    if warehouse.targets(space).filter(pl.col("epochs").ne_missing(0)).is_empty():
        return measure(home, name)
    try:
        find_vectors(warehouse, space, [vectors])
    except InputError:
        return first_missing(home, name)
    return train(home, name, vectors)


def train(
    home: Path,
    name: str,
    vectors: Vectors = _USUAL,
    spec_id: str | None = None,
    source: str | None = None,
) -> str:
    """Trains a head on stored vectors; without measured values, what gives some.

    Args:
        home: The warehouse.
        name: The space.
        vectors: Which vectors: their encoding and context.
        spec_id: The specification that they are of; None takes the usual.
        source: Of the values; None takes those that people mean.
    """
    warehouse = Warehouse(home)
    space = known_space(warehouse, name)
    if warehouse.targets(space).is_empty():
        return measure(home, name)
    [found] = find_vectors(warehouse, space, [vectors])
    known = source in warehouse.targets(space)["source"].to_list()
    target = find_targets(warehouse, space, Measured(source=source if known else None))[0]
    labelled = load_labelled(warehouse, space, found, target).values
    most = len(labelled) - n_test(len(labelled))
    if most < _FEWEST:
        return measure(home, name)
    [usual] = FitHeadsRequest.sizes
    return command(
        home,
        *("train", name),
        *(("-n", most) if most < usual else ()),
        **narrowed(warehouse, space, target),
        encoding=_unusual(space, [found.encoding]),
        context=None if vectors.context == "none" else vectors.context,
        lm=None if spec_id in (None, found.spec_id) else str(spec_id)[:_ID],
    )


def after_values(home: Path, name: str, source: str | None) -> str:
    """After measured values came in: what is missing before they can be learned, or learning."""
    warehouse = Warehouse(home)
    space = known_space(warehouse, name)
    try:
        find_vectors(warehouse, space, [_USUAL])
    except InputError:
        return first_missing(home, name)
    return train(home, name, source=source)


def best(home: Path, name: str, dataset: str | None, predicted: bool = False) -> str:
    """Lists the best by measured values, or by what a head predicts."""
    words = ("best", "--predicted") if predicted else ("best",)
    return command(
        home,
        *words,
        space=None if name == DEFAULT_SPACE else name,
        dataset=dataset or known_space(Warehouse(home), name).default_dataset,
    )


def report(home: Path, name: str, dataset: str | None) -> str:
    """Writes the page of a space."""
    return command(home, "report", name, dataset=dataset)


def show(home: Path, found: Mapping[str, Any]) -> str | None:
    """Says all of the first architecture that was found."""
    if not found["rows"]:
        return None
    return _show(home, found["space"], found["rows"][0]["architecture_id"])


def _show(home: Path, name: str, architecture_id: str) -> str:
    """Says all of an architecture; where a file says what it is, with that file."""
    space = None if file_name(name) is None else name
    return command(home, "show", architecture_id[:_ID], space=space)


def after_show(home: Path, found: Mapping[str, Any]) -> str:
    """Writes the network of what was shown, where it has one; else finds what resembles it."""
    what = found["architecture_id"][:_ID] if found["stored"] else found["native"]
    plain = file_name(found["space"]) is None and found["stored"]
    space = None if plain or found["space"] == DEFAULT_SPACE else found["space"]
    if "output" in found or _is_source_alone(home, found):
        return command(home, "similar", what, space=space)
    return command(home, "show", what, space=space, output="net.py")


def _is_source_alone(home: Path, found: Mapping[str, Any]) -> bool:
    """Whether it is of a corpus and was never traced, so that there is no class that runs."""
    if not is_corpus(found["space"]):
        return False
    return found["native"] not in read_corpus(Warehouse(home), found["space"]).traced


def after_search(home: Path, name: str, did: Mapping[str, Any], dataset: str | None) -> str:
    """Says all of the best that was found, or writes the page where nothing was."""
    if not did["searches"]:
        return report(home, name, dataset)
    native = best_found(did)["best"]
    id_ = known_space(Warehouse(home), name).architecture_id(native)
    if Warehouse(home).architectures_by_id(id_, limit=1).is_empty():  # of other parameters
        return report(home, name, dataset)
    return _show(home, name, id_)


def narrowed(warehouse: Warehouse, space: SearchSpace, target: Target) -> dict[str, Any]:
    """As few options as leave this kind of values alone."""
    options: dict[str, Any] = {"dataset": target.dataset}
    fitting = find_targets(warehouse, space, Measured(**options))
    for name in ("metric", "source", "split", "epochs"):
        value = getattr(target, name)
        kept = [each for each in fitting if getattr(each, name) == value]
        if value is not None and len(kept) < len(fitting):
            options[name], fitting = value, kept
    return options


def _unusual(space: SearchSpace, encodings: list[str]) -> str | None:
    """The encoding to name; None where the usual one is among them."""
    return None if space.roles.reference in encodings else encodings[0]
