"""uvicorn's WebSocket, bounded against peers that flood, never read, or break the protocol.

`control_session` limits the messages that reach it. This limits what does not: pings, fragments, and frames before the
end of the handshake and after the close. What a peer does is at most one line in the log, and never an ERROR.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode

from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from asyncio.transports import BaseTransport

    import uvicorn
    from uvicorn._types import ASGISendEvent
    from uvicorn.server import ServerState
    from websockets.frames import Frame
    from websockets.http11 import Request

    from belvedere.gateway.connection_limits import ConnectionLimits
    from belvedere.gateway.read_turns import ReadTurns

logger = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT_S = 10.0  # from the upgrade request's head to our response
CLOSE_TIMEOUT_S = 1.0  # for the peer's half of the closing handshake
AFTER_CLOSE_BYTES = 4096  # what a page may have sent before it received our close; discarded
WRITE_BUFFER_BYTES = 8 * 1024  # some dozens of messages: what waits here is old by the time it arrives
STUCK_WRITE_BYTES = 256 * 1024  # pongs that a flood of pings piles up for a peer that reads nothing
BYTES_PER_S = 64 * 1024.0  # thirty times what a page sends; also counts frames that never reach a session
BYTES_BURST = 64 * 1024.0
SLICE_BYTES = 1024  # parsed at once; the smallest frame has six, so this takes at most two milliseconds
MAX_FRAGMENTS = 64  # of one message, which has at most 4 kB
EXTENSION = "belvedere.websocket"  # where an ASGI scope has the WebSocketProtocol, for what ASGI cannot say
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One upgraded connection, in the slot of the HTTP connection it was."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        limits: ConnectionLimits,
        turns: ReadTurns,
    ) -> None:
        super().__init__(config, server_state, app_state)
        self.close_timeout = CLOSE_TIMEOUT_S
        self._limits, self._turn = limits, turns.new(self._read)
        self._bucket = TokenBucket(BYTES_PER_S, BYTES_BURST)
        self._unread = bytearray()
        self._is_urgent = False
        self._after_close_bytes = 0
        self._newest_picture_bytes = 0  # which may wait to be sent; `send_now` sends one at a time

    def connection_made(self, transport: BaseTransport) -> None:
        """Takes the transport over from HTTP."""
        super().connection_made(transport)
        self._turn.is_of_person = self._limits.is_of_person(self)
        self.transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
        self._handshake = self.loop.call_later(HANDSHAKE_TIMEOUT_S, self._end_handshake)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, by whichever side."""
        self._handshake.cancel()
        self._limits.receive_lost(self)
        self._stop_reading()
        cast("Any", self.transport).receive_lost()
        super().connection_lost(exc)

    def receive_handshake(self, head: bytes) -> None:
        """The head of the request for the upgrade."""
        self._feed(head)
        if not self.handshake_initiated and not self.transport.is_closing():
            self._fail("no handshake")

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        is_within = self._bucket.take(self.loop.time(), len(data))
        if self.close_sent:
            self._after_close_bytes += len(data)
        is_bounded = self.transport.get_write_buffer_size() <= STUCK_WRITE_BYTES + self._newest_picture_bytes
        if not is_within or not is_bounded or self._after_close_bytes > AFTER_CLOSE_BYTES:
            self._fail("it sends too much or reads too little")
            return
        self._unread += data
        self._read_soon()

    async def send(self, message: ASGISendEvent) -> None:
        """ASGI's send; raises ClientDisconnected where the peer has disconnected, also during the handshake."""
        if not self.handshake_complete and self.transport.is_closing():
            raise ClientDisconnected
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = (
                True  # uvicorn does not count a refusal as a response, and would log an error of ours
            )
        if self._unread:  # what arrived before the end of the handshake
            self._read_soon()

    def set_urgent(self, *, is_urgent: bool) -> None:
        """Whether what is received is parsed at once, before what other connections received."""
        self._is_urgent = is_urgent

    async def wait_writable(self) -> None:
        """Wait until at most a small part of WRITE_BUFFER_BYTES is buffered here; also returns when it is closed."""
        await self.writable.wait()

    def send_now(self, message: bytes | str) -> None:
        """Send a message without waiting; raises ClientDisconnected where the connection is closed or closing."""
        if self.disconnected or self.close_sent or self.transport.is_closing():
            raise ClientDisconnected
        if isinstance(message, str):
            self.conn.send_text(message.encode())
        else:
            self.conn.send_binary(message)
            self._newest_picture_bytes = len(message)
        self.transport.writelines(self.conn.data_to_send())

    def discard_unsent(self) -> None:
        """Send nothing more of what is buffered here; as that cuts a message in two, it ends the connection."""
        unsent = self.transport.get_write_buffer_size()
        if unsent:
            logger.info("aborted a WebSocket: %d bytes of a picture were not to be sent any more", unsent)
            self.transport.abort()

    def handle_connect(self, event: Request) -> None:
        """The request for the upgrade; what serves it finds this protocol in the scope."""
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            cast("dict[str, Any]", self.scope["extensions"])[EXTENSION] = self

    def handle_cont(self, event: Frame) -> None:
        """A continuation frame; their number is bounded, because empty ones cost a peer nothing."""
        if len(self.frames) >= MAX_FRAGMENTS:
            self._close(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """A whole message; text must be UTF-8, and what follows our close is discarded."""
        if self.close_sent:
            return
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._close(CloseCode.INVALID_DATA, "not UTF-8")
                return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        """No pong arrived: the peer is gone. uvicorn would close with 1011, an internal error, which it is not."""
        self.pong_timer = None
        self._close(CloseCode.GOING_AWAY, "no answer to a ping")

    def shutdown(self) -> None:
        """The server shuts down; a connection that is closing already is left alone."""
        if not self.transport.is_closing():
            super().shutdown()

    def evict(self) -> None:
        """Close now, to free the slot for another connection."""
        logger.warning("too many connections: closed a WebSocket")
        self.transport.abort()

    def _read_soon(self) -> None:
        if self._is_urgent:
            self._read()
        else:
            self._turn.request()

    def _read(self) -> None:
        """Parse a slice, and the rest in later turns of the loop, so that a flood of tiny frames cannot block it."""
        if not self._unread or self.transport.is_closing() or not self.handshake_complete:
            return
        data = bytes(self._unread[:SLICE_BYTES])
        del self._unread[:SLICE_BYTES]
        self._feed(data)
        if self._unread:
            self._turn.request()

    def _feed(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception as error:  # noqa: BLE001 - the libraries assert what a peer can violate
            self._fail(f"{type(error).__name__}")
            return
        if self.conn.handshake_exc is not None and not self.transport.is_closing():
            logger.info("refused a WebSocket: %s", type(self.conn.handshake_exc).__name__)
            self.transport.write(b"".join(self.conn.data_to_send()) or BAD_REQUEST)
            self.transport.close()

    def _close(self, code: CloseCode, reason: str) -> None:
        if self.close_sent or self.transport.is_closing():
            return
        logger.info("closed a WebSocket: %s", reason)
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def _fail(self, reason: str) -> None:
        logger.info("aborted a WebSocket: %s", reason)
        self._stop_reading()
        self.transport.abort()

    def _end_handshake(self) -> None:
        if not self.handshake_complete:
            self._fail("no handshake in time")

    def _stop_reading(self) -> None:
        self._unread.clear()
