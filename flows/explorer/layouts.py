"""Layouts that take minutes: computed in a process of their own, once, and kept."""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
from numpy.typing import NDArray

from cole_core.errors import InputError
from cole_core.processes import SPAWN
from flows.explorer.atlas import Atlas
from flows.explorer.places import Places, keep_places, layout_places, stored_places

_running: dict[str, "asyncio.Task[Places]"] = {}  # by file, so that two pages wait for one


async def compute_layout(atlas: Atlas, method: str) -> Places:
    """The places of a map by UMAP or t-SNE.

    They are kept among the warehouse's artifacts, under a name of all that they depend on.

    Raises:
        InputError: The architectures are too few or not what they were, or a package is missing.
    """
    vectors = await asyncio.to_thread(atlas.vectors)
    path = await asyncio.to_thread(atlas.layout_file, method, vectors)
    stored = await asyncio.to_thread(stored_places, path, vectors)
    if stored is not None:
        return stored
    task = _running.get(path.name)
    if task is None:
        task = _running[path.name] = asyncio.create_task(_compute(vectors, method))
        task.add_done_callback(lambda _: _running.pop(path.name, None))
    places = await asyncio.shield(task)
    await asyncio.to_thread(keep_places, path, places)
    return places


async def _compute(vectors: NDArray[np.float32], method: str) -> Places:
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(pool, layout_places, vectors, method)
        except BrokenProcessPool as error:
            raise InputError("the computation was ended, perhaps for want of memory") from error
