from __future__ import annotations

import math

import pytest
from tests.control.rig import ControlRig, refusal_of, stops

from belvedere.control.age import SLOWEST, age_bound_s, top_speed
from belvedere.control.effects import Write
from belvedere.control.lease import LeaseVerb
from belvedere.errors import Refusal, VisitorError
from belvedere.head.axes import Axis


def test_a_command_is_younger_than_what_its_sender_had_heard() -> None:
    assert age_bound_s(10.0, 9.25) == 0.75


def test_what_was_heard_this_very_moment_may_be_rounded_up() -> None:
    assert age_bound_s(10.0, 10.0005) == 0


def test_a_time_that_is_still_to_come_says_nothing() -> None:
    assert age_bound_s(10.0, 10.01) == math.inf


def test_the_top_speed_falls_from_half_of_the_limit_on_and_no_further_than_it() -> None:
    assert [top_speed(age_s, 2.0) for age_s in (0, 1, 1.5, 2, 99)] == [1, 1, (1 + SLOWEST) / 2, SLOWEST, SLOWEST]


def test_a_first_press_that_was_held_up_for_three_seconds_moves_nothing() -> None:
    rig = ControlRig()
    with pytest.raises(VisitorError) as refused:
        rig.drive(0.5, heard_s=rig.now - 3)
    assert refused.value.refusal is Refusal.TOO_SLOW
    assert refused.value.delay_s == 3
    assert "3.0 s" in str(refused.value)
    assert all(write.velocity == 0 for write in rig.wait(1) if isinstance(write, Write))


def test_a_first_press_is_measured_against_the_pings_before_it() -> None:
    rig = ControlRig()
    rig.core.receive_heartbeat(rig.now, "ann", rig.now)
    rig.now += 1
    assert refusal_of(lambda: rig.drive(0.5, late_s=0.8)) is Refusal.TOO_LATE
    rig.tick()
    assert rig.velocity() == 0


def test_a_press_that_came_late_is_over_although_it_goes_on_in_time() -> None:
    rig = ControlRig()
    rig.core.receive_heartbeat(rig.now, "ann", rig.now)
    assert refusal_of(lambda: rig.drive(0.5, late_s=0.8)) is Refusal.TOO_LATE
    assert refusal_of(lambda: rig.drive(0.5)) is Refusal.HOLD_ENDED


@pytest.mark.parametrize("is_held", [True, False])
def test_what_comes_late_of_an_old_press_neither_ends_nor_revives_a_newer_one(*, is_held: bool) -> None:
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
def test_a_time_that_nobody_can_have_been_told_lately_moves_nothing_and_ends_the_hold(heard_s: float) -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    assert refusal_of(lambda: rig.drive(0.5, heard_s=heard_s)) in {Refusal.TOO_LATE, Refusal.TOO_SLOW}
    rig.tick()
    assert rig.velocity() == 0


def test_a_driver_of_whom_the_same_is_heard_again_and_again_is_stopped_when_it_is_a_second_old() -> None:
    rig = ControlRig()
    heard_s = rig.now
    for _ in range(20):
        rig.drive(0.5, heard_s=heard_s)
        rig.wait(0.05)
    rig.now += 0.01
    assert refusal_of(lambda: rig.drive(0.5, heard_s=heard_s)) is Refusal.TOO_SLOW
    rig.tick()
    assert rig.velocity() == 0


def test_a_stick_in_its_middle_stops_from_however_far_away() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.tick()
    assert refusal_of(lambda: rig.drive(0.0, heard_s=rig.now - 5)) is Refusal.TOO_SLOW
    assert stops(rig.tick(), Axis.PAN) == 1


@pytest.mark.parametrize(("age_s", "most"), [(0.0, 1.0), (0.5, 1.0), (0.75, 0.625), (1.0, 0.25)])
def test_the_top_speed_falls_with_the_delay_and_the_direction_stays(age_s: float, most: float) -> None:
    rig = ControlRig()
    for _ in range(20):
        rig.drive(-1.0, 0.5, heard_s=rig.now - age_s)
        rig.wait(0.05)
    assert rig.velocity(Axis.PAN) == pytest.approx(-most)
    assert rig.velocity(Axis.TILT) == pytest.approx(most / 2)


def test_a_page_whose_clock_stood_still_while_it_slept_drives_at_once() -> None:
    rig = ControlRig()
    rig.drive(0.5)
    rig.wait(60)
    rig.core.receive_lease(rig.now, "ann", LeaseVerb.ACQUIRE)
    rig.drive(0.5, hold=2, late_s=60, heard_s=rig.now - 0.05)
    rig.tick()
    assert rig.velocity() > 0
    rig.core.receive_heartbeat(rig.now, "ann", rig.now - 60)
    assert refusal_of(lambda: rig.drive(0.5, hold=2, late_s=60.8, heard_s=rig.now - 0.9)) is Refusal.TOO_LATE
