"""The room's rules at work: what closes comes first, whatever fails, and who is here is known."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from tests.support.engine_rig import EPOCH_S, FakeStage, open_rig
from tests.support.fake_room_store import FakeRoomStore

from belvedere.access.invitations import Invitations
from belvedere.access.rights import Right, Role
from belvedere.control.lease import LeaseVerb
from belvedere.engine.parking import ParkingEnd
from belvedere.errors import InternalError, Refusal, VisitorError
from belvedere.events import (
    Event,
    EventStream,
    KnockAnswered,
    Knocked,
    ParkingEnded,
    StopRequested,
    ViewerJoined,
    ViewerLeft,
)
from belvedere.privacy.core import Privacy
from belvedere.privacy.hours import LocalTime, QuietSpan
from belvedere.privacy.state import RoomState
from belvedere.privacy.visitor import KNOCK_TIMEOUT_S
from belvedere.privacy.words import AccessState, Answer, Fault, Welcome
from belvedere.room.runtime import CUT_TIMEOUT_S, LOAD_AGAIN_S, RoomRuntime, local_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from belvedere.access.session_events import SessionChange
    from belvedere.access.sessions import Session

CLOSED = RoomState(is_closed=True, by="mei", since_utc_s=9)


class Output:
    """Another way out of the room."""

    name = "a conference"

    def __init__(self, error: Exception | None = None, takes_s: float = 0.0) -> None:
        self.error, self.takes_s = error, takes_s
        self.cuts = 0

    async def cut(self) -> None:
        self.cuts += 1
        await asyncio.sleep(self.takes_s)
        if self.error is not None:
            raise self.error


class Head:
    """The engine, as the curtain uses it."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.error: Exception | None = None

    def receive_stop(self, session: str) -> None:
        self.log.append(f"stop by {session}")
        if self.error is not None:
            raise self.error


class Parking:
    """The head's parking."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.is_running = False

    def start(self) -> None:
        self.is_running = True
        self.log.append("park")

    def cancel(self) -> None:
        self.log.append("cancel parking")


class Stage(FakeStage):
    """A stage that says in which order it is covered, and may fail to."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.log = log
        self.error: Exception | None = None

    def cover(self) -> None:
        self.log.append("cover")
        super().cover()
        if self.error is not None:
            raise self.error

    def uncover(self) -> None:
        self.log.append("uncover")
        super().uncover()


class Rig:
    """A room with hand-written parts around it, and one visitor."""

    def __init__(self, store: FakeRoomStore | None = None, *outputs: Output, ask_first: bool = False) -> None:
        self.log: list[str] = []
        self.events: list[Event] = []
        self.now = LocalTime(0, 720)
        self.faults: frozenset[str] = frozenset()
        clock = asyncio.get_running_loop().time
        stream = EventStream()
        stream.subscribe(self.events.append)
        self.invitations = Invitations(clock, record=stream.record)
        self.ann = self.invitations.people.add("Ann", Role.VISITOR)
        self.mei = self.invitations.people.add("Mei", Role.RESIDENT)
        self.store = store or FakeRoomStore()
        self.stage, self.head, self.parking = Stage(self.log), Head(self.log), Parking(self.log)
        self.rules = Privacy(ask_first=ask_first)
        self.room = RoomRuntime(
            self.rules,
            self.invitations,
            self.stage,
            self.head,
            self.store,
            clock=clock,
            utc=lambda: EPOCH_S + clock(),
            local=lambda _utc_s: self.now,
            tell=lambda: self.log.append("tell"),
            record=stream.record,
            outputs=outputs,
            parking=self.parking,
            signal_faults=lambda: self.faults,
        )
        stream.subscribe(self.room.receive)
        self.room.begin()
        self.session = self.invitations.open_session(self.ann.id).session
        self.invitations.events.subscribe(self._receive_change)
        self.log.clear()

    def _receive_change(self, change: SessionChange) -> None:
        if change.session.id == self.session.id:
            self.log.append(f"withheld from {change.session.person}: {' '.join(sorted(change.lost))}")

    def rights(self) -> set[Right]:
        return set(self.invitations.rights_of(self.session))

    async def close_curtain(self) -> bool:
        return await self.room.saved(self.room.receive_curtain(self.mei.id, is_closed=True))

    async def open_curtain(self) -> bool:
        return await self.room.saved(self.room.receive_curtain(self.mei.id, is_closed=False))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.room.load()
        task = asyncio.create_task(self.room.run())
        await asyncio.sleep(0.01)
        self.log.clear()
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, InternalError):
                await task
            await self.room.close()


