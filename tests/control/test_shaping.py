import math

from hypothesis import given
from hypothesis import strategies as st

from belvedere.control.options import FIRST_STEP, AxisLimits
from belvedere.control.shaping import REACTION_S, distance_to_limit_deg, limit_approach, slew

shares = st.floats(-1, 1)


@given(shares, shares, st.floats(0, 10), st.floats(0.5, 100))
def test_a_velocity_never_overshoots_its_target_nor_has_the_opposite_sign(
    current: float, target: float, elapsed_s: float, rate: float
) -> None:
    velocity = slew(current, target, elapsed_s, rate)
    assert abs(velocity) <= abs(target)
    assert velocity * target >= 0


@given(shares, shares, st.floats(0, 0.2), st.floats(0.5, 100))
def test_a_speed_increases_no_faster_than_allowed(current: float, target: float, elapsed_s: float, rate: float) -> None:
    from_rest = abs(current) if current * target > 0 else 0
    velocity = slew(current, target, elapsed_s, rate)
    assert abs(velocity) <= max(FIRST_STEP, from_rest + rate * elapsed_s) + 1e-12


@given(shares, st.floats(0, 1), st.floats(0, 1))
def test_slowing_down_is_immediate(target: float, more: float, elapsed_s: float) -> None:
    current = math.copysign(min(1.0, abs(target) + more), target)
    assert slew(current, target, elapsed_s, 4) == target or current == 0 or target == 0


def test_a_reversal_starts_again_from_rest() -> None:
    assert slew(1.0, -1.0, 0.05, 4) == -0.2


def test_the_distance_to_a_limit_is_measured_in_the_direction_of_travel() -> None:
    limits = AxisLimits(min_deg=-10, max_deg=30)
    assert distance_to_limit_deg(5, 1, limits) == 25
    assert distance_to_limit_deg(5, -1, limits) == 15
    assert distance_to_limit_deg(5, 0, limits) == math.inf
    assert distance_to_limit_deg(None, 1, limits) == math.inf
    assert distance_to_limit_deg(5, 1, AxisLimits()) == math.inf


@given(shares, st.floats(-50, 500), st.floats(1, 200))
def test_a_limited_velocity_can_stop_within_the_distance(
    velocity: float, distance_deg: float, full_speed: float
) -> None:
    left = limit_approach(velocity, distance_deg, full_speed)
    assert abs(left) <= abs(velocity)
    if distance_deg <= 0:
        assert left == 0
    assert abs(left) * full_speed * REACTION_S <= max(0.0, distance_deg) + 1e-9


def test_without_a_calibration_no_velocity_is_limited() -> None:
    assert limit_approach(0.7, 0.1, None) == 0.7


def test_the_distance_from_a_position_that_is_no_number_is_0_if_there_is_a_limit() -> None:
    for nonsense in (math.inf, -math.inf, math.nan):
        assert distance_to_limit_deg(nonsense, 1, AxisLimits(max_deg=1)) == 0
        assert distance_to_limit_deg(nonsense, -1, AxisLimits(max_deg=1)) == math.inf


def test_full_speed_that_is_held_stays_full_speed() -> None:
    assert [slew(direction, direction, 0.0, 4) for direction in (1.0, -1.0)] == [1.0, -1.0]


def test_over_the_last_half_second_of_travel_the_speed_falls_to_a_creep_and_then_to_rest() -> None:
    speeds = [limit_approach(1.0, distance_deg, 40.0) for distance_deg in (20.0, 10.0, 5.0, 1.0, 0.51, 0.5)]
    assert speeds == [1.0, 0.5, 0.25, 0.05, 0.05, 0.0]
    assert limit_approach(-1.0, 10.0, 40.0) == -0.5
