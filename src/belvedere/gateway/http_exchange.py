"""One HTTP request and its answer, as an ASGI application sees them."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

import h11

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, MutableMapping

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Application = Callable[[Scope, Callable[[], Any], Callable[[Message], Any]], Coroutine[Any, Any, None]]

logger = logging.getLogger(__name__)

CLOSE = (b"connection", b"close")


class Peer(Protocol):
    """The connection that a request came over."""

    async def writable(self) -> None:
        """Wait until all that was written is sent, or the connection is lost."""
        ...

    def write(self, data: bytes) -> None:
        """Send, or buffer for sending."""
        ...

    def receive_answered(self) -> None:
        """The response is written completely."""
        ...

    def receive_failed(self) -> None:
        """There will be no response, or no more of it."""
        ...


class Exchange:
    """A request whose body may still be arriving, and a response that may not have started.

    Attributes:
        is_body_complete: whether the whole body has arrived.
        is_started, is_complete: whether the response has started, and whether all of it was written.
        is_gone: whether the peer has disconnected; what the application sends then is discarded.
        closes: whether the connection is closed after this response.
    """

    def __init__(self, scope: Scope, conn: h11.Connection, peer: Peer, headers: list[tuple[bytes, bytes]]) -> None:
        self.is_body_complete = False
        self.is_started = False
        self.is_complete = False
        self.is_gone = False
        self.closes = False
        self._scope, self._conn, self._peer, self._headers = scope, conn, peer, headers
        self._body = bytearray()
        self._changed = asyncio.Event()
        self._unsent = b""  # the head waits for the first of the body, so that both are sent in one packet
        self._expects_continue = conn.they_are_waiting_for_100_continue

    async def run(self, app: Application) -> None:
        """Run the application; no complete response is an error of ours, unless the peer has disconnected."""
        try:
            await app(self._scope, self._receive, self._send)
            if not self.is_complete and not self.is_gone:
                logger.error("the application returned without a complete response")
        except Exception as error:
            level = logging.DEBUG if self.is_gone else logging.ERROR
            logger.log(level, "the application failed while handling a request", exc_info=error)
        finally:
            if not self.is_complete and not self.is_gone:
                self._peer.receive_failed()

    def receive_body(self, data: bytes) -> None:
        """A part of the body arrived."""
        self._body += data
        self._expects_continue = False
        self._changed.set()

    def receive_body_end(self) -> None:
        """The whole body has arrived."""
        self.is_body_complete = True
        self._changed.set()

    def receive_gone(self) -> None:
        """The peer has disconnected, or the connection gave up on this exchange."""
        self.is_gone = True
        self._changed.set()

    async def _receive(self) -> Message:
        if self._expects_continue and not self.is_gone and not self.is_started:
            self._expects_continue = False
            self._peer.write(
                self._conn.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
            )
        if not self.is_gone and not self.is_complete:
            await self._changed.wait()
            self._changed.clear()
        if self.is_gone or self.is_complete:
            return {"type": "http.disconnect"}
        body, self._body = bytes(self._body), bytearray()
        return {"type": "http.request", "body": body, "more_body": not self.is_body_complete}

    async def _send(self, message: Message) -> None:
        await self._peer.writable()
        if self.is_gone:
            return
        if message["type"] == "http.response.start" and not self.is_started:
            self._start(message["status"], message.get("headers", ()))
        elif message["type"] == "http.response.body" and self.is_started and not self.is_complete:
            self._continue(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            unexpected = f"{message['type']} is not allowed in this state of the response"
            raise RuntimeError(unexpected)

    def _start(self, status: int, headers: Any) -> None:  # noqa: ANN401 - pairs of bytes, in any iterable
        self.is_started = True
        own = [CLOSE] if self.closes or not self.is_body_complete else []
        phrase = HTTPStatus(status).phrase.encode()
        self._unsent = self._conn.send(
            h11.Response(status_code=status, headers=[*self._headers, *headers, *own], reason=phrase)
        )

    def _continue(self, body: bytes, *, is_last: bool) -> None:
        data = self._conn.send(h11.Data(data=b"" if self._scope["method"] == "HEAD" else body))
        end = self._conn.send(h11.EndOfMessage()) if is_last else b""
        written, self._unsent = b"".join((self._unsent, data, end)), b""
        self._peer.write(written)
        if is_last:
            self.is_complete = True
            self.closes |= self._conn.our_state is not h11.DONE
            self._changed.set()
            self._peer.receive_answered()
