"""A close ends in time, whatever the peer does, and a request's age counts from its first byte.

The latter over real sockets, because it is the kernel that knows of the wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.memory_transport import MemoryTransport

from belvedere.gateway.http_protocol import MAX_BODY_BYTES
from belvedere.gateway.server import listen, serve
from belvedere.gateway.transport import FLUSH_TIMEOUT_S, BoundedTransport, age_s

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


STALL_S = 0.3
HEAD = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\n"
TIMEOUT_S = 10.0


def test_a_request_without_a_recorded_arrival_has_age_zero() -> None:
    assert age_s({}) == 0
    assert age_s({"state": {}}) == 0


class Asked:
    """A connection to a server that answers how old each request was once its body had come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, data: bytes) -> None:
        """Give this to the kernel, at once."""
        self._writer.write(data)

    async def age_s(self) -> float:
        """What the next answer says."""
        async with asyncio.timeout(TIMEOUT_S):
            await self._reader.readuntil(b"\r\n\r\n")
            return float(await self._reader.readline())


async def tell_age(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's
    """Read the body and answer with the request's age."""
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(STALL_S if scope["path"] == "/slow" else 0)
    body = f"{age_s(scope)}\n".encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def asked() -> AsyncIterator[Asked]:
    """Connect to such a server."""
    sockets, started = listen("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(serve(tell_age, sockets, started.set))
    await started.wait()
    reader, writer = await asyncio.open_connection(*sockets[0].getsockname())
    try:
        yield Asked(reader, writer)
    finally:
        writer.close()
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


@pytest.mark.realtime
async def test_the_wait_for_the_last_byte_counts() -> None:
    async with asked() as connection:
        connection.send(HEAD + b"o")
        await asyncio.sleep(STALL_S)
        connection.send(b"k")
        assert await connection.age_s() >= STALL_S


@pytest.mark.realtime
async def test_the_wait_in_the_kernel_while_the_loop_was_blocked_counts() -> None:
    async with asked() as connection:
        connection.send(HEAD + b"ok")
        time.sleep(STALL_S)  # noqa: ASYNC251 - the loop is held up
        assert await connection.age_s() >= STALL_S - 0.01  # the kernel counts in its own ticks


@pytest.mark.realtime
@pytest.mark.alone
async def test_each_request_of_a_connection_has_its_own_first_byte() -> None:
    async with asked() as connection:
        connection.send(HEAD + b"ok")
        assert await connection.age_s() < STALL_S
        await asyncio.sleep(STALL_S)
        connection.send(HEAD + b"ok")
        assert await connection.age_s() < STALL_S
        connection.send(HEAD[:20])
        await asyncio.sleep(STALL_S)
        connection.send(HEAD[20:] + b"ok")
        assert await connection.age_s() >= STALL_S


@pytest.mark.realtime
@pytest.mark.alone
async def test_a_pipelined_request_is_no_younger_than_the_one_before() -> None:
    async with asked() as connection:
        connection.send(HEAD + b"ok" + HEAD + b"o")
        assert await connection.age_s() < STALL_S
        await asyncio.sleep(STALL_S)
        connection.send(b"k")
        assert await connection.age_s() >= STALL_S


@pytest.mark.realtime
async def test_the_wait_behind_slow_responses_counts() -> None:
    async with asked() as connection:
        connection.send(b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n" + 3 * (HEAD + b"ok"))
        await asyncio.sleep(0.9 * STALL_S)
        connection.send(HEAD[:1])  # the kernel knows when the newest byte came, not the first
        assert await connection.age_s() >= STALL_S
        for _ in range(3):
            assert await connection.age_s() >= STALL_S


@pytest.mark.realtime
async def test_the_wait_in_the_kernel_while_reading_was_paused_counts() -> None:
    body = MAX_BODY_BYTES // 2
    large = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % body
    async with asked() as connection:
        connection.send(b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n" + large + bytes(body - 1))
        await asyncio.sleep(STALL_S / 3)
        connection.send(bytes(1) + HEAD + b"ok")
        await asyncio.sleep(STALL_S / 2)
        connection.send(HEAD[:1])  # the kernel knows when the newest byte came, not the first
        for _ in range(3):
            assert await connection.age_s() >= STALL_S / 2


def bounded() -> tuple[BoundedTransport, MemoryTransport]:
    transport = MemoryTransport()
    transport.connect(asyncio.Protocol())
    return BoundedTransport(transport), transport


async def test_it_closes_like_any_transport() -> None:
    ours, transport = bounded()
    ours.write(b"a")
    ours.close()
    assert ours.is_closing()
    assert (transport.sent, transport.is_over, transport.is_aborted) == (b"a", True, False)


async def test_what_cannot_be_sent_is_discarded_after_a_time() -> None:
    ours, transport = bounded()
    transport.takes_nothing = True
    ours.write(b"a")
    ours.close()
    ours.close()
    await asyncio.sleep(FLUSH_TIMEOUT_S - 0.1)
    assert not transport.is_over
    await asyncio.sleep(0.2)
    assert transport.is_aborted


async def test_a_closed_connection_is_not_aborted_again() -> None:
    ours, transport = bounded()
    transport.takes_nothing = True
    ours.write(b"a")
    ours.close()
    ours.receive_lost()
    await asyncio.sleep(FLUSH_TIMEOUT_S + 1)
    assert not transport.is_aborted
