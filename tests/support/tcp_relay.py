"""A TCP relay on loopback whose connections can be reset, or stalled without either end noticing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing import Self

HOST = "127.0.0.1"


class TcpRelay:
    """Relays whatever comes to `port` to another port of this computer, both ways; use it as a context manager.

    All calls come from the loop that it was opened in.
    """

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self.to_port = to_port
        self.is_resetting = False
        self.is_stalled = False
        self._ends: set[_End] = set()

    async def open(self) -> None:
        """Listen on a port that is free."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _End(self), HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and reset every connection."""
        self._server.close()
        self.reset()
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    def reset(self) -> None:
        """Reset every connection, and every new one, until `resume`."""
        self.is_resetting = True
        for end in list(self._ends):
            end.transport.abort()

    def stall(self) -> None:
        """Forward nothing, and close nothing: connections stay open, half-open ones too, until `resume`."""
        self.is_stalled = True
        for end in self._ends:
            end.transport.pause_reading()

    def resume(self) -> None:
        """Forward everything again, including what waited."""
        self.is_resetting = self.is_stalled = False
        for end in self._ends:
            end.transport.resume_reading()

    def passed_on(self, data: bytes) -> bytes:
        """What is passed on of what came; a relay that changes it overrides this."""
        return data

    def receive_end(self, end: _End) -> None:
        """One end of a connection was opened."""
        self._ends.add(end)
        if self.is_resetting:
            end.transport.abort()
        elif self.is_stalled:  # before Python 3.11.4 a transport starts to read after this, even if paused here
            asyncio.get_running_loop().call_soon(self._keep_stalled, end)

    def _keep_stalled(self, end: _End) -> None:
        if self.is_stalled and end in self._ends:
            end.transport.pause_reading()

    def receive_lost(self, end: _End) -> None:
        """That end is closed."""
        self._ends.discard(end)


class _End(asyncio.Protocol):
    """One end of a relayed connection; the client's end opens the one to the server."""

    def __init__(self, relay: TcpRelay, other: _End | None = None) -> None:
        self._relay = relay
        self._other = other
        self._early = bytearray()
        self._dialling: asyncio.Task[object] | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._relay.receive_end(self)
        if self._other is None:
            self._dialling = asyncio.create_task(self._dial())
        else:
            self._other.receive_other(self)

    def receive_other(self, other: _End) -> None:
        """The end to the server is open; forward what came before."""
        self._other = other
        other.transport.write(bytes(self._early))
        if self.transport.is_closing():
            other.transport.close()

    def data_received(self, data: bytes) -> None:
        passed_on = self._relay.passed_on(data)
        if self._other is None:
            self._early += passed_on
        else:
            self._other.transport.write(passed_on)

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.receive_lost(self)
        if self._other is not None:
            self._other.transport.abort() if exc else self._other.transport.close()

    async def _dial(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: _End(self._relay, self), HOST, self._relay.to_port)
        except OSError:
            self.transport.abort()
