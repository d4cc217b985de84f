"""Drives over the WebSocket, releases again and again, and measures how late each stop was written."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from websockets.asyncio.client import connect

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.attacks.client import Session
    from websockets.asyncio.client import ClientConnection

RESEND_S = 0.05
HOLD_S = (0.06, 0.15)
REST_S = (0.01, 0.05)
TIMEOUT_S = 6.0  # a server that is blocked for longer counts as that late
AXES = ("pan", "tilt")


class Stop(NamedTuple):
    """The stop of an axis after a release, by the monotonic clock, which both processes read."""

    axis: str
    released_ms: float
    written_ms: float


class _HeldError(Exception):
    """The server did not react in time."""


class Driver:
    """Drives as a page does.

    Attributes:
        stops: each release and when its stop was written, as acknowledged; after `TIMEOUT_S` where none was seen.
        pings_ms: from sending each ping to the server's reply to it.
        errors: what the server refused or gave notice of, and what did not happen in time.
    """

    def __init__(self, session: Session, chance: random.Random) -> None:
        self._session = session
        self._chance = chance
        self._epoch = 0
        self._hold = 0
        self._seq = 0
        self._server_time_ms = 0.0
        self._is_ready = False
        self._released_ms: dict[int, float] = {}
        self._moved: set[str] = set()
        self._stopped: set[tuple[str, int]] = set()
        self._changed = asyncio.Event()
        self.stops: list[Stop] = []
        self.pings_ms: list[float] = []
        self.errors: list[str] = []

    async def drive(self, seconds: float) -> None:
        """Connect, acquire the lease, and press for this long."""
        url = self._session.address.replace("http", "ws") + "/api/v1/control"
        headers = {"Cookie": self._session.cookie, "Origin": self._session.address}
        async with connect(
            url,
            subprotocols=["belvedere.v1"],  # type: ignore[list-item]  # a NewType of str
            additional_headers=headers,
            compression=None,
            open_timeout=TIMEOUT_S,
            ping_interval=None,
        ) as socket:
            self._socket = socket
            reading = asyncio.create_task(self._read(socket))
            try:
                await self._begin()
                end_at = time.monotonic() + seconds
                while time.monotonic() < end_at:
                    await self._press()
            except _HeldError as error:
                self.errors.append(str(error))
                now_ms = _now_ms()
                self.stops += [Stop(axis, now_ms - TIMEOUT_S * 1000, now_ms) for axis in AXES]
            finally:
                reading.cancel()
                await socket.send(json.dumps({"type": "lease.return"}))

    async def _begin(self) -> None:
        await self._send("hello", clock=_now_ms())
        await self._send("lease.acquire")
        await self._until("the lease is ours and both units are in reach", lambda: self._epoch > 0 and self._is_ready)

    async def _press(self) -> None:
        """Hold for a while, release, and wait until the stop is written."""
        began_ms = _now_ms()
        await self._send("ping", clock=began_ms)  # a drive without a recent server time is refused
        await self._until("a ping is answered", lambda: self._server_time_ms >= began_ms - 1)
        self._hold += 1
        release_at = time.monotonic() + self._chance.uniform(*HOLD_S)
        self._moved.clear()
        deadline_at = time.monotonic() + TIMEOUT_S
        while time.monotonic() < release_at or not self._moved:
            if time.monotonic() > deadline_at:
                raise _HeldError("timed out waiting until the head moves")
            await self._drive()
            await asyncio.sleep(RESEND_S)
        self._seq += 1
        moved, seq = set(self._moved), self._seq
        self._released_ms[seq] = _now_ms()
        await self._send("release", epoch=self._epoch, hold=self._hold, seq=seq, clock=self._released_ms[seq])
        await self._until("the stop is written", lambda: all((axis, seq) in self._stopped for axis in moved))
        await asyncio.sleep(self._chance.uniform(*REST_S))

    async def _drive(self) -> None:
        self._seq += 1
        await self._send("ping", clock=_now_ms())  # the pong's server time proves how recent the next drive is
        speed = self._chance.uniform(0.2, 0.6) * (-1) ** self._hold
        await self._send(
            "drive",
            epoch=self._epoch,
            hold=self._hold,
            seq=self._seq,
            pan=speed,
            tilt=speed / 2,
            clock=_now_ms(),
            heard=self._server_time_ms,
        )

    async def _send(self, kind: str, **fields: float) -> None:
        await self._socket.send(json.dumps({"type": kind, **fields}))

    async def _until(self, what: str, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise _HeldError(f"timed out waiting until {what}") from None

    async def _read(self, socket: ClientConnection) -> None:
        async for text in socket:
            self._receive(json.loads(text))
            self._changed.set()

    def _receive(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "ack", "axis": axis, "seq": seq, "written": written}:
                if seq in self._released_ms:
                    self._stopped.add((axis, seq))
                    self.stops.append(Stop(axis, self._released_ms[seq], written))
                else:
                    self._moved.add(axis)
            case {"type": "pong", "clock": sent, "server": replied}:
                self.pings_ms.append(replied - sent)
            case {"type": "lease", "holder": "you", "epoch": epoch}:
                self._epoch = epoch
            case {"type": "state"}:
                self._is_ready = all(message[axis]["link"] == "ready" for axis in AXES)
            case {"type": "error" | "notice"}:
                self.errors.append(json.dumps(message))
        self._server_time_ms = max(self._server_time_ms, message.get("server", 0.0), message.get("written", 0.0))


def _now_ms() -> float:
    return time.monotonic() * 1000
