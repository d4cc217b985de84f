"""The adapter, `bluetoothd` and D-Bus may go and come back under a running program; a stop comes first."""

from __future__ import annotations

import asyncio

import pytest
from tests.bluez.daemons import open_sockets, power
from tests.bluez.deadlines import until
from tests.bluez.hands import held, lost, ready, set_turning, stopped_first
from tests.bluez.world import STOP, Watch, bluez_world

from belvedere.errors import LinkReason
from belvedere.head.axes import Axis

pytestmark = pytest.mark.realtime
AWAY_S = 3.0


async def test_bluetoothd_may_be_killed_and_started_again() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        await set_turning(pan, world.unit(Axis.PAN))
        async with held(pan):
            world.daemons.kill_bluetoothd()
            await lost(pan)
            told = Watch(world.unit(Axis.PAN))
            await asyncio.sleep(AWAY_S)
            await world.daemons.start_bluetoothd()
            await power(on=True)
            await stopped_first(pan, told)


async def test_no_loss_leaves_a_connection_to_d_bus_open_because_a_user_has_256_of_them() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan, world.reach(Axis.TILT) as tilt:
        await ready(pan)
        await ready(tilt)
        await asyncio.sleep(AWAY_S)  # what reaching them took is closed by then
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
        await until(lambda: open_sockets() <= opened, "what the lost links had open is closed")


async def test_the_adapter_may_be_powered_off_and_on_again() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        await set_turning(pan, world.unit(Axis.PAN))
        async with held(pan):
            await power(on=False)
            await lost(pan)
            told = Watch(world.unit(Axis.PAN))
            await until(lambda: pan.reasons[-1] is LinkReason.ADAPTER_OFF, "the owner is told why")
            await power(on=True)
            await stopped_first(pan, told)


async def test_d_bus_may_be_restarted() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        await set_turning(pan, world.unit(Axis.PAN))
        async with held(pan):
            world.daemons.kill()
            await lost(pan)
            told = Watch(world.unit(Axis.PAN))
            await asyncio.sleep(AWAY_S)
            await world.daemons.start_bus()
            await world.daemons.start_bluetoothd()
            await power(on=True)
            await stopped_first(pan, told)


async def test_bluetoothd_may_hang_and_go_on() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        await set_turning(pan, world.unit(Axis.PAN))
        async with held(pan):
            world.daemons.freeze_bluetoothd(on=True)
            await lost(pan)
            await asyncio.sleep(AWAY_S)
        told = Watch(world.unit(Axis.PAN))
        world.daemons.freeze_bluetoothd(on=False)
        await ready(pan)
        ahead = told.frames.index(STOP)
        assert ahead <= 1  # the command that it had in its hands when it hung, and not one of those said since
        assert set(told.frames[ahead:]) == {STOP}


async def test_bluetoothd_may_hang_while_a_unit_is_sought_and_go_on() -> None:
    async with bluez_world() as world:
        world.head.faults.vanish(Axis.PAN)
        async with world.reach(Axis.PAN) as pan:
            await until(lambda: LinkReason.NOT_FOUND in pan.reasons, "a search was in vain")
            world.daemons.freeze_bluetoothd(on=True)
            await until(lambda: pan.reasons[-1] is LinkReason.ADAPTER_OFF, "the owner is told why")
            await asyncio.sleep(AWAY_S)
            world.head.faults.come_back(Axis.PAN)
            world.daemons.freeze_bluetoothd(on=False)
            await ready(pan)


async def test_units_are_found_when_bluetoothd_comes_only_after_the_program() -> None:
    async with bluez_world() as world:
        world.daemons.kill()
        async with world.reach(Axis.PAN) as pan, world.reach(Axis.TILT) as tilt:
            await until(lambda: pan.reasons[-1:] == [LinkReason.ADAPTER_OFF], "the owner is told why")
            await world.daemons.start_bus()
            await world.daemons.start_bluetoothd()
            await power(on=True)
            await ready(pan)
            await ready(tilt)
