"""What runs networks, several at a time: processes of this machine, or a cluster's."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from cole_core.evaluation.outcomes import Attempt


class NetworkPool(ABC):
    """Runs networks in any order, and tells of each as it is done."""

    @property
    @abstractmethod
    def slots(self) -> int:
        """Networks that it runs at once now, at least 1."""

    @property
    @abstractmethod
    def pending(self) -> int:
        """Networks that were submitted and not given out yet."""

    @abstractmethod
    def submit(self, native: str, seed: int) -> None:
        """Takes a network, which waits until there is room for it."""

    @abstractmethod
    def done(self, timeout: float | None = None) -> list[Attempt]:
        """What came of the networks that are done by now; waits for one if any is pending.

        A place that is free has its next network before this returns.

        Args:
            timeout: Seconds to wait at most; None: as long as it takes.
        """

    def run(self, jobs: Iterable[tuple[str, int]]) -> Iterator[Attempt]:
        """Runs networks.

        Args:
            jobs: Native strings and seeds.

        Yields:
            What came of each, as it is done.
        """
        for native, seed in jobs:
            self.submit(native, seed)
        while self.pending:
            yield from self.done()
