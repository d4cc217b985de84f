from hypothesis import given
from hypothesis import strategies as st

from belvedere.control.relative_delay import WINDOW_S, RelativeDelay


def test_the_first_message_is_on_time_whatever_the_clocks_say() -> None:
    assert RelativeDelay().receive(5, 1e9) == 0


def test_a_delayed_message_is_late_by_its_extra_delay() -> None:
    relative_delay = RelativeDelay()
    relative_delay.receive(100.0, 7.0)
    assert abs(relative_delay.receive(100.9, 7.1) - 0.8) < 1e-9


def test_a_clock_jump_has_no_effect_after_the_window() -> None:
    relative_delay = RelativeDelay()
    relative_delay.receive(100, 100)
    assert relative_delay.receive(101, 1) == 100
    assert relative_delay.receive(101 + WINDOW_S, 1 + WINDOW_S) == 0


def test_a_message_is_never_later_than_its_upper_bound() -> None:
    relative_delay = RelativeDelay()
    relative_delay.receive(100, 100)
    assert relative_delay.receive(101, 100.4, max_s=0.55) == 0.55
    assert abs(relative_delay.receive(102, 101.7, max_s=0.55) - 0.3) < 1e-9  # and the reference is kept


def test_after_a_clients_clock_stood_still_the_reference_is_new() -> None:
    relative_delay = RelativeDelay()
    relative_delay.receive(100, 100)
    assert relative_delay.receive(130, 101, max_s=0.2) == 0
    assert abs(relative_delay.receive(131, 101.5, max_s=0.9) - 0.5) < 1e-9


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 3)), min_size=1, max_size=60), st.floats(-1e6, 1e6))
def test_relative_delay_is_measured_against_the_fastest_message_and_never_negative(
    messages: list[tuple[float, float]], offset: float
) -> None:
    relative_delay = RelativeDelay()
    sent, arrivals = 0.0, []
    for gap, delay in messages:
        sent += gap
        arrivals.append((sent + delay, sent))
    newest = 0.0
    for arrived, sent_at in sorted(arrivals):
        newest = relative_delay.receive(arrived, sent_at + offset)
        assert newest >= 0
    delays = [arrived - sent_at for arrived, sent_at in arrivals if arrived >= max(arrivals)[0] - WINDOW_S]
    last = max(arrivals)
    assert abs(newest - (last[0] - last[1] - min(delays))) < 1e-6
