"""A program that drives by timed moves is subject to the same rules as a held stick."""

import asyncio

import pytest
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.sessions import EndReason, Session
from belvedere.control.lease import LeaseVerb
from belvedere.engine.timed_drive import BURST, DriveClient, TimedDrive, TimedMove
from belvedere.errors import Refusal, VisitorError
from belvedere.events import StopRequested
from belvedere.head.axes import Axis

RIGHT = TimedMove(pan=1.0, tilt=0.0, for_s=0.5)


def timed_drive_of(rig: EngineRig) -> TimedDrive:
    return TimedDrive(rig.engine, idle_s=6.0, dead_man_s=0.5)


def client_of(session: Session) -> DriveClient:
    return DriveClient(id=session.id, person=session.person, rank=0)


async def test_a_request_moves_the_head_for_its_duration() -> None:
    async with open_rig() as rig:
        ana = rig.open_session().session
        began = rig.clock()
        timed_drive_of(rig).receive_move(began, client_of(ana), TimedMove(1.0, 0.0, 0.2))
        assert rig.units[Axis.PAN].velocity > 0
        await asyncio.sleep(1)
        stopped_at = next(at for at, velocity in rig.units[Axis.PAN].velocities if at > began and not velocity)
        assert stopped_at - began == pytest.approx(0.2, abs=0.01)


async def test_requests_without_a_pause_are_one_hold() -> None:
    async with open_rig() as rig:
        ana, timed_drive = rig.open_session().session, timed_drive_of(rig)
        for _ in range(20):
            timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
            await asyncio.sleep(0.2)
        moving = [velocity for _, velocity in rig.units[Axis.PAN].velocities[3:]]
        assert moving
        assert all(moving)
        assert rig.units[Axis.PAN].velocity == 1.0


async def test_requests_without_a_pause_end_at_the_ceiling_and_never_resume() -> None:
    async with open_rig() as rig:
        ana, timed_drive = rig.open_session().session, timed_drive_of(rig)
        began, refusals = rig.clock(), []
        while rig.clock() < began + 60:
            try:
                timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
            except VisitorError as error:
                refusals.append((rig.clock() - began, error.refusal))
            await asyncio.sleep(0.25)
        assert rig.units[Axis.PAN].velocity == 0
        assert {refusal for _, refusal in refusals} == {Refusal.HOLD_ENDED}
        assert refusals[0][0] == pytest.approx(rig.options.hold_ceiling_s, abs=0.3)
        await asyncio.sleep(0.6)
        timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        assert rig.units[Axis.PAN].velocity > 0


async def test_a_stop_by_another_session_is_not_overridden() -> None:
    async with open_rig() as rig:
        ana, ben, timed_drive = rig.open_session().session, rig.open_session().session, timed_drive_of(rig)
        timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        timed_drive.receive_stop(rig.clock(), client_of(ben))
        assert rig.units[Axis.PAN].velocity == 0
        with pytest.raises(VisitorError) as refused:
            timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        assert refused.value.refusal is Refusal.HOLD_ENDED


async def refusals(
    rig: EngineRig, timed_drive: TimedDrive, visitor: Session, move: TimedMove, for_s: float
) -> set[Refusal]:
    """The refusals that a loop of requests every 0.3 s gets; the head must not move meanwhile."""
    codes = set()
    until = rig.clock() + for_s
    while rig.clock() < until:
        with pytest.raises(VisitorError) as refused:
            timed_drive.receive_move(rig.clock(), client_of(visitor), move)
        codes.add(refused.value.refusal)
        assert rig.units[Axis.PAN].velocity == 0
        await asyncio.sleep(0.3)
    return codes


@pytest.mark.parametrize("for_s", [0.1, 0.5])
async def test_a_loop_that_goes_on_does_not_override_its_own_programs_stop(for_s: float) -> None:
    async with open_rig() as rig:
        ana, timed_drive = rig.open_session().session, timed_drive_of(rig)
        move = TimedMove(1.0, 0.0, for_s)
        timed_drive.receive_move(rig.clock(), client_of(ana), move)
        timed_drive.receive_stop(rig.clock(), client_of(ana))
        assert rig.units[Axis.PAN].velocity == 0
        assert await refusals(rig, timed_drive, ana, move, 5) == {Refusal.HOLD_ENDED}
        await asyncio.sleep(0.5)
        timed_drive.receive_move(rig.clock(), client_of(ana), move)
        assert rig.units[Axis.PAN].velocity > 0


