"""A server that is stopped, killed or hung over a real BlueZ while it turns the head: its guardian stops both units."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.bluez.deadlines import Stretch, until
from tests.bluez.serving import serving
from tests.bluez.world import STOP, Watch, bluez_world

from belvedere.control.options import ControlOptions
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from tests.bluez.serving import Server
    from tests.bluez.world import World

pytestmark = pytest.mark.realtime
DEAD_MAN_S = ControlOptions().dead_man_s
REQUIRED_S = DEAD_MAN_S + 0.5
STOPPED_S = 5.0
QUIET_S = 1.0
STEADY_S = 2.0  # the first requests to the emulated server are slow
FATES = {"stopped": signal.SIGSTOP, "killed": signal.SIGKILL, "hung": signal.SIGUSR1}


async def test_both_units_stop_soon_after_the_server_is_stopped_and_it_resumes_without_a_move(
    tmp_path: Path, findings: dict[str, object]
) -> None:
    async with bluez_world() as world, serving(tmp_path) as server:
        await _ready(server)
        await _silence(world, server, "stopped", findings)
        await asyncio.sleep(STOPPED_S)
        watches = {axis: Watch(world.unit(axis)) for axis in AXES}
        server.send(signal.SIGCONT)
        await server.ready(*AXES)
        assert all(set(watch.frames) <= {STOP} for watch in watches.values())
        async with server.driven(pan=0.5):  # it works as before
            await until(lambda: _turns(world, Axis.PAN), "pan turns again")


async def test_both_units_stop_soon_after_the_server_is_killed_and_the_guardian_ends(
    tmp_path: Path, findings: dict[str, object]
) -> None:
    async with bluez_world() as world, serving(tmp_path) as server:
        await _ready(server)
        guardian = server.guardian
        await _silence(world, server, "killed", findings)
        await until(lambda: not _is_running(guardian), "the guardian has ended")
        assert all(
            world.unit(axis).is_connected for axis in AXES
        )  # BlueZ keeps the links, and the guardian did not disconnect them


async def test_both_units_stop_soon_after_the_server_hangs(tmp_path: Path, findings: dict[str, object]) -> None:
    async with bluez_world() as world, serving(tmp_path, "tests.bluez.hanging") as server:
        await _ready(server)
        await _silence(world, server, "hung", findings)


@pytest.mark.every_bluez
async def test_a_unit_that_does_not_answer_the_stop_is_disconnected(tmp_path: Path) -> None:
    async with bluez_world() as world, serving(tmp_path) as server:
        await _ready(server)
        async with server.driven(pan=0.5):
            await until(lambda: _turns(world, Axis.PAN), "pan turns")
            world.head.faults.hang(Axis.PAN)
            server.send(signal.SIGSTOP)
            await until(lambda: not world.unit(Axis.PAN).is_connected, "BlueZ has disconnected it")
        assert world.unit(Axis.TILT).is_connected


async def test_a_guardian_that_is_killed_is_replaced_and_a_guardian_ends_with_its_server(tmp_path: Path) -> None:
    async with bluez_world(), serving(tmp_path) as server:
        await _ready(server)
        killed = server.guardian
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await until(lambda: server.guardian not in (None, killed), "there is another")
        await server.guarded()
        another = server.guardian
        assert await server.end(signal.SIGTERM) == 0
        assert not _is_running(another)


async def _silence(world: World, server: Server, fate: str, findings: dict[str, object]) -> None:
    """Drive both units, apply this fate to the server, and check that both stop in time and do not move again."""
    async with server.driven(pan=0.5, tilt=-0.5):
        await until(lambda: all(_turns(world, axis) for axis in AXES), "both turn")
        await asyncio.sleep(STEADY_S)
        await until(lambda: all(_turns(world, axis) for axis in AXES), "both turn still")
        watches = {axis: Watch(world.unit(axis)) for axis in AXES}
        stretch = Stretch()
        began_s = world.now
        server.send(FATES[fate])
        try:
            await until(lambda: not any(_turns(world, axis) for axis in AXES), "both stand still")
        except TimeoutError as error:
            raise AssertionError(f"a {fate} server left units turning: {_account(server, watches)}") from error
    await asyncio.sleep(QUIET_S)
    assert not any(_turns(world, axis) for axis in AXES)
    took_s = {axis: _stopped_s(watches[axis]) - began_s for axis in AXES}
    waited_s = stretch.waited_s
    found = {axis.value: round(s, 3) for axis, s in took_s.items()}
    found["of which the machine may have waited"] = round(waited_s, 3)
    findings[f"from a {fate} server to the stop at the unit"] = found
    assert max(took_s.values()) < REQUIRED_S + waited_s


async def _ready(server: Server) -> None:
    await server.ready(*AXES)
    await server.guarded()


def _account(server: Server, watches: dict[Axis, Watch]) -> str:
    """What a failure is explained by: whether the processes run and for how long they computed, and the last frames."""
    processes = {"server": server.number, "guardian": server.guardian}
    seen = {name: _scheduling(number) for name, number in processes.items()}
    frames = {axis.value: [(each.came_s, each.frame.hex()) for each in watches[axis].received[-5:]] for axis in AXES}
    return f"{seen}, {frames}"


def _scheduling(number: int | None) -> str:
    """Name, state and ticks computed by a process, as `/proc` has them."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="ascii").split()
    except OSError:
        return "gone"
    return f"{fields[1]} {fields[2]}, {fields[13]} ticks"


def _is_running(process: int | None) -> bool:
    return Path(f"/proc/{process}").exists()


def _turns(world: World, axis: Axis) -> bool:
    return world.unit(axis).speed_at(world.now) != 0


def _stopped_s(watch: Watch) -> float:
    """When the first stop after the last move arrived."""
    received = watch.received
    moves = [at for at, each in enumerate(received) if each.frame != STOP]
    return received[moves[-1] + 1 if moves else 0].came_s
