"""Serves the application over HTTP and WebSocket: uvicorn within the running loop, with bounds that uvicorn lacks."""

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
from belvedere.gateway.read_turns import ReadTurns
from belvedere.gateway.websocket_protocol import WebSocketProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from uvicorn._types import ASGI3Application
    from uvicorn.server import ServerState

logger = logging.getLogger(__name__)

SHUTDOWN_S = 2.0  # supervisors (systemd, Kubernetes) wait longer, but people at a terminal do not
BACKLOG = 64  # connections that wait in the kernel, and the most that one turn of the loop accepts
PING_EVERY_S = 20.0  # tunnels close what is idle for 100 s, home routers sooner
PONG_TIMEOUT_S = 20.0
MAX_FRAME_BYTES = 4096  # larger than any message of ours, so that a message slightly too long still gets an error

RECEIVE_BUFFER_BYTES = 32 * 1024  # the most that one turn of the loop reads of one socket, so that no flood blocks it
UNSENT_BYTES = 16 * 1024  # keeps little in the kernel's buffer, where messages would only grow old
DEAD_AFTER_MS = 30_000  # after which the kernel drops a peer that acknowledges nothing, and frees its buffers


def listen(host: str, port: int) -> list[socket.socket]:
    """Open sockets that listen on every address of this host; port 0 takes a free one, the same for all.

    Raises OwnerError where the host has no address or the port cannot be used.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label of the name is empty or too long
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
    """Serve an ASGI application on these sockets until cancelled, then shut down within SHUTDOWN_S.

    Handles no signals. `on_started` is called once requests are served; without `limits` every client is anonymous.
    """
    server = _Server(server_config(app, limits or ConnectionLimits()), on_started or (lambda: None))
    running = asyncio.create_task(server.serve(sockets), name="http")
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        server.should_exit = True
        await _wait_for_exit(running)
        raise
    finally:
        for each in sockets:
            each.close()


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: the program has its own."""

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
            if hasattr(socket, name):  # Linux has both; elsewhere a dead peer only costs more memory for longer
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


def server_config(app: object, limits: ConnectionLimits) -> uvicorn.Config:
    """How uvicorn serves this application, within these limits."""
    turns = ReadTurns()

    def http_protocol(
        *, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any], **_: object
    ) -> object:
        return HttpProtocol(config, server_state, app_state, limits, turns)

    for name in ("uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).setLevel(logging.WARNING)  # at INFO it logs clients' addresses
    return uvicorn.Config(
        cast("ASGI3Application", app),
        loop="none",
        http=cast("Any", http_protocol),
        ws=WebSocketProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=PING_EVERY_S,
        ws_ping_timeout=PONG_TIMEOUT_S,
        ws_per_message_deflate=False,  # short messages gain nothing, and compression bombs cannot be sent
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # TrustedProxies decides whose headers are trusted
        backlog=BACKLOG,
        timeout_graceful_shutdown=1,
    )


async def _wait_for_exit(running: asyncio.Task[None]) -> None:
    """Wait for a server that is shutting down; cancel it after SHUTDOWN_S."""
    _, pending = await asyncio.wait({running}, timeout=SHUTDOWN_S)
    if pending:
        logger.warning("the HTTP server did not shut down within %g s: cancelling it", SHUTDOWN_S)
        running.cancel()
        await asyncio.wait({running}, timeout=SHUTDOWN_S)
