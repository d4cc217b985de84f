"""`GET /api/v1/stage/stream`: the picture over a WebSocket, where only HTTP passes and until WebRTC is connected."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, cast

from litestar import WebSocket, websocket
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, WebSocketDisconnect
from litestar.params import SkipValidation

from belvedere.access.rights import Right
from belvedere.access.session_events import SessionChange
from belvedere.access.sessions import Session
from belvedere.errors import InternalError, Refusal, StageError, StageReason, VisitorError
from belvedere.gateway.control_runner import CLOSE_MESSAGE_TIMEOUT_S, SocketLimit
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor
from belvedere.gateway.messages import CloseCode
from belvedere.gateway.permissions import require_permitted
from belvedere.gateway.problems import accept_subprotocol
from belvedere.gateway.websocket_protocol import EXTENSION, WebSocketProtocol
from belvedere.stage.stream.messages import SUBPROTOCOL
from belvedere.stage.stream.peer import StreamEnd
from belvedere.stage.stream.socket import SocketClosedError
from belvedere.timeouts import timeout
from belvedere.token_bucket import TokenBuckets

MAX_SOCKETS: Final = 64  # open at a time, most of them by pages that nobody has tapped on yet
MAX_SOCKETS_PER_VISITOR: Final = 8
SOCKETS_PER_S: Final = 1.0  # as many as offers by WHEP: each may turn the camera on and open an encoder
SOCKETS_BURST: Final = 10.0
GOING_AWAY: Final = 1001  # RFC 6455, section 7.4.1: a page reconnects

WITHHELD: Final = frozenset({Refusal.CURTAIN_CLOSED, Refusal.NOT_WELCOMED, Refusal.QUIET_HOURS})

Close = tuple[int, str]
_CLOSES: Final[dict[StreamEnd, Close]] = {
    StreamEnd.SILENT: (CloseCode.SILENT, "nothing was heard of you"),
    StreamEnd.BAD_MESSAGE: (CloseCode.BAD_MESSAGES, "that is no message of the picture"),
    StreamEnd.TOO_MUCH: (CloseCode.TOO_MUCH, "too many messages"),
    StreamEnd.STOPPED: (GOING_AWAY, "the picture was ended"),
    StreamEnd.LEFT: (GOING_AWAY, ""),
}
_REFUSALS: Final[dict[StageReason, Close]] = {
    StageReason.TOO_MANY_VIEWERS: (CloseCode.TOO_MANY_VIEWERS, "too many people are watching"),
    StageReason.NO_PICTURE: (CloseCode.NO_PICTURE, "the camera delivers no picture"),
}


class StreamSocket:
    """An accepted WebSocket as a `stage.stream.FrameSocket`."""

    def __init__(self, socket: WebSocket[Any, Any, Any]) -> None:
        self._socket = socket
        extensions: dict[str, Any] = socket.scope.get("extensions") or {}
        if EXTENSION not in extensions:
            raise InternalError("the HTTP server does not tell how much of a picture is unsent")
        self._protocol = cast("WebSocketProtocol", extensions[EXTENSION])

    async def receive(self) -> bytes | None:
        """The next message; None for text."""
        event = await self._socket.receive()
        if event["type"] != "websocket.receive":
            raise SocketClosedError
        return event.get("bytes")

    async def writable(self) -> None:
        """Wait until what was sent has left our buffers."""
        await self._protocol.wait_writable()

    def send(self, message: bytes | str) -> None:
        """Send without waiting."""
        try:
            self._protocol.send_now(message)
        except OSError as error:
            raise SocketClosedError from error

    def discard(self) -> None:
        """Send nothing more of what was sent."""
        self._protocol.discard_unsent()

    async def close(self, code: int, reason: str) -> None:
        """Send the close frame, within a bounded time; never raises."""
        with suppress(TimeoutError, OSError, WebSocketDisconnect):
            async with timeout(CLOSE_MESSAGE_TIMEOUT_S):
                await self._socket.close(code, reason)


class StreamSockets:
    """All sockets of the picture that are open, bounded in number and rate, and ended with the right to look."""

    def __init__(self) -> None:
        self._limit = SocketLimit(MAX_SOCKETS, MAX_SOCKETS_PER_VISITOR)
        self._rate = TokenBuckets(SOCKETS_PER_S, SOCKETS_BURST)
        self._numbers = itertools.count(1)
        self._serving: dict[str, set[asyncio.Task[StreamEnd]]] = {}  # by session

    async def serve(self, socket: WebSocket[Any, Any, Any], visitor: Session, dependencies: Dependencies) -> None:
        """Serve an accepted socket to its end, and close it with the reason; one too many is closed at once."""
        stream, name = StreamSocket(socket), f"{visitor.id}-{next(self._numbers)}"
        if not self._rate.take(dependencies.clock(), visitor.id):
            await stream.close(CloseCode.TOO_MUCH, "too many sockets in a short time")
            return
        if not self._limit.take(visitor.id, name):
            await stream.close(CloseCode.TOO_MUCH, "too many pages are open")
            return
        try:
            close = await self._serve(stream, visitor, dependencies, socket)
        finally:
            self._limit.release(name)
        await stream.close(*close)

    async def _serve(
        self,
        stream: StreamSocket,
        visitor: Session,
        dependencies: Dependencies,
        socket: WebSocket[Any, Any, Any],
    ) -> Close:
        def require() -> None:
            require_permitted(dependencies.invitations, socket.scope, visitor)

        serving = asyncio.create_task(dependencies.stream.serve(stream, visitor.id, require), name="stream")
        with self._registered(visitor.id, serving):
            try:
                await asyncio.wait({serving})
            finally:
                serving.cancel()
                await asyncio.wait({serving})
        try:
            require()
            end = StreamEnd.STOPPED if serving.cancelled() else serving.result()
        except HTTPException as error:
            return CloseCode.NO_SESSION, error.detail
        except VisitorError as error:
            return CloseCode.WITHHELD if error.refusal in WITHHELD else CloseCode.NOT_PERMITTED, str(error)
        except StageError as error:
            return _REFUSALS[error.reason]
        if end is StreamEnd.STOPPED and not dependencies.stage.is_available:
            return _REFUSALS[StageReason.NO_PICTURE]
        return _CLOSES[end]

    def receive_session_change(self, change: SessionChange) -> None:
        """End what the session watches, and what it has opened to watch later, if it may not look any more."""
        if change.takes(Right.LOOK):
            for serving in tuple(self._serving.get(change.session.id, ())):
                serving.cancel()

    @contextmanager
    def _registered(self, session: str, serving: asyncio.Task[StreamEnd]) -> Iterator[None]:
        all_of_session = self._serving.setdefault(session, set())
        all_of_session.add(serving)
        try:
            yield
        finally:
            all_of_session.discard(serving)
            if not all_of_session:
                self._serving.pop(session, None)


InjectedStreams = NamedDependency[SkipValidation[StreamSockets]]


@websocket("/api/v1/stage/stream", name="stream")
async def stream(
    socket: WebSocket[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    streams: InjectedStreams,
) -> None:
    """Accept a socket of the picture and serve it to its end."""
    if await accept_subprotocol(socket, SUBPROTOCOL):
        await streams.serve(socket, visitor, dependencies)
