"""Parking: the pure decisions, and the move over fake units; tests/faults/test_parking.py has simulated ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.control.lease import LeaseVerb
from belvedere.control.options import ControlOptions, ParkPosition
from belvedere.control.setpoint import Setpoint
from belvedere.engine.parking import SESSION, Parking, ParkingEnd, ParkingMove, Velocities
from belvedere.engine.status import AxisState
from belvedere.errors import InternalError, Refusal, VisitorError
from belvedere.events import DriverChanged, ParkingEnded
from belvedere.head.axes import AXES, Axis
from belvedere.link.supervisor import LinkPhase

PAN, TILT = AXES
FULL_SPEED = dict.fromkeys(AXES, 30.0)
AT_REST = AxisState(LinkPhase.READY, None, 0.0, 0.0, 0, 0.03)
TURNING = msgspec.structs.replace(AT_REST, velocity=1.0, written=1.0)
UNSURE = msgspec.structs.replace(AT_REST, is_position_sure=False)


def at(pan_deg: float, tilt_deg: float = 0.0, state: AxisState = AT_REST) -> dict[Axis, AxisState]:
    return {
        PAN: msgspec.structs.replace(state, position_deg=pan_deg),
        TILT: msgspec.structs.replace(state, position_deg=tilt_deg),
    }


def a_move(target: dict[Axis, float] | None = None) -> ParkingMove:
    target = {PAN: 30.0, TILT: -6.0} if target is None else target
    return ParkingMove(target, FULL_SPEED, began_at=0.0, rest_s=0.5, most_s=20.0)


# the decisions


def test_it_rests_before_it_moves() -> None:
    move = a_move()
    assert move.step(0.0, at(0)) == Velocities()
    assert move.step(0.49, at(0)) == Velocities()
    assert move.step(0.5, at(0)) == Velocities(1.0, -6 / (30 * 0.6))


def test_it_waits_for_units_that_still_turn_but_not_for_ever() -> None:
    move = a_move()
    assert [move.step(now, at(0, state=TURNING)) for now in (0.0, 0.6, 2.4)] == [Velocities()] * 3
    assert move.step(2.5, at(0, state=TURNING)) is ParkingEnd.UNIT_AWAY


def test_it_slows_down_stops_within_a_degree_and_says_so_once_both_axes_rest() -> None:
    move = a_move()
    speeds = []
    for now, pan_deg in ((0.5, 0.0), (1.0, 21.0), (1.1, 29.4), (1.2, 29.6)):
        wanted = move.step(now, at(pan_deg, -6.0))
        assert isinstance(wanted, Velocities)
        speeds.append(wanted.pan)
    assert speeds == pytest.approx([1.0, 0.5, 0.05, 0.0], abs=0.02)
    assert move.step(1.4, at(29.7, -6, TURNING)) == Velocities()
    assert move.step(1.5, at(29.7, -6)) is ParkingEnd.PARKED


def test_an_axis_that_has_passed_its_target_does_not_go_back() -> None:
    move = a_move({PAN: 30.0})
    move.step(0.5, at(0))
    assert move.step(1.0, at(30.9)) == Velocities()
    assert move.step(1.1, at(30.9)) is ParkingEnd.PARKED


def test_an_axis_that_comes_to_rest_elsewhere_is_not_called_parked() -> None:
    move = a_move({PAN: 30.0})
    move.step(0.5, at(0))
    move.step(1.0, at(31.1))
    assert move.step(1.1, at(31.1)) is ParkingEnd.MISSED


def test_a_unit_that_does_not_acknowledge_its_stop_is_not_called_parked() -> None:
    move = a_move({PAN: 30.0})
    move.step(0.5, at(0))
    move.step(1.0, at(30.0, state=TURNING))
    assert move.step(2.9, at(30.0, state=TURNING)) == Velocities()
    assert move.step(3.0, at(30.0, state=TURNING)) is ParkingEnd.UNIT_AWAY


def test_an_axis_without_a_target_may_be_out_of_reach_and_is_not_moved() -> None:
    away = {**at(0), TILT: msgspec.structs.replace(UNSURE, phase=LinkPhase.SEARCHING, position_deg=None)}
    move = a_move({PAN: 30.0})
    move.step(0.0, away)
    assert move.step(0.5, away) == Velocities(1.0, 0.0)


@pytest.mark.parametrize("at_s", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("change", "end"),
    [
        ({"phase": LinkPhase.SEARCHING}, ParkingEnd.UNIT_AWAY),
        ({"position_deg": None}, ParkingEnd.NOT_CALIBRATED),
    ],
)
@pytest.mark.parametrize("axis", AXES)
def test_an_obstacle_ends_it_at_once_in_every_phase(
    axis: Axis, change: dict[str, object], end: ParkingEnd, at_s: float
) -> None:
    move = a_move()
    for now in (0.0, 0.5):
        if now < at_s:
            assert isinstance(move.step(now, at(0)), Velocities)
    assert move.step(at_s, {**at(0), axis: msgspec.structs.replace(AT_REST, **change)}) is end


def test_a_full_speed_that_is_not_known_moves_nothing() -> None:
    move = ParkingMove({PAN: 1.0}, {PAN: None, TILT: 30.0}, began_at=0.0, rest_s=0.5, most_s=20.0)
    assert move.step(0.0, at(0)) is ParkingEnd.NOT_CALIBRATED


def test_a_position_that_stays_unsure_moves_nothing() -> None:
    move = a_move()
    assert move.step(0.0, at(0, state=UNSURE)) == Velocities()
    assert move.step(0.49, at(0, state=UNSURE)) == Velocities()
    assert move.step(0.5, at(0, state=UNSURE)) is ParkingEnd.UNSURE


def test_a_write_in_progress_makes_a_position_unsure_for_a_moment_only() -> None:
    move = a_move()
    move.step(0.0, at(0))
    for now, state in ((0.3, AT_REST), (0.4, UNSURE), (0.6, UNSURE)):
        assert move.step(now, at(0, state=state)) == Velocities()
    assert move.step(0.7, at(0)) != Velocities()
    assert isinstance(move.step(1.1, at(5, state=UNSURE)), Velocities)
    assert move.step(1.2, at(5, state=UNSURE)) is ParkingEnd.UNSURE


@pytest.mark.parametrize(("limit", "is_in_the_way"), [(1, True), (-1, False), (0, False)])
def test_a_soft_limit_in_the_way_ends_it(limit: int, *, is_in_the_way: bool) -> None:
    move = a_move({PAN: 30.0})
    move.step(0.5, at(0))
    stands = msgspec.structs.replace(AT_REST, limit=limit)
    assert (move.step(1.0, at(5, state=stands)) is ParkingEnd.AT_LIMIT) == is_in_the_way


def test_it_never_takes_longer_than_it_may() -> None:
    move = a_move()
    assert isinstance(move.step(0.5, at(0)), Velocities)
    assert isinstance(move.step(19.9, at(5)), Velocities)
    assert move.step(20.0, at(5)) is ParkingEnd.TOO_LONG


# the move


@asynccontextmanager
async def parking_rig(
    position: ParkPosition | None = None, options: ControlOptions | None = None
) -> AsyncIterator[tuple[EngineRig, Parking]]:
    async with open_rig(options) as rig:
        position = position or ParkPosition(pan_deg=45.0, tilt_deg=-10.0)
        parking = Parking(rig.engine, position, FULL_SPEED, rig.options, clock=rig.clock, record=rig.events.append)
        yield rig, parking
        await parking.close()


def parking_tasks() -> int:
    return sum(task.get_name() == "parking" for task in asyncio.all_tasks())


async def ended(parking: Parking) -> ParkingEnd:
    while parking.is_running:  # noqa: ASYNC110 - nothing is published at the end
        await asyncio.sleep(0.01)
    assert parking.end is not None
    return parking.end


def is_at_rest(rig: EngineRig) -> bool:
    return all(unit.velocity == 0 for unit in rig.units.values())


def press(rig: EngineRig, session: str, hold: int = 1, seq: int = 1) -> None:
    setpoint = Setpoint(
        epoch=rig.engine.status.lease.epoch,
        hold=hold,
        seq=seq,
        pan=-1.0,
        tilt=0.0,
        sent_at_s=rig.clock(),
        heard_s=rig.clock(),
    )
    rig.engine.receive_drive(session, setpoint)


async def test_the_head_stands_where_the_owner_chose_and_nobody_has_the_lease() -> None:
    async with parking_rig() as (rig, parking):
        parking.start()
        assert await ended(parking) is ParkingEnd.PARKED
        status = rig.engine.status
        assert status.pan.position_deg == pytest.approx(45, abs=1)
        assert status.tilt.position_deg == pytest.approx(-10, abs=1)
        assert is_at_rest(rig)
        assert status.lease.session is None
        with pytest.raises(VisitorError, match="not open"):
            rig.engine.receive_lease(SESSION, LeaseVerb.ACQUIRE)
        assert rig.events[-1] == ParkingEnded(ParkingEnd.PARKED)


async def test_without_a_position_nothing_moves_and_nobody_loses_the_lease() -> None:
    async with open_rig() as rig:
        rig.engine.receive_session_opened("ann", "ann")
        rig.engine.receive_lease("ann", LeaseVerb.ACQUIRE)
        parking = Parking(rig.engine, None, FULL_SPEED, rig.options, clock=rig.clock)
        parking.start()
        assert (parking.end, rig.engine.status.lease.session) == (ParkingEnd.NOT_SET, "ann")


async def test_the_driver_is_stopped_within_the_call_and_nobody_drives_until_the_end() -> None:
    async with parking_rig() as (rig, parking):
        for session, rank in (("ann", 0), ("room", 1)):
            rig.engine.receive_session_opened(session, session, rank)
        rig.engine.receive_lease("ann", LeaseVerb.ACQUIRE)
        press(rig, "ann")
        assert not is_at_rest(rig)
        parking.start()
        assert is_at_rest(rig)
        while parking.is_running:
            for session in ("ann", "room"):
                with pytest.raises(VisitorError) as refused:
                    rig.engine.receive_lease(session, LeaseVerb.TAKE)
                assert refused.value.refusal is Refusal.OUTRANKED
                with pytest.raises(VisitorError):
                    press(rig, session)
            await asyncio.sleep(0.05)
        assert parking.end is ParkingEnd.PARKED
        rig.engine.receive_lease("ann", LeaseVerb.ACQUIRE)


async def test_a_second_start_changes_nothing() -> None:
    async with parking_rig() as (rig, parking):
        parking.start()
        await asyncio.sleep(0.7)
        parking.start()
        assert parking_tasks() == 1
        assert await ended(parking) is ParkingEnd.PARKED
        assert sum(isinstance(event, ParkingEnded) for event in rig.events) == 1
        assert [event.session for event in rig.events if isinstance(event, DriverChanged)] == [SESSION, None]


async def test_it_parks_again_after_it_has_ended() -> None:
    async with parking_rig() as (rig, parking):
        parking.start()
        await asyncio.sleep(0.7)
        parking.cancel()
        parking.start()
        await asyncio.sleep(0.01)
        assert parking_tasks() == 1
        assert await ended(parking) is ParkingEnd.PARKED
        parking.start()
        assert await ended(parking) is ParkingEnd.PARKED
        assert rig.engine.status.pan.position_deg == pytest.approx(45, abs=1)


@pytest.mark.parametrize("after_s", [0.0, 0.3, 0.8, 1.5])
async def test_whoever_presses_stop_ends_it_in_every_phase_for_good(after_s: float) -> None:
    async with parking_rig() as (rig, parking):
        rig.engine.receive_session_opened("ann", "ann")
        parking.start()
        await asyncio.sleep(after_s)
        await asyncio.sleep(0)
        rig.engine.receive_stop("ann")
        assert is_at_rest(rig)
        assert await ended(parking) is ParkingEnd.STOPPED
        stood_at = rig.engine.status.pan.position_deg
        await asyncio.sleep(2)
        assert rig.engine.status.pan.position_deg == stood_at


async def test_opening_the_curtain_stops_the_head_within_the_call() -> None:
    async with parking_rig() as (rig, parking):
        parking.start()
        await asyncio.sleep(0.8)
        assert not is_at_rest(rig)
        parking.cancel()
        assert is_at_rest(rig)
        assert (parking.end, rig.engine.status.lease.session) == (ParkingEnd.CANCELLED, None)
        parking.cancel()  # twice is once
        await asyncio.sleep(1)
        assert is_at_rest(rig)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("after_s", [0.0, 0.8])
async def test_it_gives_up_when_a_link_is_lost(axis: Axis, after_s: float) -> None:
    async with parking_rig() as (rig, parking):
        parking.start()
        await asyncio.sleep(after_s)
        rig.lose(axis)
        assert await ended(parking) is ParkingEnd.UNIT_AWAY
        rig.find(axis)
        await asyncio.sleep(2)
        assert is_at_rest(rig)


async def test_it_drives_no_further_than_the_core_lets_any_hold_go() -> None:
    options = ControlOptions(hold_ceiling_s=2.0)
    async with parking_rig(ParkPosition(pan_deg=600.0), options) as (rig, parking):
        began = rig.clock()
        parking.start()
        assert await ended(parking) is ParkingEnd.TOO_LONG
        assert rig.clock() - began <= 2
        assert is_at_rest(rig)


async def test_the_time_that_a_visitor_has_used_up_does_not_count() -> None:
    async with parking_rig(ParkPosition(pan_deg=0.0), ControlOptions(hold_ceiling_s=6.0)) as (rig, parking):
        rig.engine.receive_session_opened("ann", "ann")
        rig.engine.receive_lease("ann", LeaseVerb.ACQUIRE)
        for number in range(60):  # three seconds, so that three would be left without a rest
            press(rig, "ann", seq=number)
            await asyncio.sleep(0.05)
        parking.start()
        assert await ended(parking) is ParkingEnd.PARKED


async def test_if_its_task_hangs_the_head_stops_after_the_dead_man_time() -> None:
    async with parking_rig() as (rig, _):
        silent = ControlOptions(dead_man_s=0.0, resend_s=60.0)  # asks once for a motion, and sleeps
        parking = Parking(rig.engine, ParkPosition(pan_deg=45.0), FULL_SPEED, silent, clock=rig.clock)
        await asyncio.sleep(1)
        parking.start()
        await asyncio.sleep(0.05)
        assert not is_at_rest(rig)
        hung_at = rig.clock()
        await rig.units[PAN].stands_still()
        assert rig.clock() - hung_at <= rig.options.dead_man_s
        assert parking.is_running
        await parking.close()


async def test_an_error_of_ours_stops_the_head_and_returns_the_lease(caplog: pytest.LogCaptureFixture) -> None:
    async with parking_rig() as (rig, _):
        times = 0

        def failing_clock() -> float:
            nonlocal times
            times += 1
            if times == 20:
                raise ZeroDivisionError
            return rig.clock()

        parking = Parking(rig.engine, ParkPosition(pan_deg=45.0), FULL_SPEED, rig.options, clock=failing_clock)
        parking.start()
        assert await ended(parking) is ParkingEnd.FAILED
        assert is_at_rest(rig)
        assert rig.engine.status.lease.session is None
        assert "parking the head failed" in caplog.text


async def test_an_engine_that_has_failed_parks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with parking_rig() as (rig, parking):
        rig.units[PAN].failure = ZeroDivisionError()
        with pytest.raises(InternalError):
            rig.engine.receive_stop("ann")
        parking.start()
        assert (parking.end, parking.is_running) == (ParkingEnd.FAILED, False)
        assert "could not take the lease" in caplog.text


async def test_while_the_program_closes_it_gives_up() -> None:
    async with parking_rig() as (rig, parking):
        parking.start()
        await asyncio.sleep(0.8)
        rig.engine.receive_closing()
        assert is_at_rest(rig)
        assert await ended(parking) is ParkingEnd.STOPPED
