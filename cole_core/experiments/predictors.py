"""What `cole compare predictors` compares: configurations, and the named lists of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

import polars as pl

from cole_core.encodings.base import TextEncoding
from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.experiments.search_labels import learned_from, words_for
from cole_core.parameters import parse_value, split_parts
from cole_core.predictors.transfer.old_values import NONE
from cole_core.spaces.base import SearchSpace


@dataclass(frozen=True)
class Configuration:
    """One surrogate on one encoding.

    Attributes:
        encoding: A text or structural encoding.
        context: The rendering's context.
        lm: Language model, or the beginning of a spec_id; like the next three, it says nothing
            for a structural encoding.
        pooling: How token states became one vector.
        precision: Of the language model.
        random_init: Seed of a randomly initialised language model; None for the trained one.
        head: The head's name.
        loss: mse, or hinge for the mlp head.
        reduction: none, zscore, pca or whiten; None for the head's default, as for what follows.
        n_components: Largest number of components.
        fitted_on: What the reduction is fitted on: labelled or space.
        target: standard or rank.
        transfer: Other tasks that it learns from: auto, none, or the name of one.
        given: Names and values of further parameters of the head.
    """

    encoding: str = "code.expression"
    context: str = "none"
    lm: str = "minilm"
    pooling: str = "avg_avg"
    precision: str = "bf16"
    random_init: int | None = None
    head: str = "mlp"
    loss: str = "mse"
    reduction: str | None = None
    n_components: int | None = None
    fitted_on: str | None = None
    target: str | None = None
    transfer: str = NONE
    given: tuple[tuple[str, Any], ...] = ()

    @property
    def vectors(self) -> Vectors:
        """Where its vectors are."""
        names = ("encoding", "lm", "context", "pooling", "precision", "random_init")
        return Vectors(**{name: getattr(self, name) for name in names})

    def surrogate_parameters(self) -> dict[str, Any]:
        """Arguments of `make_surrogate` beside the head's name."""
        return {
            "loss": self.loss,
            "reduction": self.reduction,
            "n_components": self.n_components,
            "fitted_on": self.fitted_on,
            "target": self.target,
            **dict(self.given),
        }


@dataclass(frozen=True)
class AtHand:
    """The embedding specifications under which architectures have vectors.

    Attributes:
        specifications: language_model, pooling, precision, random_init (null: trained weights) of
            those that hold whole texts of the base configuration's encoding and context.
        tasks_elsewhere: Tasks of other spaces whose vectors can be compared with the base's, as
            `transfer` takes them.
    """

    specifications: pl.DataFrame
    tasks_elsewhere: Sequence[str] = ()

    def others(self, column: str, base: Configuration) -> list[str]:
        """Values of a column among the specifications that agree with the base in all others."""
        agreeing = self.specifications.filter(pl.col("random_init").is_null())
        for name, value in (
            ("language_model", base.lm),
            ("pooling", base.pooling),
            ("precision", base.precision),
        ):
            if name != column:
                agreeing = agreeing.filter(pl.col(name) == value)
        return agreeing[column].unique(maintain_order=True).to_list()


T = TypeVar("T")
Experiment = Callable[[SearchSpace, Configuration, AtHand], list[Configuration]]

TRANSFER_SPACES = "transfer_spaces"
"""The experiment that asks what other spaces have."""
HEADS = ("mlp", "xgboost", "ridge", "kernel_ridge", "gaussian_process")
COMPONENTS = (32, 128, 512)


def _primitives(space: SearchSpace, base: Configuration, at_hand: AtHand) -> list[Configuration]:
    roles = space.roles
    texts = (roles.reference, *roles.renderings)
    return _encodings(base, *texts, roles.classic, *roles.structural, roles.rival, *roles.controls)


def _context(space: SearchSpace, base: Configuration, at_hand: AtHand) -> list[Configuration]:
    names = [base.encoding]
    if base.encoding == space.roles.reference:  # which is short, and may stand alone
        names += [name for name in (space.roles.former, *space.roles.renderings) if name]
    for name in names:
        written = space.encoding(name)
        contexts = written.contexts if isinstance(written, TextEncoding) else ()
        if len(contexts) > 1:
            base = replace(base, encoding=name)
            break
    else:
        raise InputError(
            f"encoding '{base.encoding}' of {space.name} has no contexts to compare: "
            "name another with --encoding"
        )
    return [replace(base, context=context) for context in contexts] + _rival(space, base)


