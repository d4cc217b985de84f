from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import msgspec
import psutil  # type: ignore[import-untyped]  # it brings no types
import pytest
from tests.guardian.buses import TIMEOUT_S, fake_bluez, needs_dbus

from belvedere.app.systemd_notify import Notifier
from belvedere.app.unit_guard import UnitGuard, guarded_unit
from belvedere.guardian.memory import WATCHING, Memory
from belvedere.guardian.process import GuardianProcess, GuardianState
from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import stop_frame
from belvedere.head.profile import WriteMode, shipped_profile
from belvedere.link.options import LinkOptions
from belvedere.link.port import DbusTarget
from belvedere.link.supervisor import LinkPhase, UnitStatus, UnitSupervisor
from belvedere.testing.scripted_link import DETAILS, ScriptedLink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PROFILE = shipped_profile("zeapon-pons-pt")
STOP = stop_frame(PROFILE.frame)
BEAT_S = 0.1
TARGET = DbusTarget("/org/bluez/hci0/dev_1", "/org/bluez/hci0/dev_1/char_2")
OVER_BLUEZ = msgspec.structs.replace(DETAILS, dbus=TARGET)


class Child:
    """A guardian that watches, and the content of its memory."""

    def __init__(self, memory: int, _line: int, _stop: bytes, _dead_man_s: float) -> None:
        self.memory = Memory(os.dup(memory))
        self.memory.state = WATCHING
        self.status: int | None = None
        self.answering = asyncio.create_task(self._answer())

    async def _answer(self) -> None:
        while True:
            self.memory.pong = self.memory.ping
            await asyncio.sleep(BEAT_S)

    def poll(self) -> int | None:
        return self.status

    def kill(self) -> None:
        self.status = -9


class Listener:
    """Records the engine's calls, and what the guardian knew at that time."""

    def __init__(self, clock: asyncio.AbstractEventLoop) -> None:
        self.clock = clock
        self.statuses: list[UnitStatus] = []
        self.written: list[float] = []
        self.attempted: list[float] = []

    def receive_unit_status(self, _axis: Axis, status: UnitStatus) -> None:
        self.statuses.append(status)

    def receive_unit_written(self, _axis: Axis, velocity: float, _stamp: object | None, _now: float) -> None:
        self.written.append(velocity)

    def receive_unit_attempted(self, _axis: Axis, velocity: float, _now: float) -> None:
        self.attempted.append(velocity)


class WatchedLink(ScriptedLink):
    """A unit on BlueZ that records whether the guardian knew of a move before the write."""

    def __init__(self, home: Home) -> None:
        super().__init__(OVER_BLUEZ)
        self.home = home
        self.known: list[tuple[bytes, bool]] = []

    async def write(self, frame: bytes, *, response: bool) -> None:
        self.known.append((frame, self.home.child.memory.is_turning(0)))
        await super().write(frame, response=response)


