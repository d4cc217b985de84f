from __future__ import annotations

import math

import pytest
from tests.control.rig import House, refusal_of, stops

from belvedere.control.delay import SLOWEST, most_age_s, top_speed
from belvedere.control.effects import Write
from belvedere.control.lease import LeaseVerb
from belvedere.errors import Refusal, VisitorError
from belvedere.head.axes import Axis


def test_a_command_is_younger_than_what_its_sender_had_heard() -> None:
    assert most_age_s(10.0, 9.25) == 0.75


def test_what_was_heard_this_very_moment_may_be_rounded_up() -> None:
    assert most_age_s(10.0, 10.0005) == 0


def test_a_time_that_is_still_to_come_says_nothing() -> None:
    assert most_age_s(10.0, 10.01) == math.inf


def test_the_top_speed_falls_from_half_of_the_limit_on_and_no_further_than_it() -> None:
    assert [top_speed(age_s, 2.0) for age_s in (0, 1, 1.5, 2, 99)] == [1, 1, (1 + SLOWEST) / 2, SLOWEST, SLOWEST]


def test_a_first_press_that_was_held_up_for_three_seconds_moves_nothing() -> None:
    house = House()
    with pytest.raises(VisitorError) as refused:
        house.drive(0.5, heard_s=house.now - 3)
    assert refused.value.refusal is Refusal.TOO_SLOW
    assert refused.value.delay_s == 3
    assert "3.0 s" in str(refused.value)
    assert all(write.velocity == 0 for write in house.wait(1) if isinstance(write, Write))


def test_a_first_press_is_measured_against_the_pings_before_it() -> None:
    house = House()
    house.core.receive_sign_of_life(house.now, "ann", house.now)
    house.now += 1
    assert refusal_of(lambda: house.drive(0.5, late_s=0.8)) is Refusal.TOO_LATE
    house.tick()
    assert house.velocity() == 0


def test_a_press_that_came_late_is_over_although_it_goes_on_in_time() -> None:
    house = House()
    house.core.receive_sign_of_life(house.now, "ann", house.now)
    assert refusal_of(lambda: house.drive(0.5, late_s=0.8)) is Refusal.TOO_LATE
    assert refusal_of(lambda: house.drive(0.5)) is Refusal.HOLD_ENDED


@pytest.mark.parametrize("is_held", [True, False])
def test_what_comes_late_of_an_old_press_neither_ends_nor_revives_a_newer_one(*, is_held: bool) -> None:
    house = House()
    house.drive(0.5, hold=2)
    if not is_held:
        house.core.receive_release(house.now, "ann", 1, 2)
    assert refusal_of(lambda: house.drive(0.5, hold=1, late_s=0.8)) is Refusal.TOO_LATE
    if is_held:
        house.tick()
        assert house.velocity() > 0
    else:
        assert refusal_of(lambda: house.drive(0.5, hold=2)) is Refusal.HOLD_ENDED


@pytest.mark.parametrize("heard_s", [101.5, -5.0, 1e9])
def test_a_time_that_nobody_can_have_been_told_lately_moves_nothing_and_ends_the_hold(heard_s: float) -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    assert refusal_of(lambda: house.drive(0.5, heard_s=heard_s)) in {Refusal.TOO_LATE, Refusal.TOO_SLOW}
    house.tick()
    assert house.velocity() == 0


def test_a_driver_of_whom_the_same_is_heard_again_and_again_is_stopped_when_it_is_a_second_old() -> None:
    house = House()
    heard_s = house.now
    for _ in range(20):
        house.drive(0.5, heard_s=heard_s)
        house.wait(0.05)
    house.now += 0.01
    assert refusal_of(lambda: house.drive(0.5, heard_s=heard_s)) is Refusal.TOO_SLOW
    house.tick()
    assert house.velocity() == 0


def test_a_stick_in_its_middle_stops_from_however_far_away() -> None:
    house = House()
    house.drive(0.5)
    house.tick()
    assert refusal_of(lambda: house.drive(0.0, heard_s=house.now - 5)) is Refusal.TOO_SLOW
    assert stops(house.tick(), Axis.PAN) == 1


@pytest.mark.parametrize(("age_s", "most"), [(0.0, 1.0), (0.5, 1.0), (0.75, 0.625), (1.0, 0.25)])
def test_the_top_speed_falls_with_the_delay_and_the_direction_stays(age_s: float, most: float) -> None:
    house = House()
    for _ in range(20):
        house.drive(-1.0, 0.5, heard_s=house.now - age_s)
        house.wait(0.05)
    assert house.velocity(Axis.PAN) == pytest.approx(-most)
    assert house.velocity(Axis.TILT) == pytest.approx(most / 2)


def test_a_page_whose_clock_stood_still_while_it_slept_drives_at_once() -> None:
    house = House()
    house.drive(0.5)
    house.wait(60)
    house.core.receive_lease(house.now, "ann", LeaseVerb.ACQUIRE)
    house.drive(0.5, hold=2, late_s=60, heard_s=house.now - 0.05)
    house.tick()
    assert house.velocity() > 0
    house.core.receive_sign_of_life(house.now, "ann", house.now - 60)
    assert refusal_of(lambda: house.drive(0.5, hold=2, late_s=60.8, heard_s=house.now - 0.9)) is Refusal.TOO_LATE
