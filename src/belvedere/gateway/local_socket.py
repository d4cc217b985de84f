"""The local socket: the same application over a Unix socket, for commands of the user that Belvedere runs as.

Whoever may connect owns the files of the house, so a request needs no cookie: it has LOCAL_SESSION. The permissions of
the socket decide, so `Host` and `Origin` say nothing here; browsers cannot reach a Unix socket.

The lock of the state folder (`store/instance_lock.py`) tells a socket of a running program from one that a killed
program left.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
from typing import TYPE_CHECKING, Any, Final, cast

from belvedere.access.local_session import LOCAL_SESSION
from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from litestar.types import ASGIApp, LifeSpanScope, Receive, Scope, Send

logger = logging.getLogger(__name__)

SOCKET_NAME: Final = "belvedere.sock"
BACKLOG: Final = 8
OWN: Final = stat.S_IRUSR | stat.S_IWUSR


class LocalApp:
    """The application for requests of the local socket, each of which has LOCAL_SESSION."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope | LifeSpanScope, receive: Receive, send: Send) -> None:
        """Pass a request on with the session."""
        cast("dict[str, Any]", scope)["auth"] = LOCAL_SESSION
        await self._app(cast("Scope", scope), receive, send)


@contextlib.contextmanager
def local_listener(folder: Path) -> Iterator[socket.socket]:
    """A listening Unix socket in a state folder whose lock is held; only this user may connect. Removed at the end.

    Raises OwnerError where it cannot be made.
    """
    path = folder / SOCKET_NAME
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()  # of a program that was killed: the lock says that no other runs
        os.fchmod(listener.fileno(), OWN)  # on Linux the file gets these at once; elsewhere the folder's protect it
        listener.bind(str(path))
        path.chmod(OWN)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise OwnerError(f"{path}: cannot be made: {error.strerror or error}") from error
    try:
        yield listener
    finally:
        listener.close()
        with contextlib.suppress(OSError):
            path.unlink()


async def serve_locally(app: ASGIApp, listener: socket.socket) -> None:
    """Serve HTTP on the local socket until cancelled; a request that is being answered then has SHUTDOWN_S."""
    import asyncio  # noqa: PLC0415 - commands need the socket's name, and no server

    from uvicorn.server import ServerState  # noqa: PLC0415 - likewise

    from belvedere.gateway.connection_limits import ConnectionLimits  # noqa: PLC0415 - likewise
    from belvedere.gateway.http_protocol import HttpProtocol  # noqa: PLC0415 - likewise
    from belvedere.gateway.read_turns import ReadTurns  # noqa: PLC0415 - likewise
    from belvedere.gateway.server import SHUTDOWN_S, server_config  # noqa: PLC0415 - likewise

    limits = ConnectionLimits(lambda _headers: LOCAL_SESSION.id)
    config = server_config(LocalApp(app), limits)
    config.load()
    state, turns = ServerState(), ReadTurns()
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(lambda: HttpProtocol(config, state, {}, limits, turns), sock=listener)
    try:
        await asyncio.Event().wait()
    finally:
        server.close()
        for connection in tuple(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=SHUTDOWN_S)
