"""A discovery is stuck when BlueZ refuses twice, and is reset at once, then more rarely while that does not help."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from belvedere.link.stuck_discovery_detector import (
    FIRST_WAIT_S,
    FORGET_S,
    LONGEST_WAIT_S,
    PASSING_S,
    TRANSITIONS,
    DiscoveryEvent,
    DiscoveryState,
    StuckDiscoveryDetector,
)

_S, _E = DiscoveryState, DiscoveryEvent
PATHS: dict[DiscoveryState, list[DiscoveryEvent]] = {
    _S.WORKING: [],
    _S.DOUBTFUL: [_E.REFUSED],
    _S.STUCK: [_E.REFUSED, _E.REFUSED],
    _S.RESET: [_E.REFUSED, _E.REFUSED, _E.RESET],
}  # the shortest way to each state


def after(*events: DiscoveryEvent, every_s: float = PASSING_S) -> StuckDiscoveryDetector:
    """A detector to which these happened, the first at 0."""
    detector = StuckDiscoveryDetector()
    for number, event in enumerate(events):
        tell(detector, event, number * every_s)
    return detector


def tell(detector: StuckDiscoveryDetector, event: DiscoveryEvent, now: float) -> None:
    match event:
        case DiscoveryEvent.ENDED:
            detector.receive_ended()
        case DiscoveryEvent.REFUSED:
            detector.receive_refused(now)
        case DiscoveryEvent.RESET:
            detector.receive_reset(now)


def reset_times(detector: StuckDiscoveryDetector, until_s: float) -> list[int]:
    """When an adapter is reset that stays stuck from now on, looking every second."""
    found = []
    for now in range(10, int(until_s)):
        detector.receive_refused(now)
        if detector.is_reset_due(now):
            detector.receive_reset(now)
            found.append(now)
    return found


@pytest.mark.parametrize(("state", "event"), list(product(DiscoveryState, DiscoveryEvent)))
def test_every_event_in_every_state_leads_where_the_table_says(state: DiscoveryState, event: DiscoveryEvent) -> None:
    detector = after(*PATHS[state])
    assert detector.state is state
    tell(detector, event, 100.0)
    assert detector.state is TRANSITIONS[state, event]
    assert detector.is_stuck is (detector.state is DiscoveryState.STUCK)


def test_a_scan_that_ended_shows_that_discovery_works_whatever_was_before() -> None:
    assert {TRANSITIONS[state, _E.ENDED] for state in DiscoveryState} == {_S.WORKING}


def test_only_what_is_stuck_is_reset() -> None:
    due = {state: after(*PATHS[state]).is_reset_due(1e6) for state in DiscoveryState}
    assert due == {_S.WORKING: False, _S.DOUBTFUL: False, _S.STUCK: True, _S.RESET: False}


def test_refusals_in_quick_succession_may_have_one_passing_reason() -> None:
    detector = after(*[_E.REFUSED] * 5, every_s=PASSING_S / 5)
    assert not detector.is_stuck
    detector.receive_refused(PASSING_S)
    assert detector.is_stuck


def test_the_time_of_a_passing_reason_begins_anew_with_each_doubt() -> None:
    detector = after(_E.REFUSED, _E.ENDED, _E.REFUSED, every_s=100)
    detector.receive_refused(200 + PASSING_S - 0.1)
    assert detector.state is _S.DOUBTFUL


def test_an_adapter_that_stays_stuck_is_reset_at_once_then_after_waits_that_double_up_to_the_longest() -> None:
    times = reset_times(after(_E.REFUSED), 5 * LONGEST_WAIT_S)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert times[0] == 10
    assert waits[:5] == [FIRST_WAIT_S * 2**number for number in range(5)]
    assert set(waits[5:]) == {LONGEST_WAIT_S}
    assert len(waits) > 6


def test_the_waits_begin_anew_once_the_last_reset_has_been_long_enough_ago() -> None:
    detector = after(_E.REFUSED)
    *_, last = reset_times(detector, 1000)
    detector.receive_ended()
    again = last + FORGET_S
    detector.receive_refused(again - PASSING_S)
    detector.receive_refused(again)
    assert detector.is_reset_due(again)
    detector.receive_reset(again)
    assert detector.wait_s == FIRST_WAIT_S


def test_a_reset_that_failed_is_waited_for_like_one_that_did_not_help() -> None:
    detector = after(_E.REFUSED, _E.REFUSED)
    detector.receive_reset_failed(10)
    assert detector.is_stuck
    assert not detector.is_reset_due(10 + FIRST_WAIT_S - 0.1)
    assert detector.is_reset_due(10 + FIRST_WAIT_S)


def test_before_the_first_reset_there_is_nothing_to_wait_for() -> None:
    assert StuckDiscoveryDetector().wait_s == 0
