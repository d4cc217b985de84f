"""The engine's values become wire messages; what waits for a slow peer is the newest of each kind."""

import asyncio

import msgspec
import pytest
from msgspec import UNSET, UnsetType
from tests.gateway.session_client import a_lease

from belvedere.control.effects import NoticeCode
from belvedere.control.handover import Question
from belvedere.control.lease import Driver, LeaseStatus
from belvedere.engine.parking import PERSON, RANK, SESSION
from belvedere.engine.status import Acknowledged, AxisState, EngineStatus, NoticeEvent
from belvedere.errors import CameraReason, LinkReason
from belvedere.gateway import messages
from belvedere.gateway.messages import Ack, Error, Lease, LeaseOffers, Notice, Outgoing, Pong
from belvedere.gateway.outgoing import (
    Outbox,
    ack_message,
    lease_message,
    milliseconds,
    notice_message,
    offers_message,
    state_message,
)
from belvedere.head.axes import Axis
from belvedere.link.supervisor import LinkPhase

FREE = LeaseStatus(3, None, 0)


@pytest.mark.parametrize("clock_ms", [0.0, 0.1, 1.005, 123456.789, 98765432.1, 1e12])
def test_a_clients_clock_comes_back_as_it_was(clock_ms: float) -> None:
    assert milliseconds(clock_ms / 1000) == clock_ms


def test_the_state_covers_both_axes_and_the_stage() -> None:
    pan = AxisState(LinkPhase.READY, None, 0.123456, -12.5, 1, 0.0301)
    tilt = AxisState(LinkPhase.WAITING, LinkReason.NOT_FOUND, 0.0, None, 0, None)
    status = EngineStatus(pan, tilt, FREE)
    assert state_message(status, 2, is_available=False, camera_reason=CameraReason.BUSY) == messages.State(
        pan=messages.AxisState(link="ready", reason="", velocity=0.123, position_deg=-12.5, limit=1, interval_ms=30.1),
        tilt=messages.AxisState(
            link="waiting", reason="not_found", velocity=0.0, position_deg=None, limit=0, interval_ms=None
        ),
        stage=messages.StageState(available=False, viewers=2, reason="busy"),
    )


@pytest.mark.parametrize("phase", LinkPhase)
def test_every_phase_of_a_link_is_on_the_wire(phase: LinkPhase) -> None:
    axis = AxisState(phase, None, 0.0, None, 0, None)
    assert state_message(EngineStatus(axis, axis, FREE), 0, is_available=True).pan.link == phase


@pytest.mark.parametrize("reason", CameraReason)
def test_every_reason_of_a_camera_is_on_the_wire_while_there_is_no_picture(reason: CameraReason) -> None:
    axis = AxisState(LinkPhase.READY, None, 0.0, None, 0, None)
    status = EngineStatus(axis, axis, FREE)
    state = state_message(status, 0, is_available=False, camera_reason=reason)
    assert msgspec.json.decode(msgspec.json.encode(state), type=messages.State).stage.reason == reason
    assert not state_message(status, 0, is_available=True, camera_reason=reason).stage.reason


ANA, BEN, ROOM = Driver("ana-1", "ana", 0), Driver("ben-1", "ben", 0), Driver("room-1", "room", 1)
ANA_DRIVES = LeaseStatus(3, "ana-1", 0, "ana")


def lease_of(status: LeaseStatus, asking: Driver, *, may_drive: bool = True, is_own_lost_socket: bool = False) -> Lease:
    return lease_message(
        status,
        asking.session,
        asking if may_drive else None,
        str.title,
        is_own_lost_socket=is_own_lost_socket,
    )


def test_the_lease_is_sent_from_the_receivers_point_of_view() -> None:
    assert [lease_of(ANA_DRIVES, who).holder for who in (ANA, BEN)] == ["you", "other"]
    assert lease_of(FREE, ANA).holder == "nobody"


def test_everybody_sees_who_drives_by_name() -> None:
    assert [lease_of(ANA_DRIVES, who).driver for who in (ANA, BEN, ROOM)] == ["Ana"] * 3
    assert lease_of(ANA_DRIVES, BEN, may_drive=False).driver == "Ana"
    assert lease_of(FREE, ANA).driver == ""


def test_the_lease_of_ones_own_lost_socket_is_free() -> None:
    lost = LeaseStatus(3, "ana-1", 0, "ana", free_at_s=9.0)
    lease = lease_of(lost, Driver("ana-2", "ana", 0), is_own_lost_socket=True)
    assert (lease.holder, lease.driver, lease.free_at, lease.can_ask) == ("nobody", "", None, False)


@pytest.mark.parametrize(
    ("status", "asking", "may_drive", "expected"),
    [
        (FREE, BEN, True, (True, False)),
        (FREE, BEN, False, (False, False)),
        (ANA_DRIVES, ANA, True, (True, False)),
        (ANA_DRIVES, BEN, True, (False, True)),
        (ANA_DRIVES, BEN, False, (False, False)),
        (ANA_DRIVES, ROOM, True, (True, False)),
        (LeaseStatus(3, "ana-1", 0, "ana", is_idle=True), BEN, True, (True, False)),
        (LeaseStatus(3, "room-1", 1, "room"), BEN, True, (False, True)),
        (LeaseStatus(3, SESSION, RANK, PERSON), ROOM, True, (False, False)),
    ],
)
def test_whether_the_lease_may_be_taken_or_asked_for(
    status: LeaseStatus,
    asking: Driver,
    may_drive: bool,  # noqa: FBT001 - a parameter
    expected: tuple[bool, bool],
) -> None:
    lease = lease_of(status, asking, may_drive=may_drive)
    assert (lease.can_take, lease.can_ask) == expected


