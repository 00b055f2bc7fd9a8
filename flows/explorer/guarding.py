"""Who may speak to the explorer: pages that it served itself, to a browser on this machine.

A page of somebody else that is open in the same browser could otherwise ask it: by its address on
loopback, or by a name of its own that it lets resolve to loopback (DNS rebinding). So each request
must name this host in its `Host` and, where it has one, in its `Origin`.
"""

from collections.abc import Iterable, MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "  # Vue compiles in place
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'none'; "
    "frame-ancestors 'self'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_METHODS = {"GET", "HEAD"}
_SOCKET = "/_nicegui_ws/"  # which also takes POST, where a browser has no web sockets


class Guard:
    """Lets requests of the explorer's own pages through, and no others.

    Args:
        app: What answers them.
        port: Where it listens.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        if port == 80:
            self._hosts |= {"127.0.0.1", "localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif not self._allowed(scope):
            await _refuse(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _allowed(self, scope: Scope) -> bool:
        hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return False
        if any(origin.lower() not in self._origins for origin in origins):
            return False
        if scope["type"] == "websocket":
            return True
        method = scope["method"]
        return method in _METHODS or (method == "POST" and scope["path"].startswith(_SOCKET))

    @property
    def _origins(self) -> set[str]:
        return {f"http://{host}" for host in self._hosts}


def _values(scope: Scope, name: bytes) -> list[str]:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return [value.decode("latin-1") for key, value in headers if key.lower() == name]


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    body = b"this page answers itself alone, at 127.0.0.1"
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            present: MutableMapping[str, Any] = {
                name.decode("latin-1").lower(): True for name, _ in message.get("headers", [])
            }
            more = [
                (name.encode(), value.encode())
                for name, value in _HEADERS.items()
                if name not in present
            ]
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await send(message)

    return sending