async def test_short_moves_in_a_row_do_not_override_a_stop_by_another_session() -> None:
    async with open_rig() as rig:
        ana, ben, timed_drive = rig.open_session().session, rig.open_session().session, timed_drive_of(rig)
        nudge = TimedMove(1.0, 0.0, 0.1)
        timed_drive.receive_move(rig.clock(), client_of(ana), nudge)
        timed_drive.receive_stop(rig.clock(), client_of(ben))
        await asyncio.sleep(0.3)
        assert await refusals(rig, timed_drive, ana, nudge, 5) == {Refusal.HOLD_ENDED}


async def test_a_hold_that_lost_the_lease_does_not_resume_when_the_lease_is_free_again() -> None:
    async with open_rig() as rig:
        ana, timed_drive = rig.open_session().session, timed_drive_of(rig)
        timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        rig.engine.receive_session_opened("ben", "ben", 1)
        rig.engine.receive_lease("ben", LeaseVerb.TAKE)
        await asyncio.sleep(0.3)
        assert await refusals(rig, timed_drive, ana, RIGHT, 0.6) == {Refusal.SOMEONE_ELSE_DRIVES}
        rig.engine.receive_lease("ben", LeaseVerb.RETURN)
        assert await refusals(rig, timed_drive, ana, RIGHT, 5) == {Refusal.HOLD_ENDED}
        assert rig.engine.status.lease.session is None
        await asyncio.sleep(0.5)
        timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        assert rig.units[Axis.PAN].velocity > 0


async def test_the_age_of_a_request_is_subtracted_from_its_duration() -> None:
    async with open_rig() as rig:
        ana = rig.open_session().session
        began = rig.clock()
        timed_drive_of(rig).receive_move(began, client_of(ana), TimedMove(1.0, 0.0, 0.5, age_s=0.3))
        assert rig.units[Axis.PAN].velocity > 0
        await rig.units[Axis.PAN].stands_still()
        assert rig.clock() - began == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(
    "late",
    [
        TimedMove(1.0, 0.0, 0.5, age_s=0.6),
        TimedMove(1.0, 0.0, 0.1, age_s=0.1),
        TimedMove(1.0, 0.0, 0.5, not_after_s=1.0),
    ],
)
async def test_a_request_that_is_too_old_moves_nothing(late: TimedMove) -> None:
    async with open_rig() as rig:
        ana, timed_drive = rig.open_session().session, timed_drive_of(rig)
        assert await refusals(rig, timed_drive, ana, late, 0.2) == {Refusal.TOO_LATE}
        assert rig.engine.status.lease.session is None


async def test_refused_late_requests_do_not_count_as_a_pause() -> None:
    async with open_rig() as rig:
        ana, timed_drive = rig.open_session().session, timed_drive_of(rig)
        timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        timed_drive.receive_stop(rig.clock(), client_of(ana))
        late = TimedMove(1.0, 0.0, 0.5, age_s=0.6)
        assert await refusals(rig, timed_drive, ana, late, 2) == {Refusal.TOO_LATE}
        assert await refusals(rig, timed_drive, ana, RIGHT, 0.1) == {Refusal.HOLD_ENDED}


async def test_pauses_that_are_shorter_than_a_rest_do_not_evade_the_ceiling() -> None:
    async with open_rig() as rig:
        ana, timed_drive = rig.open_session().session, timed_drive_of(rig)
        began, codes = rig.clock(), set()
        while rig.clock() < began + rig.options.hold_ceiling_s + 1:
            try:
                timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
            except VisitorError as error:
                codes.add(error.refusal)
                assert rig.units[Axis.PAN].velocity == 0
            await asyncio.sleep(0.51)
        assert codes == {Refusal.HOLD_TOO_LONG}


async def test_a_move_while_another_session_drives_is_refused() -> None:
    async with open_rig() as rig:
        ana, ben, timed_drive = rig.open_session().session, rig.open_session().session, timed_drive_of(rig)
        timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        with pytest.raises(VisitorError) as refused:
            timed_drive.receive_move(rig.clock(), client_of(ben), RIGHT)
        assert refused.value.refusal is Refusal.SOMEONE_ELSE_DRIVES


async def test_the_lease_of_a_silent_program_becomes_stale() -> None:
    async with open_rig() as rig:
        ana, ben, timed_drive = rig.open_session().session, rig.open_session().session, timed_drive_of(rig)
        timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        await asyncio.sleep(rig.options.lease_stale_s + 0.1)
        timed_drive.receive_move(rig.clock(), client_of(ben), RIGHT)
        timed_drive.receive_stop(rig.clock(), client_of(ben))


