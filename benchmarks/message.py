"""The processor time of the server for one WebSocket message, from the socket to the unit's waiting command.

A client drives at 100 messages a second, the highest sustained rate that the server allows, and the rival echoes the
same messages. The processor time with an open but silent socket is subtracted. Fake units that obey at once replace the
virtual head, because simulating the radio would cost more than the message.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect

from benchmarks.report import Result, compare
from benchmarks.serving import LOGIN, Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.client import ClientConnection

ROUNDS = 3
RATE_PER_S = 100
PING_EVERY = RATE_PER_S // 4  # messages, as a page does
DRIVE_S = 6.0
LEASE_TIMEOUT_S = 5.0
SILENT_S = 2.0


def run() -> list[Result]:
    """Measure both in turn."""
    ours: list[float] = []
    rival: list[float] = []
    for _ in range(ROUNDS):
        with Server("-m", "benchmarks.fake_units") as server:
            server.wait_connected()
            ours.append(asyncio.run(_drive(server)))
        with Server("-m", "benchmarks.rivals.bare_litestar") as server:
            server.wait_connected()
            rival.append(asyncio.run(_echo(server)))
    return [
        compare(
            "message-cost",
            f"processor time for one drive message at {RATE_PER_S} a second: socket, parsing, checks, fail-safe core, "
            "waiting command, and status and acknowledgements of both axes back to the page",
            "us",
            ours=ours,
            rival=rival,
            rival_is="a bare Litestar WebSocket that echoes the same message, unparsed",
        )
    ]


async def _drive(server: Server) -> float:
    """Take the lease and drive."""
    cookie = _cookie(server.link)
    headers = {"Cookie": cookie, "Origin": server.address}
    url = server.address.replace("http", "ws") + "/api/v1/control"
    async with connect(url, subprotocols=["belvedere.v1"], additional_headers=headers, compression=None) as socket:  # type: ignore[list-item]  # a NewType of str
        server_time = _ServerTime()
        await socket.send(json.dumps({"type": "hello", "clock": _clock()}))
        server_time.receive(await socket.recv())  # the welcome
        await socket.send(json.dumps({"type": "lease.acquire"}))
        epoch = await _epoch(socket)

        def drive(seq: int) -> str:
            speed = (seq % 50) / 100 + 0.2
            message = {"type": "drive", "epoch": epoch, "hold": 1, "seq": seq, "pan": speed, "tilt": -speed}
            return json.dumps({**message, "clock": _clock(), "heard": server_time.newest_ms})

        return await _cost(server, socket, drive, server_time)


async def _echo(server: Server) -> float:
    """Send the same messages to the rival."""
    async with connect(server.address.replace("http", "ws") + "/echo", compression=None) as socket:

        def drive(seq: int) -> str:
            message = {"type": "drive", "epoch": 1, "hold": 1, "seq": seq, "pan": 0.5, "tilt": -0.5}
            return json.dumps({**message, "clock": _clock(), "heard": _clock()})

        return await _cost(server, socket, drive, _ServerTime())


class _ServerTime:
    """The newest server time received; the rival sends none."""

    def __init__(self) -> None:
        self.newest_ms = 0.0
        self.received = asyncio.Event()

    def receive(self, text: str | bytes) -> None:
        message = json.loads(text)
        self.newest_ms = message.get("server", message.get("written", self.newest_ms))
        self.received.set()


async def _cost(
    server: Server, socket: ClientConnection, message: Callable[[int], str], server_time: _ServerTime
) -> float:
    """Microseconds per message, less the cost of silence; the pings of a driver are included."""
    reading = asyncio.create_task(_read(socket, server_time))
    before = server.cpu_s()
    await asyncio.sleep(SILENT_S)
    silent = (server.cpu_s() - before) / SILENT_S
    server_time.received.clear()
    await socket.send(json.dumps({"type": "ping", "clock": _clock()}))
    await server_time.received.wait()
    before, began, sent = server.cpu_s(), time.monotonic(), 0
    while sent < RATE_PER_S * DRIVE_S:
        await socket.send(message(sent))
        sent += 1
        if sent % PING_EVERY == 0:
            await socket.send(json.dumps({"type": "ping", "clock": _clock()}))
        await asyncio.sleep(max(0.0, began + sent / RATE_PER_S - time.monotonic()))
    elapsed_s = time.monotonic() - began
    cost_us = (server.cpu_s() - before - silent * elapsed_s) / sent * 1e6
    reading.cancel()
    return cost_us


async def _read(socket: ClientConnection, server_time: _ServerTime) -> None:
    async for message in socket:
        server_time.receive(message)


async def _epoch(socket: ClientConnection) -> int:
    async with asyncio.timeout(LEASE_TIMEOUT_S):
        while True:
            message = json.loads(await socket.recv())
            if message["type"] == "lease" and message["holder"] == "you":
                return int(message["epoch"])


def _cookie(link: str) -> str:
    """Redeem the link; returns the session cookie."""
    address, _, secret = link.partition("/join#")
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{address}{LOGIN}", json.dumps({"secret": secret}).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - likewise
        return str(answer.headers["set-cookie"]).partition(";")[0]


def _clock() -> float:
    return time.monotonic() * 1000
