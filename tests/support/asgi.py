"""A WebSocket client in the same process and on the same clock: it speaks ASGI to an application, without a network."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.utils import ClientDisconnected

from belvedere.gateway.websocket_protocol import EXTENSION
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping

    Application = Callable[..., Coroutine[object, object, None]]

TIMEOUT_S = 60.0  # of virtual time; a test that waits longer hangs


class SocketPeer:
    """One socket from the client's end.

    Attributes:
        subprotocol: what the server chose, once it has accepted.
        status: the HTTP status of a refused upgrade.
        close_code, close_reason: how the server ended it.
        on_message: called with each message, as soon as it has been sent.
        video: what `stream_socket` sent, without waiting; it finds this peer in the scope in place of the protocol.
        is_urgent: what the peer sends is received before what waits of others.
        is_aborted: the server gave the connection up, because what it had sent was to be discarded.
    """

    def __init__(self) -> None:
        self.subprotocol: str | None = None
        self.status: int | None = None
        self.body = b""
        self.close_code: int | None = None
        self.close_reason = ""
        self.on_message: Callable[[dict[str, Any]], None] = lambda _message: None
        self.is_accepted = asyncio.Event()
        self.is_over = asyncio.Event()
        self.video: asyncio.Queue[bytes | str] = asyncio.Queue()
        self.is_aborted = False
        self.is_urgent = False
        self._to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reads = asyncio.Event()
        self._reads.set()
        self._to_server.put_nowait({"type": "websocket.connect"})

    def send_json(self, message: object) -> None:
        """Send a message as JSON."""
        self.send_text(json.dumps(message))

    def send_text(self, text: str) -> None:
        """Send a text message as it stands."""
        self._to_server.put_nowait({"type": "websocket.receive", "text": text})

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._to_server.put_nowait({"type": "websocket.receive", "bytes": data})

    async def receive(self, *types: str) -> dict[str, Any]:
        """The next message, or the next of these types; others are dropped."""
        async with timeout(TIMEOUT_S):
            while True:
                message = await self._received.get()
                if not types or message["type"] in types:
                    return message

    def received_by_now(self) -> list[dict[str, Any]]:
        """The messages that have arrived and were not read yet."""
        return [self._received.get_nowait() for _ in range(self._received.qsize())]

    async def over(self) -> None:
        """Wait until the application has ended its work for this socket."""
        async with timeout(TIMEOUT_S):
            await self.is_over.wait()

    def stop_reading(self) -> None:
        """From now on the connection accepts nothing from the server: its sends wait."""
        self._reads.clear()

    def read_again(self) -> None:
        """The connection accepts what the server sends again."""
        self._reads.set()

    def leave(self, code: int = 1001) -> None:
        """Close the socket, or vanish with it."""
        self._to_server.put_nowait({"type": "websocket.disconnect", "code": code})

    def set_urgent(self, *, is_urgent: bool) -> None:
        """Remember it."""
        self.is_urgent = is_urgent

    async def wait_writable(self) -> None:
        """As `WebSocketProtocol.wait_writable`."""
        await self._reads.wait()

    def send_now(self, message: bytes | str) -> None:
        """As `WebSocketProtocol.send_now`."""
        if self.close_code is not None or self.is_aborted:
            raise ClientDisconnected
        self.video.put_nowait(message)

    def discard_unsent(self) -> None:
        """As `WebSocketProtocol.discard_unsent`: what a peer that reads nothing was sent is unsent."""
        if not self._reads.is_set() and not self.video.empty():
            self.is_aborted = True
            self.leave(1006)

    async def asgi_receive(self) -> dict[str, Any]:
        """ASGI's receive."""
        return await self._to_server.get()

    async def asgi_send(self, event: dict[str, Any]) -> None:
        """ASGI's send."""
        await self._reads.wait()
        match event["type"]:
            case "websocket.accept":
                self.subprotocol = event["subprotocol"]
                self.is_accepted.set()
            case "websocket.send":
                message = json.loads(event["text"])
                self._received.put_nowait(message)
                self.on_message(message)
            case "websocket.close":
                self.close_code, self.close_reason = event["code"], event["reason"]
                self.leave()
            case "websocket.http.response.start":
                self.status = event["status"]
            case "websocket.http.response.body":
                self.body += event["body"]
            case _:
                raise AssertionError(f"no such event: {event['type']}")


@asynccontextmanager
async def open_socket(
    app: Application,
    path: str,
    headers: Mapping[str, str],
    subprotocols: tuple[str, ...] = ("belvedere.v1",),
) -> AsyncIterator[SocketPeer]:
    """Connect to an application; at the end, disconnect, and wait until the application has ended its work for it."""
    peer = SocketPeer()
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8080),
        "subprotocols": list(subprotocols),
        "state": {},
        "extensions": {"websocket.http.response": {}, EXTENSION: peer},
    }
    serving = asyncio.create_task(app(scope, peer.asgi_receive, peer.asgi_send))
    serving.add_done_callback(lambda _: peer.is_over.set())
    try:
        yield peer
    finally:
        peer.leave()
        await serving