async def test_too_many_requests_are_refused_but_never_a_stop() -> None:
    async with open_rig() as rig:
        ana, timed_drive = rig.open_session().session, timed_drive_of(rig)
        for _ in range(int(BURST)):
            timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        with pytest.raises(VisitorError) as refused:
            timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        assert refused.value.refusal is Refusal.TOO_FAST
        timed_drive.receive_stop(rig.clock(), client_of(ana))
        assert rig.units[Axis.PAN].velocity == 0


async def test_an_idle_program_is_removed() -> None:
    async with open_rig() as rig:
        ana, timed_drive = rig.open_session().session, timed_drive_of(rig)
        began = rig.clock()
        timed_drive.receive_move(began, client_of(ana), RIGHT)
        name = rig.engine.status.lease.session
        timed_drive.tick(began + 5.9)
        assert name in rig.engine._control._drivers
        timed_drive.tick(began + 6.0)
        assert name not in rig.engine._control._drivers


async def test_a_program_has_its_persons_name_and_rank_and_is_idle_some_time_after_its_last_request() -> None:
    async with open_rig() as rig:
        timed_drive, ana = timed_drive_of(rig), DriveClient(id="a", person="ana", rank=1)
        deadlines: list[float | None] = []
        timed_drive.watch(lambda: deadlines.append(timed_drive.deadline()))
        timed_drive.receive_stop(rig.clock(), ana)
        assert [*deadlines, timed_drive.deadline()] == 2 * [rig.clock() + 6.0]
        assert rig.events[-1] == StopRequested("timed-a", "ana")
        timed_drive.receive_move(rig.clock(), ana, RIGHT)
        assert rig.engine.status.lease.rank == 1


async def test_closing_removes_all_programs_and_stops() -> None:
    async with open_rig() as rig:
        ana, timed_drive = rig.open_session().session, timed_drive_of(rig)
        timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        timed_drive.close()
        assert rig.units[Axis.PAN].velocity == 0
        assert not rig.engine._control._drivers


async def test_ending_a_session_stops_its_program_and_frees_the_lease_within_the_call() -> None:
    async with open_rig() as rig:
        ana, ben, timed_drive = rig.open_session().session, rig.open_session().session, timed_drive_of(rig)
        rig.invitations.events.subscribe(lambda change: timed_drive.receive_client_ended(change.session.id))
        timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        assert rig.units[Axis.PAN].velocity > 0
        rig.invitations.end(ana.id, EndReason.REVOKED)
        rig.invitations.end(ben.id, EndReason.REVOKED)  # a session without a program
        assert rig.units[Axis.PAN].velocities[-1] == (rig.clock(), 0.0)
        assert rig.engine.status.lease.session is None
        assert not rig.engine._control._drivers
        assert timed_drive.deadline() is None


async def test_a_program_that_was_removed_must_pause_before_it_turns_the_head_again() -> None:
    async with open_rig() as rig:
        ana, timed_drive = rig.open_session().session, timed_drive_of(rig)
        timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        timed_drive.receive_client_ended(ana.id)
        assert await refusals(rig, timed_drive, ana, RIGHT, 2) == {Refusal.HOLD_ENDED}
        timed_drive.receive_client_ended(ana.id)
        await asyncio.sleep(0.4)
        timed_drive.receive_refused(rig.clock(), ana.id)
        await asyncio.sleep(0.4)
        assert await refusals(rig, timed_drive, ana, RIGHT, 2) == {Refusal.HOLD_ENDED}
        timed_drive.receive_refused(rig.clock(), ana.id)  # also while it is known
        await asyncio.sleep(0.4)
        assert await refusals(rig, timed_drive, ana, RIGHT, 0.1) == {Refusal.HOLD_ENDED}
        await asyncio.sleep(0.5)
        timed_drive.receive_move(rig.clock(), client_of(ana), RIGHT)
        assert rig.units[Axis.PAN].velocity > 0


async def test_who_asks_and_may_not_costs_no_memory_for_long() -> None:
    async with open_rig() as rig:
        timed_drive = timed_drive_of(rig)
        for number in range(100):
            timed_drive.receive_refused(rig.clock(), f"session-{number}")
            await asyncio.sleep(0.1)
        assert len(timed_drive._unpaused) <= 6
