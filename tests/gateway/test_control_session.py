"""What each message does, the replies, and when the socket must end: without a socket, on a fake clock."""

import asyncio
import json

import pytest
from msgspec import UNSET
from tests.gateway.session_client import HELLO, STOP, OpenSockets, SessionClient, Start, a_lease, codes, holds
from tests.support.engine_rig import open_rig
from tests.support.subscriptions import drain

from belvedere.access.rights import Role
from belvedere.access.session_events import SessionChange
from belvedere.access.sessions import EndReason
from belvedere.control.effects import NoticeCode
from belvedere.engine.status import Acknowledged, NoticeEvent
from belvedere.errors import InternalError
from belvedere.events import CommandRefused
from belvedere.gateway import control_session
from belvedere.gateway.control_session import VISIT_ENDED, ControlSession, Ending
from belvedere.gateway.messages import Ack, CloseCode, Error, Lease, Notice, Pong, State, Welcome
from belvedere.head.axes import Axis


async def test_hello_is_answered_with_the_name_and_the_limits(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig)
        welcome, lease, state, _access = ana.send(HELLO)
        assert welcome == Welcome(
            session=ana.session.name,
            resend_ms=50,
            dead_man_ms=500,
            max_age_ms=1000,
            server=rig.clock() * 1000,
            clock=5.0,
            head="A head of paper",
        )
        assert lease == a_lease(0, "nobody")
        assert isinstance(state, State)
        assert state.pan.link == "ready"


@pytest.mark.parametrize("message", [{"type": "ping", "clock": 1}, {"type": "lease.acquire"}, {"type": "lease.take"}])
async def test_only_a_stop_is_accepted_before_hello(start_session: Start, message: object) -> None:
    async with open_rig() as rig:
        answers = start_session(rig).send(message)
        assert codes(answers) == ["not_ready"]
        assert rig.engine.status.lease.session is None


