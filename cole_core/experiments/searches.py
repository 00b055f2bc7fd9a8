"""What `cole compare search` compares: configurations, and the named lists of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.parameters import parse_value, split_parts
from cole_core.predictors.transfer.old_values import NONE
from cole_core.search import make_algorithm
from cole_core.search.bananas import Bananas
from cole_core.spaces.base import Roles

# What `bananas` does unless asked otherwise; the paper's settings are the class's own defaults.
RECOMMENDED: dict[str, Any] = {
    "head": "gaussian_process",
    "acquisition": "ucb",
    "candidates": "space",
    "initial": 10,
    "batch": 5,
}
WITH_TRANSFER: Mapping[str, Any] = {"initial": 5, "beta": 2.0}
"""What changes where old tasks speak: fewer architectures are needed to begin with, and the rest
that is left to learn varies less than the values do, so that more weight on its deviation is needed
to explore as much. Chosen on cora, citeseer and CIFAR-10."""

PRESETS: Mapping[str, Mapping[str, Any]] = {"recommended": RECOMMENDED, "paper": {}}

PERCENT = (98.0, 98.5, 99.0, 99.5)
MARGIN = (1.0,)
REGRET_AT = (50, 100, 200, 500)


@dataclass(frozen=True)
class SearchConfiguration:
    """One search algorithm on one encoding.

    Attributes:
        algorithm: The search algorithm.
        preset: recommended, or paper: where the parameters of BANANAS come from that are not
            given.
        encoding: A text or structural encoding; like the next five, it says nothing for an
            algorithm that reads no vectors.
        context: The rendering's context.
        lm: Language model, or the beginning of a spec_id.
        pooling: How token states became one vector.
        precision: Of the language model.
        random_init: Seed of a randomly initialised language model; None for the trained one.
        transfer: Other tasks that it learns from: auto, none, or the name of one.
        given: Names and values of the algorithm's parameters.
    """

    algorithm: str = Bananas.name
    preset: str = "recommended"
    encoding: str = "code.expression"
    context: str = "none"
    lm: str = "minilm"
    pooling: str = "avg_avg"
    precision: str = "bf16"
    random_init: int | None = None
    transfer: str = NONE
    given: tuple[tuple[str, Any], ...] = ()

    def parameters(self) -> dict[str, Any]:
        """Arguments of `make_algorithm` beside the name."""
        preset = PRESETS[self.preset] if self.algorithm == Bananas.name else {}
        if preset and self.transfer != NONE:
            preset = {**preset, **WITH_TRANSFER}
        return {**preset, **dict(self.given)}

    @property
    def vectors(self) -> Vectors:
        """Where its vectors are."""
        names = ("encoding", "lm", "context", "pooling", "precision", "random_init")
        return Vectors(**{name: getattr(self, name) for name in names})

    def change(self, **parameters: Any) -> "SearchConfiguration":
        """The same with other parameters of the algorithm."""
        given = {**dict(self.given), **parameters}
        return replace(self, given=tuple(sorted(given.items())))


@dataclass(frozen=True)
class SearchProtocol:
    """How searches are compared.

    Attributes:
        seeds: How many searches of each configuration.
        budget: Evaluations of each.
        percent: Thresholds in percent of the best value.
        margin: Thresholds in points from the best value.
        regret_at: Numbers of evaluations at which the regret is told; None for those of
            `REGRET_AT` that the budget has.
        until_reached: Whether a seed may end when it is at every threshold and the mean curve is
            there too.
        first_seed: The seeds are this and those after it.
    """

    seeds: int = 50
    budget: int = 500
    percent: tuple[float, ...] = PERCENT
    margin: tuple[float, ...] = MARGIN
    regret_at: tuple[int, ...] | None = None
    until_reached: bool = False
    first_seed: int = 0

    def check(self) -> None:
        """Checks the numbers before anything is looked up.

        Raises:
            InputError: One makes no sense.
        """
        if self.seeds < 2:
            raise InputError(f"--seeds {self.seeds}: at least 2 are needed to compare")
        if self.first_seed < 0:
            raise InputError(f"--first-seed {self.first_seed}: give 0 or more")
        for percent in self.percent:
            if not 0 < percent <= 100:
                raise InputError(f"--percent {percent:g}: give more than 0 and at most 100")
        for margin in self.margin:
            if not 0 <= margin < math.inf:
                raise InputError(f"--margin {margin:g}: give 0 or more points from the best")
        if not self.percent and not self.margin:
            raise InputError("no threshold to reach: give --percent or --margin")
        for count in self.regret_at or ():
            if not 1 <= count <= self.budget:
                raise InputError(f"--regret-at {count}: give 1 to the budget of {self.budget}")

    @property
    def all_seeds(self) -> list[int]:
        """The seeds."""
        return list(range(self.first_seed, self.first_seed + self.seeds))

    @property
    def all_regret_at(self) -> list[int]:
        """The numbers of evaluations at which the regret is told."""
        if self.regret_at is not None:
            return sorted(set(self.regret_at))
        return [count for count in REGRET_AT if count <= self.budget] or [self.budget]

    def thresholds(self, best: float) -> dict[str, float]:
        """The values to reach, by what they are called.

        Args:
            best: The best value; negative where lower is better and its sign is turned: then 99 %
                of the best is 1 % above what was measured.
        """

        def share(percent: float) -> float:
            return percent / 100 if best >= 0 else 2 - percent / 100

        return {
            **{f"{percent:g} %": share(percent) * best for percent in self.percent},
            **{f"within {margin:g}": best - margin for margin in self.margin},
        }


def with_transfer(
    configurations: Sequence[SearchConfiguration], asked: str
) -> list[SearchConfiguration]:
    """Each configuration, and beside each that has a surrogate the same that learns from other
    tasks.

    Args:
        configurations: What is compared.
        asked: `auto`, `none`, which leaves them as they are, or tasks separated by commas.
    """
    made: list[SearchConfiguration] = []
    for each in configurations:
        made.append(each)
        algorithm = make_algorithm(each.algorithm, **each.parameters())
        if each.transfer == NONE and algorithm.surrogate_params() is not None:
            made.append(replace(each, transfer=asked))
    return list(dict.fromkeys(made))


Experiment = Callable[[Roles, SearchConfiguration], list[SearchConfiguration]]


def _encodings(roles: Roles, base: SearchConfiguration) -> list[SearchConfiguration]:
    paper = replace(base, algorithm=Bananas.name, preset="paper")
    names = (roles.classic, roles.reference, *roles.renderings[:1], roles.rival)
    return [replace(paper, encoding=name) for name in dict.fromkeys(names) if name is not None]


def _defaults(roles: Roles, base: SearchConfiguration) -> list[SearchConfiguration]:
    return [_classic(roles, base), replace(base, algorithm=Bananas.name, preset="recommended")]


def _ablation(roles: Roles, base: SearchConfiguration) -> list[SearchConfiguration]:
    """From the paper's search to the default one, one change after the other."""
    paper = _classic(roles, base)
    steps = (("head",), ("acquisition",), ("candidates",), ("initial", "batch"))
    made = []
    for start in (paper, replace(paper, encoding=base.encoding)):
        made.append(start)
        for names in steps:
            made.append(made[-1].change(**{name: RECOMMENDED[name] for name in names}))
    return made


