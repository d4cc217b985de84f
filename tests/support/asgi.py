"""A WebSocket client in the same process and on the same clock: it speaks ASGI to an application, without a network."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping

    Application = Callable[..., Coroutine[object, object, None]]

PATIENCE_S = 60.0  # of virtual time; a test that waits longer hangs


class SocketPeer:
    """One socket from the client's end.

    Attributes:
        subprotocol: what the server chose, once it has accepted.
        status: the HTTP status of a refused upgrade.
        close_code, close_reason: how the server ended it.
        told: called with each message, as soon as the network has taken it.
    """

    def __init__(self) -> None:
        self.subprotocol: str | None = None
        self.status: int | None = None
        self.body = b""
        self.close_code: int | None = None
        self.close_reason = ""
        self.told: Callable[[dict[str, Any]], None] = lambda _message: None
        self.is_accepted = asyncio.Event()
        self.is_over = asyncio.Event()
        self._to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reads = asyncio.Event()
        self._reads.set()
        self._to_server.put_nowait({"type": "websocket.connect"})

    def say(self, message: object) -> None:
        """Send a message as JSON."""
        self.say_text(json.dumps(message))

    def say_text(self, text: str) -> None:
        """Send a text message as it stands."""
        self._to_server.put_nowait({"type": "websocket.receive", "text": text})

    def say_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._to_server.put_nowait({"type": "websocket.receive", "bytes": data})

    async def hear(self, *types: str) -> dict[str, Any]:
        """The next message, or the next of these types; others are passed over."""
        async with timeout(PATIENCE_S):
            while True:
                message = await self._heard.get()
                if not types or message["type"] in types:
                    return message

    def heard_by_now(self) -> list[dict[str, Any]]:
        """Whatever has arrived and was not looked at."""
        return [self._heard.get_nowait() for _ in range(self._heard.qsize())]

    async def over(self) -> None:
        """Wait until the application has ended its work for this socket."""
        async with timeout(PATIENCE_S):
            await self.is_over.wait()

    def stop_reading(self) -> None:
        """From now on the network takes nothing from the server: its sending waits."""
        self._reads.clear()

    def read_again(self) -> None:
        """The network takes what the server sends again."""
        self._reads.set()

    def leave(self, code: int = 1001) -> None:
        """Close the socket, or vanish with it."""
        self._to_server.put_nowait({"type": "websocket.disconnect", "code": code})

    async def receive(self) -> dict[str, Any]:
        """ASGI's receive."""
        return await self._to_server.get()

    async def send(self, event: dict[str, Any]) -> None:
        """ASGI's send."""
        await self._reads.wait()
        match event["type"]:
            case "websocket.accept":
                self.subprotocol = event["subprotocol"]
                self.is_accepted.set()
            case "websocket.send":
                message = json.loads(event["text"])
                self._heard.put_nowait(message)
                self.told(message)
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
    """Connect to an application; at the end the socket is left, and the application's work for it waited for."""
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
        "extensions": {"websocket.http.response": {}},
    }
    serving = asyncio.create_task(app(scope, peer.receive, peer.send))
    serving.add_done_callback(lambda _: peer.is_over.set())
    try:
        yield peer
    finally:
        peer.leave()
        await serving
