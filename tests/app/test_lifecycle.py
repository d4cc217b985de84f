"""The whole program on the real clock: a real server on a free port, and the virtual head."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import sqlite3
import time
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.store.saved import saved

from belvedere.app.lifecycle import run_until_ended
from belvedere.app.settings import DEMO, Config, PatternCameraSettings, StoreSettings, resolve
from belvedere.control.lease import LeaseVerb
from belvedere.control.setpoint import Setpoint
from belvedere.errors import OwnerError
from belvedere.gateway.options import GatewayOptions
from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import stop_frame
from belvedere.head.profile import shipped_profile
from belvedere.store.positions import Position

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from belvedere.app.build import Belvedere

pytestmark = pytest.mark.realtime
WAIT_TIMEOUT_S = 60
STOP = stop_frame(shipped_profile("zeapon-pons-pt").frame)


def config_on(port: int = 0, store: str = "") -> Config:
    server, kept = GatewayOptions(port=port), StoreSettings(file=store)
    return resolve(msgspec.structs.replace(DEMO, server=server, camera=PatternCameraSettings(), store=kept))


@dataclass
class RunningProgram:
    """Records the calls of `run_until_ended`."""

    ending: asyncio.Event = field(default_factory=asyncio.Event)
    link: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    built: list[Belvedere] = field(default_factory=list)

    def begin(self, config: Config) -> asyncio.Task[int]:
        return asyncio.create_task(
            run_until_ended(
                config, lambda opened: self.link.set_result(opened.link), ending=self.ending, on_built=self.built.append
            )
        )

    async def until_connected(self) -> None:
        """Wait until both virtual units have received a command."""
        head = self.built[0].virtual_head
        assert head is not None
        async with asyncio.timeout(WAIT_TIMEOUT_S):
            while not all(head.unit(axis).frames for axis in AXES):  # noqa: ASYNC110 - units have no event for it
                await asyncio.sleep(0.01)


async def test_the_program_starts_serves_and_ends_with_a_stop_to_each_unit() -> None:
    program = RunningProgram()
    running = program.begin(config_on())
    async with asyncio.timeout(WAIT_TIMEOUT_S):
        link = await program.link
    address = link.partition("/join#")[0]
    answer = await asyncio.to_thread(lambda: urllib.request.urlopen(f"{address}/healthz").status)  # noqa: S310 - our own
    await program.until_connected()
    program.ending.set()
    assert (answer, await running) == (200, 0)
    head = program.built[0].virtual_head
    assert head is not None
    profile = config_on().profile
    assert all(head.unit(axis).frames[-1].frame == stop_frame(profile.frame) for axis in AXES)


async def test_a_part_that_fails_ends_the_program_with_status_1(caplog: pytest.LogCaptureFixture) -> None:
    program = RunningProgram()
    running = program.begin(config_on())
    async with asyncio.timeout(WAIT_TIMEOUT_S):
        await program.link
    await program.until_connected()
    next(task for task in asyncio.all_tasks() if task.get_name() == "pan unit").cancel()
    assert await running == 1
    assert "the pan unit task failed" in caplog.text


async def test_a_port_in_use_is_an_owner_error_and_nothing_is_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OwnerError, match="cannot listen"):
        await run_until_ended(config_on(taken.getsockname()[1]), print)


async def drive_pan(belvedere: Belvedere) -> None:
    """Hold to the right until the virtual unit turns."""
    engine, head = belvedere.engine, belvedere.virtual_head
    assert head is not None
    engine.receive_session_opened("ann", "ann")
    engine.receive_lease("ann", LeaseVerb.ACQUIRE)
    seq = 0
    async with asyncio.timeout(WAIT_TIMEOUT_S):
        while not head.pan.frames or head.pan.frames[-1].frame == STOP:
            seq += 1
            now = time.monotonic()
            setpoint = Setpoint(epoch=1, hold=seq, seq=seq, pan=0.5, tilt=0, sent_at_s=now, heard_s=now)
            engine.receive_drive("ann", setpoint)
            await asyncio.sleep(0.05)


async def test_a_unit_out_of_reach_at_shutdown_is_searched_for_and_stopped() -> None:
    program = RunningProgram()
    running = program.begin(config_on())
    async with asyncio.timeout(WAIT_TIMEOUT_S):
        await program.link
    await program.until_connected()
    head = program.built[0].virtual_head
    assert head is not None
    await drive_pan(program.built[0])
    head.faults.drop(Axis.PAN)
    program.ending.set()
    assert await running == 0
    assert head.pan.frames[-1].frame == STOP


async def test_a_unit_that_could_not_be_stopped_gives_status_1_and_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    program = RunningProgram()
    running = program.begin(config_on())
    async with asyncio.timeout(WAIT_TIMEOUT_S):
        await program.link
    await program.until_connected()
    head = program.built[0].virtual_head
    assert head is not None
    await drive_pan(program.built[0])
    head.faults.vanish(Axis.PAN)
    head.faults.drop(Axis.PAN)
    program.ending.set()
    assert await running == 1
    assert "may still be turning" in caplog.text


@pytest.fixture
def saves_no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head never rests long enough for its position to be saved as sure, however slow this machine is."""
    monkeypatch.setattr("belvedere.app.position_recorder.REST_S", 600.0)


