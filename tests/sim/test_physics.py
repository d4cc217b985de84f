import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.sim.physics import Motor

FULL = 40.0
ACCELERATION = 200.0

velocities = st.floats(-1, 1)
waits = st.floats(0, 3)
courses = st.lists(st.tuples(waits, velocities), max_size=12)


def motor(**options: tuple[float, float] | float) -> Motor:
    return Motor(full_speed_deg_per_s=FULL, acceleration_deg_per_s2=ACCELERATION, **options)  # type: ignore[arg-type]  # options are the motor's own, by name


def driven(trajectory: list[tuple[float, float]], **options: tuple[float, float] | float) -> tuple[Motor, float]:
    """A motor after these commands, and the time of the last one."""
    it, now = motor(**options), 0.0
    for wait, velocity in trajectory:
        now += wait
        it.command(velocity, now)
    return it, now


def test_a_motor_that_was_never_commanded_stands_still() -> None:
    it = motor(angle_deg=12.0)
    assert [it.angle_at(now) for now in (0.0, 5.0, 1e6)] == [12.0, 12.0, 12.0]
    assert it.speed_at(1e6) == 0


def test_a_held_velocity_reaches_its_speed_and_never_ends() -> None:
    it = motor()
    it.command(0.5, 10.0)
    assert it.speed_at(10.1) == pytest.approx(20)
    assert it.speed_at(10_000.0) == 20
    assert it.angle_at(110.1) - it.angle_at(10.1) == pytest.approx(2000)


def test_turning_round_slows_down_first() -> None:
    it = motor()
    it.command(1, 0.0)
    it.command(-1, 1.0)
    assert it.speed_at(1.1) == pytest.approx(20)
    assert it.speed_at(1.2) == pytest.approx(0)
    assert it.speed_at(1.4) == pytest.approx(-40)


def test_more_than_full_speed_is_full_speed() -> None:
    it = motor()
    it.command(7, 0.0)
    assert it.speed_at(9.0) == FULL


def test_before_the_last_command_the_angle_is_that_at_the_command() -> None:
    it = motor()
    it.command(1, 0.0)
    it.command(0, 2.0)
    assert it.angle_at(1.0) == it.angle_at(2.0)


def test_an_end_stop_holds_the_axis_and_the_other_direction_works_at_once() -> None:
    it = motor(ends_deg=(-30.0, 30.0))
    it.command(1, 0.0)
    assert it.angle_at(60.0) == 30
    it.command(-1, 60.0)
    assert it.angle_at(60.2) == 30
    assert it.angle_at(60.3) < 30
    assert it.angle_at(120.0) == -30


@pytest.mark.parametrize(("speed", "acceleration"), [(0, 1), (1, 0), (math.nan, 1)])
def test_a_motor_without_speed_or_acceleration_is_refused(speed: float, acceleration: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Motor(full_speed_deg_per_s=speed, acceleration_deg_per_s2=acceleration)


def test_a_motor_beyond_its_own_end_stops_is_refused() -> None:
    with pytest.raises(ValueError, match="between its end stops"):
        motor(ends_deg=(-1.0, 1.0), angle_deg=2.0)


@given(courses, waits)
def test_speed_never_exceeds_full_speed(trajectory: list[tuple[float, float]], wait: float) -> None:
    it, now = driven(trajectory)
    assert abs(it.speed_at(now + wait)) <= FULL * (1 + 1e-12)


@given(courses, st.lists(st.floats(0, 0.5), min_size=1, max_size=12))
def test_the_angle_never_jumps(trajectory: list[tuple[float, float]], steps: list[float]) -> None:
    it, now = driven(trajectory)
    times = list(itertools.accumulate(steps, initial=now))
    for before, after in itertools.pairwise(times):
        assert abs(it.angle_at(after) - it.angle_at(before)) <= FULL * (after - before) + 1e-6


@given(courses, waits, velocities)
def test_a_command_changes_neither_angle_nor_speed_at_its_own_moment(
    trajectory: list[tuple[float, float]], wait: float, velocity: float
) -> None:
    it, now = driven(trajectory)
    before = it.angle_at(now + wait), it.speed_at(now + wait)
    it.command(velocity, now + wait)
    assert (it.angle_at(now + wait), it.speed_at(now + wait)) == pytest.approx(before)


@given(courses, waits)
def test_a_stop_slows_down_to_rest_and_stays_there(trajectory: list[tuple[float, float]], wait: float) -> None:
    it, now = driven([*trajectory, (wait, 0.0)])
    speeds = [abs(it.speed_at(now + step / 50)) for step in range(11)]
    assert speeds == sorted(speeds, reverse=True)
    at_rest = now + FULL / ACCELERATION + 1e-9
    assert it.speed_at(at_rest) == 0
    assert it.angle_at(at_rest) == pytest.approx(it.angle_at(at_rest + 1000))


@given(courses, waits, st.floats(0, 2), st.floats(0, 2))
def test_reading_the_state_changes_nothing(
    trajectory: list[tuple[float, float]], wait: float, first: float, second: float
) -> None:
    it, now = driven(trajectory)
    later = now + wait + max(first, second)
    expected = it.angle_at(later)
    it.angle_at(now + min(first, second))
    assert it.angle_at(later) == expected


@given(courses, waits)
def test_the_axis_stays_between_its_end_stops(trajectory: list[tuple[float, float]], wait: float) -> None:
    it, now = driven(trajectory, ends_deg=(-20.0, 10.0))
    assert -20 <= it.angle_at(now + wait) <= 10


@given(courses, st.floats(0, 3))
def test_the_angle_is_the_sum_of_the_speeds(trajectory: list[tuple[float, float]], wait: float) -> None:
    it, now = driven(trajectory)
    steps = 400
    times = [now + wait * step / steps for step in range(steps + 1)]
    area = sum((it.speed_at(a) + it.speed_at(b)) / 2 * (b - a) for a, b in itertools.pairwise(times))
    assert it.angle_at(times[-1]) - it.angle_at(now) == pytest.approx(area, abs=0.1)
