"""What a real BlueZ queues, hides, refuses and delays, and how the link deals with it."""

from __future__ import annotations

import asyncio
import statistics
from typing import TYPE_CHECKING

import pytest
from tests.bluez.deadlines import Stretch, until
from tests.bluez.stick import NEVER_S, STICK_HZ, held, opened, ready, set_turning
from tests.bluez.world import ADAPTER_ADDRESS, PROFILE, STOP, Watch, bluez_world

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import Axis
from belvedere.head.frames import pack, unpack
from belvedere.head.profile import WriteMode
from belvedere.link.ble import BleUnit
from belvedere.link.options import LinkOptions
from belvedere.link.radio import Radio
from belvedere.sim.head import ADDRESSES, NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bluez.world import OverheardUnit, World
    from tests.support.link.unit_rig import UnitRig

pytestmark = pytest.mark.realtime
SLOW_S = 0.100  # ten packets a second in each direction: anything queued before a stop becomes visible
PATIENT = LinkOptions(connect_timeout_s=20, open_timeout_s=60)  # at this interval the service discovery takes seconds
FACT_S = 0.04875  # the interval at which 60 commands were observed to take 2.9 s
STICK_S = 6.0
ONE_AHEAD = 1  # a stop that must not wait can still follow one command that was written just before
WRITES = 40
BACKLOG, MAX_WRITES = 10, 400


@pytest.mark.parametrize("interval_s", [FACT_S, SLOW_S], ids=["of 48.75 ms", "of 100 ms"])
async def test_nothing_is_queued_before_a_stop_while_a_stick_moves(
    interval_s: float, findings: dict[str, object]
) -> None:
    async with bluez_world(interval_s=interval_s, options=PATIENT) as world:
        link = world.link(Axis.PAN)
        async with world.reach(Axis.PAN, link=link) as pan:
            await ready(pan)
            assert world.interval_s(Axis.PAN) == pytest.approx(interval_s)
            watch = Watch(world.unit(Axis.PAN))
            stretch = Stretch()
            sent_at = await _wiggle(pan)
            stop_at = pan.now
            pan.put(0)
            await until(lambda: watch.frames[-1] == STOP, "the unit has stopped")
            arrived_at = next(each.at_s for each in watch.received if each.at_s >= stop_at and each.frame == STOP)
            written_at = next(each.at_s for each in link.written if each.at_s >= stop_at and each.frame == STOP)
            between = [each for each in watch.received if written_at <= each.at_s < arrived_at]
            assert len(between) <= ONE_AHEAD
            ages = [each.at_s - sent_at[each.frame] for each in watch.received if each.frame in sent_at]
            assert (
                len(ages) >= (STICK_S - stretch.waited_s) / interval_s / 4
            )  # it was driven as fast as the machine could
            half = len(ages) // 2
            grows_s = statistics.median(ages[half:]) - statistics.median(ages[:half])
            assert grows_s < 2 * interval_s + stretch.waited_s
            findings[f"stick at {STICK_HZ:.0f} Hz, interval {1e3 * interval_s:.2f} ms"] = {
                "age of a command when it arrives at the unit": _spread(ages),
                "stop, from the input to the unit": f"{1e3 * (arrived_at - stop_at):.0f} ms",
                "moves between the write of a stop and its arrival": len(between),
                "commands": len(ages),
            }


@pytest.mark.every_bluez
async def test_bluez_itself_accepts_every_write_and_delivers_it_late() -> None:
    """This is why the link counts its writes; otherwise the scenario above would prove nothing."""
    async with bluez_world(interval_s=SLOW_S, options=PATIENT) as world:
        link = world.link(Axis.PAN)
        await opened(link)
        watch = Watch(world.unit(Axis.PAN))
        written = 0
        while written - len(watch.frames) < BACKLOG and written < MAX_WRITES:
            await link.write(pack(PROFILE.frame, 0.5), response=False)
            written += 1
        assert written - len(watch.frames) >= BACKLOG
        await until(lambda: len(watch.frames) == written, "BlueZ has delivered all of them")
        await link.close()


