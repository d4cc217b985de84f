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


def test_a_speed_grows_in_steps_while_the_axis_asks_to_be_woken() -> None:
    motion = a_ready_axis()
    motion.receive_target(1.0, 1, STAMP)
    now, told = 1.0, []
    while (write := motion.tick(now)) is not None:
        told.append(write.velocity)
        due = motion.deadline()
        if due is None:
            break
        now = due
    assert told == sorted(told)
    assert told[0] == 0.1
    assert told[-1] == 1.0
    assert 0.2 <= now - 1.0 <= 0.3


def test_growing_never_delays_a_stop() -> None:
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


def test_after_a_quiet_spell_a_speed_still_grows_from_where_it_was() -> None:
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


def test_a_limit_is_kept_from_where_the_axis_may_stand_at_worst() -> None:
    motion = limited(position_deg=35)
    motion.odometer.receive_attempted(0, 1)
    motion.receive_ready(1, is_ready=False)
    motion.odometer.receive_written(1, 0)
    motion.receive_ready(1, is_ready=True)
    assert motion.limit(1) == 1
    motion.receive_target(-0.1, 1, STAMP)
    assert motion.tick(1) == Write(Axis.PAN, -0.1, STAMP)


def test_however_doubtful_a_position_is_one_way_is_left_to_drive() -> None:
    motion = limited()
    motion.odometer.receive_attempted(0, 1)
    motion.odometer.receive_attempted(0, -1)
    motion.receive_ready(1, is_ready=False)
    motion.odometer.receive_written(4, 0)
    motion.receive_ready(4, is_ready=True)
    assert motion.limit(4) == 0


def test_a_position_that_is_no_number_lets_a_limited_axis_go_nowhere() -> None:
    for nonsense in (float("inf"), float("nan")):
        motion = limited(position_deg=nonsense)
        for hold, velocity in enumerate((0.1, -0.1)):
            motion.receive_target(velocity, hold, STAMP)
            write = motion.tick(1)
            assert write is None or write.velocity == 0
