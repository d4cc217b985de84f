"""Questions to the driver: examples, and a state machine that compares any order of events with a plain model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.control.rig import ControlRig, notices_in, refusal_of, stops

from belvedere.control.effects import NoticeCode, QuestionEnded
from belvedere.control.handover import ANSWER_S, ASK_AGAIN_S, MAX_OPEN, Handover, Question, QuestionEnd
from belvedere.control.lease import Driver, LeaseVerb
from belvedere.control.options import ControlOptions
from belvedere.errors import Refusal, VisitorError
from belvedere.head.axes import Axis

if TYPE_CHECKING:
    from belvedere.control.effects import Effect

ANN = Driver("a", "ann", 0)
ANN_AGAIN = Driver("a2", "ann", 0)
BOB = Driver("b", "bob", 0)


def is_refused(handover: Handover, now: float, asking: Driver) -> bool:
    try:
        handover.receive_ask(now, asking.session, asking.person)
    except VisitorError as error:
        return error.refusal is Refusal.TOO_FAST
    return False


def test_a_question_is_open_until_it_is_answered() -> None:
    handover = Handover()
    handover.receive_ask(0, ANN.session, ANN.person)
    assert handover.questions == (Question("a", "ann", ANSWER_S),)
    assert handover.receive_answer(1, "a", is_granted=True)
    assert not handover.receive_answer(1, "a", is_granted=True)


def test_asking_again_neither_repeats_nor_prolongs_a_question() -> None:
    handover = Handover()
    handover.receive_ask(0, ANN.session, ANN.person)
    handover.receive_ask(9, ANN.session, ANN.person)
    assert handover.questions == (Question("a", "ann", ANSWER_S),)


def test_a_person_has_one_question_in_all_windows() -> None:
    handover = Handover()
    handover.receive_ask(0, ANN.session, ANN.person)
    assert is_refused(handover, 0, ANN_AGAIN)
    assert not is_refused(handover, 0, BOB)


@pytest.mark.parametrize("end", ["denied", "unanswered", "left"])
def test_after_a_no_a_person_waits_before_asking_again(end: str) -> None:
    handover = Handover()
    handover.receive_ask(0, ANN.session, ANN.person)
    now = ANSWER_S if end == "unanswered" else 1.0
    if end == "denied":
        handover.receive_answer(now, "a", is_granted=False)
    elif end == "left":
        handover.receive_withdrawn(now, "a")
    else:
        assert handover.tick(now - 0.1) == []
        assert handover.tick(now) == [Question("a", "ann", ANSWER_S)]
    assert is_refused(handover, now + ASK_AGAIN_S - 0.1, ANN_AGAIN)
    assert not is_refused(handover, now + ASK_AGAIN_S, ANN_AGAIN)


def test_after_a_yes_or_a_change_of_the_driver_nobody_waits() -> None:
    handover = Handover()
    handover.receive_ask(0, ANN.session, ANN.person)
    handover.receive_ask(1, BOB.session, BOB.person)
    handover.receive_answer(1, "a", is_granted=True)
    assert handover.receive_driver_changed() == [Question("b", "bob", 1 + ANSWER_S)]
    assert (handover.questions, handover.deadline()) == ((), None)
    assert [is_refused(handover, 1, each) for each in (ANN, BOB)] == [False, False]


def test_a_crowd_asks_no_more_than_a_driver_can_read() -> None:
    handover = Handover()
    crowd = [Driver(str(number), str(number), 0) for number in range(MAX_OPEN + 1)]
    assert [is_refused(handover, 0, each) for each in crowd] == [False] * MAX_OPEN + [True]
    handover.receive_answer(0, "0", is_granted=False)
    assert not is_refused(handover, 0, crowd[-1])


def test_a_clock_that_goes_back_prolongs_nothing_beyond_its_full_time() -> None:
    handover = Handover()
    handover.receive_ask(1000, ANN.session, ANN.person)
    handover.receive_ask(1000, BOB.session, BOB.person)
    handover.receive_answer(1000, "b", is_granted=False)
    handover.receive_clock_jump(10)
    assert handover.deadline() == 10 + ANSWER_S
    assert is_refused(handover, 10 + ASK_AGAIN_S - 0.1, BOB)
    assert not is_refused(handover, 10 + ASK_AGAIN_S, BOB)


# in the core


def answers_in(effects: list[Effect]) -> list[tuple[str, QuestionEnd]]:
    return [(effect.session, effect.end) for effect in effects if isinstance(effect, QuestionEnded)]


def askers(rig: ControlRig) -> list[str]:
    return [question.session for question in rig.core.lease_status.questions]


def test_a_yes_stops_the_head_gives_the_lease_and_needs_a_fresh_press() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    rig.core.receive_lease(rig.now, "bob", LeaseVerb.ASK)
    assert (rig.core.lease_status.session, askers(rig)) == ("ann", ["bob"])
    rig.core.receive_answer(rig.now, "ann", "bob", is_granted=True)
    effects = rig.tick()
    assert stops(effects, Axis.PAN) == 1
    assert (answers_in(effects), notices_in(effects)) == ([("bob", QuestionEnd.GRANTED)], [])
    assert (rig.core.lease_status.session, rig.core.lease_status.epoch, askers(rig)) == ("bob", 2, [])
    assert refusal_of(lambda: rig.drive(0.5, hold=2)) is Refusal.SOMEONE_ELSE_DRIVES
    assert rig.velocity() == 0
    rig.drive(0.5, session="bob")
    rig.tick()
    assert rig.velocity() > 0


def test_a_question_and_a_no_leave_the_motion_alone() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.wait(0.2)
    rig.core.receive_lease(rig.now, "bob", LeaseVerb.ASK)
    rig.core.receive_answer(rig.now, "ann", "bob", is_granted=False)
    assert answers_in(rig.tick()) == [("bob", QuestionEnd.DENIED)]
    assert rig.velocity() == 0.5
    assert rig.core.lease_status.session == "ann"


def test_no_answer_in_fifteen_seconds_is_a_no() -> None:
    rig = ControlRig()
    rig.core.receive_lease(rig.now, "bob", LeaseVerb.ASK)
    asked_at = rig.now
    for _ in range(14):
        rig.core.receive_heartbeat(rig.now, "ann", rig.now)
        assert answers_in(rig.wait(1)) == []
    rig.core.receive_heartbeat(rig.now, "ann", rig.now)
    assert rig.core.deadline() == asked_at + 15
    assert answers_in(rig.wait(1)) == [("bob", QuestionEnd.UNANSWERED)]
    assert rig.core.lease_status.session == "ann"
    assert refusal_of(lambda: rig.core.receive_answer(rig.now, "ann", "bob", is_granted=True)) is Refusal.NO_QUESTION


def test_only_the_driver_answers_and_gives() -> None:
    rig = ControlRig()
    rig.core.receive_lease(rig.now, "bob", LeaseVerb.ASK)
    for session in ("bob", "room"):
        answer = partial(rig.core.receive_answer, rig.now, session, "bob", is_granted=True)
        assert refusal_of(answer) is Refusal.NOT_DRIVING
        assert refusal_of(partial(rig.core.receive_give, rig.now, session, "bob")) is Refusal.NOT_DRIVING
    assert rig.core.lease_status.session == "ann"


def test_a_driver_whose_connection_is_lost_gives_nothing() -> None:
    rig = ControlRig()
    rig.core.receive_session_closed(rig.now, "ann")
    assert refusal_of(partial(rig.core.receive_give, rig.now, "ann", "bob")) is Refusal.NOT_DRIVING


def test_the_driver_gives_the_lease_to_a_watcher_who_is_there() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    assert refusal_of(partial(rig.core.receive_give, rig.now, "ann", "nobody")) is Refusal.NOT_READY
    assert rig.velocity() > 0
    rig.core.receive_give(rig.now, "ann", "ann")
    assert rig.core.lease_status.epoch == 1
    rig.core.receive_give(rig.now, "ann", "bob")
    assert stops(rig.tick(), Axis.PAN) == 1
    assert rig.core.lease_status.session == "bob"


def test_asking_gets_at_once_what_may_be_taken() -> None:
    rig = ControlRig()
    rig.core.receive_lease(rig.now, "room", LeaseVerb.ASK)
    assert (rig.core.lease_status.session, askers(rig)) == ("room", [])
    rig.core.receive_lease(rig.now, "room", LeaseVerb.ASK)
    assert rig.core.lease_status.epoch == 2


@pytest.mark.parametrize("end", ["return", "silent", "taken", "withdrawn"])
def test_when_the_driver_changes_what_others_asked_is_over_and_they_may_ask_again(end: str) -> None:
    rig = ControlRig()
    rig.core.receive_lease(rig.now, "bob", LeaseVerb.ASK)
    effects: list[Effect] = []
    if end == "return":
        rig.core.receive_lease(rig.now, "ann", LeaseVerb.RETURN)
    elif end == "withdrawn":
        rig.core.receive_withdrawn(rig.now, "ann")
    elif end == "taken":
        rig.core.receive_lease(rig.now, "room", LeaseVerb.TAKE)
    else:
        effects = rig.wait(5)
    assert answers_in([*effects, *rig.tick()]) == [("bob", QuestionEnd.OVER)]
    rig.core.receive_lease(rig.now, "bob", LeaseVerb.ASK)
    assert rig.core.lease_status.session == ("room" if end == "taken" else "bob")


def test_an_asker_who_may_not_drive_any_more_asks_no_more_and_loses_the_lease() -> None:
    rig = ControlRig()
    rig.core.receive_lease(rig.now, "bob", LeaseVerb.ASK)
    rig.core.receive_withdrawn(rig.now, "bob")
    assert (askers(rig), answers_in(rig.tick())) == ([], [])
    assert refusal_of(partial(rig.core.receive_lease, rig.now, "bob", LeaseVerb.ASK)) is Refusal.TOO_FAST
    rig.drive(0.5)
    rig.tick()
    rig.core.receive_withdrawn(rig.now, "ann")
    assert stops(rig.tick(), Axis.PAN) == 1
    assert rig.core.lease_status.session is None


def test_an_asker_who_is_gone_asks_no_more() -> None:
    rig = ControlRig()
    rig.core.receive_lease(rig.now, "bob", LeaseVerb.ASK)
    rig.core.receive_session_closed(rig.now, "bob")
    assert askers(rig) == []


def test_a_driver_at_rest_for_a_minute_is_idle_and_the_status_says_so_by_itself() -> None:
    rig = ControlRig(ControlOptions(lease_stale_s=60, lease_idle_s=60))
    rig.drive(0.5)
    moved_at = rig.now
    rig.drive(0.0)
    rig.wait(30)
    rig.core.receive_heartbeat(rig.now, "ann", rig.now)
    rig.drive(0.0, hold=2)  # a stick that is held at rest moves nothing
    rig.now = moved_at + 59.9
    rig.tick()
    assert refusal_of(partial(rig.core.receive_lease, rig.now, "bob", LeaseVerb.TAKE)) is Refusal.SOMEONE_ELSE_DRIVES
    assert rig.core.deadline() == moved_at + 60
    rig.wait(0.1 + 1e-9)
    assert rig.core.lease_status.is_idle
    rig.core.receive_lease(rig.now, "bob", LeaseVerb.TAKE)
    assert notices_in(rig.tick()) == [("ann", NoticeCode.LEASE_LOST, None)]
    assert not rig.core.lease_status.is_idle


# any order of events


SESSIONS = {f"{person}-{window}": person for person in "abcdef" for window in (1, 2)}
sessions = st.sampled_from(sorted(SESSIONS))


class Questions(RuleBasedStateMachine):
    """Any order of events: the model keeps every question for ever, with how and when it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.handover = Handover()
        self.open: list[tuple[str, float]] = []  # sessions and when they asked
        self.no_at: dict[str, float] = {}  # by person, the newest no

    def _end(self, session: str, *, is_no: bool) -> bool:
        was_open = [asker for asker, _ in self.open if asker == session]
        self.open = [each for each in self.open if each[0] != session]
        if was_open and is_no:
            self.no_at[SESSIONS[session]] = self.now
        return bool(was_open)

    @rule(session=sessions)
    def ask(self, session: str) -> None:
        person = SESSIONS[session]
        is_open = any(asker == session for asker, _ in self.open)
        is_too_soon = person in self.no_at and self.now < self.no_at[person] + ASK_AGAIN_S
        is_elsewhere = any(SESSIONS[asker] == person for asker, _ in self.open)
        expected = not is_open and (is_too_soon or is_elsewhere or len(self.open) >= MAX_OPEN)
        assert is_refused(self.handover, self.now, Driver(session, person, 0)) == expected
        if not is_open and not expected:
            self.open.append((session, self.now))

    @rule(session=sessions, is_granted=st.booleans())
    def answer(self, session: str, *, is_granted: bool) -> None:
        assert self.handover.receive_answer(self.now, session, is_granted=is_granted) == self._end(
            session, is_no=not is_granted
        )

    @rule(session=sessions)
    def leave(self, session: str) -> None:
        self.handover.receive_withdrawn(self.now, session)
        self._end(session, is_no=True)

    @rule()
    def driver_changes(self) -> None:
        assert [question.session for question in self.handover.receive_driver_changed()] == [s for s, _ in self.open]
        self.open = []

    @rule(seconds=st.floats(0, 40))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        expired = [session for session, asked_at in self.open if self.now >= asked_at + ANSWER_S]
        assert [question.session for question in self.handover.tick(self.now)] == expired
        for session in expired:
            self._end(session, is_no=True)

    @invariant()
    def the_same_questions_are_open(self) -> None:
        assert [question.session for question in self.handover.questions] == [session for session, _ in self.open]
        assert len(self.open) <= MAX_OPEN
        assert self.handover.deadline() == min((at + ANSWER_S for _, at in self.open), default=None)
        assert len(self.handover._refused_until) <= len(set(SESSIONS.values()))


TestQuestions = Questions.TestCase
