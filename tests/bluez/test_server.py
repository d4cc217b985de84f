"""The whole server over a real BlueZ: driven through its own interface, abandoned, ended, killed and started again."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from tests.bluez.daemons import power
from tests.bluez.deadlines import until
from tests.bluez.serving import serving
from tests.bluez.world import STOP, Watch, bluez_world

from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bluez.world import World

pytestmark = pytest.mark.realtime
UNGUARDED = "[guardian]\nenabled = false\n"  # as in a container, where killing the server kills the guardian too


async def test_both_units_turn_while_somebody_drives_and_stop_when_nobody_does(tmp_path: Path) -> None:
    async with bluez_world() as world, serving(tmp_path) as server:
        await server.ready(*AXES)
        async with server.driven(pan=0.5, tilt=-0.3):
            await until(lambda: _turns(world, Axis.PAN) and _turns(world, Axis.TILT), "both turn")
        await until(lambda: not _turns(world, Axis.PAN) and not _turns(world, Axis.TILT), "both have stopped")
        assert all(world.unit(axis).frames[-1].frame == STOP for axis in AXES)


async def test_a_server_that_gets_sigterm_stops_the_head_and_exits_with_status_0(tmp_path: Path) -> None:
    async with bluez_world() as world, serving(tmp_path) as server:
        await server.ready(*AXES)
        async with server.driven(pan=0.5):
            await until(lambda: _turns(world, Axis.PAN), "pan turns")
            assert await server.end(signal.SIGTERM) == 0
        assert not _turns(world, Axis.PAN)
        assert all(world.unit(axis).frames[-1].frame == STOP for axis in AXES)


@pytest.mark.every_bluez
async def test_a_server_that_was_killed_mid_move_stops_the_head_first_when_it_is_started_again(tmp_path: Path) -> None:
    async with bluez_world() as world:
        async with serving(tmp_path, changes=UNGUARDED) as server:
            await server.ready(*AXES)
            async with server.driven(pan=0.5, tilt=0.5):
                await until(lambda: _turns(world, Axis.PAN) and _turns(world, Axis.TILT), "both turn")
                await server.end(signal.SIGKILL)
        assert _turns(world, Axis.PAN)  # nothing was left to stop it
        watches = {axis: Watch(world.unit(axis)) for axis in AXES}
        async with serving(tmp_path) as server:
            await server.ready(*AXES)
            assert all(set(watch.frames) == {STOP} for watch in watches.values())


async def test_a_unit_that_vanishes_while_somebody_drives_is_stopped_first_when_it_returns(tmp_path: Path) -> None:
    async with bluez_world() as world, serving(tmp_path) as server:
        await server.ready(*AXES)
        async with server.driven(pan=0.5, tilt=0.5):
            await until(lambda: _turns(world, Axis.PAN) and _turns(world, Axis.TILT), "both turn")
            watch = Watch(world.unit(Axis.PAN))
            world.head.faults.vanish(Axis.PAN)
            await until(lambda: not world.unit(Axis.PAN).is_connected, "the supervision timeout is over")
            world.head.faults.come_back(Axis.PAN)
            await until(lambda: bool(watch.frames), "pan receives a frame")
            assert watch.frames[0] == STOP


@pytest.mark.every_bluez
async def test_a_server_survives_a_restart_of_bluetoothd(tmp_path: Path) -> None:
    async with bluez_world() as world, serving(tmp_path) as server:
        await server.ready(*AXES)
        watch = Watch(world.unit(Axis.PAN))
        world.daemons.kill_bluetoothd()
        await until(lambda: not world.unit(Axis.PAN).is_connected, "the kernel has dropped the links")
        await world.daemons.start_bluetoothd()
        await power(on=True)
        await until(lambda: STOP in watch.frames, "pan is connected again, although nobody drives")
        await server.ready(*AXES)


def _turns(world: World, axis: Axis) -> bool:
    return world.unit(axis).speed_at(world.now) != 0