def _precision(space: SearchSpace, base: Configuration, at_hand: AtHand) -> list[Configuration]:
    names = _distinct(["fp32", "bf16", *at_hand.others("precision", base)])
    return [replace(base, precision=name) for name in names] + _rival(space, base)


def _pooling(space: SearchSpace, base: Configuration, at_hand: AtHand) -> list[Configuration]:
    names = _distinct(["avg_avg", "mean", "cls", "last_token", *at_hand.others("pooling", base)])
    return [replace(base, pooling=name) for name in names] + _rival(space, base)


def _pca(space: SearchSpace, base: Configuration, at_hand: AtHand) -> list[Configuration]:
    reduced = [
        replace(base, reduction="pca", n_components=count, fitted_on="labelled")
        for count in COMPONENTS
    ]
    whole = replace(base, reduction="pca", n_components=128, fitted_on="space")
    # The paper's 128 first: the others are tested against it.
    return [
        reduced[1],
        reduced[0],
        reduced[2],
        replace(base, reduction="none"),
        whole,
        *_rival(space, base),
    ]


def _loss(space: SearchSpace, base: Configuration, at_hand: AtHand) -> list[Configuration]:
    mlp = replace(base, head="mlp")
    hinge = replace(mlp, loss="hinge")
    return [mlp, hinge, *_rival(space, mlp), *_rival(space, hinge)]


def _head(space: SearchSpace, base: Configuration, at_hand: AtHand) -> list[Configuration]:
    plain = replace(base, loss="mse")
    heads = [replace(plain, head=head) for head in HEADS]
    return heads + [other for each in heads for other in _rival(space, each)]


def _language_models(
    space: SearchSpace, base: Configuration, at_hand: AtHand
) -> list[Configuration]:
    models = _distinct([base.lm, *at_hand.others("language_model", base)])
    if len(models) < 2:
        raise InputError(
            f"only '{base.lm}' has vectors of '{base.encoding}': embed another model with 'cole "
            f"embed {space.name} --encoding {base.encoding} --context {base.context} "
            f"--pooling {base.pooling} --precision {base.precision} --lm MODEL'"
        )
    others = _encodings(base, space.roles.rival, *space.roles.controls)
    return [replace(base, lm=model) for model in models] + others


def _onnx(space: SearchSpace, base: Configuration, at_hand: AtHand) -> list[Configuration]:
    roles = space.roles
    texts = (roles.exported, roles.reference, *roles.renderings)
    return _encodings(base, *texts, roles.rival, *roles.controls)


def _controls(space: SearchSpace, base: Configuration, at_hand: AtHand) -> list[Configuration]:
    roles = space.roles
    structural = [name for name in (roles.classic, *roles.structural) if name is not None]
    # Each beside its own on canonical forms.
    pairs = [
        name
        for each in structural
        for name in (each, *(other for other in roles.canonical if other.startswith(f"{each}.")))
    ]
    others = _encodings(base, *roles.controls, roles.rival, *pairs)
    return [base, replace(base, random_init=0), *others]


def _transfer_spaces(
    space: SearchSpace, base: Configuration, at_hand: AtHand
) -> list[Configuration]:
    """Without, with each task of another space, with all of them, and the rival."""
    tasks = at_hand.tasks_elsewhere
    if not tasks:
        raise InputError(
            f"no other space has measured values and vectors of '{base.encoding}' as {space.name} "
            "has them: make some, as with 'cole ingest SPACE ORIGIN' and 'cole embed SPACE "
            f"--encoding {base.encoding}', or name another text with --encoding"
        )
    learning = [replace(base, transfer=task) for task in (*tasks, ",".join(tasks))]
    return [base, *learning, *_rival(space, base)]


EXPERIMENTS: Mapping[str, Experiment] = {
    "primitives": _primitives,
    "context": _context,
    "precision": _precision,
    "pooling": _pooling,
    "pca": _pca,
    "loss": _loss,
    "head": _head,
    "language_models": _language_models,
    "onnx": _onnx,
    "controls": _controls,
    TRANSFER_SPACES: _transfer_spaces,
}

CUSTOM = "custom"
"""What a comparison without a name is called."""


def make_experiment(
    name: str, space: SearchSpace, base: Configuration, at_hand: AtHand
) -> list[Configuration]:
    """The configurations of a named experiment, the reference first.

    Args:
        name: One of `EXPERIMENTS`.
        space: Says what its encodings are in experiments.
        base: What the experiment varies.
        at_hand: The stored specifications, for the experiments that take what there is.

    Raises:
        InputError: The experiment is unknown, or needs what is not there.
    """
    if name not in EXPERIMENTS:
        raise InputError(
            f"unknown experiment '{name}': choose one of {', '.join(EXPERIMENTS)}, or give two or "
            "more --encoding or --configuration"
        )
    return _distinct(EXPERIMENTS[name](space, base, at_hand))


