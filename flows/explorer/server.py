"""The process that serves the explorer, on loopback, until it is interrupted."""

import asyncio
import contextlib
import importlib.util
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cole_core.errors import InputError
from flows.explorer.state import Explorer
from warehouse import Warehouse


def serve(home: Path, port: int, say: Callable[[str], None]) -> None:
    """Serves the explorer.

    Args:
        home: The warehouse's directory.
        port: On loopback.
        say: Told the address, once it answers there.

    Raises:
        InputError: There is no warehouse, the port is taken, or the extra is not installed.
    """
    warehouse = Warehouse(home)
    if not warehouse.has_catalog:
        raise InputError(
            f"no warehouse at {home}: make one with 'cole run SPACE', or name another with --home"
        )
    if importlib.util.find_spec("nicegui") is None:
        raise InputError("cole ui needs nicegui: install cole-warehouse[ui]")
    explorer = Explorer(warehouse)
    with _bound(port) as listening, ThreadPoolExecutor(1) as beside:
        beside.submit(explorer.read_ahead)  # while the server's libraries are imported
        asyncio.run(_serve(explorer, listening, say))


@contextlib.contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    with socket.socket() as listening:
        # As servers do: a port whose last connections are just closing is free.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen(64)
        except OSError as error:
            raise InputError(f"port {port} is taken: name another with --port") from error
        yield listening


async def _serve(explorer: Explorer, listening: socket.socket, say: Callable[[str], None]) -> None:
    import uvicorn

    from flows.explorer.application import make_application

    class Server(uvicorn.Server):
        """One that leaves signals to who runs it."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            say(f"http://127.0.0.1:{port}")

    port = listening.getsockname()[1]
    configuration = uvicorn.Config(
        make_application(explorer, port),
        log_level="error",
        access_log=False,
        server_header=False,
        loop="asyncio",
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # between two programs on one machine it only takes time
        ws_max_size=2**20,
        timeout_graceful_shutdown=1,
    )
    await Server(configuration).serve(sockets=[listening])
