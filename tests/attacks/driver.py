"""Somebody who drives over the WebSocket, lets go again and again, and knows how late the radio was told to stop."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.attacks.client import Session
    from websockets.asyncio.client import ClientConnection

RESEND_S = 0.05
HOLD_S = (0.12, 0.25)
REST_S = (0.02, 0.1)
GIVE_UP_S = 6.0  # a server that is held for longer is counted as that late
AXES = ("pan", "tilt")


class _HeldError(Exception):
    """The server did not go on."""


class Driver:
    """Drives as a page does.

    A stop's lateness is the time from the release's leaving here to its being handed to the radio, as the server's
    acknowledgement says: both processes read the same monotonic clock.

    Attributes:
        stops_ms: how late each stop of each axis was; `GIVE_UP_S` where none was seen.
        errors: what the server refused or told, and what did not come to pass.
    """

    def __init__(self, session: Session, chance: random.Random) -> None:
        self._session = session
        self._chance = chance
        self._epoch = 0
        self._hold = 0
        self._seq = 0
        self._heard_ms = 0.0
        self._is_ready = False
        self._let_go_ms: dict[int, float] = {}
        self._moved: set[str] = set()
        self._stopped: set[tuple[str, int]] = set()
        self._status_messages = asyncio.Event()
        self.stops_ms: list[float] = []
        self.errors: list[str] = []

    async def drive(self, seconds: float) -> None:
        """Come, acquire the lease, and press for so long."""
        url = self._session.address.replace("http", "ws") + "/api/v1/control"
        headers = {"Cookie": self._session.cookie, "Origin": self._session.address}
        async with connect(
            url,
            subprotocols=["belvedere.v1"],  # type: ignore[list-item]  # a NewType of str
            additional_headers=headers,
            compression=None,
            open_timeout=GIVE_UP_S,
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
                self.stops_ms.append(GIVE_UP_S * 1000)
            finally:
                reading.cancel()
                await socket.send(json.dumps({"type": "lease.return"}))

    async def _begin(self) -> None:
        await self._say("hello", clock=_now_ms())
        await self._say("lease.acquire")
        await self._until("the lease is ours and both units are in reach", lambda: self._epoch > 0 and self._is_ready)

    async def _press(self) -> None:
        """Hold for a while, let go, and see the stop written."""
        began_ms = _now_ms()
        await self._say("ping", clock=began_ms)  # a drive that is younger than nothing heard of late is refused
        await self._until("a ping is answered", lambda: self._heard_ms >= began_ms - 1)
        self._hold += 1
        let_go_at = time.monotonic() + self._chance.uniform(*HOLD_S)
        self._moved.clear()
        deadline_at = time.monotonic() + GIVE_UP_S
        while time.monotonic() < let_go_at or not self._moved:
            if time.monotonic() > deadline_at:
                raise _HeldError("it did not come to pass that it moves")
            await self._drive()
            await asyncio.sleep(RESEND_S)
        self._seq += 1
        moved, seq = set(self._moved), self._seq
        self._let_go_ms[seq] = _now_ms()
        await self._say("release", epoch=self._epoch, hold=self._hold, seq=seq, clock=self._let_go_ms[seq])
        await self._until("it is told to stop", lambda: all((axis, seq) in self._stopped for axis in moved))
        await asyncio.sleep(self._chance.uniform(*REST_S))

    async def _drive(self) -> None:
        self._seq += 1
        await self._say("ping", clock=_now_ms())  # what is heard in return shows how young the next is
        speed = self._chance.uniform(0.2, 0.6) * (-1) ** self._hold
        await self._say(
            "drive",
            epoch=self._epoch,
            hold=self._hold,
            seq=self._seq,
            pan=speed,
            tilt=speed / 2,
            clock=_now_ms(),
            heard=self._heard_ms,
        )

    async def _say(self, kind: str, **fields: float) -> None:
        await self._socket.send(json.dumps({"type": kind, **fields}))

    async def _until(self, what: str, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(GIVE_UP_S):
                while not condition():
                    self._status_messages.clear()
                    await self._status_messages.wait()
        except TimeoutError:
            raise _HeldError(f"it did not come to pass that {what}") from None

    async def _read(self, socket: ClientConnection) -> None:
        async for text in socket:
            self._receive(json.loads(text))
            self._status_messages.set()

    def _receive(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "ack", "axis": axis, "seq": seq, "written": written}:
                if seq in self._let_go_ms:
                    self._stopped.add((axis, seq))
                    self.stops_ms.append(written - self._let_go_ms[seq])
                else:
                    self._moved.add(axis)
            case {"type": "lease", "holder": "you", "epoch": epoch}:
                self._epoch = epoch
            case {"type": "state"}:
                self._is_ready = all(message[axis]["link"] == "ready" for axis in AXES)
            case {"type": "error" | "notice"}:
                self.errors.append(json.dumps(message))
        self._heard_ms = max(self._heard_ms, message.get("server", 0.0), message.get("written", 0.0))


def _now_ms() -> float:
    return time.monotonic() * 1000
