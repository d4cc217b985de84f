import math

from hypothesis import given
from hypothesis import strategies as st

from belvedere.control.options import FIRST_STEP, AxisLimits
from belvedere.control.shaping import REACTION_S, grow, room_ahead_deg, taper

shares = st.floats(-1, 1)


@given(shares, shares, st.floats(0, 10), st.floats(0.5, 100))
def test_a_velocity_never_overshoots_what_is_wanted_nor_goes_the_other_way(
    current: float, target: float, elapsed_s: float, rate: float
) -> None:
    velocity = grow(current, target, elapsed_s, rate)
    assert abs(velocity) <= abs(target)
    assert velocity * target >= 0


@given(shares, shares, st.floats(0, 0.2), st.floats(0.5, 100))
def test_a_speed_grows_no_faster_than_allowed(current: float, target: float, elapsed_s: float, rate: float) -> None:
    from_rest = abs(current) if current * target > 0 else 0
    velocity = grow(current, target, elapsed_s, rate)
    assert abs(velocity) <= max(FIRST_STEP, from_rest + rate * elapsed_s) + 1e-12


@given(shares, st.floats(0, 1), st.floats(0, 1))
def test_slowing_down_is_immediate(target: float, more: float, elapsed_s: float) -> None:
    current = math.copysign(min(1.0, abs(target) + more), target)
    assert grow(current, target, elapsed_s, 4) == target or current == 0 or target == 0


def test_a_reversal_starts_again_from_rest() -> None:
    assert grow(1.0, -1.0, 0.05, 4) == -0.2


def test_the_room_ahead_is_counted_in_the_direction_of_travel() -> None:
    limits = AxisLimits(min_deg=-10, max_deg=30)
    assert room_ahead_deg(5, 1, limits) == 25
    assert room_ahead_deg(5, -1, limits) == 15
    assert room_ahead_deg(5, 0, limits) == math.inf
    assert room_ahead_deg(None, 1, limits) == math.inf
    assert room_ahead_deg(5, 1, AxisLimits()) == math.inf


@given(shares, st.floats(-50, 500), st.floats(1, 200))
def test_what_is_left_of_a_velocity_stops_within_the_room(velocity: float, room_deg: float, full_speed: float) -> None:
    left = taper(velocity, room_deg, full_speed)
    assert abs(left) <= abs(velocity)
    if room_deg <= 0:
        assert left == 0
    assert abs(left) * full_speed * REACTION_S <= max(0.0, room_deg) + 1e-9


def test_without_a_calibration_nothing_is_tapered() -> None:
    assert taper(0.7, 0.1, None) == 0.7


def test_there_is_no_room_from_a_position_that_is_no_number_but_where_there_is_no_limit() -> None:
    for nonsense in (math.inf, -math.inf, math.nan):
        assert room_ahead_deg(nonsense, 1, AxisLimits(max_deg=1)) == 0
        assert room_ahead_deg(nonsense, -1, AxisLimits(max_deg=1)) == math.inf


def test_full_speed_that_is_held_stays_full_speed() -> None:
    assert [grow(way, way, 0.0, 4) for way in (1.0, -1.0)] == [1.0, -1.0]


def test_over_the_last_half_second_of_travel_the_speed_falls_with_what_is_left_to_a_creep_and_then_to_rest() -> None:
    speeds = [taper(1.0, room_deg, 40.0) for room_deg in (20.0, 10.0, 5.0, 1.0, 0.51, 0.5)]
    assert speeds == [1.0, 0.5, 0.25, 0.05, 0.05, 0.0]
    assert taper(-1.0, 10.0, 40.0) == -0.5
