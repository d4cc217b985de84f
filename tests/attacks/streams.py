"""Attacks over the socket of the picture, by sessions that may look."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.attacks.target import Target
    from websockets.asyncio.client import ClientConnection

SOCKETS = 8
AGAIN_S = 0.05
START, ACKNOWLEDGEMENT, IDR_REQUEST = b"\x01", b"\x02" + bytes(8), b"\x03"


async def idr_requests(target: Target) -> None:
    """Requests for IDRs and old acknowledgements, at the rate that the server allows."""

    async def ask(socket: ClientConnection) -> None:
        async def once() -> None:
            await socket.send(IDR_REQUEST)
            await socket.send(ACKNOWLEDGEMENT)
            target.did_one("idr requests")

        await target.at_rate(55, once)

    await _on_sockets(target, ask)


async def floods_of_tiny_messages(target: Target) -> None:
    """Messages as fast as they can be sent; the server closes the socket each time."""

    async def flood(socket: ClientConnection) -> None:
        while True:
            await socket.send(IDR_REQUEST)
            target.did_one("messages")

    await _on_sockets(target, flood)


async def pictures_that_nobody_reads(target: Target) -> None:
    """Viewers that start and then read nothing."""

    async def sleep(_socket: ClientConnection) -> None:
        target.did_one("viewers")
        await asyncio.Event().wait()

    await _on_sockets(target, sleep)


async def viewers_that_come_and_go(target: Target) -> None:
    """Viewers that leave as soon as they have the first message."""

    async def receive(socket: ClientConnection) -> None:
        async with asyncio.timeout(1):
            await socket.recv()
        target.did_one("viewers")

    await _on_sockets(target, receive)


async def _on_sockets(target: Target, do: Callable[[ClientConnection], Awaitable[object]]) -> None:
    """Start the picture on several sockets, and do something on each; those that are closed are opened again."""

    async def on_one(number: int) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async with _connect(target, number) as socket:
                    await socket.send(START + b"view%d" % number)
                    await do(socket)
            await asyncio.sleep(AGAIN_S)

    await asyncio.gather(*(on_one(number) for number in range(SOCKETS)))


def _connect(target: Target, number: int) -> connect:
    session = target.sessions[number % len(target.sessions)]
    return connect(
        session.address.replace("http", "ws") + "/api/v1/stage/stream",
        subprotocols=["belvedere.video.v1"],  # type: ignore[list-item]  # a NewType of str
        additional_headers={"Cookie": session.cookie, "Origin": session.address},
        compression=None,
        ping_interval=None,
        close_timeout=0.5,
        max_queue=1,  # what is not read stays in the kernel, and stops the server
    )


ATTACKS = (
    idr_requests,
    floods_of_tiny_messages,
    pictures_that_nobody_reads,
    viewers_that_come_and_go,
)
