"""HTTP/1.1 of one connection over h11, with an end to everything that a peer can begin.

    HEAD ──a whole head──> ANSWERING ──answered, and all of it sent──> IDLE ──a byte──> HEAD
    any  ──a deadline, nonsense, too much, an eviction──> CLOSING

Where HTTP has an answer for it (400, 408, 413, 429, 431, 503), a peer is told before the end.
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
from belvedere.gateway.transport import BoundedTransport, begins_now
from belvedere.gateway.websocket_protocol import WebSocketProtocol

if TYPE_CHECKING:
    import uvicorn
    from uvicorn.server import ServerState

    from belvedere.gateway.connection_limits import ConnectionLimits

logger = logging.getLogger(__name__)

HEAD_TIMEOUT_S = 10.0  # from connecting, or from a further request's first byte, to a whole head
BODY_TIMEOUT_S = 15.0  # from the head to the body's last byte; handlers lose patience sooner, and say it better
ANSWERED_TIMEOUT_S = 60.0  # from the head to the answer's last byte sent: the page in a tenth of it over 10 kB/s
IDLE_S = 75.0  # between requests: longer than nginx keeps a connection to us; strangers' idle ones give way earlier
LINGER_S = 2.0  # for a peer that still sends: closed at once, it might lose the answer to a reset
LINGER_BYTES = 256 * 1024

MAX_HEAD_BYTES = 16 * 1024
MAX_LINE_BYTES = 8 * 1024  # as most servers and proxies have it
MAX_HEADERS = 100
MAX_BODY_BYTES = 24 * 1024  # a browser's offer has 2 to 10 kB
MAX_CHUNKS = 512
SLICE_BYTES = 1024  # h11 is given no more at once: chunk headers and trailers, too, are bounded by it

_HEAD_END: Final = re.compile(rb"\n\r?\n")
_CODES: Final[dict[int, tuple[str, str]]] = {
    400: (Refusal.BAD_MESSAGE, "that is no request that makes sense here"),
    408: (Refusal.TOO_LATE, "the request did not come in time"),
    413: (Refusal.TOO_LARGE, "the request is too large"),
    429: (Refusal.TOO_FAST, "too many requests"),
    431: (Refusal.TOO_LARGE, "the request's headers are too large"),
    500: (ProblemCode.BROKEN, "something went wrong on our side"),
    501: (Refusal.BAD_MESSAGE, "that way of sending is not known here"),
    503: (Refusal.NOT_READY, "too many connections are open"),
}


class Phase(enum.Enum):
    """What a connection waits for; see the top of the file."""

    HEAD = enum.auto()
    ANSWERING = enum.auto()
    IDLE = enum.auto()
    CLOSING = enum.auto()


class HttpProtocol(asyncio.Protocol):
    """One connection that speaks HTTP until it ends, or becomes a WebSocket."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        limits: ConnectionLimits,
    ) -> None:
        self._config, self._server, self._app_state, self._limits = config, server_state, app_state, limits
        self._loop = asyncio.get_running_loop()
        self._phase = Phase.HEAD
        self._exchange: Exchange | None = None
        self._conn = h11.Connection(h11.SERVER)
        self._unread = bytearray()
        self._searched = 0  # how much of it is known to have no end of a head
        self._arrival: dict[str, Any] = {}  # of the first unread byte or one before it, for the scope's state
        self._body_bytes = self._chunks = self._lingered_bytes = 0
        self._unheard: dict[str, Any] | None = None  # no later than what waits in the kernel while we do not read
        self._is_reading, self._writable = True, asyncio.Event()
        self._writable.set()

    # of asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connected; the place for them may cost another stranger theirs."""
        self._transport = BoundedTransport(cast("asyncio.Transport", transport))
        self._transport.set_write_buffer_limits(high=0)  # so that we hear when all is sent
        plain = cast("asyncio.Transport", transport)
        self._local, self._remote = get_local_addr(plain), get_remote_addr(plain)
        self._peer = self._remote[0] if self._remote else ""
        self._deadline = self._loop.call_later(HEAD_TIMEOUT_S, self._receive_deadline)
        self._server.connections.add(cast("Any", self))
        self._limits.receive_connected(self, self._peer)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """It is over, however."""
        self._deadline.cancel()
        self._transport.receive_lost()
        self._server.connections.discard(cast("Any", self))
        self._limits.receive_lost(self)
        self._phase = Phase.CLOSING
        self._writable.set()
        self._end_exchange()

    def data_received(self, data: bytes) -> None:
        """Some bytes came."""
        if self._phase is Phase.CLOSING:
            self._lingered_bytes += len(data)
            if self._lingered_bytes > LINGER_BYTES:
                self._transport.abort()
            return
        if not self._unread:
            self._arrival = self._unheard or self._now()
        self._unheard = None
        self._unread += data
        self._read()
        if self._phase is Phase.ANSWERING and len(self._unread) > MAX_HEAD_BYTES:  # requests that wait their turn
            self._is_reading, self._unheard = False, self._now()
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """Something waits to be sent."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """All is sent."""
        self._writable.set()
        if self._exchange is not None and self._exchange.is_complete:
            self.receive_answered()

    # of the server and its limits

    def shutdown(self) -> None:
        """End with the answer that is under way, or now; a body that is still coming is not waited for."""
        if self._is_body_coming():
            self._refuse(503)
        elif self._exchange is None:
            self._close()
        else:
            self._exchange.closes = True

    def evict(self) -> None:
        """Give the place up to somebody else."""
        if self._phase is Phase.CLOSING:
            self._transport.abort()
            return
        logger.warning("too many connections: the one that has asked for nothing longest is ended")
        if self._exchange is not None or self._unread:
            self._refuse(503)
        self._close()
        if self._transport.get_write_buffer_size():
            self._transport.abort()

    # of the exchange

    async def writable(self) -> None:
        """Wait until all that was written is sent, or nobody is there any more."""
        await self._writable.wait()

    def write(self, data: bytes) -> None:
        """Send."""
        self._transport.write(data)

    def receive_answered(self) -> None:
        """The answer is written; whoever still sends what nobody reads is not waited for."""
        if self._phase is not Phase.ANSWERING or self._exchange is None:
            return
        if not self._exchange.is_body_complete:
            self._linger()
        elif not self._writable.is_set():
            pass  # it is said again when all is sent
        elif self._exchange.closes:
            self._close()
        else:
            self._be_idle()

    def receive_failed(self) -> None:
        """There will be no answer, or no more of it."""
        self._refuse(500)

    # reading

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
        elif head[:1] and head[0] <= ord(" "):  # TLS, for example
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
        elif _is_websocket(headers):
            self._become_websocket(request, headers)
        else:
            self._answer(scope)

    def _now(self) -> dict[str, Any]:
        """When the first byte of what may be a request came, if it has just been read: its age counts from here."""
        return begins_now(cast("asyncio.BaseTransport", self._transport))

    def _scope(self, request: h11.Request, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
        raw_path, _, query = request.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.http_version.decode(),
            "server": self._local,
            "client": self._remote,
            "scheme": self._limits.proxies.scheme_of(self._peer, headers),
            "method": request.method.decode(),
            "root_path": "",
            "path": unquote(raw_path.decode("ascii")),
            "raw_path": raw_path,
            "query_string": query,
            "headers": headers,
            "state": {**self._app_state, **self._arrival},
        }

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
        """Give the exchange whatever h11 has by now."""
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
        websocket = WebSocketProtocol(self._config, self._server, self._app_state, self._limits)
        self._limits.receive_upgraded(self, websocket, self._peer, headers)
        websocket.connection_made(cast("Any", self._transport))
        self._transport.set_protocol(websocket)
        lines = [b"%s %s HTTP/1.1" % (request.method, request.target), *(b"%s: %s" % each for each in headers)]
        websocket.receive_handshake(b"\r\n".join([*lines, b"", b""]))
        if self._unread:
            websocket.data_received(bytes(self._unread))

    # ending

    def _be_idle(self) -> None:
        self._exchange = None
        self._phase = Phase.IDLE
        self._wait(IDLE_S)
        if not self._is_reading:
            self._is_reading = True
            self._transport.resume_reading()
        if self._unread:
            self._read()

    def _wait(self, seconds: float) -> None:
        self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, self._receive_deadline)

    def _receive_deadline(self) -> None:
        """What this phase waits for did not come; only who has sent half a request is told."""
        if (self._phase is Phase.HEAD and self._unread) or self._is_body_coming():
            self._refuse(408)
        elif self._phase is Phase.ANSWERING and self._exchange is not None and not self._exchange.is_started:
            self._refuse(503)
        elif self._phase in {Phase.ANSWERING, Phase.CLOSING}:
            self._transport.abort()
        else:
            self._close()

    def _refuse(self, status: int) -> None:
        """Say what is wrong where no answer has begun, and end the connection."""
        if self._phase is Phase.CLOSING:
            return
        is_answer_open = self._exchange is None or not self._exchange.is_started
        self._phase = Phase.CLOSING
        self._end_exchange()
        if not is_answer_open:
            self._transport.abort()
            return
        logger.info("refused a request: %d %s", status, _CODES[status][1])
        self._transport.write(_refusal(status))
        self._linger()

    def _linger(self) -> None:
        """Close our half, and let the peer read the answer before the rest is reset."""
        self._phase = Phase.CLOSING
        self._unread.clear()
        self._wait(LINGER_S)
        if not self._transport.is_closing():
            self._transport.write_eof()
            if not self._is_reading:
                self._transport.resume_reading()

    def _close(self) -> None:
        """Close when all is sent."""
        self._phase = Phase.CLOSING
        self._transport.close()

    def _end_exchange(self) -> None:
        if self._exchange is not None:
            self._exchange.receive_gone()


def _rejection(request: h11.Request, headers: list[tuple[bytes, bytes]]) -> int | None:
    """The status of a request that is refused for its head alone."""
    by_name = dict(headers)
    length, encoding = by_name.get(b"content-length"), by_name.get(b"transfer-encoding")
    if encoding is not None and (length is not None or request.http_version != b"1.1"):
        return 400  # two readers might disagree about where it ends (RFC 9112, section 6.3)
    if _is_websocket(headers) and (encoding is not None or length not in {None, b"0"}):
        return 400
    return 413 if length is not None and int(length) > MAX_BODY_BYTES else None


def _is_websocket(headers: list[tuple[bytes, bytes]]) -> bool:
    connection = b",".join(value for name, value in headers if name == b"connection").lower()
    upgrade = next((value for name, value in headers if name == b"upgrade"), b"").lower()
    return upgrade == b"websocket" and b"upgrade" in (each.strip() for each in connection.split(b","))


def _refusal(status: int) -> bytes:
    """A whole answer of ours, for a peer to whom no application was asked."""
    code, message = _CODES[status]
    body = msgspec.json.encode(Problem(code, message))
    retry = f"Retry-After: {RETRY_AFTER_S[code]}\r\n" if code in RETRY_AFTER_S else ""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {PROBLEM_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        f"{retry}Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
