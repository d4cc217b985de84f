"""The program ends mid-move, by a signal or by a bug: each unit gets a stop, and the exit status says which it was."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from belvedere.app.lifecycle import run_until_ended
from belvedere.app.settings import DEMO, PatternCameraSettings, resolve
from belvedere.gateway.messages import SUBPROTOCOL
from belvedere.gateway.options import GatewayOptions
from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import stop_frame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from belvedere.app.build import Belvedere
    from belvedere.app.opening import Opened
    from belvedere.link.supervisor import UnitStatus, UnitSupervisor
    from belvedere.sim.unit import VirtualUnit

pytestmark = pytest.mark.realtime

TIMEOUT_S = 30.0
SLACK_S = 0.5  # what a busy machine may add to two link intervals
RESEND_S = 0.05
CONFIG = resolve(msgspec.structs.replace(DEMO, server=GatewayOptions(port=0), camera=PatternCameraSettings()))
STOP = stop_frame(CONFIG.profile.frame)


class BrokenUnit:
    """A unit that takes a few moves, and then raises an error that the engine does not expect."""

    def __init__(self, unit: UnitSupervisor, good_moves: int) -> None:
        self._unit = unit
        self._good_moves = good_moves

    @property
    def status(self) -> UnitStatus:
        """The real unit's status."""
        return self._unit.status

    def put(self, velocity: float, stamp: object | None = None) -> None:
        """Pass the command on, or raise after the good moves."""
        if velocity:
            self._good_moves -= 1
        if velocity and self._good_moves < 0:
            raise ZeroDivisionError("a part of the engine is broken")
        self._unit.put(velocity, stamp)


class RunningServer:
    """A server that runs in the test's own event loop."""

    def __init__(self) -> None:
        self.opened: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
        self.built: list[Belvedere] = []

    def begin(self) -> asyncio.Task[int]:
        """Run it; the task returns the exit status."""
        return asyncio.create_task(run_until_ended(CONFIG, self.opened.set_result, on_built=self.built.append))

    def unit(self, axis: Axis = Axis.PAN) -> VirtualUnit:
        """One of the virtual units."""
        head = self.built[0].virtual_head
        assert head is not None
        return head.unit(axis)

    def _is_turning(self, axis: Axis) -> bool:
        frames = self.unit(axis).frames
        return bool(frames) and frames[-1].frame != STOP

    async def turning(self) -> None:
        """Wait until both units turn."""
        async with asyncio.timeout(TIMEOUT_S):
            while not all(map(self._is_turning, AXES)):  # noqa: ASYNC110 - units have no event for it
                await asyncio.sleep(0.005)

    def first_stops(self) -> list[float]:
        """When each unit got the first stop after its last move; fails if one got none."""
        times = []
        for axis in AXES:
            frames = list(self.unit(axis).frames)
            moves = [index for index, frame in enumerate(frames) if frame.frame != STOP]
            assert moves[-1] + 1 < len(frames), f"{axis} was left turning"
            times.append(frames[moves[-1] + 1].at_s)
        return times


def cookie_for(link: str) -> str:
    """Redeem an invitation, as a browser does when its button is pressed."""
    address = urlsplit(link)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)
    content = msgspec.json.encode({"secret": address.fragment})
    connection.request("POST", "/api/v1/login/invitation", content, {"content-type": "application/json"})
    response = connection.getresponse()
    cookie = response.getheader("set-cookie", "").partition(";")[0]
    connection.close()
    assert cookie, f"the link was not redeemed: {response.status}"
    return cookie


async def hold(socket: ClientConnection) -> None:
    """Send hello, take the lease when the head is there, and hold to the right and up until the socket ends."""
    clock = time.monotonic

    async def send(what: str, **fields: object) -> None:
        await socket.send(msgspec.json.encode({"type": what, **fields}).decode())

    await send("hello", clock=clock() * 1000)
    await send("lease.acquire")
    epoch, ready = 0, False
    async for text in socket:
        message = msgspec.json.decode(text)
        if message["type"] == "lease" and message["holder"] == "you":
            epoch = message["epoch"]
        if message["type"] == "state":
            ready = all(message[axis]["link"] == "ready" for axis in AXES)
        if epoch and ready:
            break
    for seq in range(1, 100_000):
        await send("ping", clock=clock() * 1000)
        while (message := msgspec.json.decode(await socket.recv()))["type"] != "pong":
            pass
        now_ms, heard_ms = clock() * 1000, message["server"]
        await send("drive", epoch=epoch, hold=1, seq=seq, pan=1.0, tilt=0.2, clock=now_ms, heard=heard_ms)
        await asyncio.sleep(RESEND_S)


@asynccontextmanager
async def driver(link: str) -> AsyncIterator[None]:
    """A client that holds until the end of the block, whatever happens."""
    cookie = await asyncio.to_thread(cookie_for, link)
    address = urlsplit(link).netloc
    async with connect(
        f"ws://{address}/api/v1/control", subprotocols=[Subprotocol(SUBPROTOCOL)], additional_headers={"cookie": cookie}
    ) as socket:
        holding = asyncio.create_task(hold(socket))
        try:
            yield
        finally:
            holding.cancel()
            await asyncio.wait({holding})


@pytest.mark.alone
async def test_sigterm_mid_move_stops_each_unit_at_once_and_ends_with_status_0() -> None:
    server = RunningServer()
    running = server.begin()
    async with asyncio.timeout(TIMEOUT_S), driver((await server.opened).link):
        await server.turning()
        os.kill(os.getpid(), signal.SIGTERM)
        signalled_at = time.monotonic()
        status = await running
    assert status == 0
    assert max(server.first_stops()) - signalled_at <= SLACK_S


async def test_an_exception_inside_the_loop_stops_both_units_and_ends_with_status_1(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = RunningServer()
    running = server.begin()
    async with asyncio.timeout(TIMEOUT_S):
        link = (await server.opened).link
        belvedere = server.built[0]
        belvedere.engine.attach(Axis.TILT, BrokenUnit(belvedere.units[Axis.TILT], good_moves=5))
        async with driver(link):
            status = await running
    assert status == 1
    assert "the engine failed" in caplog.text
    assert server.first_stops()


async def test_the_demo_process_ends_with_status_0_and_no_traceback_on_sigterm_mid_move() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "belvedere.cli", "demo", "--no-browser", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(TIMEOUT_S):
        link = ""
        while not link:
            words = (await process.stdout.readline()).decode().split()
            link = next((word for word in words if word.startswith("http://")), "")
        async with driver(link):
            await asyncio.sleep(2 * RESEND_S)
            process.send_signal(signal.SIGTERM)
            _out, errors = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in errors
