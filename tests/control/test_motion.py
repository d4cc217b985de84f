import pytest

from belvedere.control.effects import Write
from belvedere.control.motion import AxisMotion, AxisSetup
from belvedere.control.options import AxisLimits
from belvedere.control.setpoint import Stamp
from belvedere.head.axes import Axis

STAMP = Stamp("ann", 1, 0.0)


def a_ready_axis() -> AxisMotion:
    motion = AxisMotion(Axis.TILT, AxisSetup(), acceleration_per_s=4)
    motion.receive_ready(0, is_ready=True)
    for time in (0.0, 0.05, 0.1):
        motion.tick(time)
    return motion


def test_a_speed_increases_in_steps_at_the_axiss_deadlines() -> None:
    motion = a_ready_axis()
    motion.receive_target(1.0, 1, STAMP)
    now, velocities = 1.0, []
    while (write := motion.tick(now)) is not None:
        velocities.append(write.velocity)
        due = motion.deadline()
        if due is None:
            break
        now = due
    assert velocities == sorted(velocities)
    assert velocities[0] == 0.1
    assert velocities[-1] == 1.0
    assert 0.2 <= now - 1.0 <= 0.3


def test_acceleration_never_delays_a_stop() -> None:
    motion = a_ready_axis()
    motion.receive_target(1.0, 1, STAMP)
    motion.tick(1.0)
    motion.receive_cut(1)
    assert motion.tick(1.0) == Write(Axis.TILT, 0.0)


def test_a_cut_says_whether_it_ended_a_motion() -> None:
    motion = a_ready_axis()
    motion.receive_target(1.0, 1, STAMP)
    assert motion.receive_cut(1)
    assert not motion.receive_cut(1)


def test_a_setpoint_of_rest_within_a_hold_stops_and_the_hold_may_go_on() -> None:
    motion = a_ready_axis()
    motion.receive_target(0.1, 1, STAMP)
    motion.tick(1.0)
    motion.receive_target(0.0, 1, STAMP)
    assert motion.tick(1.1) == Write(Axis.TILT, 0.0, STAMP)
    motion.receive_target(0.1, 1, STAMP)
    assert motion.tick(1.2) == Write(Axis.TILT, 0.1, STAMP)


def test_after_a_time_without_ticks_a_speed_increases_by_a_single_step() -> None:
    motion = a_ready_axis()
    motion.receive_target(0.1, 1, STAMP)
    motion.tick(1.0)
    motion.receive_target(1.0, 1, STAMP)
    write = motion.tick(1.45)
    assert write is not None
    assert write.velocity == pytest.approx(0.1 + 4 * 0.05)


def test_a_stop_is_due_at_once_when_a_hold_ended_between_two_ticks() -> None:
    motion = a_ready_axis()
    motion.receive_target(0.1, 1, STAMP)
    motion.tick(1.0)
    motion.receive_cut(1)
    due = motion.deadline()
    assert due is not None
    assert due <= 1.0


def limited(position_deg: float = 0.0) -> AxisMotion:
    setup = AxisSetup(full_speed_deg_per_s=20, limits=AxisLimits(min_deg=-40, max_deg=40), position_deg=position_deg)
    motion = AxisMotion(Axis.PAN, setup, acceleration_per_s=4)
    motion.receive_ready(0, is_ready=True)
    return motion


def test_a_limit_is_kept_from_the_nearest_end_of_the_position_interval() -> None:
    motion = limited(position_deg=35)
    motion.odometer.receive_attempted(0, 1)
    motion.receive_ready(1, is_ready=False)
    motion.odometer.receive_written(1, 0)
    motion.receive_ready(1, is_ready=True)
    assert motion.limit(1) == 1
    motion.receive_target(-0.1, 1, STAMP)
    assert motion.tick(1) == Write(Axis.PAN, -0.1, STAMP)


def test_however_uncertain_the_position_is_some_travel_is_left_to_drive() -> None:
    motion = limited()
    motion.odometer.receive_attempted(0, 1)
    motion.odometer.receive_attempted(0, -1)
    motion.receive_ready(1, is_ready=False)
    motion.odometer.receive_written(4, 0)
    motion.receive_ready(4, is_ready=True)
    assert motion.limit(4) == 0


def test_a_limited_axis_with_a_position_that_is_no_number_does_not_move() -> None:
    for nonsense in (float("inf"), float("nan")):
        motion = limited(position_deg=nonsense)
        for hold, velocity in enumerate((0.1, -0.1)):
            motion.receive_target(velocity, hold, STAMP)
            write = motion.tick(1)
            assert write is None or write.velocity == 0


def velocities_at(motion: AxisMotion, *times: float) -> list[float | None]:
    """The velocities that are written at these times."""
    writes = [motion.tick(time) for time in times]
    return [None if write is None else write.velocity for write in writes]


def test_a_stop_is_written_three_times_and_then_nothing_is_due() -> None:
    motion = AxisMotion(Axis.PAN, AxisSetup(), acceleration_per_s=4)
    assert (motion.commanded, motion.is_wanted, motion.deadline()) == (0.0, False, 0.0)
    assert velocities_at(motion, 0.0, 0.02) == [0.0, None]
    assert motion.deadline() == 0.05
    assert velocities_at(motion, 0.05, 0.1) == [0.0, 0.0]
    assert motion.deadline() is None
    assert velocities_at(motion, 0.15, 9.0) == [None, None]


