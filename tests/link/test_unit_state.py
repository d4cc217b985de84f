from __future__ import annotations

from itertools import product

import pytest

from belvedere.link.unit_state import DUE, TRANSITIONS, Due, UnitEvent, UnitState


def test_every_event_is_foreseen_in_every_state() -> None:
    assert set(TRANSITIONS) == set(product(UnitState, UnitEvent))
    assert set(DUE) == set(UnitState)


@pytest.mark.parametrize(("state", "event"), list(product(UnitState, UnitEvent)))
def test_the_newest_command_says_whether_the_unit_moves_and_whatever_follows_it_whether_it_was_asked(
    state: UnitState, event: UnitEvent
) -> None:
    following = TRANSITIONS[state, event]
    assert following.is_moving == {UnitEvent.MOVE: True, UnitEvent.REQUEST: state.is_moving}.get(event, False)
    assert following.is_asked == (event in {UnitEvent.REQUEST, UnitEvent.RESET})


def test_a_moving_unit_is_kept_an_eye_on_and_one_that_was_stopped_is_verified_once() -> None:
    moving = {state for state in UnitState if state.is_moving}
    assert {state for state in UnitState if DUE[state] is Due.KEEP_ALIVES} == moving
    assert {state for state in UnitState if DUE[state] is Due.NOTHING} == {UnitState.VERIFIED}
    assert DUE[UnitState.UNVERIFIED] is Due.VERIFICATION
