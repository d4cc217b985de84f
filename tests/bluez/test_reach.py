"""Both units are found, connected to and driven through a real BlueZ."""

from __future__ import annotations

import pytest
from tests.bluez.deadlines import until
from tests.bluez.stick import ready
from tests.bluez.world import STOP, Watch, bluez_world
from tests.support.link.unit_rig import UnitRig

from belvedere.head.axes import AXES, Axis

pytestmark = [pytest.mark.realtime, pytest.mark.every_bluez]


async def test_both_units_are_found_and_each_is_driven_alone() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan, world.reach(Axis.TILT) as tilt:
        await ready(pan)
        await ready(tilt)
        watches = {axis: Watch(world.unit(axis)) for axis in AXES}
        pan.put(0.436)
        await until(lambda: UnitRig.move(0.436) in watches[Axis.PAN].frames, "pan moves")
        tilt.put(-0.5)
        await until(lambda: UnitRig.move(-0.5) in watches[Axis.TILT].frames, "tilt moves")
        assert UnitRig.move(-0.5) not in watches[Axis.PAN].frames
        pan.put(0)
        tilt.put(0)
        await until(lambda: all(watch.frames[-1] == STOP for watch in watches.values()), "both have stopped")
