"""A program that drives by HTTP is held to the rules of a hand."""

import asyncio

import pytest
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.sessions import EndReason, Session
from belvedere.control.lease import LeaseVerb
from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.scripts import BURST, Scripts, Wanted
from belvedere.head.axes import Axis

RIGHT = Wanted(pan=1.0, tilt=0.0, for_s=0.5)


def scripts_of(rig: EngineRig) -> Scripts:
    return Scripts(rig.engine, rig.engine, idle_s=6.0, dead_man_s=0.5)


async def test_a_request_moves_the_head_and_it_stops_by_itself() -> None:
    async with open_rig() as rig:
        ana = rig.let_in().session
        began = rig.clock()
        scripts_of(rig).receive_velocity(began, ana, Wanted(1.0, 0.0, 0.2))
        assert rig.units[Axis.PAN].velocity > 0
        await asyncio.sleep(1)
        stopped_at = next(at for at, velocity in rig.units[Axis.PAN].velocities if at > began and not velocity)
        assert stopped_at - began == pytest.approx(0.2, abs=0.01)


async def test_requests_in_time_are_one_press() -> None:
    async with open_rig() as rig:
        ana, scripts = rig.let_in().session, scripts_of(rig)
        for _ in range(20):
            scripts.receive_velocity(rig.clock(), ana, RIGHT)
            await asyncio.sleep(0.2)
        moving = [velocity for _, velocity in rig.units[Axis.PAN].velocities[3:]]
        assert moving
        assert all(moving)
        assert rig.units[Axis.PAN].velocity == 1.0


async def test_a_press_has_the_ceiling_of_a_hands_and_never_resumes_by_itself() -> None:
    async with open_rig() as rig:
        ana, scripts = rig.let_in().session, scripts_of(rig)
        began, refusals = rig.clock(), []
        while rig.clock() < began + 60:
            try:
                scripts.receive_velocity(rig.clock(), ana, RIGHT)
            except VisitorError as error:
                refusals.append((rig.clock() - began, error.refusal))
            await asyncio.sleep(0.25)
        assert rig.units[Axis.PAN].velocity == 0
        assert {refusal for _, refusal in refusals} == {Refusal.HOLD_ENDED}
        assert refusals[0][0] == pytest.approx(rig.options.hold_ceiling_s, abs=0.3)
        await asyncio.sleep(0.6)
        scripts.receive_velocity(rig.clock(), ana, RIGHT)
        assert rig.units[Axis.PAN].velocity > 0


async def test_somebody_elses_stop_is_not_driven_over() -> None:
    async with open_rig() as rig:
        ana, ben, scripts = rig.let_in().session, rig.let_in().session, scripts_of(rig)
        scripts.receive_velocity(rig.clock(), ana, RIGHT)
        scripts.receive_stop(rig.clock(), ben)
        assert rig.units[Axis.PAN].velocity == 0
        with pytest.raises(VisitorError) as refused:
            scripts.receive_velocity(rig.clock(), ana, RIGHT)
        assert refused.value.refusal is Refusal.HOLD_ENDED


async def refusals(rig: EngineRig, scripts: Scripts, visitor: Session, wanted: Wanted, for_s: float) -> set[Refusal]:
    """What a loop of requests every 0.3 s is told; the head must not move meanwhile."""
    told = set()
    until = rig.clock() + for_s
    while rig.clock() < until:
        with pytest.raises(VisitorError) as refused:
            scripts.receive_velocity(rig.clock(), visitor, wanted)
        told.add(refused.value.refusal)
        assert rig.units[Axis.PAN].velocity == 0
        await asyncio.sleep(0.3)
    return told


@pytest.mark.parametrize("for_s", [0.1, 0.5])
async def test_a_loop_that_still_runs_does_not_drive_over_its_own_programs_stop(for_s: float) -> None:
    async with open_rig() as rig:
        ana, scripts = rig.let_in().session, scripts_of(rig)
        wanted = Wanted(1.0, 0.0, for_s)
        scripts.receive_velocity(rig.clock(), ana, wanted)
        scripts.receive_stop(rig.clock(), ana)
        assert rig.units[Axis.PAN].velocity == 0
        assert await refusals(rig, scripts, ana, wanted, 5) == {Refusal.HOLD_ENDED}
        await asyncio.sleep(0.5)
        scripts.receive_velocity(rig.clock(), ana, wanted)
        assert rig.units[Axis.PAN].velocity > 0


async def test_short_moves_in_a_row_do_not_outlive_somebody_elses_stop() -> None:
    async with open_rig() as rig:
        ana, ben, scripts = rig.let_in().session, rig.let_in().session, scripts_of(rig)
        nudge = Wanted(1.0, 0.0, 0.1)
        scripts.receive_velocity(rig.clock(), ana, nudge)
        scripts.receive_stop(rig.clock(), ben)
        await asyncio.sleep(0.3)
        assert await refusals(rig, scripts, ana, nudge, 5) == {Refusal.HOLD_ENDED}


async def test_a_press_that_lost_the_lease_does_not_resume_when_the_lease_is_free_again() -> None:
    async with open_rig() as rig:
        ana, scripts = rig.let_in().session, scripts_of(rig)
        scripts.receive_velocity(rig.clock(), ana, RIGHT)
        rig.engine.receive_session_opened("ben", "ben")
        rig.engine.receive_lease("ben", LeaseVerb.TAKE)
        await asyncio.sleep(0.3)
        assert await refusals(rig, scripts, ana, RIGHT, 0.6) == {Refusal.SOMEONE_ELSE_DRIVES}
        rig.engine.receive_lease("ben", LeaseVerb.RETURN)
        assert await refusals(rig, scripts, ana, RIGHT, 5) == {Refusal.HOLD_ENDED}
        assert rig.engine.status.lease.session is None
        await asyncio.sleep(0.5)
        scripts.receive_velocity(rig.clock(), ana, RIGHT)
        assert rig.units[Axis.PAN].velocity > 0