def test_while_the_head_is_parked_it_is_the_house_that_drives() -> None:
    lease = lease_of(LeaseStatus(3, SESSION, RANK, PERSON), BEN)
    assert (lease.holder, lease.driver) == ("house", "")


def test_a_lost_drivers_lease_says_when_it_will_be_free_on_the_servers_clock() -> None:
    assert lease_of(LeaseStatus(3, "ana-1", 0, "ana", free_at_s=9.5), BEN).free_at == 9500
    assert lease_of(ANA_DRIVES, BEN).free_at is None


def test_an_asker_sees_until_when_the_question_is_open_and_only_the_driver_sees_who_asks() -> None:
    asked = LeaseStatus(3, "ana-1", 0, "ana", questions=(Question("ben-1", "ben", 12.0),))
    assert [lease_of(asked, who).asked_until for who in (ANA, BEN, ROOM)] == [None, 12000, None]
    offers = offers_message(asked, "ana-1", [("room-1", "room")], str.title)
    assert offers.asking == [messages.Asker(asker="ben-1", name="Ben", until=12000)]
    assert offers.watching == [messages.Watcher(to="room-1", name="Room")]
    for other in ("ben-1", "room-1"):
        assert offers_message(asked, other, [("room-1", "room")], str.title) == LeaseOffers(asking=[], watching=[])


def test_the_list_of_watchers_is_bounded() -> None:
    crowd = [(str(number), "ann") for number in range(100)]
    assert len(offers_message(ANA_DRIVES, "ana-1", crowd, str).watching) == messages.MAX_WATCHERS


def test_an_acknowledgement_says_when_it_was_written() -> None:
    ack = ack_message(Acknowledged(Axis.TILT, 7, 12.3456789, 1000.5))
    assert ack == messages.Ack(axis="tilt", seq=7, clock=12345.679, written=1000500.0)


@pytest.mark.parametrize("code", NoticeCode)
def test_every_notice_is_on_the_wire(code: NoticeCode) -> None:
    assert notice_message(NoticeEvent(code, Axis.PAN, 3)) == messages.Notice(code=code, axis="pan", hold=3)


def test_a_notice_of_no_axis_is_of_both() -> None:
    assert notice_message(NoticeEvent(NoticeCode.STOPPED, None, -1)) == messages.Notice(
        code=NoticeCode.STOPPED, axis="both", hold=0
    )


def pong(clock: float) -> Pong:
    return Pong(clock=clock, server=0)


def lease(epoch: int) -> Lease:
    return a_lease(epoch, "you")


async def test_a_newer_message_replaces_the_older_one_in_its_place() -> None:
    outbox = Outbox()
    outbox.put([pong(1), lease(1)])
    outbox.put([pong(2), pong(3)])
    assert outbox.take_all() == [pong(3), lease(1)]
    assert len(outbox) == 0


async def test_taking_waits_for_a_message() -> None:
    outbox = Outbox()
    asyncio.get_running_loop().call_later(5, outbox.put, [pong(1)])
    assert await outbox.take() == pong(1)


async def test_an_empty_put_wakes_no_waiter() -> None:
    outbox = Outbox()
    outbox.put([])
    asyncio.get_running_loop().call_later(5, outbox.put, [lease(2)])
    assert await outbox.take() == lease(2)


async def test_messages_of_different_axes_or_codes_do_not_replace_each_other() -> None:
    def ack(axis: str, seq: int) -> Outgoing:
        return Ack(axis="pan" if axis == "pan" else "tilt", seq=seq, clock=0, written=0)

    outbox = Outbox()
    refused = Error(code="too_fast", message="", closing=False)
    bad = Error(code="bad_message", message="", closing=False)
    cut = Notice(code=NoticeCode.LINK_LOST, axis="pan", hold=1)
    stopped = Notice(code=NoticeCode.STOPPED, axis="both", hold=1)
    outbox.put([ack("pan", 1), ack("tilt", 1), refused, bad, cut, stopped, ack("pan", 2)])
    assert outbox.take_all() == [ack("pan", 2), ack("tilt", 1), refused, bad, cut, stopped]


async def test_a_refusal_about_a_hold_is_not_replaced_by_one_without() -> None:
    def refused(hold: int | UnsetType = UNSET) -> Error:
        return Error(code="someone_else_drives", message="", closing=False, hold=hold)

    outbox = Outbox()
    outbox.put([refused(3), refused(4), refused()])
    assert outbox.take_all() == [refused(4), refused()]


async def test_a_peer_that_never_reads_costs_a_bounded_memory() -> None:
    outbox = Outbox()
    for number in range(10_000):
        outbox.put([pong(number), lease(number), Error(code="too_fast", message="", closing=False)])
    assert len(outbox) == 3
