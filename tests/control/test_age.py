from __future__ import annotations

import math

import pytest
from tests.control.rig import ControlRig, refusal_of, stops

from belvedere.control.age import SLOWEST, age_bound_s, top_speed
from belvedere.control.effects import Write
from belvedere.control.lease import LeaseVerb
from belvedere.errors import Refusal, VisitorError
from belvedere.head.axes import Axis


def test_a_command_is_at_most_as_old_as_the_server_time_it_names() -> None:
    assert age_bound_s(10.0, 9.25) == 0.75


def test_a_server_time_may_be_in_the_future_by_a_rounding_error() -> None:
    assert age_bound_s(10.0, 10.0005) == 0


def test_a_server_time_in_the_future_gives_no_bound() -> None:
    assert age_bound_s(10.0, 10.01) == math.inf


def test_the_top_speed_falls_between_half_of_the_largest_age_and_all_of_it() -> None:
    assert [top_speed(age_s, 2.0) for age_s in (0, 1, 1.5, 2, 99)] == [1, 1, (1 + SLOWEST) / 2, SLOWEST, SLOWEST]


def test_a_first_press_delayed_by_three_seconds_moves_nothing() -> None:
    rig = ControlRig()
    with pytest.raises(VisitorError) as refused:
        rig.drive(0.5, heard_s=rig.now - 3)
    assert refused.value.refusal is Refusal.TOO_SLOW
    assert refused.value.delay_s == 3
    assert "3.0 s" in str(refused.value)
    assert all(write.velocity == 0 for write in rig.wait(1) if isinstance(write, Write))


def test_the_delay_of_a_first_press_is_measured_against_the_heartbeats_before_it() -> None:
    rig = ControlRig()
    rig.core.receive_heartbeat(rig.now, "ann", rig.now)
    rig.now += 1
    assert refusal_of(lambda: rig.drive(0.5, late_s=0.8)) is Refusal.TOO_LATE
    rig.tick()
    assert rig.velocity() == 0


def test_a_press_whose_first_setpoint_was_late_stays_ended() -> None:
    rig = ControlRig()
    rig.core.receive_heartbeat(rig.now, "ann", rig.now)
    assert refusal_of(lambda: rig.drive(0.5, late_s=0.8)) is Refusal.TOO_LATE
    assert refusal_of(lambda: rig.drive(0.5)) is Refusal.HOLD_ENDED


@pytest.mark.parametrize("is_held", [True, False])
def test_a_late_setpoint_of_an_old_press_neither_ends_nor_resumes_a_newer_one(*, is_held: bool) -> None:
    rig = ControlRig()
    rig.drive(0.5, hold=2)
    if not is_held:
        rig.core.receive_release(rig.now, "ann", 1, 2)
    assert refusal_of(lambda: rig.drive(0.5, hold=1, late_s=0.8)) is Refusal.TOO_LATE
    if is_held:
        rig.tick()
        assert rig.velocity() > 0
    else:
        assert refusal_of(lambda: rig.drive(0.5, hold=2)) is Refusal.HOLD_ENDED


@pytest.mark.parametrize("heard_s", [101.5, -5.0, 1e9])
def test_a_server_time_that_is_old_or_in_the_future_moves_nothing_and_ends_the_hold(heard_s: float) -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    assert refusal_of(lambda: rig.drive(0.5, heard_s=heard_s)) in {Refusal.TOO_LATE, Refusal.TOO_SLOW}
    rig.tick()
    assert rig.velocity() == 0


def test_a_driver_that_repeats_the_same_server_time_is_stopped_when_it_is_a_second_old() -> None:
    rig = ControlRig()
    heard_s = rig.now
    for _ in range(20):
        rig.drive(0.5, heard_s=heard_s)
        rig.wait(0.05)
    rig.now += 0.01
    assert refusal_of(lambda: rig.drive(0.5, heard_s=heard_s)) is Refusal.TOO_SLOW
    rig.tick()
    assert rig.velocity() == 0


def test_a_setpoint_of_rest_stops_the_head_even_if_it_is_too_old() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    assert refusal_of(lambda: rig.drive(0.0, heard_s=rig.now - 5)) is Refusal.TOO_SLOW
    assert stops(rig.tick(), Axis.PAN) == 1


@pytest.mark.parametrize(("age_s", "most"), [(0.0, 1.0), (0.5, 1.0), (0.75, 0.625), (1.0, 0.25)])
def test_the_top_speed_falls_with_the_age_and_the_direction_stays(age_s: float, most: float) -> None:
    rig = ControlRig()
    for _ in range(20):
        rig.drive(-1.0, 0.5, heard_s=rig.now - age_s)
        rig.wait(0.05)
    assert rig.velocity(Axis.PAN) == pytest.approx(-most)
    assert rig.velocity(Axis.TILT) == pytest.approx(most / 2)


def test_a_page_whose_clock_stood_still_during_sleep_drives_at_once() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.wait(60)
    rig.core.receive_lease(rig.now, "ann", LeaseVerb.ACQUIRE)
    rig.drive(0.5, hold=2, late_s=60, heard_s=rig.now - 0.05)
    rig.tick()
    assert rig.velocity() > 0
    rig.core.receive_heartbeat(rig.now, "ann", rig.now - 60)
    assert refusal_of(lambda: rig.drive(0.5, hold=2, late_s=60.8, heard_s=rig.now - 0.9)) is Refusal.TOO_LATE
