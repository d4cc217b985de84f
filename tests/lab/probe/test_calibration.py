import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.lab.probe.calibration import MAX_DELAY_S, Turn, calibrate


def turn(share: float, full: float, delay_s: float = 0.0, angle_deg: float = 90.0) -> Turn:
    return Turn(share, angle_deg, angle_deg / (share * full) + delay_s)


def test_without_a_turn_nothing_is_known() -> None:
    assert calibrate([]) is None


def test_one_turn_tells_the_speed_without_any_delay() -> None:
    found = calibrate([Turn(0.2, 90, 11.25)])
    assert found is not None
    assert found.full_speed_deg_per_s == pytest.approx(40)
    assert found.delay_s == 0


@given(full=st.floats(1, 200), delay_s=st.floats(0, MAX_DELAY_S), angle_deg=st.floats(30, 360))
def test_turns_at_several_speeds_tell_the_speed_and_the_delay_of_hand_and_motor(
    full: float, delay_s: float, angle_deg: float
) -> None:
    found = calibrate([turn(share, full, delay_s, angle_deg) for share in (0.1, 0.2, 0.4)])
    assert found is not None
    assert found.full_speed_deg_per_s == pytest.approx(full, rel=1e-3)
    assert found.delay_s == pytest.approx(delay_s, abs=1e-2)
    assert found.spread < 0.01


def test_a_speed_that_is_not_proportional_shows_as_spread() -> None:
    found = calibrate([turn(0.1, 40), turn(0.2, 80), turn(0.4, 40)])
    assert found is not None
    assert found.spread > 0.2


def test_a_turn_that_took_less_the_slower_it_was_does_not_make_a_negative_speed() -> None:
    found = calibrate([Turn(0.1, 90, 1.0), Turn(0.4, 90, 5.0)])
    assert found is not None
    assert found.full_speed_deg_per_s > 0
    assert found.delay_s == 0
