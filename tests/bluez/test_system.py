"""The adapter, `bluetoothd` and D-Bus may fail and return while the program runs; a stop is written first."""

from __future__ import annotations

import asyncio

import pytest
from tests.bluez.daemons import open_sockets, power
from tests.bluez.deadlines import until
from tests.bluez.stick import held, lost, ready, set_turning, stopped_first
from tests.bluez.world import STOP, Watch, bluez_world

from belvedere.errors import LinkReason
from belvedere.head.axes import AXES, Axis

pytestmark = [pytest.mark.realtime, pytest.mark.every_bluez]
AWAY_S = 3.0


async def test_bluetoothd_may_be_killed_and_started_again() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        await set_turning(pan, world.unit(Axis.PAN))
        async with held(pan):
            world.daemons.kill_bluetoothd()
            await lost(pan)
            watch = Watch(world.unit(Axis.PAN))
            await asyncio.sleep(AWAY_S)
            await world.daemons.start_bluetoothd()
            await power(on=True)
            await stopped_first(pan, watch)


async def test_no_loss_leaves_a_connection_to_d_bus_open_because_a_user_has_256_of_them() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan, world.reach(Axis.TILT) as tilt:
        await ready(pan)
        await ready(tilt)
        await asyncio.sleep(AWAY_S)  # connections used for connecting are closed by then
        opened = open_sockets()
        world.head.faults.drop(Axis.PAN)
        await lost(pan)
        await ready(pan)
        world.daemons.kill_bluetoothd()
        await lost(pan)
        await lost(tilt)
        await world.daemons.start_bluetoothd()
        await power(on=True)
        await ready(pan)
        await ready(tilt)
        await until(lambda: open_sockets() <= opened, "the connections of the lost links are closed")


async def test_the_adapter_may_be_powered_off_and_on_again() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        await set_turning(pan, world.unit(Axis.PAN))
        async with held(pan):
            await power(on=False)
            await lost(pan)
            watch = Watch(world.unit(Axis.PAN))
            await until(lambda: pan.reasons[-1] is LinkReason.ADAPTER_OFF, "the reason is reported")
            await power(on=True)
            await stopped_first(pan, watch)


async def test_d_bus_may_be_restarted() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        await set_turning(pan, world.unit(Axis.PAN))
        async with held(pan):
            world.daemons.kill()
            await lost(pan)
            watch = Watch(world.unit(Axis.PAN))
            await asyncio.sleep(AWAY_S)
            await world.daemons.start_bus()
            await world.daemons.start_bluetoothd()
            await power(on=True)
            await stopped_first(pan, watch)


async def test_bluetoothd_may_hang_and_resume() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        await set_turning(pan, world.unit(Axis.PAN))
        async with held(pan):
            world.daemons.freeze_bluetoothd(on=True)
            await lost(pan)
            await asyncio.sleep(AWAY_S)
        watch = Watch(world.unit(Axis.PAN))
        world.daemons.freeze_bluetoothd(on=False)
        await ready(pan)
        ahead = watch.frames.index(STOP)
        assert ahead <= 1  # the command that it was sending when it hung, and none of the later ones
        assert set(watch.frames[ahead:]) == {STOP}


async def test_bluetoothd_may_hang_during_a_search_and_resume() -> None:
    async with bluez_world() as world:
        world.head.faults.vanish(Axis.PAN)
        async with world.reach(Axis.PAN) as pan:
            await until(lambda: LinkReason.NOT_FOUND in pan.reasons, "a search has failed")
            world.daemons.freeze_bluetoothd(on=True)
            await until(lambda: pan.reasons[-1] is LinkReason.ADAPTER_OFF, "the reason is reported")
            await asyncio.sleep(AWAY_S)
            world.head.faults.come_back(Axis.PAN)
            world.daemons.freeze_bluetoothd(on=False)
            await ready(pan)


async def test_a_discovery_that_the_chip_did_not_end_in_time_is_freed_and_both_units_are_stopped_first(
    findings: dict[str, object],
) -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan, world.reach(Axis.TILT) as tilt:
        await set_turning(pan, world.unit(Axis.PAN))
        await ready(tilt)
        watches = {axis: Watch(world.unit(axis)) for axis in AXES}
        world.chip.loses_end_of_scan = True
        world.head.faults.vanish(Axis.PAN)
        await lost(pan)
        pan.put(0.5)  # somebody holds the stick all the same
        await until(lambda: LinkReason.DISCOVERY_STUCK in pan.reasons, "nothing is found any more")
        world.head.faults.come_back(Axis.PAN)
        stuck_at = world.now
        await stopped_first(pan, watches[Axis.PAN])
        await ready(tilt)
        findings["from a stuck discovery until both units are driven again"] = f"{world.now - stuck_at:.0f} s"
        for axis in AXES:
            assert set(watches[axis].frames) == {STOP}


async def test_units_are_found_when_bluetoothd_starts_after_the_program() -> None:
    async with bluez_world() as world:
        world.daemons.kill()
        async with world.reach(Axis.PAN) as pan, world.reach(Axis.TILT) as tilt:
            await until(lambda: pan.reasons[-1:] == [LinkReason.ADAPTER_OFF], "the reason is reported")
            await world.daemons.start_bus()
            await world.daemons.start_bluetoothd()
            await power(on=True)
            await ready(pan)
            await ready(tilt)
