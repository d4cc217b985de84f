"""A transport of a control session in memory, as a data channel would be one, and its other end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from belvedere.gateway.control_transport import TransportClosedError
from belvedere.timeouts import timeout

TIMEOUT_S = 60.0  # of virtual time; a test that waits longer hangs


class MemoryControlTransport:
    """A ControlTransport; `peer_send`, `peer_receive`, `leave` and the rest are the peer's end.

    Attributes:
        close_code, close_reason: how the server closed it; None and "" before.
        is_urgent: what `set_urgent` was called with last.
    """

    def __init__(self) -> None:
        self.close_code: int | None = None
        self.close_reason = ""
        self.is_urgent = False
        self._to_server: asyncio.Queue[str | None] = asyncio.Queue()
        self._to_peer: asyncio.Queue[str] = asyncio.Queue()
        self._has_left = asyncio.Event()
        self._reads = asyncio.Event()
        self._reads.set()

    def peer_send(self, message: object) -> None:
        """Send a message as JSON."""
        self._to_server.put_nowait(json.dumps(message))

    def peer_send_binary(self) -> None:
        """Send a message that is not text."""
        self._to_server.put_nowait(None)

    async def peer_receive(self, *types: str) -> dict[str, Any]:
        """The next message of these types; others are dropped."""
        async with timeout(TIMEOUT_S):
            while True:
                message: dict[str, Any] = json.loads(await self._to_peer.get())
                if message["type"] in types:
                    return message

    def leave(self) -> None:
        """Close it, or vanish with it."""
        self._has_left.set()

    def stop_reading(self) -> None:
        """From now on nothing is taken from the server: its sending waits."""
        self._reads.clear()

    async def receive(self) -> str | None:
        """The next message; those sent before `leave` come first."""
        next_text = asyncio.ensure_future(self._to_server.get())
        has_left = asyncio.ensure_future(self._has_left.wait())
        try:
            await asyncio.wait((next_text, has_left), return_when=asyncio.FIRST_COMPLETED)
            if next_text.done():
                return next_text.result()
        finally:
            next_text.cancel()
            has_left.cancel()
        raise TransportClosedError

    def set_urgent(self, *, is_urgent: bool) -> None:
        """Remember it."""
        self.is_urgent = is_urgent

    async def send(self, text: str) -> None:
        """Hand a message to the peer, as soon as it reads."""
        await self._reads.wait()
        if self._has_left.is_set():
            raise TransportClosedError
        self._to_peer.put_nowait(text)

    async def close(self, code: int, reason: str) -> None:
        """Close it, as soon as the peer reads."""
        await self._reads.wait()
        if self._has_left.is_set():
            raise TransportClosedError
        self.close_code, self.close_reason = code, reason
        self._has_left.set()
