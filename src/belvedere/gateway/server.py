"""Serves the application over HTTP and WebSocket: uvicorn within the running loop, with the bounds that it lacks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from belvedere.errors import OwnerError
from belvedere.gateway.connection_limits import ConnectionLimits
from belvedere.gateway.http_protocol import HttpProtocol
from belvedere.gateway.websocket_protocol import WebSocketProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from uvicorn._types import ASGI3Application
    from uvicorn.server import ServerState

logger = logging.getLogger(__name__)

SHUTDOWN_S = 2.0  # a supervisor (systemd, Kubernetes) waits longer, a person at a terminal does not
BACKLOG = 64  # connections that wait to be accepted, and that one turn of the loop accepts
PING_EVERY_S = 20.0  # a tunnel cuts what was idle for 100 s; routers at home are quicker
PONG_TIMEOUT_S = 20.0
MAX_FRAME_BYTES = 4096  # what is larger than a message of ours, but not by much, is still told why

RECEIVE_BUFFER_BYTES = (
    32 * 1024
)  # the most that one turn of the loop reads of one socket, so that a flood stalls no one
UNSENT_BYTES = 16 * 1024  # what waits in the kernel is old by the time it arrives
DEAD_AFTER_MS = 30_000  # the kernel gives up on a peer that acknowledges nothing, and frees what waits for it


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on every address of this name; port 0 takes one that is free.

    Raises OwnerError where that cannot be.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:  # the latter for a name with a part that is empty or too long
        raise OwnerError(f"cannot listen on {host}: there is no such address") from error
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in found:
            taken = sockets[0].getsockname()[1] if sockets else port
            sockets.append(_listening(family, (str(address[0]), taken)))
    except OSError as error:
        for each in sockets:
            each.close()
        raise OwnerError(f"cannot listen on {host}, port {port}: {error.strerror}") from error
    return sockets


async def serve(
    app: object,
    sockets: list[socket.socket],
    on_started: Callable[[], None] | None = None,
    limits: ConnectionLimits | None = None,
) -> None:
    """Serve an ASGI application on these sockets until cancelled, then say goodbye for at most SHUTDOWN_S.

    Signals are left alone. `on_started` is called once requests are answered; without `limits` everybody is a stranger.
    """
    server = _Server(_config(app, limits or ConnectionLimits()), on_started or (lambda: None))
    running = asyncio.create_task(server.serve(sockets), name="http")
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        server.should_exit = True
        await _wait_out(running)
        raise
    finally:
        for each in sockets:
            each.close()


class _Server(uvicorn.Server):
    """uvicorn's server, whose signals are ours."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()


def _listening(family: int, address: tuple[str, int]) -> socket.socket:
    """A listening socket whose options every accepted connection inherits."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        for name, value in (("TCP_USER_TIMEOUT", DEAD_AFTER_MS), ("TCP_NOTSENT_LOWAT", UNSENT_BYTES)):
            if hasattr(socket, name):  # Linux has both; elsewhere the page works, and a dead peer costs more
                listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _config(app: object, limits: ConnectionLimits) -> uvicorn.Config:
    def http_protocol(
        *, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any], **_: object
    ) -> object:
        return HttpProtocol(config, server_state, app_state, limits)

    for name in ("uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).setLevel(logging.WARNING)  # below that it names addresses
    return uvicorn.Config(
        cast("ASGI3Application", app),
        loop="none",
        http=cast("Any", http_protocol),
        ws=WebSocketProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=PING_EVERY_S,
        ws_ping_timeout=PONG_TIMEOUT_S,
        ws_per_message_deflate=False,  # messages of a hundred bytes do not shrink, and bombs do not grow
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the limits know whom to believe
        backlog=BACKLOG,
        timeout_graceful_shutdown=1,
    )


async def _wait_out(running: asyncio.Task[None]) -> None:
    """Wait for a server that was told to exit; one that does not is cancelled."""
    _, pending = await asyncio.wait({running}, timeout=SHUTDOWN_S)
    if pending:
        logger.warning("the server did not end in time and is cut off")
        running.cancel()
        await asyncio.wait({running}, timeout=SHUTDOWN_S)
