"""Parking over virtual units and a simulated radio: whatever fails ends it with a stop, and it never goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from belvedere.control.options import ParkPosition
from belvedere.engine.parking import Parking, ParkingEnd
from belvedere.head.axes import AXES, Axis
from belvedere.head.profile import WriteMode

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.faults.stack import Stack

    from belvedere.sim.head import Faults

    Open = Callable[..., AbstractAsyncContextManager[Stack]]

PARK = ParkPosition(pan_deg=60.0, tilt_deg=-15.0)
END_TIMEOUT_S = 35.0  # above the longest time of a hold


def parking_of(server: Stack) -> Parking:
    speeds = {axis: unit.full_speed_deg_per_s for axis in AXES if (unit := server.config.profile.unit(axis))}
    control = server.config.settings.control
    return Parking(server.belvedere.engine, PARK, speeds, control, clock=server.clock)


async def ended(server: Stack, parking: Parking) -> ParkingEnd:
    await server.until(lambda: not parking.is_running, END_TIMEOUT_S)
    assert parking.end is not None
    return parking.end


def angle(server: Stack, axis: Axis) -> float:
    return (server.head.pan if axis is Axis.PAN else server.head.tilt).angle_at(server.now)


async def test_the_head_truly_stands_where_the_owner_chose(stack: Open) -> None:
    async with stack() as server:
        await server.ready()
        parking = parking_of(server)
        parking.start()
        assert await ended(server, parking) is ParkingEnd.PARKED
        for axis, deg in PARK.by_axis().items():
            assert server.is_stop(server.frames(axis)[-1])
            assert angle(server, axis) == pytest.approx(deg, abs=2.5)  # reckoning does not see motors speed up


FAULTS: dict[str, Callable[[Faults], None]] = {
    "the link is dropped": lambda faults: faults.drop(Axis.PAN),
    "the unit vanishes": lambda faults: faults.vanish(Axis.PAN),
    "its writes hang": lambda faults: faults.hang(Axis.PAN),
    "the adapter is switched off": lambda faults: faults.switch_adapter(on=False),
    "it refuses writes": lambda faults: faults.refuse(Axis.PAN, on=True),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_a_unit_ends_it_stops_the_other_and_nothing_goes_on(stack: Open, fault: str) -> None:
    async with stack(write=WriteMode.WITH_RESPONSE) as server:
        await server.ready()
        parking = parking_of(server)
        parking.start()
        await server.turning(Axis.TILT)
        FAULTS[fault](server.head.faults)
        assert await ended(server, parking) in {ParkingEnd.UNIT_AWAY, ParkingEnd.UNSURE}  # whichever shows first
        began = server.now
        faults = server.head.faults
        faults.come_back(Axis.PAN)
        faults.resume(Axis.PAN)
        faults.switch_adapter(on=True)
        faults.refuse(Axis.PAN, on=False)
        await server.ready()
        await asyncio.sleep(2)
        for axis in AXES:
            assert not any(server.velocities(axis, began + 0.1))
        assert server.belvedere.engine.status.lease.session is None


async def test_a_head_that_may_have_turned_uncounted_is_not_moved(stack: Open) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        await visitor.lease()
        await visitor.press(1.0)
        await server.turning()
        server.head.faults.vanish(Axis.PAN)
        await asyncio.sleep(10)
        server.head.faults.come_back(Axis.PAN)
        await server.ready()
        await visitor.release()
        began, parking = server.now, parking_of(server)
        assert not server.belvedere.engine.status.pan.is_position_sure
        parking.start()
        assert await ended(server, parking) is ParkingEnd.UNSURE
        assert not any(server.velocities(axis, began)[1:] for axis in AXES)


async def test_a_visitors_stop_ends_it_on_the_radio_at_once(stack: Open) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        parking = parking_of(server)
        parking.start()
        await server.turning()
        pressed_at = server.now
        visitor.send("stop")
        assert await server.stopped() - pressed_at < 0.1
        assert await ended(server, parking) is ParkingEnd.STOPPED
        stood = angle(server, Axis.PAN)
        await asyncio.sleep(3)
        assert angle(server, Axis.PAN) == pytest.approx(stood, abs=1)


async def test_a_clock_that_jumps_back_ends_it(stack: Open) -> None:
    async with stack() as server:
        await server.ready()
        parking = parking_of(server)
        parking.start()
        await server.turning()
        server.clock.jumped_s -= 40
        assert await ended(server, parking) is ParkingEnd.STOPPED
        await server.stopped()


async def test_opening_the_curtain_and_taking_the_lease_moves_nothing_by_itself(stack: Open) -> None:
    async with stack() as server, server.visitor() as visitor:
        await server.ready()
        parking = parking_of(server)
        parking.start()
        await server.turning()
        parking.cancel()
        await visitor.lease()
        await server.stopped()
        began = server.now
        await asyncio.sleep(3)
        assert not any(velocity for axis in AXES for velocity in server.velocities(axis, began))