async def test_what_a_request_took_until_now_is_taken_off_its_life() -> None:
    async with open_rig() as rig:
        ana = rig.let_in().session
        began = rig.clock()
        scripts_of(rig).receive_velocity(began, ana, Wanted(1.0, 0.0, 0.5, age_s=0.3))
        assert rig.units[Axis.PAN].velocity > 0
        await rig.units[Axis.PAN].stands_still()
        assert rig.clock() - began == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(
    "late", [Wanted(1.0, 0.0, 0.5, age_s=0.6), Wanted(1.0, 0.0, 0.1, age_s=0.1), Wanted(1.0, 0.0, 0.5, not_after_s=1.0)]
)
async def test_a_request_that_is_too_old_moves_nothing(late: Wanted) -> None:
    async with open_rig() as rig:
        ana, scripts = rig.let_in().session, scripts_of(rig)
        assert await refusals(rig, scripts, ana, late, 0.2) == {Refusal.TOO_LATE}
        assert rig.engine.status.lease.session is None


async def test_requests_that_come_late_are_no_pause_for_a_loop_that_was_stopped() -> None:
    async with open_rig() as rig:
        ana, scripts = rig.let_in().session, scripts_of(rig)
        scripts.receive_velocity(rig.clock(), ana, RIGHT)
        scripts.receive_stop(rig.clock(), ana)
        late = Wanted(1.0, 0.0, 0.5, age_s=0.6)
        assert await refusals(rig, scripts, ana, late, 2) == {Refusal.TOO_LATE}
        assert await refusals(rig, scripts, ana, RIGHT, 0.1) == {Refusal.HOLD_ENDED}


async def test_a_loop_whose_pauses_are_no_rest_for_the_head_has_the_ceiling_of_one_press() -> None:
    async with open_rig() as rig:
        ana, scripts = rig.let_in().session, scripts_of(rig)
        began, told = rig.clock(), set()
        while rig.clock() < began + rig.options.hold_ceiling_s + 1:
            try:
                scripts.receive_velocity(rig.clock(), ana, RIGHT)
            except VisitorError as error:
                told.add(error.refusal)
                assert rig.units[Axis.PAN].velocity == 0
            await asyncio.sleep(0.51)
        assert told == {Refusal.HOLD_TOO_LONG}


async def test_it_waits_for_nobody_and_pushes_nobody_away() -> None:
    async with open_rig() as rig:
        ana, ben, scripts = rig.let_in().session, rig.let_in().session, scripts_of(rig)
        scripts.receive_velocity(rig.clock(), ana, RIGHT)
        with pytest.raises(VisitorError) as refused:
            scripts.receive_velocity(rig.clock(), ben, RIGHT)
        assert refused.value.refusal is Refusal.SOMEONE_ELSE_DRIVES


async def test_its_lease_grows_stale() -> None:
    async with open_rig() as rig:
        ana, ben, scripts = rig.let_in().session, rig.let_in().session, scripts_of(rig)
        scripts.receive_velocity(rig.clock(), ana, RIGHT)
        await asyncio.sleep(rig.options.lease_stale_s + 0.1)
        scripts.receive_velocity(rig.clock(), ben, RIGHT)
        scripts.receive_stop(rig.clock(), ben)


async def test_too_many_requests_are_refused_but_never_a_stop() -> None:
    async with open_rig() as rig:
        ana, scripts = rig.let_in().session, scripts_of(rig)
        for _ in range(int(BURST)):
            scripts.receive_velocity(rig.clock(), ana, RIGHT)
        with pytest.raises(VisitorError) as refused:
            scripts.receive_velocity(rig.clock(), ana, RIGHT)
        assert refused.value.refusal is Refusal.TOO_FAST
        scripts.receive_stop(rig.clock(), ana)
        assert rig.units[Axis.PAN].velocity == 0


async def test_a_program_that_left_is_let_go() -> None:
    async with open_rig() as rig:
        ana, scripts = rig.let_in().session, scripts_of(rig)
        began = rig.clock()
        scripts.receive_velocity(began, ana, RIGHT)
        name = rig.engine.status.lease.session
        scripts.tick(began + 5.9)
        assert name in rig.engine._control._drivers
        scripts.tick(began + 6.0)
        assert name not in rig.engine._control._drivers


async def test_closing_lets_all_go_and_stops() -> None:
    async with open_rig() as rig:
        ana, scripts = rig.let_in().session, scripts_of(rig)
        scripts.receive_velocity(rig.clock(), ana, RIGHT)
        scripts.close()
        assert rig.units[Axis.PAN].velocity == 0
        assert not rig.engine._control._drivers


async def test_a_program_stops_and_hands_the_lease_on_within_the_call_that_ends_its_visit() -> None:
    async with open_rig() as rig:
        ana, ben, scripts = rig.let_in().session, rig.let_in().session, scripts_of(rig)
        rig.door.subscribe(scripts.receive_session_ended)
        scripts.receive_velocity(rig.clock(), ana, RIGHT)
        assert rig.units[Axis.PAN].velocity > 0
        rig.door.end(ana.id, EndReason.REVOKED)
        rig.door.end(ben.id, EndReason.REVOKED)  # who has no program here
        assert rig.units[Axis.PAN].velocities[-1] == (rig.clock(), 0.0)
        assert rig.engine.status.lease.session is None
        assert not rig.engine._control._drivers
        assert scripts.deadline() is None