async def test_hello_twice_is_refused(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        assert codes(ana.send(HELLO)) == ["bad_message"]


async def test_a_ping_comes_back_with_both_clocks(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        assert ana.send({"type": "ping", "clock": 7.25}) == [Pong(clock=7.25, server=rig.clock() * 1000)]


async def test_a_setpoint_reaches_the_unit_before_the_call_returns(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        assert ana.drive(seq=1) == []
        assert rig.units[Axis.PAN].velocity > 0


async def test_a_release_stops_within_the_call(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        ana.drive(seq=1)
        ana.send({"type": "release", "epoch": 1, "hold": 1, "seq": 2, "clock": rig.clock() * 1000})
        assert rig.units[Axis.PAN].velocity == 0


async def test_anyone_may_stop(start_session: Start) -> None:
    async with open_rig() as rig:
        ana, ben = start_session(rig), start_session(rig)
        ana.send(HELLO)
        ana.send({"type": "lease.acquire"})
        ana.drive(seq=1)
        assert ben.send(STOP) == []  # without any hello
        assert rig.units[Axis.PAN].velocity == 0


async def test_a_refusal_is_sent_with_its_code(start_session: Start) -> None:
    async with open_rig() as rig:
        _ana, ben = start_session(rig).driving(), start_session(rig).greeted()
        assert codes(ben.drive(seq=1)) == ["someone_else_drives"]
        assert codes(ben.send({"type": "lease.acquire"})) == ["someone_else_drives"]
        assert ben.session.ending is None


async def test_the_lease_can_be_taken_and_returned(start_session: Start) -> None:
    async with open_rig() as rig:
        start_session(rig).driving()
        ben = start_session(rig, "ben", Role.RESIDENT).greeted()
        ben.send({"type": "lease.take"})
        assert rig.engine.status.lease.session == ben.session.name
        ben.send({"type": "lease.return"})
        assert rig.engine.status.lease.session is None


async def test_unchanged_state_is_not_sent_again(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        assert ana.session.receive_published("status", rig.engine.status) == []
        rig.lose(Axis.TILT)
        (state,) = ana.session.receive_published("status", rig.engine.status)
        assert isinstance(state, State)
        assert state.tilt.link == "searching"


async def test_a_change_of_the_lease_alone_sends_the_lease_alone(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        news = ana.session.receive_published("status", rig.engine.status)
        assert news == [a_lease(1, "you", driver="Somebody")]


async def test_a_change_of_viewers_is_sent(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        rig.stage.viewers = 2
        (state,) = ana.session.receive_published("stage", object())
        assert isinstance(state, State)
        assert state.stage.viewers == 2


async def test_nothing_is_sent_before_hello(start_session: Start) -> None:
    async with open_rig() as rig:
        assert start_session(rig).session.receive_published("status", rig.engine.status) == []


async def test_the_lease_of_a_lost_socket_is_free_for_the_same_visitor(start_session: Start) -> None:
    async with open_rig() as rig:
        ben, ana = start_session(rig).greeted(), start_session(rig).driving()
        ana.session.receive_closed()
        again = ControlSession(
            f"{ana.session.name}0", ana.session._visitor, ana.session._dependencies, rig.clock(), OpenSockets()
        )
        _, lease, _, _ = again.receive_text(rig.clock(), json.dumps(HELLO))
        assert isinstance(lease, Lease)
        assert lease.holder == "nobody"
        (bens,) = ben.session.receive_published("status", rig.engine.status)
        assert isinstance(bens, Lease)
        assert bens.holder == "other"


async def test_closing_stops_what_was_held_once(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        ana.drive(seq=1)
        ana.session.receive_closed()
        ana.session.receive_closed()
        assert rig.units[Axis.PAN].velocity == 0


async def test_a_few_bad_messages_are_tolerated_and_many_are_not(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        for _ in range(int(control_session.BAD_MESSAGES_BURST)):
            (error,) = ana.send({"type": "dance"})
            assert isinstance(error, Error)
            assert not error.closing
        (error,) = ana.send({"type": "dance"})
        assert isinstance(error, Error)
        assert error.closing
        assert ana.session.ending is not None
        assert ana.session.ending.code is CloseCode.BAD_MESSAGES


async def test_what_is_refused_is_recorded(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        ana.send({"type": "dance"})
        ana.drive(seq=1)
        refusals = [event for event in rig.events if isinstance(event, CommandRefused)]
        assert [(event.session, event.refusal) for event in refusals] == [
            (ana.session.name, "bad_message"),
            (ana.session.name, "not_driving"),
        ]


async def test_a_binary_message_is_a_bad_one(start_session: Start) -> None:
    async with open_rig() as rig:
        assert codes(start_session(rig).session.receive_text(rig.clock(), None)) == ["bad_message"]


async def test_too_many_messages_are_refused_and_then_end_it(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        answers = [codes(ana.send({"type": "ping", "clock": 1})) for _ in range(500)]
        heeded, refused = int(control_session.BURST) - 1, int(control_session.TOO_FAST_BURST) + 1
        assert answers[:heeded] == [[]] * heeded
        assert answers[heeded : heeded + refused] == [["too_fast"]] * refused
        assert answers[heeded + refused :] == [[]] * (500 - heeded - refused)  # nothing is answered any more
        assert ana.session.ending is not None
        assert ana.session.ending.code is CloseCode.TOO_MUCH


async def test_a_stop_is_exempt_from_the_rate_limit(start_session: Start) -> None:
    async with open_rig() as rig:
        ana, ben = start_session(rig).driving(), start_session(rig).greeted()
        ana.drive(seq=1)
        while codes(ben.send({"type": "ping", "clock": 1})) != ["too_fast"]:
            pass
        ben.send(STOP)
        assert rig.units[Axis.PAN].velocity == 0


async def test_a_release_is_exempt_from_the_rate_limit(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        ana.drive(seq=1)
        while codes(ana.send({"type": "ping", "clock": 1})) != ["too_fast"]:
            pass
        ana.send({"type": "release", "epoch": 1, "hold": 1, "seq": 2, "clock": rig.clock() * 1000})
        assert rig.units[Axis.PAN].velocity == 0


async def test_a_client_that_does_not_send_hello_is_disconnected(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig)
        began = rig.clock()
        assert ana.session.deadline() == began + control_session.HELLO_TIMEOUT_S
        assert ana.session.tick(began + 4.9) == []
        assert codes(ana.session.tick(began + 5.0)) == ["not_ready"]
        assert ana.session.ending is not None
        assert ana.session.ending.code is CloseCode.SILENT
        assert ana.session.tick(began + 6.0) == []


async def test_silence_ends_the_socket(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        began = rig.clock()
        ana.session.receive_text(began + 20, json.dumps(STOP))
        assert ana.session.tick(began + 44.9) == []
        assert codes(ana.session.tick(began + 45)) == ["not_ready"]


async def test_an_end_of_the_visit_that_was_not_published_is_noticed_with_the_next_message(
    start_session: Start,
) -> None:
    async with open_rig() as rig:
        ana = start_session(rig)
        ana.send(HELLO)
        ana.send({"type": "lease.acquire"})
        ana.drive(seq=1)
        rig.invitations.end(ana.session._visitor.id, EndReason.REVOKED)  # the session is not notified here
        assert codes(ana.drive(seq=2, pan=-1.0)) == ["not_ready"]
        assert rig.units[Axis.PAN].velocity == 0
        assert rig.engine.status.lease.session is None
        assert ana.session.ending is not None
        assert ana.session.ending.code is CloseCode.NO_SESSION
        assert ana.send({"type": "lease.acquire"}) == []
        assert rig.engine.status.lease.session is None


async def test_it_ends_with_the_visit(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        ends_at = ana.session._visitor.ends_at_s
        ana.session.receive_text(ends_at - 1, json.dumps(STOP))
        assert ana.session.deadline() == ends_at
        ana.session.tick(ends_at)
        assert ana.session.ending is not None
        assert ana.session.ending.code is CloseCode.NO_SESSION


async def test_an_internal_error_is_not_reported_as_the_visitors(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        rig.units[Axis.PAN].failure = RuntimeError()
        with pytest.raises(InternalError):
            ana.drive(seq=1)


async def test_a_drive_without_a_server_time_is_a_bad_message(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        message = {"type": "drive", "epoch": 1, "hold": 1, "seq": 1, "pan": 1, "tilt": 0, "clock": 5.0}
        assert codes(ana.send(message)) == ["bad_message"]
        assert rig.units[Axis.PAN].velocity == 0


async def test_a_drive_from_too_far_away_is_refused_with_its_delay(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        (error,) = ana.drive(seq=1, hold=4, heard_s=rig.clock() - 1.4)
        assert isinstance(error, Error)
        assert (error.code, error.hold) == ("too_slow", 4)
        assert error.delay == pytest.approx(1400)
        assert rig.units[Axis.PAN].velocity == 0


@pytest.mark.parametrize("teacher", ["hello", "ping"])
async def test_a_first_press_is_measured_by_the_seconds_that_hello_and_pings_took(
    start_session: Start, teacher: str
) -> None:
    async with open_rig() as rig:
        ana = start_session(rig)
        now_ms = rig.clock() * 1000
        ana.send({"type": "hello", "clock": now_ms if teacher == "hello" else now_ms - 900})
        ana.send({"type": "ping", "clock": now_ms if teacher == "ping" else now_ms - 900})
        ana.send({"type": "lease.acquire"})
        assert codes(ana.drive(seq=1, late_s=0.45)) == []  # what is late by 450 ms, and not by a thousandth of it
        assert codes(ana.drive(seq=2, late_s=0.55)) == ["too_late"]
        assert rig.units[Axis.PAN].velocity == 0


async def test_a_new_socket_knows_nothing_of_the_clock_that_stood_still(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig)
        ana.send({"type": "hello", "clock": rig.clock() * 1000})
        await asyncio.sleep(20)
        ana.session.receive_closed()
        woken = start_session(rig)
        woken.send({"type": "hello", "clock": (rig.clock() - 20) * 1000})
        woken.send({"type": "lease.acquire"})
        assert codes(woken.drive(seq=1, late_s=20, heard_s=rig.clock())) == []
        assert rig.units[Axis.PAN].velocity > 0


async def test_a_refused_drive_names_its_hold_and_nothing_else_has_one(start_session: Start) -> None:
    async with open_rig() as rig:
        ana, ben = start_session(rig), start_session(rig)
        assert holds(ben.drive(seq=1, hold=4)) == [4]
        ana.send(HELLO)
        ben.send(HELLO)
        ana.send({"type": "lease.acquire"})
        assert holds(ben.drive(seq=1, hold=7)) == [7]
        assert holds(ben.send({"type": "lease.acquire"})) == [UNSET]
        assert holds(ben.send({"type": "dance"})) == [UNSET]


async def test_a_drive_that_came_too_fast_names_its_hold(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        errors = [hold for seq in range(int(control_session.BURST) + 1) for hold in holds(ana.drive(seq=seq, hold=3))]
        assert errors
        assert set(errors) == {3}


async def test_what_the_engine_publishes_becomes_messages_and_anything_else_is_ignored(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        ack, notice = Acknowledged(Axis.TILT, 3, 1.5, 2.0), NoticeEvent(NoticeCode.LINK_LOST, None, 4)
        assert ana.session.receive_published("ack", ack) == [Ack(axis="tilt", seq=3, clock=1500, written=2000)]
        assert ana.session.receive_published("notice", notice) == [
            Notice(code=NoticeCode.LINK_LOST, axis="both", hold=4)
        ]
        rig.stage.viewers = 2
        assert ana.session.receive_published("weather", object()) == []


async def test_a_release_is_acknowledged_with_its_own_number_and_clock(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        ana.drive(seq=1)
        acks = rig.bus.subscribe(*ana.session.personal_topics)
        ana.send({"type": "release", "epoch": 1, "hold": 1, "seq": 2, "clock": 7000})
        published = [value for _topic, value in drain(acks)]
        assert [(ack.seq, ack.sent_at_s) for ack in published if isinstance(ack, Acknowledged)] == [(2, 7.0)]


async def test_a_session_whose_socket_is_closed_sends_and_accepts_nothing(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        ana.session.receive_closed()
        rig.stage.viewers = 2
        assert ana.session.receive_published("stage", object()) == []
        assert codes(ana.send({"type": "ping", "clock": 1})) == ["not_ready"]


async def test_a_refusal_says_what_is_wrong_and_that_the_socket_stays_open(start_session: Start) -> None:
    async with open_rig() as rig:
        _ana, ben = start_session(rig).driving(), start_session(rig).greeted()
        reason = "someone else is driving"
        assert ben.drive(seq=1, hold=7) == [Error(code="someone_else_drives", message=reason, closing=False, hold=7)]


async def test_the_last_error_says_in_words_what_the_close_frame_says_by_a_code(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        (error,) = ana.session.tick(ana.session._visitor.ends_at_s)
        assert isinstance(error, Error)
        assert (error.code, error.closing) == ("not_ready", True)
        assert error.message == VISIT_ENDED[EndReason.EXPIRED]
        assert ana.session.ending == Ending(CloseCode.NO_SESSION, EndReason.EXPIRED)


@pytest.mark.parametrize(
    ("message", "most", "code"),
    [
        ({"type": "dance"}, control_session.BAD_MESSAGES_BURST, "bad_message"),
        ({"type": "ping", "clock": 1}, control_session.BURST + control_session.TOO_FAST_BURST - 1, "too_fast"),
    ],
)
async def test_excess_is_refused_as_such_until_the_socket_ends_and_tolerated_again_with_time(
    start_session: Start, message: dict[str, object], most: float, code: str
) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        errors = []
        for _ in range(2):
            errors += [answer for _ in range(int(most)) for answer in ana.send(message) if isinstance(answer, Error)]
            assert ana.session.ending is None
            await asyncio.sleep(100)
        while ana.session.ending is None:
            errors += [answer for answer in ana.send(message) if isinstance(answer, Error)]
        assert {answer.code for answer in errors} == {code}
        assert [answer.closing for answer in errors] == [False] * (len(errors) - 1) + [True]
        assert ana.session.ending.reason == errors[-1].message


@pytest.mark.parametrize("message", [{"type": "ping", "clock": 1}, {"type": "dance"}])
async def test_five_seconds_after_an_excess_the_limits_have_recovered_by_that_much(
    start_session: Start, message: object
) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        ping = {"type": "ping", "clock": 1}
        for _ in range(int(control_session.BURST) - 1 + 120):
            ana.send(ping)
        await asyncio.sleep(5)
        answered = [isinstance(answer, Pong) for _ in range(int(control_session.BURST)) for answer in ana.send(ping)]
        assert answered == [True] * int(control_session.BURST)
        refused = []
        while ana.session.ending is None:
            refused += codes(ana.send(message))
        assert refused == ["too_fast"] * 61


async def test_messages_before_hello_are_tolerated_again_with_time(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig)
        for _ in range(2):
            for _ in range(int(control_session.BAD_MESSAGES_BURST)):
                assert codes(ana.send({"type": "ping", "clock": 1})) == ["not_ready"]
            await asyncio.sleep(100)
        assert ana.session.ending is None


async def test_rank_and_person_are_those_of_the_visit(start_session: Start) -> None:
    async with open_rig() as rig:
        ana, anas_phone, room = (
            start_session(rig, "ana"),
            start_session(rig, "ana"),
            start_session(rig, "resident", Role.RESIDENT),
        )
        ben = start_session(rig, "ben")
        for each in (ana, anas_phone, room, ben):
            each.send(HELLO)
        ana.send({"type": "lease.acquire"})
        ana.session.receive_closed()
        assert codes(ben.send({"type": "lease.acquire"})) == ["someone_else_drives"]
        assert codes(anas_phone.send({"type": "lease.acquire"})) == []
        assert codes(room.send({"type": "lease.take"})) == []
        assert codes(ben.send({"type": "lease.take"})) == ["outranked"]


async def test_a_driver_who_sends_stop_keeps_the_lease(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        for _ in range(2):
            await asyncio.sleep(4)
            ana.send(STOP)
        assert rig.engine.status.lease.session == ana.session.name


async def test_another_tab_of_the_driver_sees_the_lease_taken_while_the_first_is_connected(
    start_session: Start,
) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).driving()
        other = f"{ana.session.name}0"
        tab = ControlSession(other, ana.session._visitor, ana.session._dependencies, rig.clock(), ana.connected)
        _, lease, state, _ = tab.receive_text(rig.clock(), json.dumps(HELLO))
        assert lease == a_lease(1, "other", driver="Somebody")
        assert isinstance(state, State)
        assert state.stage.available is True


def ended(client: SessionClient, reason: EndReason) -> SessionChange:
    visitor = client.session._visitor
    return SessionChange(session=visitor, lost=visitor.rights, end=reason)


async def test_the_end_of_a_visit_is_sent_once_with_its_reason(start_session: Start) -> None:
    async with open_rig() as rig:
        ana = start_session(rig).greeted()
        reason = VISIT_ENDED[EndReason.REVOKED]
        messages = ana.session.receive_session_change(ended(ana, EndReason.REVOKED))
        assert messages == [Error(code="not_ready", message=reason, closing=True)]
        assert ana.session.ending == Ending(CloseCode.NO_SESSION, EndReason.REVOKED)
        assert ana.session.receive_session_change(ended(ana, EndReason.LEFT)) == []
