"""What is written next on a connection, and when."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.link.connection_interval import ConnectionInterval
from belvedere.link.latest_write import PendingWrite
from belvedere.link.options import LinkOptions
from belvedere.link.write_scheduler import QUIET_S, AcknowledgedStop, KeepAlive, WriteScheduler

STOP = PendingWrite(b"\x00", 0.0, is_stop=True)
INTERVAL_S = 0.04
NOW = 1000.0


def move(number: int = 1) -> PendingWrite:
    return PendingWrite(bytes([number]), number / 100, is_stop=False)


def ready_scheduler(
    *, with_response: bool = False, can_keep_alive: bool = False, can_acknowledge: bool = False
) -> WriteScheduler:
    interval = ConnectionInterval(0.05)
    for _ in range(4):
        interval.receive_round_trip(INTERVAL_S)
    scheduler = WriteScheduler(
        interval,
        LinkOptions(),
        with_response=with_response,
        can_keep_alive=can_keep_alive,
        can_acknowledge=can_acknowledge,
    )
    scheduler.receive_stop_verified(NOW)
    return scheduler


def begun(scheduler: WriteScheduler, now: float) -> PendingWrite | KeepAlive | AcknowledgedStop | None:
    """Return what is begun now; a write succeeds at once."""
    in_flight = scheduler.next(now)
    if isinstance(in_flight, PendingWrite):
        scheduler.receive_written(now)
    return in_flight


def test_nothing_to_do_needs_no_timer() -> None:
    scheduler = ready_scheduler(can_keep_alive=True)
    assert (scheduler.next(NOW), scheduler.deadline()) == (None, None)


def test_a_first_move_is_written_at_once() -> None:
    scheduler = ready_scheduler(can_keep_alive=True)
    scheduler.put(move())
    assert begun(scheduler, NOW) == move()
    assert scheduler.unit.is_moving


def test_the_next_move_is_written_an_interval_later_and_is_the_newest_by_then() -> None:
    scheduler = ready_scheduler()
    scheduler.put(move(1))
    begun(scheduler, NOW)
    scheduler.put(move(2))
    assert begun(scheduler, NOW + 0.02) is None
    assert scheduler.deadline() == pytest.approx(NOW + INTERVAL_S)
    scheduler.put(move(3))
    assert begun(scheduler, NOW + INTERVAL_S) == move(3)


def test_a_stop_after_a_move_is_written_at_once() -> None:
    scheduler = ready_scheduler()
    scheduler.put(move())
    begun(scheduler, NOW)
    scheduler.put(STOP)
    assert begun(scheduler, NOW) == STOP
    assert not scheduler.unit.is_moving


def test_a_repeated_stop_is_paced() -> None:
    scheduler = ready_scheduler()
    for pending in (move(), STOP):
        scheduler.put(pending)
        begun(scheduler, NOW)
    scheduler.put(STOP)
    assert begun(scheduler, NOW + INTERVAL_S) is None
    assert begun(scheduler, NOW + 2 * INTERVAL_S) == STOP


def test_a_move_right_after_a_stop_does_not_overtake_it() -> None:
    scheduler = ready_scheduler()
    scheduler.put(move(1))
    begun(scheduler, NOW)
    scheduler.put(STOP)
    scheduler.put(move(2))
    assert begun(scheduler, NOW + 0.01) == STOP
    assert begun(scheduler, NOW + 0.05) is None
    assert begun(scheduler, NOW + 2 * INTERVAL_S) == move(2)


def test_a_fresh_move_does_not_wait_for_a_stop_that_only_repeats_another() -> None:
    scheduler = ready_scheduler()
    for pending in (move(1), STOP):
        scheduler.put(pending)
        begun(scheduler, NOW)
    scheduler.put(STOP)
    scheduler.put(move(2))
    assert begun(scheduler, NOW + 2 * INTERVAL_S) == move(2)


def test_nothing_is_written_while_a_write_is_in_flight() -> None:
    scheduler = ready_scheduler()
    scheduler.put(move())
    scheduler.next(NOW)
    scheduler.put(STOP)
    assert scheduler.next(NOW + 0.01) is None
    assert scheduler.receive_written(NOW + 0.02) == move()
    assert scheduler.next(NOW + 0.02) == STOP


def test_with_response_each_write_waits_for_the_answer_to_the_one_before() -> None:
    scheduler = ready_scheduler(with_response=True)
    scheduler.put(move(1))
    scheduler.next(NOW)
    scheduler.put(move(2))
    assert scheduler.next(NOW + 0.059) is None
    scheduler.receive_written(NOW + 0.060)
    assert scheduler.next(NOW + 0.060) == move(2)


def test_with_response_every_write_measures_the_interval() -> None:
    scheduler = ready_scheduler(with_response=True)
    scheduler.put(move())
    scheduler.next(NOW)
    scheduler.receive_written(NOW + 0.031)
    assert scheduler.interval.estimate_s == pytest.approx(0.031)


def test_a_write_without_answer_is_overdue_after_eight_intervals() -> None:
    scheduler = ready_scheduler()
    scheduler.put(move())
    scheduler.next(NOW)
    assert scheduler.deadline() == pytest.approx(NOW + 8 * INTERVAL_S)
    assert not scheduler.is_overdue(NOW + 7.9 * INTERVAL_S)
    assert scheduler.is_overdue(NOW + 8.1 * INTERVAL_S)


def test_a_keep_alive_to_a_moving_unit_takes_a_slot_of_its_own() -> None:
    scheduler = ready_scheduler(can_keep_alive=True)
    scheduler.put(move(1))
    begun(scheduler, NOW)
    scheduler.put(move(2))
    assert begun(scheduler, NOW + INTERVAL_S) == KeepAlive()
    assert begun(scheduler, NOW + 1.5 * INTERVAL_S) is None
    assert begun(scheduler, NOW + 2 * INTERVAL_S) == move(2)


def test_keep_alives_are_sent_twice_a_second_once_the_interval_is_known() -> None:
    scheduler = ready_scheduler(can_keep_alive=True)
    scheduler.put(move())
    begun(scheduler, NOW)
    begun(scheduler, NOW + INTERVAL_S)
    scheduler.receive_keep_alive(NOW + 2.5 * INTERVAL_S, is_answered=True)
    deadline = scheduler.deadline()
    assert deadline is not None
    assert 0.5 <= deadline - (NOW + INTERVAL_S) <= 0.5 + INTERVAL_S


def test_a_late_keep_alive_holds_back_moves_but_never_a_stop() -> None:
    scheduler = ready_scheduler(can_keep_alive=True)
    scheduler.put(move(1))
    begun(scheduler, NOW)
    begun(scheduler, NOW + INTERVAL_S)
    scheduler.put(move(2))
    late = NOW + 4.5 * INTERVAL_S
    assert begun(scheduler, late) is None
    scheduler.put(STOP)
    assert begun(scheduler, late) == STOP


def test_a_late_answer_releases_moves_again_at_a_slower_pace() -> None:
    scheduler = ready_scheduler(can_keep_alive=True)
    scheduler.put(move(1))
    begun(scheduler, NOW)
    begun(scheduler, NOW + INTERVAL_S)
    scheduler.put(move(2))
    late = NOW + 5 * INTERVAL_S
    scheduler.receive_keep_alive(late, is_answered=True)
    assert begun(scheduler, late) == move(2)
    assert scheduler.interval.estimate_s == pytest.approx(1.5 * INTERVAL_S)


def test_a_keep_alive_is_overdue_after_sixteen_intervals() -> None:
    scheduler = ready_scheduler(can_keep_alive=True)
    scheduler.put(move())
    begun(scheduler, NOW)
    begun(scheduler, NOW + INTERVAL_S)
    assert not scheduler.is_overdue(NOW + 16.9 * INTERVAL_S)
    assert scheduler.is_overdue(NOW + 17.1 * INTERVAL_S)


def test_a_keep_alive_after_the_stop_verifies_it_and_then_nothing_more_is_sent() -> None:
    scheduler = ready_scheduler(can_keep_alive=True)
    for pending in (move(), STOP):
        scheduler.put(pending)
        begun(scheduler, NOW)
    deadline = scheduler.deadline()
    assert deadline is not None
    assert NOW + 0.1 <= deadline < NOW + 0.1 + INTERVAL_S
    assert begun(scheduler, deadline) == KeepAlive()
    scheduler.receive_keep_alive(deadline + 0.06, is_answered=True)
    assert (scheduler.next(deadline + 0.06), scheduler.deadline()) == (None, None)


def test_a_unit_that_cannot_answer_keep_alives_gets_no_more_of_them() -> None:
    scheduler = ready_scheduler(can_keep_alive=True)
    scheduler.put(move())
    begun(scheduler, NOW)
    assert begun(scheduler, NOW + INTERVAL_S) == KeepAlive()
    scheduler.receive_keep_alive(NOW + INTERVAL_S, is_answered=False)
    assert (begun(scheduler, NOW + 10), scheduler.deadline()) == (None, None)


def test_a_unit_that_acknowledges_every_write_gets_no_keep_alives() -> None:
    scheduler = ready_scheduler(with_response=True, can_keep_alive=True)
    scheduler.put(move())
    begun(scheduler, NOW)
    assert (begun(scheduler, NOW + 10), scheduler.deadline()) == (None, None)


def test_verifying_a_stop_discards_what_waited() -> None:
    scheduler = ready_scheduler()
    scheduler.put(move(1))
    scheduler.next(NOW)
    scheduler.receive_refused()
    scheduler.put(move(2))
    scheduler.receive_stop_verified(NOW)
    assert scheduler.next(NOW + 1) is None
    assert not scheduler.unit.is_moving


def test_a_clock_that_goes_backwards_delays_no_write() -> None:
    scheduler = ready_scheduler()
    scheduler.put(move(1))
    begun(scheduler, NOW)
    scheduler.put(move(2))
    assert begun(scheduler, NOW - 500) == move(2)
    assert not scheduler.is_overdue(NOW - 500)


def test_a_clock_that_goes_backwards_does_not_delay_the_verification_of_a_stop() -> None:
    scheduler = ready_scheduler(can_acknowledge=True)
    for pending in (move(), STOP):
        scheduler.put(pending)
        begun(scheduler, NOW)
    then = NOW - 500
    assert scheduler.next(then) is None
    assert begun(scheduler, then + QUIET_S) == AcknowledgedStop()


def test_a_command_put_before_the_write_begins_replaces_a_move() -> None:
    scheduler = ready_scheduler()
    scheduler.put(move(1))
    assert scheduler.next(NOW) == move(1)
    scheduler.put(move(2))
    assert scheduler.newest() == move(2)
    assert scheduler.receive_written(NOW) == move(2)


def test_a_stop_put_before_the_write_begins_replaces_a_move() -> None:
    scheduler = ready_scheduler()
    scheduler.put(move(1))
    scheduler.next(NOW)
    scheduler.put(STOP)
    assert scheduler.newest() == STOP
    assert not scheduler.unit.is_moving


def test_no_move_replaces_a_stop_that_is_being_written() -> None:
    scheduler = ready_scheduler()
    for pending in (move(1), STOP):
        scheduler.put(pending)
        scheduler.next(NOW)
        if pending == STOP:
            scheduler.put(move(2))
            assert scheduler.newest() == STOP
        scheduler.receive_written(NOW)


def test_a_write_that_was_not_begun_cannot_end() -> None:
    with pytest.raises(AssertionError):
        ready_scheduler().receive_written(NOW)
    with pytest.raises(AssertionError):
        ready_scheduler().newest()


@given(st.lists(st.tuples(st.floats(0, 0.05), st.sampled_from(["move", "stop"])), max_size=200))
def test_at_most_one_packet_is_queued_when_a_stop_is_put(
    puts: list[tuple[float, str]],
) -> None:
    scheduler, radio = ready_scheduler(can_keep_alive=True), ModelRadio()
    now = NOW
    for wait_s, what in puts:
        now = radio.run_until(now + wait_s, scheduler)
        if what == "stop" and scheduler.unit.is_moving:
            assert radio.waiting(now) <= 1
        scheduler.put(STOP if what == "stop" else move())
        radio.take(scheduler, now)


class ModelRadio:
    """A radio that sends one packet per interval and answers a keep-alive half an interval after it was sent."""

    def __init__(self) -> None:
        self._busy_until = NOW
        self._answer_at: float | None = None

    def waiting(self, now: float) -> float:
        return max(0.0, self._busy_until - now) / INTERVAL_S

    def take(self, scheduler: WriteScheduler, now: float) -> None:
        while (in_flight := begun(scheduler, now)) is not None:
            self._busy_until = max(self._busy_until, now) + INTERVAL_S
            if in_flight == KeepAlive():
                self._answer_at = self._busy_until + INTERVAL_S / 2

    def run_until(self, end: float, scheduler: WriteScheduler) -> float:
        while True:
            times = [time for time in (scheduler.deadline(), self._answer_at) if time is not None]
            if not times or min(times) > end:
                return end
            if self._answer_at == min(times):
                now, self._answer_at = self._answer_at, None
                scheduler.receive_keep_alive(now, is_answered=True)
            self.take(scheduler, min(times))


def stopped(**abilities: bool) -> WriteScheduler:
    """A scheduler that has just written a move and, an interval later, its stop."""
    scheduler = ready_scheduler(**abilities)
    scheduler.put(move())
    begun(scheduler, NOW)
    scheduler.put(STOP)
    begun(scheduler, NOW + INTERVAL_S)
    return scheduler


def test_every_move_ends_with_an_acknowledged_stop() -> None:
    scheduler = stopped(can_keep_alive=True, can_acknowledge=True)
    due = NOW + INTERVAL_S + 0.1
    assert scheduler.deadline() == pytest.approx(due)
    assert scheduler.next(due - 0.01) is None
    assert scheduler.next(due) == AcknowledgedStop()
    was_at_rest = scheduler.is_surely_at_rest
    assert scheduler.receive_written(due + 0.06) is None
    assert (was_at_rest, scheduler.is_surely_at_rest) == (False, True)
    assert scheduler.deadline() is None


def test_a_unit_that_cannot_acknowledge_gets_a_keep_alive_instead() -> None:
    scheduler = stopped(can_keep_alive=True)
    assert scheduler.next(NOW + 1) == KeepAlive()


def test_a_repeated_stop_postpones_the_acknowledged_one() -> None:
    scheduler = stopped(can_acknowledge=True)
    scheduler.put(STOP)
    assert begun(scheduler, NOW + 0.09) == STOP
    assert scheduler.next(NOW + 0.18) is None
    assert scheduler.next(NOW + 0.19) == AcknowledgedStop()


def test_an_acknowledgement_that_does_not_come_in_time_is_overdue() -> None:
    scheduler = stopped(can_acknowledge=True)
    scheduler.next(NOW + 1)
    assert not scheduler.is_overdue(NOW + 1 + scheduler.interval.keep_alive_timeout_s - 0.001)
    assert scheduler.is_overdue(NOW + 1 + scheduler.interval.keep_alive_timeout_s)


def test_a_move_waits_for_an_acknowledged_stop_in_flight() -> None:
    scheduler = stopped(can_acknowledge=True)
    scheduler.next(NOW + 1)
    scheduler.put(move(2))
    assert scheduler.next(NOW + 1.01) is None
    scheduler.receive_written(NOW + 1.05)
    assert scheduler.next(NOW + 1.05) == move(2)


def test_after_a_refused_write_the_next_one_can_begin() -> None:
    scheduler = ready_scheduler()
    scheduler.put(move(1))
    scheduler.next(NOW)
    scheduler.receive_refused()
    scheduler.receive_stop_verified(NOW + 0.1)
    assert not scheduler.is_overdue(NOW + 60)
    scheduler.put(move(2))
    assert begun(scheduler, NOW + 60) == move(2)


def test_a_unit_that_was_sent_nothing_is_surely_at_rest() -> None:
    assert WriteScheduler(
        ConnectionInterval(0.05), LinkOptions(), with_response=False, can_keep_alive=True, can_acknowledge=False
    ).is_surely_at_rest


def test_a_unit_is_surely_at_rest_only_after_its_stop_was_verified() -> None:
    scheduler = stopped(can_keep_alive=True)
    assert not scheduler.is_surely_at_rest
    scheduler.next(NOW + 1)
    assert not scheduler.is_surely_at_rest
    scheduler.receive_keep_alive(NOW + 1.05, is_answered=True)
    assert scheduler.is_surely_at_rest


def test_a_stall_restarts_the_timeout_of_every_call() -> None:
    scheduler = ready_scheduler(can_keep_alive=True)
    scheduler.put(move(1))
    begun(scheduler, NOW)
    begun(scheduler, NOW + INTERVAL_S)  # a keep-alive, and a write while it is in flight
    scheduler.put(STOP)
    scheduler.next(NOW + 2 * INTERVAL_S)
    late = NOW + 60
    assert scheduler.is_overdue(late)
    scheduler.receive_stall(late)
    assert not scheduler.is_overdue(late + 7.9 * INTERVAL_S)
    assert scheduler.is_overdue(late + 8.1 * INTERVAL_S)
    scheduler.receive_written(late + 8.1 * INTERVAL_S)
    assert not scheduler.is_overdue(late + 15.9 * INTERVAL_S)
    assert scheduler.is_overdue(late + 16.1 * INTERVAL_S)


def test_keep_alives_are_shifted_evenly_by_up_to_half_an_interval() -> None:
    scheduler = ready_scheduler(can_keep_alive=True)
    scheduler.put(move())
    begun(scheduler, NOW)
    due, late = NOW + INTERVAL_S, []
    begun(scheduler, due)
    for _ in range(20):
        scheduler.receive_keep_alive(due + INTERVAL_S, is_answered=True)
        deadline = scheduler.deadline()
        assert deadline is not None
        late.append((deadline - due - 0.5) / INTERVAL_S)
        assert begun(scheduler, deadline) == KeepAlive()
        due = deadline
    assert min(late) >= -1e-9
    assert max(late) <= 0.5
    gaps = [later - earlier for earlier, later in itertools.pairwise(sorted([0.0, *late, 0.5]))]
    assert max(gaps) < 0.05


def test_a_move_that_replaced_another_at_the_last_moment_is_followed_by_a_stop_at_once() -> None:
    scheduler = ready_scheduler()
    scheduler.put(move(1))
    scheduler.next(NOW)
    scheduler.put(move(2))
    scheduler.newest()
    scheduler.receive_written(NOW)
    scheduler.put(STOP)
    assert begun(scheduler, NOW) == STOP


def test_keep_alives_are_sent_five_times_a_second_until_the_interval_is_well_known() -> None:
    scheduler = WriteScheduler(
        ConnectionInterval(INTERVAL_S), LinkOptions(), with_response=False, can_keep_alive=True, can_acknowledge=False
    )
    scheduler.receive_stop_verified(NOW)
    scheduler.put(move())
    begun(scheduler, NOW)
    assert begun(scheduler, NOW + INTERVAL_S) == KeepAlive()
    scheduler.receive_keep_alive(NOW + 2.5 * INTERVAL_S, is_answered=True)
    deadline = scheduler.deadline()
    assert deadline is not None
    assert 0.2 <= deadline - (NOW + INTERVAL_S) <= 0.2 + INTERVAL_S


def test_a_moving_unit_is_never_sent_a_stop_just_to_get_an_answer() -> None:
    scheduler = ready_scheduler(can_acknowledge=True)
    scheduler.put(move())
    begun(scheduler, NOW)
    assert (scheduler.next(NOW + 0.4), scheduler.deadline()) == (None, None)


@pytest.mark.parametrize("can_keep_alive", [True, False])
def test_a_clock_that_goes_backwards_restarts_the_timeout_of_a_call(*, can_keep_alive: bool) -> None:
    scheduler = ready_scheduler(with_response=not can_keep_alive, can_keep_alive=can_keep_alive)
    scheduler.put(move())
    scheduler.next(NOW)
    then = NOW - 500
    assert scheduler.next(then) is None
    assert not scheduler.is_overdue(then + 7.9 * INTERVAL_S)
    assert scheduler.is_overdue(then + 8.1 * INTERVAL_S)
    assert scheduler.receive_written(then + 8.1 * INTERVAL_S) == move()
    assert begun(scheduler, then + 9) == (KeepAlive() if can_keep_alive else None)
