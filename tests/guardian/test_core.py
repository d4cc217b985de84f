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


class Lived:
    """A guard in virtual time, with a BlueZ that answers everything at once with `error`, or not at all ("")."""

    def __init__(self, methods: StopMethods = BOTH, error: str | None = None) -> None:
        self.now = 100.0
        self.guard = Guard(DEAD_MAN_S)
        self.guard.receive_methods([(PAN, methods), (TILT, methods)])
        self.error: str | None = error
        self.done: list[Done] = []
        self.ticks = 0
        self.open: list[Action] = []
        self.told: list[int] = []

    def beat(self, *turning: int) -> None:
        self.guard.receive_beat(self.now, self.now, turning)
        self.look()

    def look(self) -> None:
        self.ticks += 1
        for action in self.guard.tick(self.now):
            self.done.append(Done(self.now, action.unit, action.method))
            self.open.append(action)
            if self.error != "":
                self.answer(self.error)

    def answer(self, error: str | None = None) -> None:
        for action in self.open:
            unit = self.guard.receive_answer(self.now, action.number, error)
            self.told += [] if unit is None else [unit]
        self.open.clear()

    def let_pass(self, seconds: float) -> None:
        """Nothing happens but time; it looks exactly when it says that it must."""
        until = self.now + seconds
        while (due := self.guard.deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            self.look()
        self.now = until

    def methods(self, unit: int = PAN) -> list[StopMethod]:
        return [done.method for done in self.done if done.unit == unit]


def test_a_server_that_beats_is_left_alone() -> None:
    lived = Lived()
    for _ in range(50):
        lived.beat(PAN, TILT)
        lived.let_pass(0.4)
    assert lived.done == []


def test_silence_of_the_dead_man_time_is_a_stop_to_every_unit_that_may_be_turning() -> None:
    lived = Lived()
    lived.beat(PAN)
    lived.let_pass(DEAD_MAN_S - 0.001)
    assert lived.done == []
    lived.let_pass(10)
    assert lived.done[0].at_s == pytest.approx(100 + DEAD_MAN_S)
    assert lived.methods(PAN) == STOPPING
    assert lived.methods(TILT) == []


@pytest.mark.parametrize(
    ("methods", "stopping"),
    [(BOTH, STOPPING), (ONLY_COMMAND, STOPPING[:-1]), (ONLY_REQUEST, STOPPING[-1:])],
)
def test_a_unit_is_told_by_commands_and_until_it_acknowledges_where_it_can(
    methods: StopMethods, stopping: list[StopMethod]
) -> None:
    lived = Lived(methods)
    lived.beat(PAN)
    lived.let_pass(10)
    assert lived.methods() == stopping


def test_whoever_rests_needs_nothing_however_silent_the_server_is_and_nobody_looks() -> None:
    lived = Lived()
    lived.beat()
    assert lived.guard.deadline() is None
    lived.guard.receive_gone()
    lived.look()
    assert lived.done == []
    assert lived.guard.is_done


def test_a_server_that_has_gone_is_not_waited_for() -> None:
    lived = Lived()
    lived.beat(PAN, TILT)
    lived.guard.receive_gone()
    assert not lived.guard.is_done
    lived.look()
    assert {done.unit for done in lived.done} == {PAN, TILT}
    lived.let_pass(1)
    assert lived.guard.is_done


def test_a_beat_ends_the_stopping_and_what_bluez_still_answers_is_of_no_interest() -> None:
    lived = Lived(error="")
    lived.beat(PAN)
    lived.let_pass(DEAD_MAN_S)
    told = len(lived.done)
    assert told == 1
    lived.beat(PAN)
    lived.answer()
    assert lived.told == []
    lived.let_pass(DEAD_MAN_S - 0.01)
    assert len(lived.done) == told


def test_a_server_that_falls_silent_again_is_answered_again() -> None:
    lived = Lived()
    for _ in range(2):
        lived.beat(PAN)
        lived.let_pass(3)
    assert lived.methods() == 2 * STOPPING
    assert lived.told == [PAN, PAN]


def test_what_is_refused_is_said_again_and_then_the_unit_is_hung_up_on() -> None:
    lived = Lived(error=REFUSED)
    lived.beat(PAN)
    lived.let_pass(DEAD_MAN_S + DISCONNECT_AFTER_S)
    assert lived.methods().count(StopMethod.COMMAND) > COMMANDS
    assert StopMethod.DISCONNECT in lived.methods()
    assert lived.told == []


def test_a_unit_that_takes_commands_and_acknowledges_none_is_hung_up_on() -> None:
    lived = Lived(error="")
    lived.beat(PAN)
    for _ in range(40):
        lived.let_pass(0.05)
        lived.open = [action for action in lived.open if action.method is StopMethod.COMMAND]
        lived.answer()
    assert StopMethod.DISCONNECT in lived.methods()
    assert lived.told == [PAN]


def test_one_that_was_hung_up_on_is_left_alone() -> None:
    lived = Lived(error="")
    lived.beat(PAN)
    lived.let_pass(DEAD_MAN_S + DISCONNECT_AFTER_S)
    lived.answer()
    told = len(lived.done)
    lived.let_pass(10)
    assert len(lived.done) == told


def test_a_refusal_to_hang_up_is_tried_again_but_not_where_there_is_no_link() -> None:
    refused, gone = Lived(error=REFUSED), Lived(error="org.bluez.Error.NotConnected")
    for lived in (refused, gone):
        lived.beat(PAN)
        lived.let_pass(20)
    assert refused.methods().count(StopMethod.DISCONNECT) > 1
    assert gone.methods().count(StopMethod.DISCONNECT) == 1


def test_the_other_unit_is_stopped_whatever_is_wrong_with_the_first() -> None:
    lived = Lived(error="")
    lived.beat(PAN, TILT)
    lived.let_pass(DEAD_MAN_S)
    for action in lived.open:
        lived.guard.receive_answer(lived.now, action.number, REFUSED if action.unit == PAN else None)
    assert lived.methods(TILT) == [StopMethod.COMMAND]


def test_a_clock_of_the_servers_that_is_ahead_does_not_put_it_off() -> None:
    lived = Lived()
    lived.guard.receive_beat(lived.now, lived.now + 1000, [PAN])
    lived.let_pass(DEAD_MAN_S + 0.1)
    assert lived.methods() != []


def test_a_unit_of_which_nothing_is_known_is_looked_for_without_hurry() -> None:
    lived = Lived()
    lived.guard.receive_methods([])
    lived.beat(PAN)
    lived.let_pass(20)
    assert lived.done == []
    assert lived.ticks < 60


class Step(NamedTuple):
    """What the server and BlueZ do next, and how long that lasts."""

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
def test_it_stops_whom_it_must_when_it_must_and_never_anybody_else(steps: list[Step], methods: StopMethods) -> None:
    lived = Lived(methods)
    heard_at, turning = lived.now, frozenset[int]()
    for step in steps:
        lived.error = step.error
        before = len(lived.done)
        if step.is_beating:
            heard_at, turning = lived.now, step.turning
            lived.beat(*turning)
        lived.let_pass(step.seconds)
        acted = lived.done[before:]
        assert {done.unit for done in acted} <= turning
        assert all(done.at_s >= heard_at + DEAD_MAN_S - 1e-9 for done in acted)
        if step.is_beating and step.seconds > DEAD_MAN_S:
            firsts = {unit: next(done for done in acted if done.unit == unit) for unit in turning}
            assert all(done.at_s == pytest.approx(heard_at + DEAD_MAN_S) for done in firsts.values())
            assert all(done.method is not StopMethod.DISCONNECT for done in firsts.values())
    lived.guard.receive_gone()
    lived.look()
    lived.let_pass(ABANDON_AFTER_S + 0.1)
    assert lived.guard.is_done
    assert lived.ticks < 60 * (len(steps) * 4 + ABANDON_AFTER_S)