class Home:
    """One pan unit, with its supervisor, its guardian and its listener."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.children: list[Child] = []
        self.guardian = GuardianProcess(STOP, dead_man_s=0.5, clock=loop.time, start=self._start)
        self.guard = UnitGuard(self.guardian, Notifier({}), PROFILE, beat_s=BEAT_S, is_wanted=True)
        self.listener = Listener(loop)
        self.link = WatchedLink(self)
        self.unit = UnitSupervisor(
            Axis.PAN,
            self.link,
            PROFILE.frame,
            PROFILE.unit(Axis.PAN),
            clock=loop.time,
            options=LinkOptions(),
            listener=self.guard,
        )
        self.guard.attach(self.listener, {Axis.PAN: self.unit})

    @property
    def child(self) -> Child:
        return self.children[-1]

    def _start(self, memory: int, line: int, stop: bytes, dead_man_s: float) -> Child:
        self.children.append(Child(memory, line, stop, dead_man_s))
        return self.child


@asynccontextmanager
async def a_home() -> AsyncIterator[Home]:
    home = Home()
    guarding = asyncio.create_task(home.guard.run())
    await asyncio.sleep(0)
    running = asyncio.create_task(home.unit.run())
    await asyncio.sleep(2)
    try:
        yield home
    finally:
        running.cancel()
        await asyncio.wait({running})
        home.child.status = 0
        async with home.guard.ending(guarding):
            pass
        for child in home.children:
            child.answering.cancel()
        home.child.memory.close()


async def test_the_guardian_knows_a_move_before_the_radio_has_it_and_until_a_stop_is_confirmed() -> None:
    async with a_home() as home:
        home.link.known.clear()
        home.unit.put(0.5)
        await asyncio.sleep(0.01)
        assert home.link.known == [(home.link.frames[-1], True)]
        assert home.link.frames[-1] != STOP
        home.unit.put(0.0)
        home.guard.beat()
        assert home.child.memory.is_turning(0)
        await asyncio.sleep(1)
        home.guard.beat()
        assert not home.child.memory.is_turning(0)


async def test_a_unit_that_never_moved_needs_no_guarding_and_the_engine_no_beat() -> None:
    async with a_home() as home:
        home.guard.beat()
        assert not home.child.memory.is_turning(0)
        assert home.guard.beat_s() is None
        home.unit.put(0.5)
        await asyncio.sleep(0.01)
        assert home.guard.beat_s() == BEAT_S


async def test_the_guardian_knows_where_bluez_has_the_unit() -> None:
    async with a_home() as home:
        units = home.child.memory.units()
        assert units == (guarded_unit(Axis.PAN, OVER_BLUEZ, WriteMode.AUTO), None)


async def test_a_unit_without_a_dbus_path_is_reported_as_unguarded_until_it_has_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_home() as home:
        states = [home.guard.state]
        for _ in range(2):
            home.guard.receive_unit_status(Axis.PAN, UnitStatus(LinkPhase.READY, None, DETAILS))
        states.append(home.guard.state)
        assert [record.getMessage()[:4] for record in caplog.records if record.levelname == "WARNING"] == ["pan:"]
        home.guard.receive_unit_status(Axis.PAN, UnitStatus(LinkPhase.READY, None, OVER_BLUEZ))
        states.append(home.guard.state)
        assert states == [GuardianState.WATCHING, GuardianState.MISSING, GuardianState.WATCHING]


async def test_all_calls_of_units_are_passed_on() -> None:
    async with a_home() as home:
        home.unit.put(0.5)
        await asyncio.sleep(0.01)
        assert home.listener.attempted[-1] == pytest.approx(0.5, abs=0.01)
        assert home.listener.written[-1] == pytest.approx(0.5, abs=0.01)
        assert home.listener.statuses[-1].details == OVER_BLUEZ


async def test_a_stop_by_the_guardian_is_reported_with_its_axis(caplog: pytest.LogCaptureFixture) -> None:
    async with a_home() as home:
        home.child.memory.add_stop(1, 42.0)
        assert list(home.guard.new_stops()) == [(Axis.TILT, 42.0)]
        assert "tilt: was stopped by the guardian" in caplog.text


async def test_the_guardian_gets_beats_during_the_shutdown() -> None:
    home = Home()
    async with home.guard.ending(asyncio.create_task(home.guard.run())):
        for _ in range(5):
            await asyncio.sleep(1)
            assert home.child.memory.beat_s >= asyncio.get_running_loop().time() - 2 * BEAT_S
        home.child.status = 0
    home.child.answering.cancel()
    home.child.memory.close()


async def test_without_a_guardian_calls_are_passed_on_and_systemd_is_notified() -> None:
    guard = UnitGuard(None, Notifier({}), PROFILE, beat_s=BEAT_S, is_wanted=False)
    listener = Listener(asyncio.get_running_loop())
    guard.attach(listener, {})
    guard.receive_unit_attempted(Axis.PAN, 0.5, 0.0)
    guard.beat()
    await guard.run()
    assert listener.attempted == [0.5]
    assert (guard.state, guard.beat_s(), list(guard.new_stops())) == (GuardianState.NOT_NEEDED, None, [])


@pytest.mark.parametrize(
    ("mode", "ways"),
    [
        (WriteMode.AUTO, (True, True)),
        (WriteMode.WITH_RESPONSE, (False, True)),
        (WriteMode.WITHOUT_RESPONSE, (True, False)),
    ],
)
def test_a_unit_is_stopped_in_the_way_that_its_profile_wants(mode: WriteMode, ways: tuple[bool, bool]) -> None:
    unit = guarded_unit(Axis.PAN, OVER_BLUEZ, mode)
    assert unit is not None
    assert (unit.by_command, unit.by_request) == ways
    assert guarded_unit(AXES[0], DETAILS, mode) is None


@pytest.mark.realtime
@needs_dbus
async def test_a_server_of_real_units_has_a_guardian_that_ends_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = tmp_path / "belvedere.toml"
    settings.write_text('[server]\nport = 0\n[store]\nfile = ""\n', encoding="utf-8")
    async with fake_bluez(monkeypatch):
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "belvedere.cli", "serve", "--config", str(settings)), stdout=asyncio.subprocess.PIPE
        )
        try:
            assert server.stdout is not None
            line = (await server.stdout.readline()).decode()
            address = line.partition("open: ")[2].partition(";")[0].strip()  # no link: the output is no terminal
            async with httpx.AsyncClient(base_url=address) as client, asyncio.timeout(TIMEOUT_S):
                while (await client.get("/readyz")).json()["parts"]["guardian"] != "watching":  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(0.05)
            (guardian,) = psutil.Process(server.pid).children()
            server.terminate()
            assert await server.wait() == 0
            assert not guardian.is_running()
        finally:
            if server.returncode is None:
                server.kill()
                await server.wait()
