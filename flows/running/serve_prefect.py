"""What the process of a command's own Prefect server runs, see `server_process`.

Nothing of this project is imported, and nothing from the folder that somebody is in.
"""

import asyncio
import gc
import socket
import sys

gc.disable()  # nothing is garbage until it serves, and looking takes a quarter of the time

import httpx  # noqa: E402
import uvicorn  # noqa: E402
from fastapi import FastAPI  # noqa: E402
from prefect.server.api.server import create_app  # noqa: E402
from prefect.settings import get_current_settings  # noqa: E402


def main(listening: int) -> None:
    """Serves Prefect's application on a socket once a line comes in; ends where none comes.

    Args:
        listening: The socket's file descriptor.
    """
    settings = get_current_settings().server.api
    application = create_app(final=True)
    asyncio.run(build_routes(application))
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            log_level="error",
            timeout_keep_alive=settings.keepalive_timeout,
            ws_ping_interval=settings.websocket_ping_interval,
            ws_ping_timeout=settings.websocket_ping_timeout,
        )
    )
    if not sys.stdin.readline():  # the command needs no server, or is gone
        return
    gc.freeze()
    gc.enable()
    server.run(sockets=[socket.socket(fileno=listening)])
    if not server.started:
        sys.exit(1)


async def build_routes(application: FastAPI) -> None:
    """Asks for a page that is not there: FastAPI makes what finds pages at the first request."""
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        await client.get("/api/nothing")


if __name__ == "__main__":
    main(int(sys.argv[1]))
