"""What the process of a command's own Prefect server runs, see `server_process`.

Nothing of this project is imported, and nothing from the folder that somebody is in.
"""

import gc
import socket
import sys

gc.disable()  # nothing is garbage until it serves, and looking takes a quarter of the time

import uvicorn  # noqa: E402
from prefect.server.api.server import create_app  # noqa: E402
from prefect.settings import get_current_settings  # noqa: E402


def main(listening: int) -> None:
    """Serves Prefect's application on a socket once a line comes in; ends where none comes.

    Args:
        listening: The socket's file descriptor.
    """
    settings = get_current_settings().server.api
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(final=True),
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


if __name__ == "__main__":
    main(int(sys.argv[1]))
