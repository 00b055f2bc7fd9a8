"""What the pages of one explorer share: the warehouse, and the maps that were drawn of it."""

import contextlib
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cole_core.encodings.vectors import VectorSource
from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace
from flows.explorer.architecture import Card, find, make_card
from flows.explorer.atlas import Atlas, Stamp, mapped_vectors, stamp
from flows.resolve.requests import DEFAULT_SPACE
from flows.resolve.spaces import known_space
from warehouse import Warehouse

_MAPS = 3  # kept: with its vectors gone, one of 100,000 takes some 50 MB

Answer = TypeVar("Answer")


class Explorer:
    """A warehouse as the pages see it. Several threads may ask.

    Args:
        warehouse: The warehouse.

    Attributes:
        warehouse: The warehouse.
        downloads: A folder for files that are being downloaded; it goes with the process.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._folder = tempfile.TemporaryDirectory(prefix="cole-ui-")
        self.downloads = Path(self._folder.name)
        self._atlases: OrderedDict[object, Atlas] = OrderedDict()
        self._answers: dict[object, tuple[Stamp, object]] = {}
        # Taken before the catalog is opened, never within: `together` keeps others out of it too.
        self._lock = threading.RLock()

    def space_names(self) -> list[str]:
        """The spaces that have architectures, the one with the most of them first."""
        return self._once("spaces", lambda: self.warehouse.read("spaces")["space"].to_list())

    def space(self, name: str | None) -> SearchSpace:
        """A space by its name; that with the most architectures where none is given.

        No file runs because of it.

        Raises:
            InputError: It is not known, or there is none.
        """
        names = self.space_names()
        if not names:
            raise InputError(f"the warehouse is empty: fill it with 'cole run {DEFAULT_SPACE}'")
        if name is not None and name not in names:
            raise InputError(f"no architectures of {name} are stored: choose {', '.join(names)}")
        chosen = name or names[0]
        return self._once(("space", chosen), lambda: known_space(self.warehouse, chosen))

    def read_ahead(self) -> None:
        """Draws the map that is seen first before somebody asks for it."""
        said_by_the_page = contextlib.suppress(InputError)
        with said_by_the_page, self._lock, self.warehouse.together():
            self.maps(self.space(None))

    def maps(self, space: SearchSpace) -> list[VectorSource]:
        """The stored vectors that a space can be mapped by, those that people mean first.

        The map by the first ones is drawn with it, over one connection.

        Raises:
            InputError: There are none; says which commands make them.
        """
        with self._lock, self.warehouse.together():
            sources = self._once(
                ("sources", *_named(space)), lambda: mapped_vectors(self.warehouse, space)
            )
            self.atlas(space, sources[0])
            return sources

    def atlas(self, space: SearchSpace, source: VectorSource) -> Atlas:
        """The map of a space by some vectors, drawn once for as long as these are all there are.

        Raises:
            InputError: The vectors are not there.
        """
        where = (*_named(space), source)
        key = (where, self._once(("count", *where), lambda: self._count(space, source)))
        with self._lock:
            found = self._atlases.get(key)
            if found is None:
                found = self._atlases[key] = Atlas(self.warehouse, space, source)
                while len(self._atlases) > _MAPS:
                    self._atlases.popitem(last=False)
            self._atlases.move_to_end(key)
            return found

    def _count(self, space: SearchSpace, source: VectorSource) -> object:
        """How many vectors there are."""
        counted = self.warehouse.embedded(space, source.encoding, source.context)
        return tuple(counted.sort("spec_id").rows())

    def _once(self, question: object, ask: Callable[[], Answer]) -> Answer:
        """The answer to a question, which is asked anew where somebody wrote since."""
        now = stamp(self.warehouse)
        answered_at, answer = self._answers.get(question, (None, None))
        if answered_at != now:
            answer = ask()
            self._answers[question] = now, answer
        return answer  # type: ignore[return-value]

    def card(self, architecture_id: str) -> Card:
        """What is told of an architecture at a click.

        Raises:
            InputError: There is no such architecture.
        """
        id_, space, native, _ = find(self.warehouse, architecture_id)
        return make_card(self.warehouse, space, id_, native)


def _named(space: SearchSpace) -> tuple[object, ...]:
    return space.full_name, tuple(sorted(space.parameters.items()))
