"""Whatever happens, in whatever order, the last frame written to a probed unit is a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from belvedere.head.profile import WriteMode
from belvedere.lab.probe.core import (
    MAX_ATTEMPTS,
    MAX_DOWN_S,
    MAX_REST_S,
    MAX_TRIAL_S,
    MAX_TURN_S,
    RECHECK_S,
    REST_S,
    Ask,
    DropLink,
    Effect,
    Finish,
    Limits,
    Move,
    ProbeCore,
    SetWriteMode,
    State,
    Stop,
)
from belvedere.lab.probe.steps import Answer, Outcome, Question, QuestionKind, Result, Step
from belvedere.link.port import LinkDetails

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

FRAME = bytes.fromhex("020100005000000000000000")
DETAILS = LinkDetails(
    name="PONS", address="x", can_write_without_response=True, can_write_with_response=True, can_keep_alive=True
)
GO = Question(QuestionKind.GO, "Try it?")
SEEN = Question(QuestionKind.SEEN, "What did it do?")
TRY = Step(frame=FRAME, bound_s=0.5, before=GO, after=SEEN)
TURN = Step(frame=FRAME, bound_s=30, angle_deg=90, before=GO, after=Question(QuestionKind.REACHED, "There?"))
DROP = Step(frame=FRAME, bound_s=1, down_s=3, before=GO, after=Question(QuestionKind.DROPPED, "Did it stop?"))


class Probed:
    """A core with a script of these steps, and all its effects, each with its time."""

    def __init__(self, steps: Sequence[Step], limits: Limits | None = None) -> None:
        self.results: list[Result] = []
        self.now = 0.0
        self.shows_its_stop = True
        self.log: list[tuple[float, Effect]] = []
        self.core = ProbeCore(lambda _details: self._script(steps), limits or Limits(), self.now)

    def _script(self, steps: Sequence[Step]) -> Generator[Step, Result, Outcome]:
        for step in steps:
            self.results.append((yield step))
        return Outcome.DONE

    def do(self, receive: Callable[[float], list[Effect]]) -> list[Effect]:
        effects = receive(self.now)
        self.log += [(self.now, effect) for effect in effects]
        return effects

    def ready(self) -> list[Effect]:
        return self.do(lambda now: self.core.receive_ready(DETAILS, now))

    def answer(self, answer: Answer) -> list[Effect]:
        return self.do(lambda now: self.core.receive_answer(answer, now))

    def lost(self) -> list[Effect]:
        return self.do(self.core.receive_lost)

    def key(self) -> list[Effect]:
        return self.do(self.core.receive_key)

    def wait(self, seconds: float) -> list[Effect]:
        """Let time pass, with a tick at each deadline on the way."""
        until, effects = self.now + seconds, []
        while (deadline := self.core.deadline()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            if self.shows_its_stop:
                self.core.receive_stopped()
            effects += self.do(self.core.tick)
        self.now = until
        return effects

    @property
    def outcome(self) -> Outcome | None:
        return next((effect.outcome for _at, effect in self.log if isinstance(effect, Finish)), None)


def moving(step: Step = TRY) -> Probed:
    """A probe whose unit turns."""
    probed = Probed([step])
    probed.ready()
    assert probed.answer(Answer.GO) == [Move(step.frame or b"", min(step.bound_s, 60))]
    return probed


def test_nothing_moves_before_the_unit_is_ready_and_somebody_said_go() -> None:
    probed = Probed([TRY])
    assert probed.wait(10) == []
    assert probed.ready() == [Ask(TRY, GO)]
    assert probed.wait(10) == []
    assert probed.answer(Answer.GO) == [Move(FRAME, 20.5)]


def test_a_try_ends_at_its_bound_and_what_was_seen_is_asked_when_it_has_come_to_rest() -> None:
    probed = moving()
    assert probed.wait(0.499) == []
    assert probed.wait(0.001) == [Stop()]
    assert probed.wait(REST_S) == [Ask(TRY, SEEN)]
    assert probed.answer(Answer.RIGHT) == [Stop(), Finish(Outcome.DONE)]
    assert probed.results == [Result(Answer.RIGHT, 0.5)]


def test_nothing_is_asked_before_the_unit_has_shown_that_it_has_its_stop() -> None:
    probed = moving()
    probed.shows_its_stop = False
    assert set(probed.wait(3)) == {Stop()}
    probed.shows_its_stop = True
    assert probed.wait(RECHECK_S) == [Ask(TRY, SEEN)]


def test_a_unit_that_can_show_nothing_is_asked_about_all_the_same() -> None:
    probed = moving()
    probed.shows_its_stop = False
    assert Ask(TRY, SEEN) in probed.wait(0.5 + MAX_REST_S + 2 * RECHECK_S)


def test_any_key_ends_a_motion_at_once() -> None:
    probed = moving(TURN)
    probed.wait(12)
    assert probed.key() == [Stop()]
    probed.wait(REST_S)
    probed.answer(Answer.YES)
    assert probed.results == [Result(Answer.YES, 12.0, was_stopped_by_observer=True)]


def test_a_key_is_a_stop_at_any_other_time_too() -> None:
    probed = Probed([TRY])
    assert probed.key() == [Stop()]
    probed.ready()
    assert probed.key() == [Stop()]


def test_a_step_that_is_declined_is_skipped() -> None:
    probed = Probed([TRY])
    probed.ready()
    assert probed.answer(Answer.SKIP) == [Stop(), Finish(Outcome.DONE)]
    assert probed.results == [Result(Answer.SKIP)]


@pytest.mark.parametrize(("answer", "outcome"), [(Answer.QUIT, Outcome.QUIT), (Answer.TURNING, Outcome.RUNAWAY)])
def test_whoever_quits_or_sees_it_turning_ends_everything(answer: Answer, outcome: Outcome) -> None:
    probed = moving()
    probed.wait(2)
    assert probed.answer(answer) == [Stop(), Finish(outcome)]
    assert probed.ready() == probed.key() == probed.wait(1000) == []


def test_a_motion_that_a_lost_link_cuts_is_stopped_and_asked_for_again() -> None:
    probed = moving()
    assert probed.lost() == [Stop()]
    assert probed.ready() == [Ask(TRY, GO)]


def test_a_link_that_is_lost_before_the_unit_came_to_rest_spoils_the_try() -> None:
    probed = moving()
    probed.wait(0.6)
    assert probed.lost() == [Stop()]
    assert probed.ready() == [Ask(TRY, GO)]


def test_a_step_that_is_spoiled_again_and_again_is_given_up() -> None:
    probed = Probed([TRY])
    probed.ready()
    for _ in range(MAX_ATTEMPTS):
        probed.answer(Answer.GO)
        probed.lost()
        probed.ready()
    assert probed.results == [Result(Answer.LOST)]


def test_a_go_while_the_link_is_lost_waits_for_it_and_asks_again() -> None:
    probed = Probed([TRY])
    probed.ready()
    probed.lost()
    assert probed.answer(Answer.GO) == []
    assert probed.ready() == [Ask(TRY, GO)]


def test_a_unit_that_stays_out_of_reach_ends_the_probe() -> None:
    probed = Probed([TRY])
    assert probed.wait(60) == [Stop(), Finish(Outcome.UNREACHABLE)]


def test_the_whole_of_it_ends_in_time_even_while_nobody_answers() -> None:
    probed = Probed([TRY], Limits(total_s=100))
    probed.ready()
    assert probed.wait(100) == [Stop(), Finish(Outcome.TIME_UP)]


def test_no_motion_outlasts_the_whole() -> None:
    probed = Probed([TURN], Limits(total_s=10))
    probed.ready()
    probed.now = 9.0
    assert probed.answer(Answer.GO) == [Move(FRAME, 10.0)]


def test_a_link_dropped_on_purpose_comes_back_with_a_stop_and_then_the_question() -> None:
    probed = moving(DROP)
    assert probed.wait(1) == [DropLink(3)]
    assert probed.lost() == []
    assert probed.wait(4) == []
    assert probed.ready() == [Stop()]
    assert isinstance(probed.wait(REST_S)[0], Ask)


def test_a_dropped_link_that_does_not_come_back_is_opened_for_a_stop_in_any_case() -> None:
    probed = moving(DROP)
    probed.wait(1)
    assert probed.wait(MAX_DOWN_S) == [Stop()]
    assert probed.ready() == [Stop()]
    assert isinstance(probed.wait(REST_S)[0], Ask)


def test_a_key_while_the_link_is_down_is_a_stop() -> None:
    probed = moving(DROP)
    probed.wait(1)
    assert probed.key() == [Stop()]
    assert probed.ready() == [Stop()]


def test_another_way_of_writing_connects_anew_stop_first() -> None:
    step = Step(frame=FRAME, bound_s=0.5, mode=WriteMode.WITH_RESPONSE, before=GO, after=SEEN)
    probed = Probed([step, step])
    assert probed.ready() == [Stop(), SetWriteMode(WriteMode.WITH_RESPONSE)]
    assert probed.ready() == [Ask(step, GO)]
    assert probed.answer(Answer.SKIP) == [Ask(step, GO)]


def test_a_script_without_motion_only_asks() -> None:
    step = Step(after=Question(QuestionKind.STILL, "Still?"))
    probed = Probed([step])
    assert probed.ready() == [Stop()]
    assert probed.wait(REST_S) == [Ask(step, Question(QuestionKind.STILL, "Still?"))]


EVENTS = st.one_of(
    st.sampled_from(["ready", "lost", "key"]),
    st.sampled_from(list(Answer)),
    st.floats(0, 70),
    st.sampled_from([0.0, 0.5, REST_S, 1.0, MAX_DOWN_S]),
)
STEPS = st.lists(
    st.builds(
        Step,
        frame=st.one_of(st.none(), st.just(FRAME)),
        bound_s=st.floats(0, 1000),
        angle_deg=st.one_of(st.none(), st.just(90.0)),
        down_s=st.one_of(st.none(), st.floats(0, 1000)),
        mode=st.one_of(st.none(), st.sampled_from(list(WriteMode))),
        before=st.one_of(st.none(), st.just(GO)),
        after=st.one_of(st.none(), st.just(SEEN)),
    ),
    max_size=6,
)


def happen(probed: Probed, event: object) -> None:
    match event:
        case "ready":
            probed.ready()
        case "lost":
            probed.lost()
        case "key":
            probed.key()
        case Answer():
            probed.answer(event)
        case float():
            probed.wait(event)


def longest_motion_s(log: Sequence[tuple[float, Effect]], ended_at: float) -> float:
    """How long at most the unit was left with a motion, until a stop or until its link was dropped."""
    longest, since = 0.0, None
    for at, effect in [*log, (ended_at, Stop())]:
        if isinstance(effect, Move):
            since = at
        elif isinstance(effect, Stop | DropLink) and since is not None:
            longest, since = max(longest, at - since), None
    return longest


@given(steps=STEPS, events=st.lists(EVENTS, max_size=40), is_turning_free=st.booleans())
@settings(max_examples=400, deadline=None)
def test_whatever_happens_no_motion_outlasts_its_bound_and_the_end_is_a_stop(
    steps: list[Step], events: list[object], *, is_turning_free: bool
) -> None:
    if not is_turning_free:
        steps = [Step(frame=one.frame, bound_s=one.bound_s, before=one.before, after=one.after) for one in steps]
    probed = Probed(steps)
    for event in events:
        happen(probed, event)
    probed.do(lambda now: probed.core.receive_end(Outcome.FAILED, now))
    effects = [effect for _at, effect in probed.log if isinstance(effect, Stop | Move | DropLink)]
    assert isinstance(effects[-1], Stop)
    assert probed.core.state is State.ENDED
    limit = MAX_TURN_S if is_turning_free else MAX_TRIAL_S
    assert longest_motion_s(probed.log, probed.now) <= limit + 1e-6
    for at, effect in probed.log:
        if isinstance(effect, Move):
            assert effect.until_s - at <= limit + 1e-6


@given(steps=STEPS, events=st.lists(EVENTS, max_size=40))
@settings(max_examples=300, deadline=None)
def test_whatever_happens_a_dropped_link_is_followed_by_a_stop_within_its_bound(
    steps: list[Step], events: list[object]
) -> None:
    probed = Probed(steps)
    for event in events:
        happen(probed, event)
    probed.wait(MAX_DOWN_S)
    for number, (at, effect) in enumerate(probed.log):
        if isinstance(effect, DropLink) and at + MAX_DOWN_S <= probed.now:
            stopped = [then for then, later in probed.log[number:] if isinstance(later, Stop)]
            assert stopped
            assert stopped[0] - at <= MAX_DOWN_S + 1e-6


@given(events=st.lists(EVENTS, max_size=40))
@settings(max_examples=200, deadline=None)
def test_nothing_is_reported_after_the_end(events: list[object]) -> None:
    probed = Probed([TRY, TURN, DROP])
    for event in events:
        happen(probed, event)
    if probed.outcome is not None:
        assert isinstance(probed.log[-1][1], Finish)
