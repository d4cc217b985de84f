from belvedere.control.effects import Write
from belvedere.control.motion import AxisMotion, AxisSetup
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
