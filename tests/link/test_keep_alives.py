"""When keep-alives are due; `test_write_scheduler` tests what they have to wait for."""

from __future__ import annotations

import pytest

from belvedere.link.connection_interval import ENOUGH, ConnectionInterval
from belvedere.link.keep_alives import EARLY_KEEP_ALIVE_EVERY_S, MAX_SHIFT, InFlightCall, KeepAlives

INTERVAL_S = 0.04
NOW = 1000.0


def keep_alives(round_trips: int = ENOUGH, *, is_possible: bool = True) -> tuple[KeepAlives, ConnectionInterval]:
    interval = ConnectionInterval(INTERVAL_S)
    for _ in range(round_trips):
        interval.receive_round_trip(INTERVAL_S)
    return KeepAlives(interval, 0.5, is_possible=is_possible), interval


@pytest.mark.parametrize(("round_trips", "every_s"), [(ENOUGH - 1, EARLY_KEEP_ALIVE_EVERY_S), (ENOUGH, 0.5)])
def test_they_are_due_more_often_until_the_interval_is_well_learned(round_trips: int, every_s: float) -> None:
    keeping, _interval = keep_alives(round_trips)
    keeping.begin(NOW)
    assert keeping.next_at == pytest.approx(NOW + every_s)


def test_one_is_in_flight_at_a_time() -> None:
    keeping, _interval = keep_alives()
    may_begin = [keeping.may_begin]
    keeping.begin(NOW)
    may_begin.append(keeping.may_begin)
    assert keeping.receive_ended(NOW + 0.05, is_answered=True)
    assert [*may_begin, keeping.may_begin] == [True, False, True]


def test_an_answer_is_a_round_trip_of_the_interval() -> None:
    keeping, interval = keep_alives(round_trips=0)
    keeping.begin(NOW)
    assert keeping.receive_ended(NOW + 0.03, is_answered=True)
    assert interval.estimate_s == pytest.approx(0.03)


@pytest.mark.parametrize("has_begun", [True, False], ids=["not answered", "never begun"])
def test_no_more_are_sent_to_a_unit_that_has_nothing_to_read(has_begun: bool) -> None:  # noqa: FBT001 - a parameter
    keeping, interval = keep_alives(round_trips=0)
    if has_begun:
        keeping.begin(NOW)
    assert not keeping.receive_ended(NOW + 0.03, is_answered=not has_begun)
    assert not keeping.may_begin
    assert not interval.is_learned


def test_none_is_sent_to_a_unit_that_cannot_answer() -> None:
    keeping, _interval = keep_alives(is_possible=False)
    assert not keeping.may_begin


def test_one_that_takes_longer_than_a_packet_ahead_explains_has_a_backlog_ahead() -> None:
    keeping, interval = keep_alives()
    assert not keeping.is_backlogged(NOW)
    keeping.begin(NOW)
    assert not keeping.is_backlogged(NOW + interval.backlog_after_s - 0.001)
    assert keeping.is_backlogged(NOW + interval.backlog_after_s + 0.001)


def test_they_leave_at_all_phases_of_half_an_interval() -> None:
    keeping, interval = keep_alives()
    shifts = []
    for number in range(100):
        shifts.append(keeping.shift_s)
        keeping.begin(NOW + number)
        keeping.receive_ended(NOW + number + INTERVAL_S, is_answered=True)
    shares = sorted(shift / (MAX_SHIFT * interval.estimate_s) for shift in shifts)
    assert all(0 <= share < 1 for share in shares)
    assert all(later - sooner < 0.03 for sooner, later in zip(shares, [*shares[1:], 1.0], strict=True))


def test_a_clock_that_jumped_back_delays_the_next_one_by_no_more_than_the_usual_time() -> None:
    keeping, _interval = keep_alives()
    keeping.begin(NOW)
    keeping.receive_clock_set(NOW - 500)
    assert keeping.next_at == pytest.approx(NOW - 499.5)


def test_a_call_has_its_whole_time_again_after_a_stall_and_counts_from_the_jump_of_a_clock() -> None:
    call = InFlightCall(None, NOW, 0.3)
    assert call.overdue_at == pytest.approx(NOW + 0.3)
    call.receive_stall(NOW + 0.2)
    assert call.overdue_at == pytest.approx(NOW + 0.5)
    call.receive_clock_set(NOW - 100)
    assert call.since == NOW - 100
    assert call.overdue_at == pytest.approx(NOW - 100 + 0.5)