async def test_closing_withholds_then_cuts_then_stops_within_the_call_and_saves_after_it() -> None:
    rig = Rig()
    async with rig.running():
        rig.store.is_fast.clear()
        number = rig.room.receive_curtain(rig.mei.id, is_closed=True)
        assert rig.log == [f"withheld from {rig.ann.id}: drive look talk", "cover", "stop by curtain", "park", "tell"]
        assert rig.rights() == set()
        assert rig.store.saved == RoomState()
        rig.store.is_fast.set()
        assert await rig.room.saved(number)
        assert rig.store.saved is not None
        assert rig.store.saved.by == rig.mei.id
        refused = rig.invitations.why_withheld(rig.session, Right.LOOK)
        assert refused is not None
        assert refused.refusal is Refusal.CURTAIN_CLOSED


async def test_opening_waits_for_the_disk() -> None:
    rig = Rig(FakeRoomStore(CLOSED))
    async with rig.running():
        rig.store.is_fast.clear()
        number = rig.room.receive_curtain(rig.mei.id, is_closed=False)
        await asyncio.sleep(1)
        assert rig.rights() == set()
        rig.store.is_fast.set()
        assert await rig.room.saved(number)
        assert rig.rights() == {Right.LOOK, Right.DRIVE, Right.TALK}
        assert not rig.stage.is_covered
        assert rig.log[-3:] == ["cancel parking", "uncover", "tell"]
        assert rig.invitations.why_withheld(rig.session, Right.LOOK) is None


async def test_until_what_was_decided_is_loaded_all_is_withheld() -> None:
    rig = Rig()
    assert rig.log == []
    assert rig.rights() == set()
    await rig.room.load()
    assert rig.log[0:2] == ["cancel parking", "uncover"]
    assert rig.rights() == {Right.LOOK, Right.DRIVE, Right.TALK}
    await rig.room.close()


async def test_a_store_that_cannot_be_read_keeps_the_curtain_closed_and_is_read_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig()
    rig.store.failure = "the disk does not answer"
    async with rig.running():
        assert rig.rights() == set()
        assert rig.room.faults == {Fault.STORE}
        assert "the disk does not answer" in caplog.text
        with pytest.raises(VisitorError) as refused:
            rig.room.receive_curtain(rig.mei.id, is_closed=False)
        assert refused.value.refusal is Refusal.NOT_READY
        rig.store.failure = None
        await asyncio.sleep(LOAD_AGAIN_S + 1)
        assert rig.rights() == {Right.LOOK, Right.DRIVE, Right.TALK}
        assert not rig.room.faults


async def test_a_full_disk_closes_the_curtain_all_the_same_and_says_so_and_opens_nothing() -> None:
    rig = Rig()
    async with rig.running():
        rig.store.failure = "the disk is full"
        assert not await rig.close_curtain()
        assert rig.rights() == set()
        assert rig.room.faults == {Fault.STORE}
        await rig.open_curtain()
        assert rig.rights() == set()
        rig.store.failure = None
        await asyncio.sleep(10)
        assert rig.rights() == set()
        assert rig.room.is_saved
        assert rig.store.saved is not None
        assert rig.store.saved.is_closed