def test_the_stop_after_a_motion_at_full_speed_is_written_three_times() -> None:
    motion = a_ready_axis()
    motion.receive_target(1.0, 1, STAMP)
    now = 1.0
    while motion.commanded != 1.0:
        now += 0.025
        motion.tick(now)
    assert motion.deadline() is None
    motion.receive_cut(1)
    assert velocities_at(motion, 2.0, 2.02, 2.05, 2.1, 2.15) == [0.0, None, 0.0, 0.0, None]
    assert motion.commanded == 0.0


def test_an_explicit_stop_is_written_again_to_an_axis_at_rest() -> None:
    motion = a_ready_axis()
    motion.receive_stop(5.0)
    assert motion.deadline() == 5.0
    assert velocities_at(motion, 5.0, 5.05, 5.1, 5.15) == [0.0, 0.0, 0.0, None]


def test_an_explicit_stop_of_a_moving_axis_takes_effect_through_its_cut() -> None:
    motion = a_ready_axis()
    motion.receive_target(0.1, 1, STAMP)
    motion.tick(1.0)
    motion.receive_stop(1.0)
    assert (motion.commanded, motion.deadline()) == (0.1, None)
    motion.receive_cut(1)
    assert velocities_at(motion, 1.01, 1.06, 1.11, 1.16) == [0.0, 0.0, 0.0, None]


def test_a_hold_that_was_cut_and_any_before_it_never_move_the_axis_again() -> None:
    motion = a_ready_axis()
    motion.receive_cut(3)
    motion.receive_cut(1)
    for hold in (1, 3):
        motion.receive_target(0.1, hold, STAMP)
    assert velocities_at(motion, 1.0) == [None]
    motion.receive_target(0.1, 4, STAMP)
    assert velocities_at(motion, 1.0) == [0.1]


def test_a_hold_that_began_while_the_unit_was_out_of_reach_does_not_move_it_later() -> None:
    motion = AxisMotion(Axis.TILT, AxisSetup(), acceleration_per_s=4)
    motion.receive_target(0.1, 1, STAMP)
    motion.receive_ready(0, is_ready=True)
    motion.receive_target(0.1, 1, STAMP)
    assert velocities_at(motion, 0.0) == [0.0]
    motion.receive_target(0.1, 2, STAMP)
    assert velocities_at(motion, 0.0) == [0.1]


def test_an_unchanged_setpoint_is_written_once_so_that_it_can_be_acknowledged() -> None:
    motion = a_ready_axis()
    for seq, time in enumerate((1.0, 1.05)):
        stamp = Stamp("ann", seq, time)
        motion.receive_target(0.1, 1, stamp)
        assert motion.tick(time) == Write(Axis.TILT, 0.1, stamp)
        assert motion.tick(time + 0.025) is None


def test_the_limit_that_an_axis_has_reached_is_reported_with_its_side() -> None:
    assert [limited(position_deg).limit(0) for position_deg in (-40, 0, 40)] == [-1, 0, 1]


def test_an_axis_without_limits_is_never_at_one() -> None:
    assert a_ready_axis().limit(1) == 0


def test_an_axis_with_limits_is_due_at_every_tick_while_it_moves() -> None:
    motion = limited(position_deg=-40)
    motion.receive_target(1.0, 1, STAMP)
    for step in range(20):
        motion.tick(step * 0.025)
    assert motion.commanded == 1.0
    assert motion.deadline() == pytest.approx(20 * 0.025)


@pytest.mark.parametrize("direction", [1, -1])
def test_an_axis_that_turned_out_of_reach_for_long_is_reckoned_to_be_at_its_limit(direction: int) -> None:
    motion = limited()
    motion.odometer.receive_written(0, direction)
    motion.receive_ready(1, is_ready=False)
    motion.odometer.receive_written(99, 0)
    motion.receive_ready(99, is_ready=True)
    assert motion.odometer.position_deg(99) == direction * 40
    motion.receive_ready(100, is_ready=True)
    assert motion.odometer.position_deg(100) == direction * 40


def test_after_a_clock_jump_stops_are_written_at_once_and_earlier_rotation_counts() -> None:
    motion = limited()
    motion.tick(1000.0)
    motion.odometer.receive_written(1000, 0.5)
    motion.receive_clock_jump(1002, 10)
    assert velocities_at(motion, 10.0, 10.05, 10.1) == [0.0, 0.0, None]
    assert motion.odometer.position_deg(11) == pytest.approx(30)


def test_after_a_clock_jump_a_speed_goes_on_increasing() -> None:
    motion = a_ready_axis()
    motion.receive_target(1.0, 1, STAMP)
    motion.tick(1000.0)
    motion.receive_clock_jump(1000, 10)
    assert velocities_at(motion, 10.025) == [pytest.approx(0.2)]


def test_only_stops_are_written_to_a_unit_that_was_never_in_reach() -> None:
    motion = AxisMotion(Axis.TILT, AxisSetup(), acceleration_per_s=4)
    motion.receive_target(1.0, 1, STAMP)
    assert motion.tick(0) == Write(Axis.TILT, 0.0)
    motion.receive_ready(0.2, is_ready=True)
    motion.receive_target(1.0, 1, STAMP)
    assert motion.commanded == 0
    assert not motion.is_wanted


@pytest.mark.parametrize("is_position_sure", [True, False])
def test_a_position_is_as_sure_as_it_was_when_it_was_saved(*, is_position_sure: bool) -> None:
    motion = AxisMotion(Axis.PAN, AxisSetup(is_position_sure=is_position_sure), acceleration_per_s=4)
    assert motion.odometer.is_sure is is_position_sure
