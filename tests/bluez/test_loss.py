"""Every loss of a link over a real BlueZ is detected, the unit is connected again, and a stop is written first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.bluez.daemons import is_forgotten
from tests.bluez.deadlines import until, until_answered
from tests.bluez.stick import held, lost, opened, ready, set_turning, stopped_first
from tests.bluez.world import STOP, Watch, bluez_world

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import Axis
from belvedere.head.profile import WriteMode

if TYPE_CHECKING:
    from belvedere.sim.unit import VirtualUnit

pytestmark = [pytest.mark.realtime, pytest.mark.every_bluez]
AWAY_S = 5.0
ATT_TIMEOUT_S = 30.0  # after which BlueZ disconnects a unit that does not answer; until then it blocks later writes
ANSWERS_S = 15.0  # a hung unit that answers again receives a stop within this; the machine is about 15 times slower
IS_GONE = {LinkReason.LOST, LinkReason.UNANSWERED}


async def test_a_unit_that_vanishes_mid_move_is_stopped_first_when_it_returns() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        unit = world.unit(Axis.PAN)
        await set_turning(pan, unit)
        watch = Watch(unit)
        world.head.faults.vanish(Axis.PAN)
        async with held(pan):
            await lost(pan)
            assert pan.reasons[-1] in IS_GONE
            await asyncio.sleep(AWAY_S)
            assert not watch.frames
            world.head.faults.come_back(Axis.PAN)
            await stopped_first(pan, watch)


async def test_a_link_that_drops_mid_move_is_opened_again_and_the_unit_stopped_first() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        unit = world.unit(Axis.PAN)
        await set_turning(pan, unit)
        async with held(pan):
            for _ in range(3):
                watch = Watch(unit)
                world.head.faults.drop(Axis.PAN)
                await lost(pan)
                await stopped_first(pan, watch)


async def test_a_unit_at_rest_that_vanishes_is_noticed_and_found_again() -> None:
    async with bluez_world() as world, world.reach(Axis.TILT) as tilt:
        await ready(tilt)
        watch = Watch(world.unit(Axis.TILT))
        world.head.faults.vanish(Axis.TILT)
        await lost(tilt)
        world.head.faults.come_back(Axis.TILT)
        await stopped_first(tilt, watch)


@pytest.mark.parametrize("response", [True, False], ids=["request", "command"])
async def test_a_write_into_radio_silence_fails_as_a_lost_link_and_so_does_the_next(*, response: bool) -> None:
    async with bluez_world() as world:
        is_lost = asyncio.Event()
        link = world.link(Axis.PAN)
        await opened(link, is_lost.set)
        await link.write(STOP, response=True)
        world.head.faults.vanish(Axis.PAN)
        reasons: set[LinkReason] = set()
        while not is_lost.is_set() or len(reasons) == 0:  # BlueZ accepts commands until the supervision timeout
            try:
                await link.write(STOP, response=response)
            except LinkError as error:
                reasons.add(error.reason)
            await asyncio.sleep(0.01)
        assert reasons <= {LinkReason.LOST, LinkReason.CLOSED}
        with pytest.raises(LinkError) as caught:
            await link.write(STOP, response=response)
        assert caught.value.reason is LinkReason.CLOSED
        await link.close()


async def test_a_link_that_drops_with_a_write_in_flight_fails_that_write() -> None:
    async with bluez_world() as world:
        is_lost = asyncio.Event()
        link = world.link(Axis.PAN)
        await opened(link, is_lost.set)
        world.head.faults.hang(Axis.PAN)
        writing = asyncio.create_task(link.write(STOP, response=True))
        await until(lambda: world.unit(Axis.PAN).unread > 0, "BlueZ has sent it")
        assert not writing.done()
        world.head.faults.drop(Axis.PAN)
        with pytest.raises(LinkError) as caught:
            await writing
        assert caught.value.reason is LinkReason.LOST
        await until(is_lost.is_set, "the loss is reported")
        await link.close()


async def test_a_unit_that_vanishes_as_it_is_connected_to_is_found_by_a_new_search() -> None:
    async with bluez_world() as world:
        link = world.link(Axis.PAN)
        with pytest.raises(LinkError) as caught:
            await link.open(lambda: None, lambda: world.head.faults.vanish(Axis.PAN))
        assert caught.value.reason is LinkReason.CONNECT_FAILED
        world.head.faults.come_back(Axis.PAN)
        async with world.reach(Axis.PAN, link=link) as pan:
            await ready(pan)


async def test_a_unit_that_linux_forgot_while_connecting_is_freed_and_stopped_first_and_the_other_one_comes_back(
    findings: dict[str, object],
) -> None:
    async with bluez_world() as world, world.reach(Axis.TILT) as tilt:
        await ready(tilt)
        unit = world.unit(Axis.PAN)
        link = world.link(Axis.PAN)
        world.chip.is_crossing = True
        with pytest.raises(LinkError):
            await link.open(lambda: None, lambda: None)
        await until(lambda: unit.is_connected, "it is connected as the attempt is cancelled")
        world.chip.is_crossing = False
        forgotten_at = world.now
        watches = {axis: Watch(world.unit(axis)) for axis in (Axis.PAN, Axis.TILT)}
        async with world.reach(Axis.PAN, link=link) as pan:
            await asyncio.sleep(AWAY_S)
            assert unit.is_connected  # and neither the kernel nor BlueZ knows of the connection
            assert pan.reasons[-1] is LinkReason.NOT_FOUND
            await stopped_first(pan, watches[Axis.PAN])
            findings["from the forgotten connection until the unit is driven"] = f"{world.now - forgotten_at:.0f} s"
            await ready(tilt)
            assert set(watches[Axis.TILT].frames) == {STOP}


async def test_a_device_found_before_a_failed_connect_is_refused_with_our_error_and_a_new_search_helps() -> None:
    async with bluez_world() as world:
        address = world.unit(Axis.PAN).address

        def is_pan(seen: str, _name: str, _services: list[str]) -> bool:
            return seen == address

        discovered = await world.radio.find(is_pan)
        world.head.faults.vanish(Axis.PAN)
        with pytest.raises(LinkError):
            await world.radio.connect(discovered, lambda _client: None)
        path = discovered.device.details["path"]
        await until_answered(lambda: is_forgotten(path), "BlueZ has forgotten it")
        world.head.faults.come_back(Axis.PAN)
        with pytest.raises(LinkError) as caught:
            await world.radio.connect(discovered, lambda _client: None)
        assert caught.value.reason is LinkReason.NOT_FOUND
        world.radio.release(address)
        client = await world.radio.connect(await world.radio.find(is_pan), lambda _client: None)
        await world.radio.disconnect(client)


async def test_a_unit_that_drops_every_connection_is_driven_once_it_no_longer_does() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        unit = world.unit(Axis.PAN)
        watch = Watch(unit)
        dropping = asyncio.create_task(_keep_dropping(unit))
        await until(lambda: LinkReason.CONNECT_FAILED in pan.reasons or LinkReason.LOST in pan.reasons, "refused")
        await asyncio.sleep(AWAY_S)
        assert not pan.is_ready
        dropping.cancel()
        await asyncio.wait({dropping})
        await ready(pan)
        assert set(watch.frames) == {STOP}


async def test_a_unit_that_hangs_while_connecting_is_released_after_bluez_timeout_and_driven_once_it_resumes() -> None:
    async with bluez_world() as world:
        unit = world.unit(Axis.PAN)
        watch = Watch(unit)
        world.head.faults.hang(Axis.PAN)
        async with world.reach(Axis.PAN) as pan:
            await until(lambda: LinkReason.CONNECT_FAILED in pan.reasons, "the attempt is abandoned", ANSWERS_S)
            assert unit.is_connected
            await until(lambda: not unit.is_connected, "BlueZ has disconnected it")
            world.head.faults.resume(Axis.PAN)
            await ready(pan)
            assert set(watch.frames) == {STOP}


@pytest.mark.parametrize("mode", [WriteMode.WITH_RESPONSE, WriteMode.AUTO])
async def test_a_hung_unit_is_abandoned_and_stopped_first_long_before_bluez_would_send_a_stop(
    mode: WriteMode,
) -> None:
    async with bluez_world() as world:
        profile = world.profile_writing(Axis.PAN, mode)
        async with world.reach(Axis.PAN, profile=profile) as pan:
            unit = world.unit(Axis.PAN)
            await set_turning(pan, unit)
            world.head.faults.hang(Axis.PAN)
            async with held(pan):
                await lost(pan)
                watch = Watch(unit)
                assert pan.reasons[-1] is LinkReason.UNANSWERED
            world.head.faults.resume(Axis.PAN)
            await until(lambda: bool(watch.frames), "the unit receives a frame", ANSWERS_S)
            await stopped_first(pan, watch)


async def test_a_link_that_bluez_still_considers_alive_after_its_timeout_does_no_harm() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        unit = world.unit(Axis.PAN)
        await set_turning(pan, unit)
        world.head.faults.hang(Axis.PAN)
        async with held(pan):
            await lost(pan)
            watch = Watch(unit)
            await asyncio.sleep(ATT_TIMEOUT_S + AWAY_S)
            assert not pan.is_ready
            world.head.faults.resume(Axis.PAN)
            await stopped_first(pan, watch)


async def _keep_dropping(unit: VirtualUnit) -> None:
    while True:
        unit.drop()
        await asyncio.sleep(0.02)
