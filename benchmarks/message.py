"""What it costs to take a WebSocket message until it is the unit's latest command, in the server's processor time.

A client drives at 100 messages a second, as fast as the server's limit allows for long, and the rival echoes the same
messages. What a server takes with the socket open and silent is taken off. Instead of a virtual head there are units
that obey at once, because the air that it simulates would cost more than the message.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect

from benchmarks.report import Result, compare
from benchmarks.serving import Server

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
    """Both in turn."""
    ours: list[float] = []
    rival: list[float] = []
    for _ in range(ROUNDS):
        with Server("-m", "benchmarks.fake_units") as server:
            server.stop_and_verify()
            ours.append(asyncio.run(_drive(server)))
        with Server("-m", "benchmarks.rivals.bare_litestar") as server:
            server.stop_and_verify()
            rival.append(asyncio.run(_echo(server)))
    return [
        compare(
            "message-cost",
            f"processor time for one drive message at {RATE_PER_S} a second: socket, parsing, checks, fail-safe core, "
            "latest command, and status and acknowledgements of both axes back to the page",
            "us",
            ours=ours,
            rival=rival,
            rival_is="a bare Litestar WebSocket that echoes the same message, unparsed",
        )
    ]


async def _drive(server: Server) -> float:
    """Drive with the lease."""
    cookie = _cookie(server.link)
    headers = {"Cookie": cookie, "Origin": server.address}
    url = server.address.replace("http", "ws") + "/api/v1/control"
    async with connect(url, subprotocols=["belvedere.v1"], additional_headers=headers, compression=None) as socket:  # type: ignore[list-item]  # a NewType of str
        told = _Told()
        await socket.send(json.dumps({"type": "hello", "clock": _clock()}))
        told.receive(await socket.recv())  # the welcome
        await socket.send(json.dumps({"type": "lease.acquire"}))
        epoch = await _epoch(socket)

        def drive(seq: int) -> str:
            speed = (seq % 50) / 100 + 0.2
            message = {"type": "drive", "epoch": epoch, "hold": 1, "seq": seq, "pan": speed, "tilt": -speed}
            return json.dumps({**message, "clock": _clock(), "heard": told.newest_ms})

        return await _cost(server, socket, drive, told)


async def _echo(server: Server) -> float:
    """The same messages."""
    async with connect(server.address.replace("http", "ws") + "/echo", compression=None) as socket:

        def drive(seq: int) -> str:
            message = {"type": "drive", "epoch": 1, "hold": 1, "seq": seq, "pan": 0.5, "tilt": -0.5}
            return json.dumps({**message, "clock": _clock(), "heard": _clock()})

        return await _cost(server, socket, drive, _Told())


class _Told:
    """The newest time that a server told of its clock; the rival tells none."""

    def __init__(self) -> None:
        self.newest_ms = 0.0
        self.anything = asyncio.Event()

    def receive(self, text: str | bytes) -> None:
        message = json.loads(text)
        self.newest_ms = message.get("server", message.get("written", self.newest_ms))
        self.anything.set()


async def _cost(server: Server, socket: ClientConnection, message: Callable[[int], str], told: _Told) -> float:
    """Microseconds a message, without what silence costs; the pings of whoever drives are part of the cost."""
    reading = asyncio.create_task(_read(socket, told))
    before = server.cpu_s()
    await asyncio.sleep(SILENT_S)
    silent = (server.cpu_s() - before) / SILENT_S
    told.anything.clear()
    await socket.send(json.dumps({"type": "ping", "clock": _clock()}))
    await told.anything.wait()
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


async def _read(socket: ClientConnection, told: _Told) -> None:
    async for message in socket:
        told.receive(message)


async def _epoch(socket: ClientConnection) -> int:
    async with asyncio.timeout(LEASE_TIMEOUT_S):
        while True:
            message = json.loads(await socket.recv())
            if message["type"] == "lease" and message["holder"] == "you":
                return int(message["epoch"])


def _cookie(link: str) -> str:
    """Come in by the link, and keep what the door gives."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_request: object) -> None:
            return None

    opener = urllib.request.build_opener(Stay)
    try:
        opener.open(link, data=b"")
    except urllib.error.HTTPError as answer:
        return str(answer.headers["set-cookie"]).partition(";")[0]
    raise RuntimeError("the door did not answer with a redirect")


def _clock() -> float:
    return time.monotonic() * 1000