@pytest.mark.every_bluez
async def test_a_stop_arrives_at_a_unit_that_no_longer_acknowledges_moves() -> None:
    async with bluez_world() as world:
        profile = world.profile_writing(Axis.PAN, WriteMode.WITH_RESPONSE)
        async with world.reach(Axis.PAN, profile=profile) as pan, world.reach(Axis.TILT) as tilt:
            await set_turning(pan, world.unit(Axis.PAN))
            await set_turning(tilt, world.unit(Axis.TILT))
            world.head.faults.delay(Axis.PAN, NEVER_S)  # the link layer still works, but none of our packets arrives
            async with held(pan):
                await until(lambda: LinkReason.UNANSWERED in pan.reasons, "the silence is detected")
            pan.put(0)
            watches = {axis: Watch(world.unit(axis)) for axis in (Axis.PAN, Axis.TILT)}
            tilt.put(0)
            await until(lambda: STOP in watches[Axis.TILT].frames, "tilt stops independently of pan")
            world.head.faults.delay(Axis.PAN, 0.0)
            await ready(pan)
            assert watches[Axis.PAN].frames[0] == STOP


@pytest.mark.every_bluez
async def test_the_time_that_bluez_takes_to_disconnect_one_unit_does_not_delay_the_other() -> None:
    async with bluez_world() as world, world.reach(Axis.TILT) as tilt, world.reach(Axis.PAN) as pan:
        await ready(pan)
        await set_turning(tilt, world.unit(Axis.TILT))
        watch = Watch(world.unit(Axis.TILT))
        closing = asyncio.create_task(pan.cancel())
        tilt.put(0)
        await until(lambda: STOP in watch.frames, "tilt stops")
        stopped_at = tilt.now
        assert not closing.done() or not world.unit(Axis.PAN).is_connected
        await closing
        assert watch.received[0].at_s <= stopped_at
        assert tilt.is_ready


@pytest.mark.every_bluez
async def test_an_adapter_goes_by_its_address_and_a_missing_one_is_named_in_the_error() -> None:
    async with bluez_world() as world:
        link = BleUnit(world.profile(Axis.PAN), Radio(adapter=ADAPTER_ADDRESS.lower()))
        await opened(link)
        await link.write(STOP, response=True)
        await link.close()
        for absent in ("hci99", "00:00:5E:00:53:01"):
            with pytest.raises(LinkError, match=f"no such Bluetooth adapter: {absent}; .*{ADAPTER_ADDRESS}") as caught:
                await BleUnit(world.profile(Axis.PAN), Radio(adapter=absent)).open(lambda: None, lambda: None)
            assert caught.value.reason is LinkReason.NO_ADAPTER


@pytest.mark.every_bluez
async def test_a_command_that_is_too_long_fails_alone() -> None:
    async with bluez_world() as world:
        link = world.link(Axis.PAN)
        await opened(link)
        with pytest.raises(LinkError):
            await link.write(bytes(600), response=False)
        watch = Watch(world.unit(Axis.PAN))
        await link.write(STOP, response=True)
        assert watch.frames == [STOP]
        await link.close()


@pytest.mark.every_bluez
async def test_commands_that_the_unit_silently_refuses_are_detected_at_the_stop() -> None:
    async with bluez_world() as world, world.reach(Axis.PAN) as pan:
        await set_turning(pan, world.unit(Axis.PAN))
        world.head.faults.refuse(Axis.PAN, on=True)
        pan.put(0)
        await until(lambda: LinkReason.REFUSED in pan.reasons, "the refusal is detected")
        world.head.faults.refuse(Axis.PAN, on=False)
        await ready(pan)
        assert world.unit(Axis.PAN).frames[-1].is_obeyed
        assert world.unit(Axis.PAN).frames[-1].frame == STOP


@pytest.mark.every_bluez
async def test_what_bluez_hides_is_not_needed() -> None:
    async with bluez_world() as world:
        link = world.link(Axis.TILT)
        details = await opened(link)
        assert details.name == NAMES[Axis.TILT]
        assert details.address == ADDRESSES[Axis.TILT]
        assert details.can_write_with_response
        assert details.can_write_without_response
        assert details.can_keep_alive
        assert await link.keep_alive()
        await link.close()


