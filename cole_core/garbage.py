"""Python's search for garbage, put off while much is made of which nothing is garbage."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No search within the block.

    It looks at every object again whenever some number of new ones is there: importing takes a
    quarter longer with it, and reading a large pickle twice as long.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
