from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.guardian.core import (
    ABANDON_AFTER_S,
    COMMANDS,
    DISCONNECT_AFTER_S,
    Action,
    Guard,
    StopMethod,
    StopMethods,
)

DEAD_MAN_S = 0.5
BOTH, ONLY_COMMAND, ONLY_REQUEST = StopMethods(True, True), StopMethods(True, False), StopMethods(False, True)
PAN, TILT = 0, 1
REFUSED = "org.bluez.Error.Failed"
STOPPING = [StopMethod.COMMAND] * COMMANDS + [StopMethod.REQUEST]


class Done(NamedTuple):
    at_s: float
    unit: int
    method: StopMethod


class GuardRun:
    """Runs a guard in virtual time with a BlueZ that answers each action at once with `error`, or never if ""."""

    def __init__(self, methods: StopMethods = BOTH, error: str | None = None) -> None:
        self.now = 100.0
        self.guard = Guard(DEAD_MAN_S)
        self.guard.receive_methods([(PAN, methods), (TILT, methods)])
        self.error: str | None = error
        self.done: list[Done] = []
        self.ticks = 0
        self.open: list[Action] = []
        self.reported: list[int] = []

    def beat(self, *turning: int) -> None:
        self.guard.receive_beat(self.now, self.now, turning)
        self.tick()

    def tick(self) -> None:
        self.ticks += 1
        for action in self.guard.tick(self.now):
            self.done.append(Done(self.now, action.unit, action.method))
            self.open.append(action)
            if self.error != "":
                self.answer(self.error)

    def answer(self, error: str | None = None) -> None:
        for action in self.open:
            unit = self.guard.receive_answer(self.now, action.number, error)
            self.reported += [] if unit is None else [unit]
        self.open.clear()

    def advance(self, seconds: float) -> None:
        """Let time pass without events; `tick` is called exactly at the deadlines."""
        until = self.now + seconds
        while (due := self.guard.deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            self.tick()
        self.now = until

    def methods(self, unit: int = PAN) -> list[StopMethod]:
        return [done.method for done in self.done if done.unit == unit]


def test_nothing_is_done_while_the_server_beats() -> None:
    run = GuardRun()
    for _ in range(50):
        run.beat(PAN, TILT)
        run.advance(0.4)
    assert run.done == []


def test_after_the_dead_man_time_without_a_beat_every_unit_that_may_be_turning_is_stopped() -> None:
    run = GuardRun()
    run.beat(PAN)
    run.advance(DEAD_MAN_S - 0.001)
    assert run.done == []
    run.advance(10)
    assert run.done[0].at_s == pytest.approx(100 + DEAD_MAN_S)
    assert run.methods(PAN) == STOPPING
    assert run.methods(TILT) == []


@pytest.mark.parametrize(
    ("methods", "stopping"),
    [(BOTH, STOPPING), (ONLY_COMMAND, STOPPING[:-1]), (ONLY_REQUEST, STOPPING[-1:])],
)
def test_a_unit_is_stopped_by_the_writes_that_it_supports(methods: StopMethods, stopping: list[StopMethod]) -> None:
    run = GuardRun(methods)
    run.beat(PAN)
    run.advance(10)
    assert run.methods() == stopping


def test_a_silent_server_is_no_reason_to_act_while_no_unit_is_turning() -> None:
    run = GuardRun()
    run.beat()
    assert run.guard.deadline() is None
    run.guard.receive_gone()
    run.tick()
    assert run.done == []
    assert run.guard.is_done


def test_the_end_of_the_server_is_answered_at_once() -> None:
    run = GuardRun()
    run.beat(PAN, TILT)
    run.guard.receive_gone()
    assert not run.guard.is_done
    run.tick()
    assert {done.unit for done in run.done} == {PAN, TILT}
    run.advance(1)
    assert run.guard.is_done


def test_a_new_beat_ends_the_stopping_and_late_answers_are_ignored() -> None:
    run = GuardRun(error="")
    run.beat(PAN)
    run.advance(DEAD_MAN_S)
    count = len(run.done)
    assert count == 1
    run.beat(PAN)
    run.answer()
    assert run.reported == []
    run.advance(DEAD_MAN_S - 0.01)
    assert len(run.done) == count


def test_a_server_that_falls_silent_again_has_its_units_stopped_again() -> None:
    run = GuardRun()
    for _ in range(2):
        run.beat(PAN)
        run.advance(3)
    assert run.methods() == 2 * STOPPING
    assert run.reported == [PAN, PAN]


def test_a_refused_stop_is_repeated_and_then_the_unit_is_disconnected() -> None:
    run = GuardRun(error=REFUSED)
    run.beat(PAN)
    run.advance(DEAD_MAN_S + DISCONNECT_AFTER_S)
    assert run.methods().count(StopMethod.COMMAND) > COMMANDS
    assert StopMethod.DISCONNECT in run.methods()
    assert run.reported == []


def test_a_unit_that_never_acknowledges_is_disconnected() -> None:
    run = GuardRun(error="")
    run.beat(PAN)
    for _ in range(40):
        run.advance(0.05)
        run.open = [action for action in run.open if action.method is StopMethod.COMMAND]
        run.answer()
    assert StopMethod.DISCONNECT in run.methods()
    assert run.reported == [PAN]


def test_nothing_more_is_done_to_a_disconnected_unit() -> None:
    run = GuardRun(error="")
    run.beat(PAN)
    run.advance(DEAD_MAN_S + DISCONNECT_AFTER_S)
    run.answer()
    count = len(run.done)
    run.advance(10)
    assert len(run.done) == count


def test_a_refused_disconnect_is_repeated_unless_there_is_no_link() -> None:
    refused, gone = GuardRun(error=REFUSED), GuardRun(error="org.bluez.Error.NotConnected")
    for run in (refused, gone):
        run.beat(PAN)
        run.advance(20)
    assert refused.methods().count(StopMethod.DISCONNECT) > 1
    assert gone.methods().count(StopMethod.DISCONNECT) == 1


def test_the_other_unit_is_stopped_whatever_fails_on_the_first() -> None:
    run = GuardRun(error="")
    run.beat(PAN, TILT)
    run.advance(DEAD_MAN_S)
    for action in run.open:
        run.guard.receive_answer(run.now, action.number, REFUSED if action.unit == PAN else None)
    assert run.methods(TILT) == [StopMethod.COMMAND]


def test_a_beat_from_the_future_does_not_delay_the_stop() -> None:
    run = GuardRun()
    run.guard.receive_beat(run.now, run.now + 1000, [PAN])
    run.advance(DEAD_MAN_S + 0.1)
    assert run.methods() != []


def test_a_turning_unit_that_is_not_in_the_table_is_looked_for_at_a_low_rate() -> None:
    run = GuardRun()
    run.guard.receive_methods([])
    run.beat(PAN)
    run.advance(20)
    assert run.done == []
    assert run.ticks < 60


class Step(NamedTuple):
    """What the server and BlueZ do next, and for how long."""

    turning: frozenset[int]
    is_beating: bool
    seconds: float
    error: str | None


STEPS = st.lists(
    st.builds(
        Step,
        turning=st.frozensets(st.sampled_from([PAN, TILT])),
        is_beating=st.booleans(),
        seconds=st.floats(0.01, 4.0),
        error=st.sampled_from([None, "", REFUSED, "org.bluez.Error.NotConnected"]),
    ),
    max_size=12,
)


@given(STEPS, st.sampled_from([BOTH, ONLY_COMMAND, ONLY_REQUEST]))
def test_exactly_the_turning_units_are_stopped_exactly_when_the_time_is_over(
    steps: list[Step], methods: StopMethods
) -> None:
    run = GuardRun(methods)
    last_beat_at, turning = run.now, frozenset[int]()
    for step in steps:
        run.error = step.error
        before = len(run.done)
        if step.is_beating:
            last_beat_at, turning = run.now, step.turning
            run.beat(*turning)
        run.advance(step.seconds)
        acted = run.done[before:]
        assert {done.unit for done in acted} <= turning
        assert all(done.at_s >= last_beat_at + DEAD_MAN_S - 1e-9 for done in acted)
        if step.is_beating and step.seconds > DEAD_MAN_S:
            firsts = {unit: next(done for done in acted if done.unit == unit) for unit in turning}
            assert all(done.at_s == pytest.approx(last_beat_at + DEAD_MAN_S) for done in firsts.values())
            assert all(done.method is not StopMethod.DISCONNECT for done in firsts.values())
    run.guard.receive_gone()
    run.tick()
    run.advance(ABANDON_AFTER_S + 0.1)
    assert run.guard.is_done
    assert run.ticks < 60 * (len(steps) * 4 + ABANDON_AFTER_S)
