"""HTTP/1.1 of one connection over h11, with a deadline and a bound for everything that a peer can start.

    HEAD ──a whole head──> ANSWERING ──response sent──> IDLE ──a byte──> HEAD
    any  ──a deadline, a protocol error, a bound, an eviction──> CLOSING

Where HTTP has a status for it (400, 408, 413, 429, 431, 503), the peer gets that response first.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote

import h11
import msgspec
from uvicorn.protocols.utils import get_local_addr, get_remote_addr

from belvedere.errors import Refusal
from belvedere.gateway.http_exchange import Exchange
from belvedere.gateway.problems import PROBLEM_TYPE, RETRY_AFTER_S, Problem, ProblemCode
from belvedere.gateway.transport import BoundedTransport, arrival_state
from belvedere.gateway.websocket_protocol import WebSocketProtocol

if TYPE_CHECKING:
    import uvicorn
    from uvicorn.server import ServerState

    from belvedere.gateway.connection_limits import ConnectionLimits
    from belvedere.gateway.read_turns import ReadTurns

logger = logging.getLogger(__name__)

HEAD_TIMEOUT_S = 10.0  # from connecting, or from a further request's first byte, to a whole head
BODY_TIMEOUT_S = 15.0  # from the head to the body's last byte; handlers time out sooner, with a better message
ANSWERED_TIMEOUT_S = 60.0  # from the head to the response's last byte sent; the page takes a tenth of that at 10 kB/s
IDLE_S = 75.0  # between requests: longer than nginx keeps its side open; idle anonymous ones may be evicted sooner
LINGER_S = 2.0  # for a peer that still sends: a close at once would reset the connection and lose the response
LINGER_BYTES = 256 * 1024

MAX_HEAD_BYTES = 16 * 1024
MAX_LINE_BYTES = 8 * 1024  # the usual limit of servers and proxies
MAX_HEADERS = 100
MAX_BODY_BYTES = 24 * 1024  # a browser's offer has 2 to 10 kB
MAX_CHUNKS = 512
SLICE_BYTES = 1024  # given to h11 at once; bounds its buffer of chunk headers and trailers, too

_HEAD_END: Final = re.compile(rb"\n\r?\n")
_CODES: Final[dict[int, tuple[str, str]]] = {
    400: (Refusal.BAD_MESSAGE, "malformed request"),
    408: (Refusal.TOO_LATE, "the request did not arrive in time"),
    413: (Refusal.TOO_LARGE, "the request is too large"),
    429: (Refusal.TOO_FAST, "too many requests"),
    431: (Refusal.TOO_LARGE, "the request's headers are too large"),
    500: (ProblemCode.BROKEN, "something went wrong on our side"),
    501: (Refusal.BAD_MESSAGE, "that transfer encoding is not supported"),
    503: (Refusal.NOT_READY, "too many connections are open"),
}


class Phase(enum.Enum):
    """What a connection waits for; see the top of the file."""

    HEAD = enum.auto()
    ANSWERING = enum.auto()
    IDLE = enum.auto()
    CLOSING = enum.auto()


class HttpProtocol(asyncio.Protocol):
    """One connection that speaks HTTP until it is closed or becomes a WebSocket."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        limits: ConnectionLimits,
        turns: ReadTurns,
    ) -> None:
        self._config, self._server, self._app_state, self._limits = config, server_state, app_state, limits
        self._turns, self._turn = turns, turns.new(self._read_in_turn)
        self._loop = asyncio.get_running_loop()
        self._phase = Phase.HEAD
        self._exchange: Exchange | None = None
        self._conn = h11.Connection(h11.SERVER)
        self._unread = bytearray()
        self._searched = 0  # how much of it was searched for the end of a head already
        self._arrival: dict[str, Any] = {}  # scope state: when the first unread byte arrived, or an earlier one
        self._body_bytes = self._chunks = self._lingered_bytes = 0
        self._paused_arrival: dict[str, Any] | None = (
            None  # set while reading is paused: what waits in the kernel is no younger
        )
        self._is_reading, self._writable = True, asyncio.Event()
        self._writable.set()

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected; where there are too many, another anonymous connection is evicted."""
        self._transport = BoundedTransport(cast("asyncio.Transport", transport))
        self._transport.set_write_buffer_limits(high=0)  # so that resume_writing means: all is sent
        plain = cast("asyncio.Transport", transport)
        self._local, self._remote = get_local_addr(plain), get_remote_addr(plain)
        self._peer = self._remote[0] if self._remote else ""
        self._deadline = self._loop.call_later(HEAD_TIMEOUT_S, self._receive_deadline)
        self._server.connections.add(cast("Any", self))
        self._limits.receive_connected(self, self._peer)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """The connection is closed, by whichever side."""
        self._deadline.cancel()
        self._transport.receive_lost()
        self._server.connections.discard(cast("Any", self))
        self._limits.receive_lost(self)
        self._phase = Phase.CLOSING
        self._writable.set()
        self._end_exchange()

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        if self._phase is Phase.CLOSING:
            self._lingered_bytes += len(data)
            if self._lingered_bytes > LINGER_BYTES:
                self._transport.abort()
            return
        if not self._unread:
            self._arrival = self._paused_arrival or self._now()
        self._paused_arrival = None
        self._unread += data
        self._turn.request()
        if len(self._unread) > MAX_HEAD_BYTES and self._is_reading:  # pipelined requests, or more than one turn takes
            self._is_reading, self._paused_arrival = False, self._now()
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """Not all that was written is sent."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """All that was written is sent."""
        self._writable.set()
        if self._exchange is not None and self._exchange.is_complete:
            self.receive_answered()

    # Called by the server and its limits.

    def shutdown(self) -> None:
        """Close after the current response, or now; a body that is still arriving is not waited for."""
        if self._is_body_coming():
            self._refuse(503)
        elif self._exchange is None:
            self._close()
        else:
            self._exchange.closes = True

    def evict(self) -> None:
        """Close now, to free the slot for another connection."""
        if self._phase is Phase.CLOSING:
            self._transport.abort()
            return
        logger.warning("too many connections: closed the least recently active one")
        if self._exchange is not None or self._unread:
            self._refuse(503)
        self._close()
        if self._transport.get_write_buffer_size():
            self._transport.abort()

    # Called by the exchange.

    async def writable(self) -> None:
        """Wait until all that was written is sent, or the connection is lost."""
        await self._writable.wait()

    def write(self, data: bytes) -> None:
        """Send, or buffer for sending."""
        self._transport.write(data)

    def receive_answered(self) -> None:
        """The response is written; a body that the application did not read is not waited for."""
        if self._phase is not Phase.ANSWERING or self._exchange is None:
            return
        if not self._exchange.is_body_complete:
            self._linger()
        elif not self._writable.is_set():
            pass  # resume_writing calls this again when all is sent
        elif self._exchange.closes:
            self._close()
        else:
            self._be_idle()

    def receive_failed(self) -> None:
        """There will be no response, or no more of it."""
        self._refuse(500)

    # Reading.

    def _read_in_turn(self) -> None:
        self._read()
        if len(self._unread) <= MAX_HEAD_BYTES:
            self._resume_reading()

    def _resume_reading(self) -> None:
        if not self._is_reading and not self._transport.is_closing():
            self._is_reading = True
            self._transport.resume_reading()

    def _read(self) -> None:
        if self._phase is Phase.ANSWERING:
            self._read_body()
        elif self._phase is not Phase.CLOSING:
            self._read_head()

    def _read_head(self) -> None:
        if self._phase is Phase.IDLE:
            self._phase = Phase.HEAD
            self._wait(HEAD_TIMEOUT_S)
        if not self._searched:
            self._unread = self._unread.lstrip(b"\r\n")  # RFC 9112, section 2.2
        found = _HEAD_END.search(self._unread, max(0, self._searched - 2))
        head = bytes(self._unread[: found.end() if found else None])
        if len(head) > MAX_HEAD_BYTES or head.count(b"\n") > MAX_HEADERS + 2:
            self._refuse(431)
        elif head[:1] and head[0] <= ord(" "):  # for example a TLS handshake
            self._refuse(400)
        elif found is None:
            self._searched = len(head)
        elif max(map(len, head.split(b"\n"))) > MAX_LINE_BYTES:
            self._refuse(431)
        else:
            del self._unread[: len(head)]
            self._searched = 0
            self._begin(head)

    def _begin(self, head: bytes) -> None:
        self._conn = h11.Connection(h11.SERVER, SLICE_BYTES)
        self._conn.receive_data(head)
        try:
            request = self._conn.next_event()
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint if error.error_status_hint in _CODES else 400)
            return
        assert isinstance(request, h11.Request)  # noqa: S101 - a whole head is one
        headers = list(request.headers)
        status = _rejection(request, headers)
        scope = self._scope(request, headers)
        if status is not None:
            self._refuse(status)
        elif not self._limits.receive_request(self, self._peer, scope["path"], headers, self._loop.time()):
            self._refuse(429)
        elif self._phase is Phase.CLOSING:
            pass  # evicted by its own session's or address's other connections
        else:
            self._turn.is_of_person = self._limits.is_of_person(self)
            self._serve(request, headers, scope)

    def _serve(self, request: h11.Request, headers: list[tuple[bytes, bytes]], scope: dict[str, Any]) -> None:
        if _is_websocket(headers):
            self._become_websocket(request, headers)
        else:
            self._answer(scope)

    def _now(self) -> dict[str, Any]:
        """Scope state that says when the bytes just read arrived; a request's age counts from its first byte."""
        return arrival_state(cast("asyncio.BaseTransport", self._transport))

    def _scope(self, request: h11.Request, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
        raw_path, _, query = request.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.http_version.decode(),
            "server": self._local,
            "client": self._client(headers),
            "scheme": self._limits.proxies.scheme_of(self._peer, headers),
            "method": request.method.decode(),
            "root_path": "",
            "path": unquote(raw_path.decode("ascii")),
            "raw_path": raw_path,
            "query_string": query,
            "headers": headers,
            "state": {**self._app_state, **self._arrival},
        }

    def _client(self, headers: list[tuple[bytes, bytes]]) -> tuple[str, int] | None:
        """The client's address, as a trusted proxy says it; the port is that of the connection."""
        return self._remote and (self._limits.proxies.client_of(self._peer, headers), self._remote[1])

    def _answer(self, scope: dict[str, Any]) -> None:
        self._phase = Phase.ANSWERING
        self._body_bytes = self._chunks = 0
        self._exchange = Exchange(scope, self._conn, self, self._server.default_headers)
        self._wait(BODY_TIMEOUT_S)
        task = self._loop.create_task(self._exchange.run(cast("Any", self._config.loaded_app)))
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)
        self._take_body()
        self._read_body()

    def _read_body(self) -> None:
        while self._unread and self._is_body_coming():
            data = bytes(self._unread[:SLICE_BYTES])
            del self._unread[:SLICE_BYTES]
            self._conn.receive_data(data)
            self._take_body()

    def _is_body_coming(self) -> bool:
        return self._phase is Phase.ANSWERING and self._exchange is not None and not self._exchange.is_body_complete

    def _take_body(self) -> None:
        """Pass on to the exchange what h11 has parsed."""
        while self._is_body_coming():
            try:
                event = self._conn.next_event()
            except h11.RemoteProtocolError:
                self._refuse(400)
                return
            if isinstance(event, h11.Data):
                self._take_data(event)
            elif isinstance(event, h11.EndOfMessage):
                self._end_body()
            else:
                return

    def _take_data(self, event: h11.Data) -> None:
        self._body_bytes += len(event.data)
        self._chunks += event.chunk_start
        if self._body_bytes > MAX_BODY_BYTES or self._chunks > MAX_CHUNKS:
            self._refuse(413)
        elif self._exchange is not None:
            self._exchange.receive_body(bytes(event.data))

    def _end_body(self) -> None:
        self._unread[:0] = self._conn.trailing_data[0]  # no younger than `_arrival` says
        self._wait(ANSWERED_TIMEOUT_S)
        if self._exchange is not None:
            self._exchange.receive_body_end()

    def _become_websocket(self, request: h11.Request, headers: list[tuple[bytes, bytes]]) -> None:
        self._deadline.cancel()
        self._phase = Phase.CLOSING
        self._server.connections.discard(cast("Any", self))
        websocket = WebSocketProtocol(self._config, self._server, self._app_state, self._limits, self._turns)
        self._limits.receive_upgraded(self, websocket, self._peer, headers)
        websocket.connection_made(cast("Any", self._transport))
        # Of its own, uvicorn knows only the proxy's connection: without TLS, from the proxy's address.
        websocket.scheme = "wss" if self._limits.proxies.scheme_of(self._peer, headers) == "https" else "ws"
        websocket.client = self._client(headers)
        self._transport.set_protocol(websocket)
        lines = [b"%s %s HTTP/1.1" % (request.method, request.target), *(b"%s: %s" % each for each in headers)]
        websocket.receive_handshake(b"\r\n".join([*lines, b"", b""]))
        if self._unread:
            websocket.data_received(bytes(self._unread))

    # Ending.

    def _be_idle(self) -> None:
        self._exchange = None
        self._phase = Phase.IDLE
        self._wait(IDLE_S)
        self._resume_reading()
        if self._unread:
            self._turn.request()

    def _wait(self, seconds: float) -> None:
        self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, self._receive_deadline)

    def _receive_deadline(self) -> None:
        """The phase lasted too long; only a peer that has sent half a request, or waits for a response, gets one."""
        if (self._phase is Phase.HEAD and self._unread) or self._is_body_coming():
            self._refuse(408)
        elif self._phase is Phase.ANSWERING and self._exchange is not None and not self._exchange.is_started:
            self._refuse(503)
        elif self._phase in {Phase.ANSWERING, Phase.CLOSING}:
            self._transport.abort()
        else:
            self._close()

    def _refuse(self, status: int) -> None:
        """Send an error response, unless a response has started, and close the connection."""
        if self._phase is Phase.CLOSING:
            return
        can_respond = self._exchange is None or not self._exchange.is_started
        self._phase = Phase.CLOSING
        self._end_exchange()
        if not can_respond:
            self._transport.abort()
            return
        logger.info("refused a request: %d %s", status, _CODES[status][1])
        self._transport.write(_refusal(status))
        self._linger()

    def _linger(self) -> None:
        """Close our half, so that the peer can read the response before a reset."""
        self._phase = Phase.CLOSING
        self._unread.clear()
        self._wait(LINGER_S)
        if not self._transport.is_closing():
            self._transport.write_eof()
            self._resume_reading()

    def _close(self) -> None:
        """Close once all is sent."""
        self._phase = Phase.CLOSING
        self._transport.close()

    def _end_exchange(self) -> None:
        if self._exchange is not None:
            self._exchange.receive_gone()


