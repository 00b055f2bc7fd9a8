"""Plug-ins that each break one promise; `test_contracts_bite.py` says which test finds it.

A class of tests is named after what is broken and is not collected with our own tests.
"""

import itertools
from typing import ClassVar

import numpy as np
import polars as pl
from sklearn.neighbors import KNeighborsRegressor

from cole_core.encodings.base import TextEncoding, VectorEncoding
from cole_core.errors import InputError
from cole_core.predictors.linear import RidgeHead
from cole_core.search.acquisition import upper_confidence_bound
from cole_core.search.base import Proposal, random_proposals
from cole_core.search.random_search import RandomSearch
from cole_core.sources.base import SCHEMA, Source
from cole_core.spaces.base import Roles, SearchSpace
from cole_core.testing import (
    AcquisitionContract,
    EncodingContract,
    HeadContract,
    SearchContract,
    SourceContract,
    SpaceContract,
)


class Words(SearchSpace):
    """Words of four letters of abc; the order of the letters counts for nothing."""

    name = "words"
    encodings: ClassVar = {
        "text": f"{__name__}:Text",
        "counts": f"{__name__}:Counts",
    }
    roles = Roles(reference="text", rival="counts")

    @property
    def size(self):
        return 3**4

    def validate(self, native):
        if len(native) != 4 or set(native) - set("abc"):
            raise InputError(f"{native[:20]!r} is no word of four letters of a, b and c")

    def enumerate(self):
        return map("".join, itertools.product("abc", repeat=4))

    def sample(self, rng):
        return "".join(rng.choice(list("abc"), 4))

    def mutate(self, native, rng, edits=1):
        self.validate(native)
        if not 1 <= edits <= 4:
            raise InputError(f"{edits} edits: choose 1 to 4")
        letters = list(native)
        for place in rng.choice(4, edits, replace=False):
            letters[place] = rng.choice([x for x in "abc" if x != letters[place]])
        return "".join(letters)

    def canonical_form(self, native):
        self.validate(native)
        return "".join(sorted(native))

    def build(self, native):
        from torch import nn

        self.validate(native)
        wide = 4 * native.count("a") + 1
        return nn.Sequential(
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.LazyLinear(wide), nn.Linear(wide, 4)
        )


class Text(TextEncoding):
    name = "text"

    def _render(self, native, context):
        self.space.validate(native)
        return f"word({native})"


class Counts(VectorEncoding):
    name = "counts"

    def encode(self, natives):
        for native in natives:
            self.space.validate(native)
        rows = [[native.count(letter) for letter in "abc"] for native in natives]
        return np.array(rows, dtype=np.float32).reshape(len(natives), 3)


# Spaces.


class SizeLies(Words):
    @property
    def size(self):
        return 80


class SizeIsNotListed(Words):
    def enumerate(self):
        return map("".join, itertools.product("aab", repeat=4))


class ReadsLeniently(Words):
    def validate(self, native):
        super().validate(native.strip())


class DrawsGlobally(Words):
    def sample(self, rng):
        return super().sample(np.random)


class MutantStays(Words):
    def mutate(self, native, rng, edits=1):
        self.validate(native)
        if edits < 1:
            raise InputError("0 edits: choose more")
        return super().mutate(native, rng, edits) if rng.random() < 0.7 else native


class FormByHash(Words):
    def canonical_form(self, native):
        self.validate(native)
        return "".join(set(native))


class OneForm(Words):
    def canonical_form(self, native):
        self.validate(native)
        return "word"


class KeyErrors(Words):
    def validate(self, native):
        if len(native) != 4:
            raise InputError("four letters")
        for letter in native:
            {"a": 0, "b": 1, "c": 2}[letter]


class SaysTwoLines(Words):
    def validate(self, native):
        try:
            super().validate(native)
        except InputError as error:
            raise InputError(f"{error}\nchoose others") from None


class CountsWrongly(Words):
    def parameter_count(self, native):
        return 7


