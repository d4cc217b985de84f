"""What is handed to the radio next."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.link.courier import Confirmation, Courier, Probe
from belvedere.link.mailbox import Letter
from belvedere.link.options import LinkOptions
from belvedere.link.pace import Pace

STOP = Letter(b"\x00", 0.0, is_stop=True)
INTERVAL_S = 0.04
NOW = 1000.0


def move(number: int = 1) -> Letter:
    return Letter(bytes([number]), number / 100, is_stop=False)


def settled(*, with_response: bool = False, can_probe: bool = False, can_acknowledge: bool = False) -> Courier:
    pace = Pace(0.05)
    for _ in range(4):
        pace.receive_round_trip(INTERVAL_S)
    courier = Courier(
        pace, LinkOptions(), with_response=with_response, can_probe=can_probe, can_acknowledge=can_acknowledge
    )
    courier.receive_settled(NOW)
    return courier


def sent(courier: Courier, now: float) -> Letter | Probe | Confirmation | None:
    """What is handed over now; a write ends at once."""
    handed = courier.next(now)
    if isinstance(handed, Letter):
        courier.receive_written(now)
    return handed


def test_nothing_to_do_needs_no_timer() -> None:
    courier = settled(can_probe=True)
    assert (courier.next(NOW), courier.deadline()) == (None, None)


def test_a_first_move_leaves_at_once() -> None:
    courier = settled(can_probe=True)
    courier.put(move())
    assert sent(courier, NOW) == move()
    assert courier._is_moving


def test_the_next_move_leaves_an_interval_later_and_is_the_newest_by_then() -> None:
    courier = settled()
    courier.put(move(1))
    sent(courier, NOW)
    courier.put(move(2))
    assert sent(courier, NOW + 0.02) is None
    assert courier.deadline() == pytest.approx(NOW + INTERVAL_S)
    courier.put(move(3))
    assert sent(courier, NOW + INTERVAL_S) == move(3)


def test_a_stop_after_a_move_leaves_at_once() -> None:
    courier = settled()
    courier.put(move())
    sent(courier, NOW)
    courier.put(STOP)
    assert sent(courier, NOW) == STOP
    assert not courier._is_moving


def test_a_stop_that_is_repeated_keeps_the_pace() -> None:
    courier = settled()
    for letter in (move(), STOP):
        courier.put(letter)
        sent(courier, NOW)
    courier.put(STOP)
    assert sent(courier, NOW + INTERVAL_S) is None
    assert sent(courier, NOW + 2 * INTERVAL_S) == STOP


def test_a_move_right_after_a_stop_does_not_overtake_it() -> None:
    courier = settled()
    courier.put(move(1))
    sent(courier, NOW)
    courier.put(STOP)
    courier.put(move(2))
    assert sent(courier, NOW + 0.01) == STOP
    assert sent(courier, NOW + 0.05) is None
    assert sent(courier, NOW + 2 * INTERVAL_S) == move(2)


def test_a_fresh_move_does_not_wait_for_a_stop_that_only_repeats_another() -> None:
    courier = settled()
    for letter in (move(1), STOP):
        courier.put(letter)
        sent(courier, NOW)
    courier.put(STOP)
    courier.put(move(2))
    assert sent(courier, NOW + 2 * INTERVAL_S) == move(2)


def test_nothing_is_handed_over_while_a_write_has_not_ended() -> None:
    courier = settled()
    courier.put(move())
    courier.next(NOW)
    courier.put(STOP)
    assert courier.next(NOW + 0.01) is None
    assert courier.receive_written(NOW + 0.02) == move()
    assert courier.next(NOW + 0.02) == STOP


def test_with_response_the_answer_is_the_pace() -> None:
    courier = settled(with_response=True)
    courier.put(move(1))
    courier.next(NOW)
    courier.put(move(2))
    assert courier.next(NOW + 0.059) is None
    courier.receive_written(NOW + 0.060)
    assert courier.next(NOW + 0.060) == move(2)


def test_with_response_every_write_teaches_the_pace() -> None:
    courier = settled(with_response=True)
    courier.put(move())
    courier.next(NOW)
    courier.receive_written(NOW + 0.031)
    assert courier.pace.interval_s == pytest.approx(0.031)


def test_a_write_without_answer_is_overdue_after_eight_intervals() -> None:
    courier = settled()
    courier.put(move())
    courier.next(NOW)
    assert courier.deadline() == pytest.approx(NOW + 8 * INTERVAL_S)
    assert not courier.is_overdue(NOW + 7.9 * INTERVAL_S)
    assert courier.is_overdue(NOW + 8.1 * INTERVAL_S)


def test_a_unit_in_motion_is_asked_for_a_sign_of_life_in_a_slot_of_its_own() -> None:
    courier = settled(can_probe=True)
    courier.put(move(1))
    sent(courier, NOW)
    courier.put(move(2))
    assert sent(courier, NOW + INTERVAL_S) == Probe()
    assert sent(courier, NOW + 1.5 * INTERVAL_S) is None
    assert sent(courier, NOW + 2 * INTERVAL_S) == move(2)


def test_it_is_asked_twice_a_second_once_the_pace_is_known() -> None:
    courier = settled(can_probe=True)
    courier.put(move())
    sent(courier, NOW)
    sent(courier, NOW + INTERVAL_S)
    courier.receive_probed(NOW + 2.5 * INTERVAL_S, is_answered=True)
    deadline = courier.deadline()
    assert deadline is not None
    assert 0.5 <= deadline - (NOW + INTERVAL_S) <= 0.5 + INTERVAL_S


def test_a_probe_that_takes_long_holds_moves_but_never_a_stop() -> None:
    courier = settled(can_probe=True)
    courier.put(move(1))
    sent(courier, NOW)
    sent(courier, NOW + INTERVAL_S)
    courier.put(move(2))
    late = NOW + 4.5 * INTERVAL_S
    assert sent(courier, late) is None
    courier.put(STOP)
    assert sent(courier, late) == STOP


def test_an_answer_lets_moves_go_on_and_slows_them_when_it_came_late() -> None:
    courier = settled(can_probe=True)
    courier.put(move(1))
    sent(courier, NOW)
    sent(courier, NOW + INTERVAL_S)
    courier.put(move(2))
    late = NOW + 5 * INTERVAL_S
    courier.receive_probed(late, is_answered=True)
    assert sent(courier, late) == move(2)
    assert courier.pace.interval_s == pytest.approx(1.5 * INTERVAL_S)


def test_a_probe_is_overdue_after_sixteen_intervals() -> None:
    courier = settled(can_probe=True)
    courier.put(move())
    sent(courier, NOW)
    sent(courier, NOW + INTERVAL_S)
    assert not courier.is_overdue(NOW + 16.9 * INTERVAL_S)
    assert courier.is_overdue(NOW + 17.1 * INTERVAL_S)


def test_a_last_probe_shows_that_the_stop_came_through_and_then_all_is_quiet() -> None:
    courier = settled(can_probe=True)
    for letter in (move(), STOP):
        courier.put(letter)
        sent(courier, NOW)
    deadline = courier.deadline()
    assert deadline is not None
    assert NOW + 0.1 <= deadline < NOW + 0.1 + INTERVAL_S
    assert sent(courier, deadline) == Probe()
    courier.receive_probed(deadline + 0.06, is_answered=True)
    assert (courier.next(deadline + 0.06), courier.deadline()) == (None, None)


def test_a_unit_that_cannot_be_asked_is_not_asked_again() -> None:
    courier = settled(can_probe=True)
    courier.put(move())
    sent(courier, NOW)
    assert sent(courier, NOW + INTERVAL_S) == Probe()
    courier.receive_probed(NOW + INTERVAL_S, is_answered=False)
    assert (sent(courier, NOW + 10), courier.deadline()) == (None, None)


def test_an_acknowledged_unit_is_never_asked() -> None:
    courier = settled(with_response=True, can_probe=True)
    courier.put(move())
    sent(courier, NOW)
    assert (sent(courier, NOW + 10), courier.deadline()) == (None, None)


def test_settling_forgets_what_waited() -> None:
    courier = settled()
    courier.put(move(1))
    courier.next(NOW)
    courier.receive_refused()
    courier.put(move(2))
    courier.receive_settled(NOW)
    assert courier.next(NOW + 1) is None
    assert not courier._is_moving


def test_a_clock_that_goes_backwards_keeps_nothing_waiting() -> None:
    courier = settled()
    courier.put(move(1))
    sent(courier, NOW)
    courier.put(move(2))
    assert sent(courier, NOW - 500) == move(2)
    assert not courier.is_overdue(NOW - 500)


def test_what_comes_between_deciding_and_writing_replaces_a_move() -> None:
    courier = settled()
    courier.put(move(1))
    assert courier.next(NOW) == move(1)
    courier.put(move(2))
    assert courier.newest() == move(2)
    assert courier.receive_written(NOW) == move(2)


def test_a_stop_may_come_even_then() -> None:
    courier = settled()
    courier.put(move(1))
    courier.next(NOW)
    courier.put(STOP)
    assert courier.newest() == STOP
    assert not courier._is_moving


def test_but_no_move_replaces_a_stop_that_is_being_written() -> None:
    courier = settled()
    for letter in (move(1), STOP):
        courier.put(letter)
        courier.next(NOW)
        if letter == STOP:
            courier.put(move(2))
            assert courier.newest() == STOP
        courier.receive_written(NOW)


def test_a_write_that_nobody_began_cannot_end() -> None:
    with pytest.raises(AssertionError):
        settled().receive_written(NOW)
    with pytest.raises(AssertionError):
        settled().newest()


@given(st.lists(st.tuples(st.floats(0, 0.05), st.sampled_from(["move", "stop"])), max_size=200))
def test_whatever_is_put_the_radio_is_never_two_packets_behind_when_a_stop_comes(
    puts: list[tuple[float, str]],
) -> None:
    courier, radio = settled(can_probe=True), ModelRadio()
    now = NOW
    for wait_s, what in puts:
        now = radio.run_until(now + wait_s, courier)
        if what == "stop" and courier._is_moving:
            assert radio.waiting(now) <= 1
        courier.put(STOP if what == "stop" else move())
        radio.take(courier, now)


class ModelRadio:
    """Takes one packet an interval; a probe is answered an interval after it left."""

    def __init__(self) -> None:
        self._busy_until = NOW
        self._answer_at: float | None = None

    def waiting(self, now: float) -> float:
        return max(0.0, self._busy_until - now) / INTERVAL_S

    def take(self, courier: Courier, now: float) -> None:
        while (handed := sent(courier, now)) is not None:
            self._busy_until = max(self._busy_until, now) + INTERVAL_S
            if handed == Probe():
                self._answer_at = self._busy_until + INTERVAL_S / 2

    def run_until(self, end: float, courier: Courier) -> float:
        while True:
            times = [time for time in (courier.deadline(), self._answer_at) if time is not None]
            if not times or min(times) > end:
                return end
            if self._answer_at == min(times):
                now, self._answer_at = self._answer_at, None
                courier.receive_probed(now, is_answered=True)
            self.take(courier, min(times))


def stopped(**abilities: bool) -> Courier:
    """A courier that has just handed over a move and, an interval later, its stop."""
    courier = settled(**abilities)
    courier.put(move())
    sent(courier, NOW)
    courier.put(STOP)
    sent(courier, NOW + INTERVAL_S)
    return courier


def test_the_last_word_of_a_move_is_a_stop_that_the_unit_acknowledges() -> None:
    courier = stopped(can_probe=True, can_acknowledge=True)
    due = NOW + INTERVAL_S + 0.1
    assert courier.deadline() == pytest.approx(due)
    assert courier.next(due - 0.01) is None
    assert courier.next(due) == Confirmation()
    was_at_rest = courier.is_surely_at_rest
    assert courier.receive_written(due + 0.06) is None
    assert (was_at_rest, courier.is_surely_at_rest) == (False, True)
    assert courier.deadline() is None


def test_a_unit_that_cannot_acknowledge_is_probed_instead() -> None:
    courier = stopped(can_probe=True)
    assert courier.next(NOW + 1) == Probe()


def test_a_stop_that_is_repeated_puts_its_acknowledgement_off() -> None:
    courier = stopped(can_acknowledge=True)
    courier.put(STOP)
    assert sent(courier, NOW + 0.09) == STOP
    assert courier.next(NOW + 0.18) is None
    assert courier.next(NOW + 0.19) == Confirmation()


def test_an_acknowledgement_that_does_not_come_in_time_is_overdue() -> None:
    courier = stopped(can_acknowledge=True)
    courier.next(NOW + 1)
    assert not courier.is_overdue(NOW + 1 + courier.pace.probe_timeout_s - 0.001)
    assert courier.is_overdue(NOW + 1 + courier.pace.probe_timeout_s)


def test_a_press_while_a_stop_is_being_acknowledged_waits_for_just_that() -> None:
    courier = stopped(can_acknowledge=True)
    courier.next(NOW + 1)
    courier.put(move(2))
    assert courier.next(NOW + 1.01) is None
    courier.receive_written(NOW + 1.05)
    assert courier.next(NOW + 1.05) == move(2)


def test_a_command_that_was_refused_is_over_and_the_link_goes_on() -> None:
    courier = settled()
    courier.put(move(1))
    courier.next(NOW)
    courier.receive_refused()
    courier.receive_settled(NOW + 0.1)
    assert not courier.is_overdue(NOW + 60)
    courier.put(move(2))
    assert sent(courier, NOW + 60) == move(2)


def test_a_unit_that_was_told_nothing_yet_is_at_rest() -> None:
    assert Courier(
        Pace(0.05), LinkOptions(), with_response=False, can_probe=True, can_acknowledge=False
    ).is_surely_at_rest


def test_a_stop_that_nothing_has_confirmed_leaves_the_unit_in_doubt() -> None:
    courier = stopped(can_probe=True)
    assert not courier.is_surely_at_rest
    courier.next(NOW + 1)
    assert not courier.is_surely_at_rest
    courier.receive_probed(NOW + 1.05, is_answered=True)
    assert courier.is_surely_at_rest


def test_after_a_stall_every_call_has_its_whole_time_again() -> None:
    courier = settled(can_probe=True)
    courier.put(move(1))
    sent(courier, NOW)
    sent(courier, NOW + INTERVAL_S)  # a probe, and beside it a write
    courier.put(STOP)
    courier.next(NOW + 2 * INTERVAL_S)
    late = NOW + 60
    assert courier.is_overdue(late)
    courier.receive_stall(late)
    assert not courier.is_overdue(late + 7.9 * INTERVAL_S)
    assert courier.is_overdue(late + 8.1 * INTERVAL_S)
    courier.receive_written(late + 8.1 * INTERVAL_S)
    assert not courier.is_overdue(late + 15.9 * INTERVAL_S)
    assert courier.is_overdue(late + 16.1 * INTERVAL_S)


def test_probes_leave_at_most_half_an_interval_late_and_at_all_times_of_it() -> None:
    courier = settled(can_probe=True)
    courier.put(move())
    sent(courier, NOW)
    due, late = NOW + INTERVAL_S, []
    sent(courier, due)
    for _ in range(20):
        courier.receive_probed(due + INTERVAL_S, is_answered=True)
        deadline = courier.deadline()
        assert deadline is not None
        late.append((deadline - due - 0.5) / INTERVAL_S)
        assert sent(courier, deadline) == Probe()
        due = deadline
    assert min(late) >= -1e-9
    assert max(late) <= 0.5
    gaps = [later - earlier for earlier, later in itertools.pairwise(sorted([0.0, *late, 0.5]))]
    assert max(gaps) < 0.05


def test_a_move_that_replaced_another_at_the_last_moment_is_followed_by_a_stop_at_once() -> None:
    courier = settled()
    courier.put(move(1))
    courier.next(NOW)
    courier.put(move(2))
    courier.newest()
    courier.receive_written(NOW)
    courier.put(STOP)
    assert sent(courier, NOW) == STOP


def test_a_unit_whose_pace_is_hardly_known_is_asked_five_times_a_second() -> None:
    courier = Courier(Pace(INTERVAL_S), LinkOptions(), with_response=False, can_probe=True, can_acknowledge=False)
    courier.receive_settled(NOW)
    courier.put(move())
    sent(courier, NOW)
    assert sent(courier, NOW + INTERVAL_S) == Probe()
    courier.receive_probed(NOW + 2.5 * INTERVAL_S, is_answered=True)
    deadline = courier.deadline()
    assert deadline is not None
    assert 0.2 <= deadline - (NOW + INTERVAL_S) <= 0.2 + INTERVAL_S


def test_a_unit_that_shall_turn_is_never_told_to_stop_just_to_hear_of_it() -> None:
    courier = settled(can_acknowledge=True)
    courier.put(move())
    sent(courier, NOW)
    assert (courier.next(NOW + 0.4), courier.deadline()) == (None, None)


@pytest.mark.parametrize("can_probe", [True, False])
def test_a_call_begun_before_the_clock_went_backwards_has_its_time_from_then_on(*, can_probe: bool) -> None:
    courier = settled(with_response=not can_probe, can_probe=can_probe)
    courier.put(move())
    courier.next(NOW)
    then = NOW - 500
    assert courier.next(then) is None
    assert not courier.is_overdue(then + 7.9 * INTERVAL_S)
    assert courier.is_overdue(then + 8.1 * INTERVAL_S)
    assert courier.receive_written(then + 8.1 * INTERVAL_S) == move()
    assert sent(courier, then + 9) == (Probe() if can_probe else None)
