from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from tests.support.tcp_relay import HOST, TcpRelay

if TYPE_CHECKING:
    from typing import Self

pytestmark = pytest.mark.realtime
TIMEOUT_S = 10


class Echoing(AsyncExitStack):
    """A relay to an echo server, and clients that are closed at the end."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.enter_async_context(asyncio.timeout(TIMEOUT_S))
        server = await self.enter_async_context(await asyncio.start_server(self._echo, HOST, 0))
        self.relay = await self.enter_async_context(TcpRelay(server.sockets[0].getsockname()[1]))
        return self

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(HOST, self.relay.port)
        self.callback(writer.close)
        return reader, writer

    async def call(self, word: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self.dial()
        writer.write(word)
        assert await reader.readexactly(len(word)) == word
        return reader, writer

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()


async def test_it_carries_both_ways_and_passes_the_end_on() -> None:
    async with Echoing() as echoing:
        reader, writer = await echoing.call(b"hello")
        writer.close()
        assert await reader.read() == b""


async def test_reset_ends_open_and_new_connections_until_resume() -> None:
    async with Echoing() as echoing:
        reader, _writer = await echoing.call(b"a")
        echoing.relay.reset()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        reader, _writer = await echoing.dial()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        echoing.relay.resume()
        await echoing.call(b"b")


async def test_a_stalled_relay_keeps_connections_open_and_forwards_what_waited_on_resume() -> None:
    async with Echoing() as echoing:
        reader, writer = await echoing.call(b"a")
        echoing.relay.stall()
        writer.write(b"b")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.readexactly(1)
        echoing.relay.resume()
        assert await reader.readexactly(1) == b"b"


async def test_a_client_of_a_stalled_relay_waits_too() -> None:
    async with Echoing() as echoing:
        echoing.relay.stall()
        reader, writer = await echoing.dial()
        writer.write(b"a")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.readexactly(1)
        echoing.relay.resume()
        assert await reader.readexactly(1) == b"a"


async def test_a_relay_to_a_closed_port_resets() -> None:
    async with Echoing() as echoing:
        echoing.relay.to_port = 1
        reader, _writer = await echoing.dial()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