class NeedsMore(Words):
    def __init__(self, letters):
        self.letters = letters


class ForgetsParameters(Words):
    def __init__(self, letters=4):
        self.letters = letters

    @property
    def parameters(self):
        return {"letters": self.letters}


class RolesAreNoEncodings(Words):
    roles = Roles(reference="text", rival="text", classic="none")


class PicturesAreHtml(Words):
    def draw(self, native):
        return f"<p>{native}</p>"


class NothingLearns(Words):
    def build(self, native):
        from torch import nn

        self.validate(native)
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


# Encodings.


class Neighbours(Counts):
    def encode(self, natives):
        rows = super().encode(natives)
        return rows - rows.mean(axis=0)


class Doubles(Counts):
    def encode(self, natives):
        return super().encode(natives).astype(float)


class EmptyFails(Counts):
    def encode(self, natives):
        return np.stack([super(EmptyFails, self).encode([native])[0] for native in natives])


class TakesGarbage(Counts):
    def encode(self, natives):
        return np.array([[len(native) * 1.0, native.count("a")] for native in natives], np.float32)


class Remembers(Text):
    def _render(self, native, context):
        self.seen = getattr(self, "seen", 0) + 1
        return f"{super()._render(native, context)} # {self.seen}"


class ByHash(Text):
    def _render(self, native, context):
        return f"{super()._render(native, context)} # {hash(native) % 1000}"


class Addresses(Text):
    def _render(self, native, context):
        super()._render(native, context)
        return f"{native} <object at 0x7f2200{len(native):04x}>"


class AnyContext(Text):
    def render(self, native, context="none"):
        return self._render(native, context)


# Heads.


class IgnoresTheSeed(RidgeHead):
    name = "careless"

    def __init__(self, seed=0):
        super().__init__()
        self.seed = seed

    def fit(self, X, y):
        super().fit(X, y)
        self.coefficients_ = self.coefficients_ + 0.01 * np.random.normal(size=X.shape[1])
        return self


class NegativeDeviation(RidgeHead):
    def predict_distribution(self, X):
        mean, std = super().predict_distribution(X)
        return mean, std - 10


class TakesNaN(RidgeHead):
    def fit(self, X, y):
        return super().fit(np.nan_to_num(X), np.nan_to_num(y))


class LosesState(RidgeHead):
    def state(self):
        return super().state() | {"coefficients": self.coefficients_.round(2)}


class ScalesWhatItReads(RidgeHead):
    def fit(self, X, y):
        X *= 2.0
        return super().fit(X, y)


class ByTheBatch(RidgeHead):
    def predict_distribution(self, X):
        return super().predict_distribution(X - X.mean(axis=0))


class ChangesParameters(RidgeHead):
    def __init__(self, penalties=(0.1, 1.0)):
        super().__init__(penalties)

    def fit(self, X, y):
        self.penalties = self.penalties[:1]
        return super().fit(X, y)


class FirstNeighbour(KNeighborsRegressor):
    """A regressor of scikit-learn whose parameters are not what they were given."""

    def __init__(self, neighbours=1):
        super().__init__(n_neighbors=neighbours + 1)
        self.neighbours = neighbours + 1


# Searches.


class RepeatsATwin(RandomSearch):
    def propose(self, problem, history, rng):
        proposals = super().propose(problem, history, rng)
        return [*proposals[:2], proposals[0], *proposals[2:]]


class Stateful(RandomSearch):
    """Its way depends on how often it was asked."""

    def __init__(self):
        self._asked = 0

    def batch_start(self, length):
        return length - length % 5

    def propose(self, problem, history, rng):
        self._asked += 1
        rng = rng if not history else np.random.default_rng(self._asked)
        return random_proposals(problem, history, rng, 5)


class Peeks(RandomSearch):
    """Reads the values of what it does not propose."""

    def propose(self, problem, history, rng):
        proposals = super().propose(problem, history, rng)
        return sorted(proposals, key=lambda each: -problem.evaluate(each.native))