def _rejection(request: h11.Request, headers: list[tuple[bytes, bytes]]) -> int | None:
    """The status with which a request is refused for its head alone; None where it is not."""
    by_name = dict(headers)
    length, encoding = by_name.get(b"content-length"), by_name.get(b"transfer-encoding")
    if encoding is not None and (length is not None or request.http_version != b"1.1"):
        return 400  # request smuggling: a proxy might see another end of the body (RFC 9112, section 6.3)
    if _is_websocket(headers) and (encoding is not None or length not in {None, b"0"}):
        return 400
    return 413 if length is not None and int(length) > MAX_BODY_BYTES else None


def _is_websocket(headers: list[tuple[bytes, bytes]]) -> bool:
    connection = b",".join(value for name, value in headers if name == b"connection").lower()
    upgrade = next((value for name, value in headers if name == b"upgrade"), b"").lower()
    return upgrade == b"websocket" and b"upgrade" in (each.strip() for each in connection.split(b","))


def _refusal(status: int) -> bytes:
    """A whole error response, for a request that does not reach the application."""
    code, message = _CODES[status]
    body = msgspec.json.encode(Problem(code, message))
    retry = f"Retry-After: {RETRY_AFTER_S[code]}\r\n" if code in RETRY_AFTER_S else ""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {PROBLEM_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        f"{retry}Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
