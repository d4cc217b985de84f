"""What belongs to a session ends with it, and without sessions nothing runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from tests.support.engine_rig import EngineRig, FakeStage, open_rig

from belvedere.access.invitations import AccessOptions, Invitations
from belvedere.access.sessions import Session
from belvedere.engine.timed_drive import DriveClient, TimedDrive, TimedMove
from belvedere.errors import StageError, StageReason
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.expiry import END_TIMEOUT_S, ViewerCleanup, expire_sessions
from belvedere.head.axes import Axis

MakeParts = Callable[..., Dependencies]
DAY_S = 24 * 3600.0


def client_of(session: Session) -> DriveClient:
    return DriveClient(id=session.id, person=session.person, rank=0)


class LoggingInvitations(Invitations):
    """Invitations that record when `tick` was called."""

    def __init__(self, rig: EngineRig, options: AccessOptions | None = None) -> None:
        super().__init__(rig.clock, options)
        self._now = rig.clock
        self.looked_at: list[float] = []

    def tick(self) -> None:
        self.looked_at.append(self._now())
        super().tick()


@asynccontextmanager
async def kept(rig: EngineRig, make_parts: MakeParts) -> AsyncIterator[tuple[TimedDrive, "asyncio.Task[None]"]]:
    """An engine rig with its programs and the task that expires them."""
    timed_drive = TimedDrive(rig.engine, idle_s=6, dead_man_s=0.5)
    dependencies = make_parts(rig)
    pictures = ViewerCleanup(dependencies.stage)
    dependencies.invitations.events.subscribe(pictures.receive_session_change)
    keeping = asyncio.create_task(expire_sessions(dependencies, timed_drive))
    await asyncio.sleep(0)
    try:
        yield timed_drive, keeping
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await pictures.close()


async def test_the_picture_ends_with_the_visit(make_parts: MakeParts) -> None:
    async with open_rig(invitations=AccessOptions(session_s=8)) as rig, kept(rig, make_parts):
        ana = rig.open_session().session
        await rig.stage.answer("v=0", ana.id)
        await asyncio.sleep(7)
        ben = rig.open_session().session
        await rig.stage.answer("v=0", ben.id)
        await asyncio.sleep(1.01)
        assert [owner for owner, _ in rig.stage.offers.values()] == [ben.id]
        await asyncio.sleep(7)
        assert not rig.stage.offers


async def test_the_picture_ends_with_a_visit_that_was_displaced(make_parts: MakeParts) -> None:
    async with open_rig(invitations=AccessOptions(max_sessions=1)) as rig, kept(rig, make_parts):
        await rig.stage.answer("v=0", rig.open_session().session.id)
        rig.open_session()
        await asyncio.sleep(0.01)
        assert not rig.stage.offers


async def test_http_drive_clients_that_fell_silent_are_ended(make_parts: MakeParts) -> None:
    async with open_rig() as rig, kept(rig, make_parts) as (timed_drive, _):
        ana = rig.open_session().session
        timed_drive.receive_move(rig.clock(), client_of(ana), TimedMove(1, 0, 0.5))
        await asyncio.sleep(5)
        timed_drive.receive_move(rig.clock(), client_of(ana), TimedMove(1, 0, 0.5))
        await asyncio.sleep(5.9)
        assert rig.engine._control._drivers
        await asyncio.sleep(0.11)
        assert not rig.engine._control._drivers


async def test_it_sleeps_without_sessions_and_wakes_only_when_one_ends(make_parts: MakeParts) -> None:
    async with open_rig() as rig:
        invitations = rig.invitations = LoggingInvitations(rig, AccessOptions(session_s=DAY_S))
        async with kept(rig, make_parts):
            await asyncio.sleep(30 * DAY_S)
            assert invitations.looked_at == []
            came_at = rig.clock()
            rig.open_session()
            await asyncio.sleep(30 * DAY_S)
            assert invitations.looked_at == [pytest.approx(came_at + DAY_S)]


@pytest.mark.parametrize("failure", [StageError(StageReason.NO_PICTURE), RuntimeError("unforeseen"), None])
async def test_viewers_that_cannot_be_ended_are_logged_and_delay_no_other(
    make_parts: MakeParts, failure: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    class StuckStage(FakeStage):
        stuck = ""

        async def end_all_of(self, owner: str) -> None:
            if owner != self.stuck:
                await super().end_all_of(owner)
                return
            if failure is not None:
                raise failure
            await asyncio.sleep(3600)

    async with open_rig(invitations=AccessOptions(session_s=1)) as rig:
        rig.stage = stage = StuckStage()
        async with kept(rig, make_parts) as (_, keeping):
            stage.stuck = rig.open_session().session.id
            await stage.answer("v=0", rig.open_session().session.id)
            await asyncio.sleep(1.1)
            assert not stage.offers
            await asyncio.sleep(END_TIMEOUT_S)
            assert "could not end the viewers" in caplog.text
            assert not keeping.done()


async def test_an_engine_that_failed_does_not_keep_visits_from_ending(
    make_parts: MakeParts, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        open_rig(invitations=AccessOptions(session_s=20)) as rig,
        kept(rig, make_parts) as (timed_drive, keeping),
    ):
        ana, ben = rig.open_session().session, rig.open_session().session
        timed_drive.receive_move(rig.clock(), client_of(ana), TimedMove(1, 0, 0.5))
        timed_drive.receive_stop(rig.clock(), client_of(ben))
        await rig.stage.answer("v=0", ana.id)
        rig.units[Axis.PAN].failure = RuntimeError("broken")
        await asyncio.sleep(21)
        assert "could not end the HTTP drive clients" in caplog.text
        assert timed_drive.deadline() is None
        assert not rig.stage.offers
        assert not keeping.done()