@pytest.mark.usefixtures("saves_no_rest")
async def test_the_saved_position_is_not_sure_while_the_head_may_move_and_sure_after_shutdown(
    tmp_path: Path,
) -> None:
    path = tmp_path / "it.sqlite3"
    for _ in range(2):  # and the second time it goes on from there
        program = RunningProgram()
        running = program.begin(config_on(store=str(path)))
        async with asyncio.timeout(WAIT_TIMEOUT_S):
            await program.link
        await program.until_connected()
        await drive_pan(program.built[0])
        assert {kept.is_sure for kept in saved(path).values()} == {False}  # what a kill would leave now
        program.ending.set()
        assert await running == 0
        stands = program.built[0].engine.status.pan
        assert stands.position_deg
        assert stands.is_position_sure
        assert saved(path)["pan"] == Position(stands.position_deg, is_sure=True)


@pytest.mark.usefixtures("saves_no_rest")
async def test_a_locked_store_delays_neither_driving_nor_shutdown_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "it.sqlite3"
    program = RunningProgram()
    running = program.begin(config_on(store=str(path)))
    async with asyncio.timeout(WAIT_TIMEOUT_S):
        await program.link
    await program.until_connected()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    await drive_pan(program.built[0])
    program.ending.set()
    assert await running == 0
    other.close()
    assert "could not save the position of pan" in caplog.text
    assert not saved(path)["pan"].is_sure


def come_in(link: str) -> str:
    """Redeem the link; returns the secret in the session's cookie."""
    address, _, token = link.removeprefix("http://").partition("/join#")
    connection = http.client.HTTPConnection(address, timeout=WAIT_TIMEOUT_S)
    with contextlib.closing(connection):
        content = json.dumps({"secret": token})
        connection.request("POST", "/api/v1/login/invitation", content, {"content-type": "application/json"})
        cookie = connection.getresponse().headers["set-cookie"]
    return cookie.partition(";")[0].partition("=")[2]


def ask(link: str, method: str, path: str, secret: str) -> int:
    """The status of the answer to a request with this cookie."""
    address = link.removeprefix("http://").partition("/join#")[0]
    connection = http.client.HTTPConnection(address, timeout=WAIT_TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request(method, path, headers={"cookie": f"belvedere-{address.rpartition(':')[2]}={secret}"})
        return connection.getresponse().status


@contextlib.asynccontextmanager
async def started(config: Config) -> AsyncIterator[str]:
    """A running program; its link."""
    program = RunningProgram()
    running = program.begin(config)
    async with asyncio.timeout(WAIT_TIMEOUT_S):
        link = await program.link
    await program.until_connected()
    yield link
    program.ending.set()
    assert await running == 0


async def test_a_visit_goes_on_after_a_restart_on_the_same_store_and_one_that_was_ended_does_not(
    tmp_path: Path,
) -> None:
    config = config_on(store=str(tmp_path / "it.sqlite3"))
    async with started(config) as link:
        secret = await asyncio.to_thread(come_in, link)
        assert await asyncio.to_thread(ask, link, "POST", "/api/v1/head/stop", secret) == 200
    async with started(config) as link:
        assert await asyncio.to_thread(ask, link, "POST", "/api/v1/head/stop", secret) == 200
        assert await asyncio.to_thread(ask, link, "DELETE", "/api/v1/session", secret) == 204
    async with started(config) as link:
        assert await asyncio.to_thread(ask, link, "POST", "/api/v1/head/stop", secret) == 401
