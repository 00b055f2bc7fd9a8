"""The contracts, as the author of cole-tiny runs them: `pytest contracts.py`."""

from cole_tiny.acquisition import probability_of_improvement
from cole_tiny.encodings import Code, Counts, Lengths, Letters
from cole_tiny.search import NearestFirst
from cole_tiny.source import TinyBench
from cole_tiny.space import Tiny
from sklearn.neighbors import KNeighborsRegressor

from cole_core.spaces import get_space
from cole_core.testing import (
    AcquisitionContract,
    EncodingContract,
    HeadContract,
    SearchContract,
    SourceContract,
    SpaceContract,
)


class TestTiny(SpaceContract):
    space = Tiny()


class TestTinyOfEightChannels(SpaceContract):
    space = Tiny(8)


class TestCode(EncodingContract):
    encoding = Code(Tiny())


class TestCounts(EncodingContract):
    encoding = Counts(Tiny())


class TestLetters(EncodingContract):
    encoding = Letters(get_space("einspace"))


class TestLengths(EncodingContract):
    encoding = Lengths(Tiny())


class TestNeighbours(HeadContract):
    head = KNeighborsRegressor()


class TestNearestFirst(SearchContract):
    algorithm = NearestFirst()


class TestNearestFirstAmongChains(SearchContract):
    algorithm = NearestFirst(start=3)
    space = Tiny()


class TestImprovement(AcquisitionContract):
    acquisition = probability_of_improvement


class TestTinyBench(SourceContract):
    source = TinyBench()
    space = Tiny()
    origin = "tiny-bench"