class NeverStops(RandomSearch):
    def batch_start(self, length):
        return length

    def propose(self, problem, history, rng):
        one = random_proposals(problem, history, rng, 1)
        return one or [Proposal(history[0].native)]


class BatchesOverlap(RandomSearch):
    def batch_start(self, length):
        return max(0, length - 3)


class SameForAllSeeds(RandomSearch):
    def propose(self, problem, history, rng):
        return super().propose(problem, history, np.random.default_rng(0))


# Acquisition functions.


def pessimistic(mean, std, best, beta, rng):
    return -mean


def one_number(mean, std, best, beta, rng):
    return float(upper_confidence_bound(mean, std, best, beta, rng).max())


def divides(mean, std, best, beta, rng):
    with np.errstate(all="ignore"):
        return (mean - best) / std


def draws_globally(mean, std, best, beta, rng):
    return np.random.normal(mean, std)


def in_place(mean, std, best, beta, rng):
    mean += beta * std
    return mean


# Sources.


class Twelve(Source):
    name = "twelve"
    about = "twelve, the words that have values"

    def recognises(self, origin):
        return origin == "twelve"

    def rows(self, space):
        words = list(itertools.islice(Words().enumerate(), 12))
        for word in words:
            space.validate(word)
        return [
            (word, "letters", "accuracy", "test", None, None, "twelve", 60.0 + place)
            for place, word in enumerate(words)
        ]

    def read(self, origin, space):
        return pl.DataFrame(self.rows(space), schema=SCHEMA, orient="row")


class Fractions(Twelve):
    def rows(self, space):
        return [(*row[:-1], row[-1] * 100) for row in super().rows(space)]


class RecognisesAll(Twelve):
    def recognises(self, origin):
        return True


class OwnNatives(Twelve):
    def rows(self, space):
        return [(row[0].upper(), *row[1:]) for row in super().rows(Words())]


class Twice(Twelve):
    def rows(self, space):
        return super().rows(space) * 2


class OtherColumns(Twelve):
    def read(self, origin, space):
        return super().read(origin, space).rename({"value": "accuracy"})


def broken(contract, **attributes):
    """A class of tests of something that is broken."""
    [(_, made)] = list(attributes.items())[:1]
    name = f"Test{made.__name__ if hasattr(made, '__name__') else type(made).__name__}"
    globals()[name] = type(name, (contract,), {"__module__": __name__, **attributes})


for kind in (
    *(Words, SizeLies, SizeIsNotListed, ReadsLeniently, DrawsGlobally, MutantStays, FormByHash),
    *(OneForm, KeyErrors, SaysTwoLines, CountsWrongly, RolesAreNoEncodings),
    *(PicturesAreHtml, NothingLearns),
):
    broken(SpaceContract, space=kind())
for space in (NeedsMore(4), ForgetsParameters(5)):
    broken(SpaceContract, space=space)
for kind in (
    *(Text, Counts, Neighbours, Doubles, EmptyFails, TakesGarbage, Remembers, ByHash, Addresses),
    AnyContext,
):
    broken(EncodingContract, encoding=kind(Words()))
for kind in (
    *(RidgeHead, IgnoresTheSeed, NegativeDeviation, TakesNaN, LosesState, ScalesWhatItReads),
    *(ByTheBatch, ChangesParameters, FirstNeighbour),
):
    broken(HeadContract, head=kind())
for kind in (
    *(RandomSearch, RepeatsATwin, Stateful, Peeks, NeverStops, BatchesOverlap, SameForAllSeeds),
):
    broken(SearchContract, algorithm=kind())
for function in (
    upper_confidence_bound,
    *(pessimistic, one_number, divides, draws_globally, in_place),
):
    broken(AcquisitionContract, acquisition=function)
for kind in (Twelve, Fractions, RecognisesAll, OwnNatives, Twice, OtherColumns):
    broken(SourceContract, source=kind(), space=Words(), origin="twelve")
