"""What the pages of one explorer share: the warehouse, and the maps that were drawn of it."""

import contextlib
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path

from cole_core.encodings.vectors import VectorSource
from cole_core.errors import InputError
from cole_core.spaces.base import SearchSpace
from flows.explorer.architecture import Card, find, make_card
from flows.explorer.atlas import Atlas, Stamp, mapped_vectors, stamp
from flows.resolve.requests import DEFAULT_SPACE
from flows.resolve.spaces import known_space
from warehouse import Warehouse

_MAPS = 3  # kept: with its vectors gone, one of 100,000 takes some 50 MB


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
        self._counted: dict[object, tuple[Stamp, object]] = {}
        # Taken before the catalog is opened, never within: `together` keeps others out of it too.
        self._lock = threading.RLock()

    def space_names(self) -> list[str]:
        """The spaces that have architectures, the one with the most of them first."""
        return [str(name) for name in self.warehouse.read("spaces")["space"]]

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
        return known_space(self.warehouse, name or names[0])

    def read_ahead(self) -> None:
        """Draws the map that is seen first before somebody asks for it."""
        with contextlib.suppress(InputError):  # the page says what is missing
            self.maps(self.space(None))

    def maps(self, space: SearchSpace) -> list[VectorSource]:
        """The stored vectors that a space can be mapped by, those that people mean first.

        The map by the first ones is drawn with it, over one connection.

        Raises:
            InputError: There are none; says which commands make them.
        """
        with self._lock, self.warehouse.together():
            sources = mapped_vectors(self.warehouse, space)
            self.atlas(space, sources[0])
            return sources

    def atlas(self, space: SearchSpace, source: VectorSource) -> Atlas:
        """The map of a space by some vectors, drawn once for as long as these are all there are.

        Raises:
            InputError: The vectors are not there.
        """
        where = (space.full_name, tuple(sorted(space.parameters.items())), source)
        key = (where, self._count(where, space, source))
        with self._lock:
            found = self._atlases.get(key)
            if found is None:
                found = self._atlases[key] = Atlas(self.warehouse, space, source)
                while len(self._atlases) > _MAPS:
                    self._atlases.popitem(last=False)
            self._atlases.move_to_end(key)
            return found

    def _count(self, where: object, space: SearchSpace, source: VectorSource) -> object:
        """How many vectors there are; counted anew where somebody wrote since."""
        now = stamp(self.warehouse)
        counted_at, counts = self._counted.get(where, (None, None))
        if counted_at != now:
            counted = self.warehouse.embedded(space, source.encoding, source.context)
            counts = tuple(counted.sort("spec_id").rows())
            self._counted[where] = now, counts
        return counts

    def card(self, architecture_id: str) -> Card:
        """What is told of an architecture at a click.

        Raises:
            InputError: There is no such architecture.
        """
        id_, space, native, _ = find(self.warehouse, architecture_id)
        return make_card(self.warehouse, space, id_, native)