def with_transfer(configurations: Sequence[Configuration], asked: str) -> list[Configuration]:
    """Each configuration, and beside it the same that learns from other tasks.

    Args:
        configurations: What is compared.
        asked: `auto`, `none`, which leaves them as they are, or tasks separated by commas.
    """
    made: list[Configuration] = []
    for each in configurations:
        made.append(each)
        if each.transfer == NONE:
            made.append(replace(each, transfer=asked))
    return _distinct(made)


def parse_configuration(text: str, base: Configuration) -> Configuration:
    """A configuration written as `encoding=graf,head=ridge`; the base's where nothing is said.

    Raises:
        InputError: A part is not `name=value`, the name is unknown, or a number is none.
    """
    known = [field.name for field in fields(Configuration) if field.name != "given"]
    changes: dict[str, Any] = {}
    given = dict(base.given)
    for part in split_parts(text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise InputError(
                f"--configuration '{text}': '{part}' is not name=value, choose a name of "
                f"{', '.join(known)}, or a parameter of the head"
            )
        if name not in known:
            given[name] = parse_value(value)
        elif name in ("n_components", "random_init"):
            if not value.isdecimal():
                raise InputError(f"--configuration '{text}': {name} is a number, not '{value}'")
            changes[name] = int(value)
        else:
            changes[name] = value
    return replace(base, **changes, given=tuple(sorted(given.items())))


def labels(descriptions: Sequence[Mapping[str, Any]]) -> list[str]:
    """What sets each of several described configurations apart, in words.

    Args:
        descriptions: One mapping of plain values for each; the encoding stands in every label, of
            the rest what is not the same for all. Values of None are left out.
    """
    names = list(dict.fromkeys(name for each in descriptions for name in each if name != "given"))
    varying = [
        name
        for name in names
        if name == "encoding"
        or len({each[name] for each in descriptions if each.get(name) is not None}) > 1
        or (
            name in ("random_init", "transfer")
            and any(each.get(name) is not None for each in descriptions)
        )
    ]
    # A parameter that some do not name is another value there.
    given = [dict(each.get("given", ())) for each in descriptions]
    asked = dict.fromkeys(name for own in given for name in own)
    told = [name for name in asked if len({own.get(name) for own in given}) > 1]
    return [
        " · ".join(
            [
                *(_words(name, each[name]) for name in varying if each.get(name) is not None),
                *(_words(name, own[name]) for name in told if name in own),
            ]
        )
        for each, own in zip(descriptions, given, strict=True)
    ]


def describe(
    configuration: Configuration, structural: bool, old_tasks: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """What `labels` reads of a configuration: only what means something for it.

    Args:
        configuration: The configuration.
        structural: Whether its encoding needs no language model.
        old_tasks: Those that it learns from, as a stored configuration has them.
    """
    asked = None if configuration.transfer == NONE else (configuration.transfer,)
    described = asdict(configuration)
    described["transfer"] = learned_from({"transfer": old_tasks}) or asked
    if structural:
        for name in ("context", "lm", "pooling", "precision", "random_init"):
            del described[name]
    return described


def _words(name: str, value: Any) -> str:
    if name == "context":
        return "no context" if value == "none" else f"{value} context"
    if name == "random_init":
        return f"random weights (seed {value})"
    if name == "reduction":
        return "no reduction" if value == "none" else value
    if name == "n_components":
        return f"{value} components"
    if name == "fitted_on":
        return f"fitted on the {value}"
    if name == "target":
        return f"{value} target"
    if name == "transfer":
        return words_for(name, value)
    if name in ("encoding", "lm", "pooling", "precision", "head", "loss"):
        return str(value).replace("_", " ")
    return f"{name.replace('_', ' ')} {value}"


def _encodings(base: Configuration, *names: str | None) -> list[Configuration]:
    """The same on other encodings; a role that a space does not fill is left out."""
    return [replace(base, encoding=name) for name in names if name is not None]


def _rival(space: SearchSpace, base: Configuration) -> list[Configuration]:
    return _encodings(base, space.roles.rival)


def _distinct(values: Sequence[T]) -> list[T]:
    return list(dict.fromkeys(values))
