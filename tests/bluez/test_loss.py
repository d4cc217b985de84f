"""Whatever happens to a link over a real BlueZ, it is noticed, the unit is reached again, and a stop comes first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.bluez.daemons import is_forgotten
from tests.bluez.deadlines import until, until_answered
from tests.bluez.hands import held, lost, opened, ready, set_turning, stopped_first
from tests.bluez.world import STOP, Watch, bluez_world

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import Axis
from belvedere.head.profile import WriteMode

if TYPE_CHECKING:
    from belvedere.sim.unit import VirtualUnit

pytestmark = pytest.mark.realtime
AWAY_S = 5.0
ATT_TIMEOUT_S = 30.0  # after which BlueZ gives a unit up that does not answer, and until which it blocks later writes
ANSWERS_S = 15.0  # a hung unit that answers again is told to stop within this; the machine is some 15 times slow
IS_GONE = {LinkReason.LOST, LinkReason.UNANSWERED}


async def test_a_unit_that_vanishes_mid_move_is_stopped_first_when_it_returns() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        unit = world.unit(Axis.PAN)
        await set_turning(pan, unit)
        told = Watch(unit)
        world.head.faults.vanish(Axis.PAN)
        async with held(pan):
            await lost(pan)
            assert pan.reasons[-1] in IS_GONE
            await asyncio.sleep(AWAY_S)
            assert not told.frames
            world.head.faults.come_back(Axis.PAN)
            await stopped_first(pan, told)


async def test_a_link_that_drops_mid_move_is_opened_again_and_the_unit_stopped_first() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        unit = world.unit(Axis.PAN)
        await set_turning(pan, unit)
        async with held(pan):
            for _ in range(3):
                told = Watch(unit)
                world.head.faults.drop(Axis.PAN)
                await lost(pan)
                await stopped_first(pan, told)


async def test_a_unit_at_rest_that_vanishes_is_noticed_and_found_again() -> None:
    async with bluez_world() as world, world.reach(Axis.TILT) as tilt:
        await ready(tilt)
        told = Watch(world.unit(Axis.TILT))
        world.head.faults.vanish(Axis.TILT)
        await lost(tilt)
        world.head.faults.come_back(Axis.TILT)
        await stopped_first(tilt, told)


@pytest.mark.parametrize("response", [True, False], ids=["request", "command"])
async def test_a_write_into_radio_silence_fails_as_a_lost_link_and_so_does_the_next(*, response: bool) -> None:
    async with bluez_world() as world:
        is_lost = asyncio.Event()
        link = world.link(Axis.PAN)
        await opened(link, is_lost.set)
        await link.write(STOP, response=True)
        world.head.faults.vanish(Axis.PAN)
        reasons: set[LinkReason] = set()
        while not is_lost.is_set() or len(reasons) == 0:  # commands are taken until the silence has lasted
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
        await until(lambda: world.unit(Axis.PAN).unread > 0, "it is beyond BlueZ")
        assert not writing.done()
        world.head.faults.drop(Axis.PAN)
        with pytest.raises(LinkError) as caught:
            await writing
        assert caught.value.reason is LinkReason.LOST
        await until(is_lost.is_set, "the loss is told")
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


async def test_a_unit_that_linux_forgot_as_it_was_connected_to_is_freed_and_stopped_first_and_the_other_one_comes_back(
    findings: dict[str, object],
) -> None:
    async with bluez_world() as world, world.reach(Axis.TILT) as tilt:
        await ready(tilt)
        unit = world.unit(Axis.PAN)
        link = world.link(Axis.PAN)
        world.chip.is_crossing = True
        with pytest.raises(LinkError):
            await link.open(lambda: None, lambda: None)
        await until(lambda: unit.is_connected, "its connection comes about as it is given up")
        world.chip.is_crossing = False
        forgotten_at = world.now
        told = {axis: Watch(world.unit(axis)) for axis in (Axis.PAN, Axis.TILT)}
        async with world.reach(Axis.PAN, link=link) as pan:
            await asyncio.sleep(AWAY_S)
            assert unit.is_connected  # and neither the kernel nor BlueZ has anything to do with it
            assert pan.reasons[-1] is LinkReason.NOT_FOUND
            await stopped_first(pan, told[Axis.PAN])
            findings["from a connection that Linux forgot to the unit's being driven"] = (
                f"{world.now - forgotten_at:.0f} s"
            )
            await ready(tilt)
            assert set(told[Axis.TILT].frames) == {STOP}


async def test_a_sighting_from_before_a_failed_connect_is_refused_in_our_own_words_and_a_new_one_helps() -> None:
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


async def test_a_unit_that_hangs_up_on_everybody_is_driven_once_it_does_so_no_more() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        unit = world.unit(Axis.PAN)
        told = Watch(unit)
        hanging_up = asyncio.create_task(_hang_up(unit))
        await until(lambda: LinkReason.CONNECT_FAILED in pan.reasons or LinkReason.LOST in pan.reasons, "refused")
        await asyncio.sleep(AWAY_S)
        assert not pan.is_ready
        hanging_up.cancel()
        await asyncio.wait({hanging_up})
        await ready(pan)
        assert set(told.frames) == {STOP}


async def test_a_unit_that_hangs_as_it_is_connected_to_is_let_go_of_in_bluez_time_and_driven_once_it_goes_on() -> None:
    async with bluez_world() as world:
        unit = world.unit(Axis.PAN)
        told = Watch(unit)
        world.head.faults.hang(Axis.PAN)
        async with world.reach(Axis.PAN) as pan:
            await until(lambda: LinkReason.CONNECT_FAILED in pan.reasons, "the attempt is given up", ANSWERS_S)
            assert unit.is_connected
            await until(lambda: not unit.is_connected, "BlueZ has let go of it")
            world.head.faults.resume(Axis.PAN)
            await ready(pan)
            assert set(told.frames) == {STOP}


@pytest.mark.parametrize("mode", [WriteMode.WITH_RESPONSE, WriteMode.AUTO])
async def test_a_hung_unit_is_given_up_and_stopped_first_long_before_bluez_would_let_a_stop_through(
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
                told = Watch(unit)
                assert pan.reasons[-1] is LinkReason.UNANSWERED
            world.head.faults.resume(Axis.PAN)
            await until(lambda: bool(told.frames), "the unit is told something", ANSWERS_S)
            await stopped_first(pan, told)


async def test_a_link_that_bluez_takes_for_alive_after_its_own_time_out_is_no_hindrance() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        unit = world.unit(Axis.PAN)
        await set_turning(pan, unit)
        world.head.faults.hang(Axis.PAN)
        async with held(pan):
            await lost(pan)
            told = Watch(unit)
            await asyncio.sleep(ATT_TIMEOUT_S + AWAY_S)
            assert not pan.is_ready
            world.head.faults.resume(Axis.PAN)
            await stopped_first(pan, told)


async def _hang_up(unit: VirtualUnit) -> None:
    while True:
        unit.drop()
        await asyncio.sleep(0.02)
