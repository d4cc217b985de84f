"""Attacks over TCP, by strangers: anyone who can reach the port."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.attacks.target import Target

CONNECTIONS = 140
AGAIN_S = 0.1
BODY_BYTES_PER_S = 50e6
PIECE = bytes(64 * 1024)


async def half_requests(target: Target) -> None:
    """A whole request, and then half of another."""
    await _many(target, lambda host: _get(host) + _get(host)[:-2])


async def slow_requests(target: Target) -> None:
    """Requests of a byte a second."""

    async def one(number: int) -> None:
        async with _connected(target) as (_reader, writer):
            for byte in itertools.cycle(_get(target.sessions[0].host)[:-2] + b"X-A: b\r\n"):
                writer.write(bytes([byte]))
                await writer.drain()
                target.did_one("bytes")
                await asyncio.sleep(1 + number / CONNECTIONS / 10)

    await _at_once(one)


async def endless_bodies(target: Target) -> None:
    """Bodies that go on without end after they were refused."""

    async def one(number: int) -> None:
        if number >= 4:
            return
        async with _connected(target) as (_reader, writer):
            writer.write(_head("POST", target.sessions[0].host, "Transfer-Encoding: chunked"))
            chunk = b"%x\r\n" % len(PIECE) + PIECE + b"\r\n"

            async def once() -> None:
                writer.write(chunk)
                await writer.drain()
                target.did_one("MB/16")

            await target.at_rate(BODY_BYTES_PER_S / 4 / len(PIECE), once)

    await _at_once(one)


async def refused_requests(target: Target) -> None:
    """Requests without a session, on a few connections."""
    await _ask_without_end(target, _get)


async def pipelined_requests(target: Target) -> None:
    """Dozens of pipelined requests at once."""
    await _ask_without_end(target, lambda host: _get(host) * 64, per_s=20)


async def odd_upgrades(target: Target) -> None:
    """Invalid upgrades to WebSocket: with a body, with many headers, with a large one, without a key."""
    common = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    odd = [
        common + key + "Content-Length: 5",
        common + key + "\r\n".join(f"X-{n}: y" for n in range(140)),
        common + key + "X-Long: " + "x" * 9000,
        common + "X-No: key",
        common.replace("13", "7") + key.rstrip(),
        common + key + "Transfer-Encoding: chunked",
    ]
    numbers = itertools.count()

    def next_odd(host: str) -> bytes:
        return _head("GET", host, odd[next(numbers) % len(odd)], "/api/v1/control")

    await _ask_without_end(target, next_odd, per_s=100, stays=False)


async def foreign_origins(target: Target) -> None:
    """Upgrades of another site's pages, and of strangers."""
    upgrade = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://elsewhere.example"
    )
    await _ask_without_end(target, lambda host: _head("GET", host, upgrade, "/api/v1/control"), per_s=200, stays=False)


async def connection_churn(target: Target) -> None:
    """Connections that are opened and closed."""

    async def one(number: int) -> None:
        if number >= 8:
            return
        async with _connected(target):
            target.did_one("connections")

    await _at_once(one, again_s=0.01)


async def _many(target: Target, what: Callable[[str], bytes]) -> None:
    """Connections that each send something, and then nothing."""

    async def one(_number: int) -> None:
        async with _connected(target) as (reader, writer):
            writer.write(what(target.sessions[0].host))
            target.did_one("connections")
            while await reader.read(4096):
                pass

    await _at_once(one)


async def _ask_without_end(
    target: Target, what: Callable[[str], bytes], per_s: float = 100, *, stays: bool = True
) -> None:
    """Send something at a rate on each of several connections, and read the responses."""

    async def one(number: int) -> None:
        if number >= 8:
            return
        async with _connected(target) as (reader, writer):
            taking = asyncio.ensure_future(_take(reader))

            async def once() -> None:
                if taking.done():
                    raise ConnectionError
                writer.write(what(target.sessions[0].host))
                await writer.drain()
                target.did_one("requests")
                if not stays:
                    raise ConnectionError

            try:
                await target.at_rate(per_s, once)
            finally:
                taking.cancel()

    await _at_once(one, again_s=1 / per_s)


async def _take(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


async def _at_once(do: Callable[[int], Awaitable[None]], again_s: float = AGAIN_S) -> None:
    """Do it many times concurrently; what fails is started again."""

    async def without_end(number: int) -> None:
        while True:
            with contextlib.suppress(OSError):
                await do(number)
            await asyncio.sleep(again_s)

    await asyncio.gather(*(without_end(number) for number in range(CONNECTIONS)))


@contextlib.asynccontextmanager
async def _connected(target: Target) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.sessions[0].port)
    try:
        yield reader, writer
    finally:
        writer.close()


def _get(host: str) -> bytes:
    return _head("GET", host, "Accept: */*")


def _head(method: str, host: str, headers: str, path: str = "/") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n\r\n".encode()


ATTACKS = (
    half_requests,
    slow_requests,
    endless_bodies,
    refused_requests,
    pipelined_requests,
    odd_upgrades,
    foreign_origins,
    connection_churn,
)