async def test_an_error_of_ours_in_the_store_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(FakeRoomStore(CLOSED))
    async with rig.running():

        async def fail(_state: RoomState) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(rig.store, "save", fail)
        assert not await rig.open_curtain()
        assert rig.rights() == set()
        assert "a bug" in caplog.text


@pytest.mark.parametrize("is_parking", [True, False])
async def test_whoever_asks_again_neither_stops_the_parking_nor_begins_it_after_a_stop(*, is_parking: bool) -> None:
    rig = Rig()
    async with rig.running():
        rig.room.receive_curtain(rig.mei.id, is_closed=True)
        rig.parking.is_running = is_parking
        rig.log.clear()
        rig.room.receive_curtain(rig.mei.id, is_closed=True)  # by a page with a bad connection
        assert rig.log[:-1] == (["cover"] if is_parking else ["cover", "stop by curtain"])


@pytest.mark.parametrize("part", ["stage", "head", "both"])
async def test_each_step_of_closing_is_done_though_others_fail(part: str, caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    async with rig.running():
        if part != "head":
            rig.stage.error = RuntimeError("stuck")
        if part != "stage":
            rig.head.error = RuntimeError("stuck")
        assert await rig.close_curtain()
        assert rig.rights() == set()
        assert rig.log[1:4] == ["cover", "stop by curtain", "park"]
        assert "stuck" in caplog.text
        await asyncio.sleep(0)
        assert (Fault.MEDIA in rig.room.faults) == (part != "head")


async def test_other_ways_out_are_cut_at_once_and_what_cannot_be_cut_is_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    good, bad, late = Output(), Output(RuntimeError("offline")), Output(takes_s=100)
    rig = Rig(None, good, bad, late)
    async with rig.running():
        rig.room.receive_curtain(rig.mei.id, is_closed=True)
        await asyncio.sleep(CUT_TIMEOUT_S + 1)
        assert [good.cuts, bad.cuts, late.cuts] == [1, 1, 1]
        assert rig.room.faults == {Fault.MEDIA}
        assert "a conference could not be cut" in caplog.text
        bad.error, late.takes_s = None, 0.0
        rig.room.receive_curtain(rig.mei.id, is_closed=True)
        await asyncio.sleep(0.1)
        assert not rig.room.faults


async def test_if_the_rules_fail_all_is_withheld_and_the_program_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig()
    await rig.room.load()
    running = asyncio.create_task(rig.room.run())
    await asyncio.sleep(0.01)
    rig.log.clear()
    monkeypatch.setattr(rig.rules, "receive_curtain", lambda *_arguments, **_more: 1 / 0)
    with pytest.raises(InternalError):
        rig.room.receive_curtain(rig.mei.id, is_closed=True)
    assert rig.log == [f"withheld from {rig.ann.id}: drive look talk", "cover", "stop by curtain"]
    assert rig.room.access_of(rig.session).state is AccessState.CURTAIN
    with pytest.raises(InternalError):
        await running
    with pytest.raises(InternalError):  # and another tap cuts again
        rig.room.receive_curtain(rig.mei.id, is_closed=True)
    assert rig.log[-2:] == ["cover", "stop by curtain"]
    rig.room.receive(ViewerJoined("v1", rig.session.id, "WebRTC"))
    await rig.room.close()


async def test_a_knock_is_heard_answered_and_recorded() -> None:
    rig = Rig(ask_first=True)
    async with rig.running():
        rig.room.receive_knock(rig.session)
        assert rig.events[-1] == Knocked(rig.ann.id)
        assert rig.room.access_of(rig.session).state is AccessState.WAITING
        refused = rig.invitations.why_withheld(rig.session, Right.LOOK)
        assert refused is not None
        assert refused.refusal is Refusal.NOT_WELCOMED
        await rig.room.saved(rig.room.receive_answer(rig.ann.id, Answer.YES))
        assert KnockAnswered(rig.ann.id, "yes") in rig.events
        assert rig.rights() == {Right.LOOK, Right.DRIVE, Right.TALK}


async def test_a_knock_that_nobody_answers_is_a_no_on_time() -> None:
    rig = Rig(ask_first=True)
    async with rig.running():
        rig.room.receive_knock(rig.session)
        await asyncio.sleep(KNOCK_TIMEOUT_S + 0.1)
        assert KnockAnswered(rig.ann.id, "no") in rig.events
        with pytest.raises(VisitorError):
            rig.room.receive_knock(rig.session)


async def test_nobody_unknown_is_answered() -> None:
    rig = Rig()
    async with rig.running():
        with pytest.raises(VisitorError) as answer:
            rig.room.receive_answer("0123456789ab", Answer.YES)
        with pytest.raises(VisitorError) as welcome:
            rig.room.receive_welcome("0123456789ab", Welcome.ALWAYS)
        assert answer.value.refusal is welcome.value.refusal is Refusal.BAD_MESSAGE


async def test_quiet_hours_end_who_looks_when_they_begin() -> None:
    rig = Rig()
    async with rig.running():
        await rig.room.saved(rig.room.receive_quiet([QuietSpan(0, 721, 780)]))
        assert rig.rights() == {Right.LOOK, Right.DRIVE, Right.TALK}
        rig.log.clear()
        rig.now = LocalTime(0, 721)
        assert rig.rights() == set()  # whoever asks knows it at once
        await asyncio.sleep(60.1)
        assert rig.log == [f"withheld from {rig.ann.id}: drive look talk", "tell"]
        refused = rig.invitations.why_withheld(rig.session, Right.LOOK)
        assert refused is not None
        assert refused.refusal is Refusal.QUIET_HOURS


async def test_who_is_here_is_known_by_the_events() -> None:
    rig = Rig()
    async with rig.running():
        rig.room.receive(ViewerJoined("v1", rig.session.id, "WebRTC"))
        assert list(rig.rules.here) == [rig.ann.id]
        assert rig.log == ["tell"]
        rig.room.receive(ViewerLeft("v1", rig.session.id, 1.0))
        assert not rig.rules.here
        rig.room.receive(StopRequested("s", None))
        assert rig.log == ["tell", "tell"]


async def test_a_head_that_could_not_be_parked_is_a_fault_until_it_was() -> None:
    rig = Rig()
    async with rig.running():
        rig.room.receive(ParkingEnded(ParkingEnd.UNIT_AWAY))
        assert rig.room.faults == {Fault.PARK}
        rig.room.receive(ParkingEnded(ParkingEnd.PARKED))
        assert not rig.room.faults


async def test_faults_of_the_signals_are_shown_with_the_others() -> None:
    rig = Rig()
    async with rig.running():
        rig.faults = frozenset({"chime"})
        rig.room.receive_signals_changed()
        assert rig.room.faults == {Fault.CHIME}
        assert rig.log == ["tell"]


async def test_who_is_forgotten_leaves_no_welcome() -> None:
    rig = Rig()
    async with rig.running():
        await rig.room.saved(rig.room.receive_welcome(rig.ann.id, Welcome.ASKED))
        rig.room.receive_forgotten(rig.ann.id)
        await asyncio.sleep(0.1)
        assert rig.store.saved == RoomState()


async def test_the_curtain_stops_whoever_drives_and_gives_the_lease_back() -> None:
    async with open_rig() as rig:
        session: Session = rig.open_session("ann").session
        rig.engine.receive_session_opened("s", session.person)
        rig.engine.receive_lease("s", LeaseVerb.ACQUIRE)
        rig.room.receive_curtain("local", is_closed=True)
        assert rig.stage.is_covered
        assert isinstance(rig.events[-1], StopRequested)


def test_the_local_time_is_that_of_a_week() -> None:
    local = local_time(EPOCH_S + 90.5)
    assert 0 <= local.weekday < 7
    assert local.minute % 1 == pytest.approx(30.5 / 60)
