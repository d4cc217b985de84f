from __future__ import annotations

import itertools

import pytest

from belvedere.errors import InternalError
from belvedere.stage.phases import (
    STAGE_TRANSITIONS,
    VIEWER_TRANSITIONS,
    StageEvent,
    StagePhase,
    ViewerPhase,
    follow,
    follow_viewer,
)


def test_every_phase_has_a_row() -> None:
    assert set(STAGE_TRANSITIONS) == set(StagePhase)
    assert set(VIEWER_TRANSITIONS) == set(ViewerPhase)


def test_only_a_picture_ends_an_outage() -> None:
    failing = {StagePhase.UNAVAILABLE, StagePhase.RETRYING, StagePhase.CLOSED}
    for phase, event in itertools.product(failing, StageEvent):
        following = STAGE_TRANSITIONS[phase].get(event, phase)
        assert following in failing or event in {StageEvent.PICTURE, StageEvent.COVERING}


def test_every_phase_can_be_covered_and_only_uncovering_or_closing_ends_that() -> None:
    covered = {follow(phase, StageEvent.COVERING) for phase in StagePhase if phase is not StagePhase.CLOSED}
    assert covered == {StagePhase.COVERED}
    left = {event for event, phase in STAGE_TRANSITIONS[StagePhase.COVERED].items() if phase is not StagePhase.COVERED}
    assert left == {StageEvent.UNCOVERING, StageEvent.CLOSING}
    for phase in set(StagePhase) - {StagePhase.COVERED}:
        assert follow(phase, StageEvent.UNCOVERING) is phase


@pytest.mark.parametrize("event", [StageEvent.NEEDED, StageEvent.PICTURE, StageEvent.FAILURE])
def test_nothing_turns_the_source_on_while_it_is_covered(event: StageEvent) -> None:
    with pytest.raises(InternalError):
        follow(StagePhase.COVERED, event)


def test_every_phase_can_be_closed_and_a_closed_stage_stays_closed() -> None:
    assert {follow(phase, StageEvent.CLOSING) for phase in StagePhase} == {StagePhase.CLOSED}
    assert set(STAGE_TRANSITIONS[StagePhase.CLOSED].values()) == {StagePhase.CLOSED}


@pytest.mark.parametrize("phase", [StagePhase.IDLE, StagePhase.UNAVAILABLE, StagePhase.CLOSED])
def test_no_picture_comes_from_a_source_that_is_off(phase: StagePhase) -> None:
    with pytest.raises(InternalError, match="picture must not happen"):
        follow(phase, StageEvent.PICTURE)


def test_a_viewer_goes_forward_only_and_can_end_at_any_time_once() -> None:
    order = list(ViewerPhase)
    for before, after in itertools.product(order, order):
        is_allowed = after in VIEWER_TRANSITIONS[before]
        assert not is_allowed or order.index(after) > order.index(before)
        if not is_allowed:
            with pytest.raises(InternalError):
                follow_viewer(before, after)
    assert all(ViewerPhase.ENDED in VIEWER_TRANSITIONS[phase] for phase in order[:-1])