@pytest.mark.parametrize("mode", list(WriteMode))
async def test_a_unit_is_driven_in_every_write_mode(mode: WriteMode) -> None:
    async with bluez_world() as world:
        profile = world.profile_writing(Axis.PAN, mode)
        link = world.link(Axis.PAN)
        async with world.reach(Axis.PAN, link=link, profile=profile) as pan:
            watch = Watch(world.unit(Axis.PAN))
            await set_turning(pan, world.unit(Axis.PAN))
            pan.put(0)
            await until(lambda: watch.frames[-1] == STOP, "it has stopped")
            move = next(each for each in link.written if each.frame != STOP)
            assert move.response is (mode is WriteMode.WITH_RESPONSE)


@pytest.mark.parametrize("first", [Axis.PAN, Axis.TILT])
async def test_each_axis_keeps_its_own_unit_in_whichever_order_they_come(first: Axis) -> None:
    second = Axis.TILT if first is Axis.PAN else Axis.PAN
    order = (first, second)
    async with bluez_world(order) as world, world.reach(Axis.PAN) as pan, world.reach(Axis.TILT) as tilt:
        rigs = {Axis.PAN: pan, Axis.TILT: tilt}
        for _ in range(2):
            for axis in order:
                await _is_driven_alone(world, axis, rigs)
            for axis in order:
                world.head.faults.vanish(axis)
            await until(lambda: not pan.is_ready and not tilt.is_ready, "both are out of reach")
            order = order[::-1]
            for axis in order:
                world.head.faults.come_back(axis)
        await ready(pan)
        await ready(tilt)


async def test_how_long_a_write_takes_is_reported(findings: dict[str, object]) -> None:
    async with bluez_world() as world:
        link = world.link(Axis.PAN)
        await opened(link)
        for response in (True, False):
            calls, arrivals = await _timed_writes(world, link, response=response)
            kind = "with response" if response else "without response"
            findings[f"write {kind}, interval {1e3 * world.interval_s(Axis.PAN):.1f} ms"] = {
                "call": _spread(calls),
                "until it arrives at the unit": _spread(arrivals),
            }
        await link.close()


async def _wiggle(rig: UnitRig) -> dict[bytes, float]:
    """Move a stick for a while, a little further each time; returns when each frame was first requested."""
    sent_at: dict[bytes, float] = {}
    began = rig.now
    while rig.now < began + STICK_S:
        velocity = 0.1 + 0.8 * (rig.now - began) / STICK_S
        sent_at.setdefault(pack(PROFILE.frame, velocity), rig.now)
        rig.put(velocity)
        await asyncio.sleep(1 / STICK_HZ)
    return sent_at


async def _is_driven_alone(world: World, axis: Axis, rigs: dict[Axis, UnitRig]) -> None:
    watches = {each: Watch(world.unit(each)) for each in rigs}
    await ready(rigs[axis])
    rigs[axis].put(0.5)
    await until(lambda: any(unpack(PROFILE.frame, frame) for frame in watches[axis].frames), f"{axis} turns")
    rigs[axis].put(0)
    assert all(set(watches[other].frames) <= {STOP} for other in rigs if other is not axis)


async def _timed_writes(world: World, link: OverheardUnit, *, response: bool) -> tuple[list[float], list[float]]:
    loop = asyncio.get_running_loop()
    watch = Watch(world.unit(Axis.PAN))
    began, ended = [], []
    for number in range(WRITES):
        began.append(loop.time())
        await link.write(STOP, response=response)
        ended.append(loop.time())
        await until(lambda: len(watch.frames) > number, "it arrives at the unit")  # noqa: B023 - called at once
    calls = [end - begin for begin, end in zip(began, ended, strict=True)]
    arrivals = [each.at_s - begin for each, begin in zip(watch.received, began, strict=True)]
    return calls, arrivals


def _spread(times_s: Sequence[float]) -> str:
    ordered = sorted(times_s)
    median, most = statistics.median(ordered), ordered[int(0.9 * (len(ordered) - 1))]
    return f"median {1e3 * median:.0f} ms, p90 {1e3 * most:.0f} ms, most {1e3 * ordered[-1]:.0f} ms"
