"""A committee: several heads, each on some of the encodings side by side, their scores averaged.

Heads of different kinds err in different places, so the mean of their scores ranks better than
the best of them, and where they disagree is where more measurements tell most (query by committee:
Seung, Opper and Sompolinsky, COLT 1992). On a dozen labels networks and trees are mostly luck: on
NAS-Bench-201's CIFAR-10 they took from a Gaussian process at 14, and gave it something from 30 on.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cole_core.errors import InputError
from cole_core.parameters import parse_assignments, split_parts
from cole_core.predictors.base import TUNED, Head, check_training_set
from cole_core.registry import check_parameters

_WRITTEN = re.compile(r"(?P<head>[\w.-]+)(\((?P<given>.*)\))?(:(?P<blocks>\d+(\+\d+)*))?")

_ENOUGH = 60  # labels from which on members that draw at random count as much as the others


@dataclass(frozen=True)
class Member:
    """One head and what it reads.

    Attributes:
        text: As people write it.
        head: Its name.
        given: Its parameters where they are not as usual.
        blocks: Places of the encodings that it reads, the first is 0; all of them if empty.
    """

    text: str
    head: str
    given: Mapping[str, Any]
    blocks: tuple[int, ...] = ()

    def make(self, seed: int) -> Head:
        """The head, not fitted.

        Raises:
            InputError: Its name or a parameter is unknown.
        """
        from cole_core.predictors import make_head

        known = make_head(self.head).get_params()
        check_parameters(f"head '{self.head}' of a committee", self.given, known)
        seeded = {"seed": seed} if "seed" in known else {}
        return make_head(self.head, **{**seeded, **self.given})


def parse_member(text: str) -> Member:
    """A member as people write it: `xgboost`, `gaussian_process:1+3`, `mlp(loss=hinge):2`.

    Args:
        text: A head's name, its parameters in brackets, and after a colon the places of the
            encodings that it reads, where it is not all of them.

    Raises:
        InputError: It is not of that form, or a committee.
    """
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        raise InputError(
            f"members: '{text}' is no member, write head, head:1+2 or head(name=value):1+2"
        )
    if written["head"] == CommitteeHead.name:
        raise InputError("members: a committee has no committees as members, name other heads")
    given = parse_assignments("members", split_parts(written["given"])) if written["given"] else {}
    places = tuple(int(place) - 1 for place in (written["blocks"] or "").split("+") if place)
    return Member(text, written["head"], given, places)


def default_members(structural: Sequence[bool]) -> tuple[str, ...]:
    """The usual members, chosen on NAS-Bench-201's CIFAR-10 (`benchmarks.committee`).

    A Gaussian process, which is best on a few labels, and networks that learn the order, which gain
    on it as labels come in; where structural encodings stand beside embeddings, both on those alone
    as well. Boosted trees brought nothing beside them.

    Args:
        structural: Of each encoding side by side, whether it is structural.
    """
    members = ("gaussian_process", "mlp(loss=hinge,members=3)")
    if all(structural) or not any(structural):
        return members
    alone = "+".join(str(place) for place, found in enumerate(structural, start=1) if found)
    return (*members, *(f"{member}:{alone}" for member in members))


class CommitteeHead(Head):
    """Several heads with the mean of their scores.

    Those that draw at random, networks and trees, count less while there are few labels: n labels
    give them the weight (n / 60)² among others of weight 1.

    Args:
        members: The heads, as `parse_member` reads them, and what each reads: encodings side by
            side by their place, from 1. By default `default_members`.
        structural: Of each of the encodings, whether it is structural: the vectors say that.
        seed: Seed of the members that draw at random.
    """

    name = "committee"
    defaults = TUNED
    weighs_blocks = True
    reads_blocks = True

    def __init__(
        self, members: tuple[str, ...] = (), structural: tuple[bool, ...] = (), seed: int = 0
    ) -> None:
        self.members = members
        self.structural = structural
        self.seed = seed

    def check(self) -> None:
        """Refuses members before anything is read or fitted.

        Raises:
            InputError: One is unknown, or reads an encoding that is not there.
        """
        for member in self._written():
            member.make(self.seed)
        if len(self.structural) > 1:
            self._chosen(len(self.structural))

    def fit(self, X: np.ndarray, y: np.ndarray, *, blocks: Sequence[int] = ()) -> "CommitteeHead":
        """Fits the members.

        Args:
            X: Features, shape (n, d).
            y: Scores, shape (n,), about zero mean and unit variance.
            blocks: Columns of each encoding, where several stand side by side.

        Returns:
            The head itself.

        Raises:
            InputError: A member is unknown, or reads an encoding that is not there.
        """
        self.fit_many_weighed([self], [X], [y], [blocks])
        return self

    @classmethod
    def fit_many(
        cls,
        heads: Sequence["CommitteeHead"],
        X: Sequence[np.ndarray],
        y: Sequence[np.ndarray],
    ) -> None:
        """Fits many committees in place, the members of a kind together."""
        cls.fit_many_weighed(heads, X, y, [()] * len(heads))

    @classmethod
    def fit_many_weighed(
        cls,
        heads: Sequence["CommitteeHead"],
        X: Sequence[np.ndarray],
        y: Sequence[np.ndarray],
        blocks: Sequence[Sequence[int]],
    ) -> None:
        """As `fit_many`, on encodings side by side."""
        sets = [check_training_set(features, scores) for features, scores in zip(X, y, strict=True)]
        tasks: list[_Task] = []
        for head, (features, scores), widths in zip(heads, sets, blocks, strict=True):
            head.widths_ = tuple(int(width) for width in widths) or (features.shape[1],)
            head.seats_ = head._seats()
            head.weights_ = _weights([seat.head for seat in head.seats_], len(scores))
            tasks += [_Task(seat, seat.read(features), scores) for seat in head.seats_]
        for kind in dict.fromkeys(type(task.seat.head) for task in tasks):
            _fit_together(kind, [task for task in tasks if type(task.seat.head) is kind])

    def _written(self) -> list[Member]:
        """The members that people wrote."""
        return [parse_member(text) for text in self.members]

    def _chosen(self, count: int) -> list[Member]:
        """The members for so many encodings.

        Raises:
            InputError: One reads an encoding that is not there.
        """
        usual = default_members(self.structural or (False,) * count)
        members = self._written() or [parse_member(text) for text in usual]
        for member in members:
            beyond = [place + 1 for place in member.blocks if not 0 <= place < count]
            if beyond:
                raise InputError(
                    f"members: '{member.text}' reads encoding {beyond[0]} of {count}, give places "
                    f"from 1 to {count}"
                )
        return members

    def _seats(self) -> list["_Seat"]:
        """The members, not fitted, and their columns."""
        starts = np.cumsum((0, *self.widths_))
        seats = []
        for member in self._chosen(len(self.widths_)):
            places = member.blocks or range(len(self.widths_))
            columns = [np.arange(starts[place], starts[place + 1]) for place in places]
            widths = tuple(self.widths_[place] for place in places)
            seats.append(_Seat(member.make(self.seed), np.concatenate(columns), widths))
        return seats

    def member_scores(self, X: np.ndarray) -> np.ndarray:
        """Each member's scores, shape (members, m)."""
        rows = np.asarray(X)
        return np.stack([seat.head.predict_mean(seat.read(rows)) for seat in self.seats_])

    def predict_mean(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.weights_ @ self.member_scores(X))

    def predict_distribution(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of a mixture: the members' own variances and their disagreement."""
        rows = np.asarray(X)
        each = [seat.head.predict_distribution(seat.read(rows)) for seat in self.seats_]
        means, deviations = (np.stack(part) for part in zip(*each, strict=True))
        mean = self.weights_ @ means
        variance = self.weights_ @ (deviations**2 + (means - mean) ** 2)
        return mean, np.sqrt(variance)

    def state(self) -> dict[str, np.ndarray]:
        states = {
            f"{place}.{key}": value
            for place, seat in enumerate(self.seats_)
            for key, value in seat.head.state().items()
        }
        return {"widths": np.array(self.widths_), "weights": self.weights_, **states}

    def restore(self, state: Mapping[str, np.ndarray]) -> "CommitteeHead":
        self.widths_ = tuple(int(width) for width in state["widths"])
        self.weights_ = np.array(state["weights"])
        self.seats_ = self._seats()
        for place, seat in enumerate(self.seats_):
            prefix = f"{place}."
            own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            seat.head.restore(own)
        return self


@dataclass(frozen=True)
class _Seat:
    """A member in a committee.

    Attributes:
        head: The member.
        columns: Those of the features that it reads.
        widths: How many of them each encoding has.
    """

    head: Head
    columns: np.ndarray
    widths: tuple[int, ...]

    def read(self, X: np.ndarray) -> np.ndarray:
        """The member's columns of features, in one layout: matrix products round by it."""
        return np.ascontiguousarray(X[:, self.columns])


class _Task(NamedTuple):
    """A member's training set."""

    seat: _Seat
    X: np.ndarray
    y: np.ndarray


def _weights(members: Sequence[Head], n: int) -> np.ndarray:
    """How much each member counts with n labels, shape (members,), their sum 1."""
    late = min(1.0, (n / _ENOUGH) ** 2)
    weights = np.array([late if "seed" in member.get_params() else 1.0 for member in members])
    return weights / weights.sum()


def _fit_together(kind: type[Head], tasks: Sequence[_Task]) -> None:
    """Fits members of one kind."""
    heads = [task.seat.head for task in tasks]
    X, y = [task.X for task in tasks], [task.y for task in tasks]
    if kind.weighs_blocks:
        kind.fit_many_weighed(heads, X, y, [task.seat.widths for task in tasks])
    else:
        kind.fit_many(heads, X, y)
