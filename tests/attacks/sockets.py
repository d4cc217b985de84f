"""Attacks over the WebSocket, by a session that does not drive."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.attacks.target import Target
    from websockets.asyncio.client import ClientConnection

SOCKETS = 8
AGAIN_S = 0.05


async def nothing(target: Target) -> None:
    """No attack, for comparison."""
    target.has_begun.set()
    await asyncio.Event().wait()


async def ping_flood(target: Target) -> None:
    """Pings of the WebSocket protocol, at the rate of bytes that the server allows."""
    await _on_sockets(target, 400, lambda socket: socket.ping(b"x" * 100))


async def largest_frames(target: Target) -> None:
    """Messages as large as one may be."""
    await _on_sockets(target, 15, lambda socket: socket.send("x" * 4096))


async def malformed_messages(target: Target) -> None:
    """Invalid or deeply nested JSON."""
    texts = ["{", '{"type":"drive"}', "[" * 500, '{"type":"ping","clock":1e999}', "\u0000" * 100]
    await _on_sockets(target, 100, lambda socket: socket.send(texts[int(time.monotonic() * 1000) % len(texts)]))


async def drives_of_others(target: Target) -> None:
    """Valid messages of a session without the lease, at nearly the rate that is allowed."""
    message = {"type": "drive", "epoch": 1, "hold": 1, "pan": 0.5, "tilt": 0.5, "heard": 0.0}

    async def drive(socket: ClientConnection) -> None:
        now = time.monotonic() * 1000
        await socket.send(json.dumps({**message, "seq": int(now), "clock": now}))

    await _on_sockets(target, 110, drive)


async def reconnecting_sockets(target: Target) -> None:
    """Sockets that connect and disconnect."""

    async def reconnect() -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async with _connect(target, 0) as socket:
                    await socket.send(json.dumps({"type": "hello", "clock": 0}))
                    target.did_one("sockets")
            await asyncio.sleep(AGAIN_S)

    await asyncio.gather(*(reconnect() for _ in range(SOCKETS)))


async def _on_sockets(target: Target, per_s: float, do: Callable[[ClientConnection], Awaitable[object]]) -> None:
    """Do something at a rate on each of several sockets; those that are closed reconnect."""

    async def on_one(number: int) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async with _connect(target, number) as socket:
                    await socket.send(json.dumps({"type": "hello", "clock": 0}))

                    async def once(socket: ClientConnection = socket) -> None:
                        await do(socket)
                        target.did_one("messages")

                    await target.at_rate(per_s, once)
            await asyncio.sleep(AGAIN_S)

    await asyncio.gather(*(on_one(number) for number in range(SOCKETS)))


def _connect(target: Target, number: int) -> connect:
    session = target.sessions[number % len(target.sessions)]
    return connect(
        session.address.replace("http", "ws") + "/api/v1/control",
        subprotocols=["belvedere.v1"],  # type: ignore[list-item]  # a NewType of str
        additional_headers={"Cookie": session.cookie, "Origin": session.address},
        compression=None,
        ping_interval=None,
        close_timeout=0.5,
    )


ATTACKS = (
    nothing,
    ping_flood,
    largest_frames,
    malformed_messages,
    drives_of_others,
    reconnecting_sockets,
)