def _algorithms(roles: Roles, base: SearchConfiguration) -> list[SearchConfiguration]:
    names = ("random_search", "regularized_evolution", "local_search", Bananas.name)
    return [replace(base, algorithm=name, preset="recommended") for name in names]


def _objectives(roles: Roles, base: SearchConfiguration) -> list[SearchConfiguration]:
    return [replace(base, algorithm=name) for name in ("pareto", "nsga2", "random_search")]


def _classic(roles: Roles, base: SearchConfiguration) -> SearchConfiguration:
    """The paper's search on what searches read before language models did."""
    encoding = roles.classic or base.encoding
    return replace(base, algorithm=Bananas.name, preset="paper", encoding=encoding)


EXPERIMENTS: Mapping[str, Experiment] = {
    "encodings": _encodings,
    "defaults": _defaults,
    "ablation": _ablation,
    "algorithms": _algorithms,
    "objectives": _objectives,
}


def make_experiment(
    name: str, roles: Roles, base: SearchConfiguration
) -> list[SearchConfiguration]:
    """The configurations of a named experiment, the reference first.

    Args:
        name: One of `EXPERIMENTS`.
        roles: What the space's encodings are in experiments.
        base: Language model, pooling, precision and context of all; encoding where it is not what
            the experiment varies.

    Raises:
        InputError: The experiment is unknown.
    """
    if name not in EXPERIMENTS:
        raise InputError(
            f"unknown experiment '{name}': choose one of {', '.join(EXPERIMENTS)}, or give two or "
            "more --configuration"
        )
    return EXPERIMENTS[name](roles, base)


def parse_search_configuration(text: str, base: SearchConfiguration) -> SearchConfiguration:
    """A configuration written as `encoding=path,preset=paper,batch=5`.

    What is not named is as in the base. A name that is none of the configuration's own is a
    parameter of the algorithm, its value read as JSON where it is any.

    Raises:
        InputError: A part is not `name=value`, a number is none, or there is no such preset.
    """
    own = {field.name for field in fields(SearchConfiguration)} - {"given"}
    changes: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for part in split_parts(text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise InputError(f"--configuration '{text}': '{part}' is not name=value")
        if name not in own:
            parameters[name] = parse_value(value)
        elif name == "random_init":
            if not value.isdecimal():
                raise InputError(f"--configuration '{text}': {name} is a number, not '{value}'")
            changes[name] = int(value)
        else:
            changes[name] = value
    made = replace(base, **changes).change(**parameters)
    if made.preset not in PRESETS:
        raise InputError(
            f"--configuration '{text}': no preset '{made.preset}', choose one of "
            f"{', '.join(PRESETS)}"
        )
    return made
