from __future__ import annotations

import contextlib
import itertools
import math
from functools import partial
from typing import TYPE_CHECKING

from tests.control.rig import ControlRig, refusal_of

from belvedere.control.ceiling import Ceiling
from belvedere.control.options import ControlOptions
from belvedere.errors import Refusal, VisitorError
from belvedere.head.axes import AXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def test_it_counts_from_the_first_motion_after_a_rest() -> None:
    ceiling = Ceiling(30, rest_s=0.5)
    assert ceiling.ends_at(1) == math.inf
    for now, is_moving in ((1, True), (2, True), (3, False), (3.4, True)):
        ceiling.receive(now, is_moving=is_moving)
    assert ceiling.ends_at(3.4) == 31
    ceiling.receive(4, is_moving=False)
    ceiling.receive(4.4, is_moving=False)
    assert [ceiling.ends_at(now) for now in (4.4, 4.5)] == [31, math.inf]
    ceiling.receive(5, is_moving=True)
    assert ceiling.ends_at(5) == 35


def test_a_clock_that_goes_backwards_keeps_the_measured_durations() -> None:
    ceiling = Ceiling(30, rest_s=0.5)
    ceiling.receive(100, is_moving=True)
    ceiling.receive_clock_jump(110, 50)
    assert ceiling.ends_at(50) == 70
    ceiling.receive(60, is_moving=False)
    ceiling.receive_clock_jump(60, 20)
    assert [ceiling.ends_at(now) for now in (20.4, 20.5)] == [30, math.inf]


def longest_motion_s(rig: ControlRig, moves: Iterator[Callable[[], None]], pause_s: float, repetitions: int) -> float:
    """The longest time of motion without a rest of half a second, while the moves are made one after the other."""
    longest_s, began_at, rests_since = 0.0, math.inf, -math.inf
    for _ in range(repetitions):
        with contextlib.suppress(VisitorError):
            next(moves)()
        for _tenth in range(10):
            rig.wait(pause_s / 10)
            if any(rig.velocity(axis) for axis in AXES):
                began_at = rig.now if rig.now - rests_since >= 0.5 else began_at
                rests_since = math.inf
                longest_s = max(longest_s, rig.now - began_at)
            else:
                rests_since = min(rests_since, rig.now)
    return longest_s


def test_a_new_hold_number_in_every_message_does_not_evade_the_ceiling() -> None:
    rig = ControlRig()
    moves = (partial(rig.drive, 1.0, hold=hold) for hold in itertools.count(1))
    assert 29 < longest_motion_s(rig, moves, 0.05, 1000) <= 30


def test_short_pauses_between_presses_do_not_evade_it() -> None:
    rig = ControlRig()
    moves = (partial(rig.drive, 1.0, hold=hold) for hold in itertools.count(1))
    assert 29 < longest_motion_s(rig, moves, 0.9, 60) <= 30.1  # each press lasts for half a second


def test_two_drivers_that_take_turns_do_not_evade_it() -> None:
    rig = ControlRig()

    def hand_over_to(name: str) -> None:
        rig.core.receive_give(rig.now, rig.core.lease_status.session or "", name)
        rig.drive(1.0, session=name)

    moves = (partial(hand_over_to, name) for name in itertools.cycle(("ann", "bob")))
    assert 29 < longest_motion_s(rig, moves, 0.4, 120) <= 30


def test_one_axis_after_the_other_does_not_evade_it() -> None:
    rig = ControlRig()
    velocities = itertools.cycle(((1.0, 0.0), (0.0, 1.0)))
    moves = (partial(rig.drive, *pan_tilt, hold=hold) for hold, pan_tilt in enumerate(velocities, 1))
    assert 29 < longest_motion_s(rig, moves, 0.4, 120) <= 30


def test_after_the_ceiling_a_rest_of_the_dead_man_time_and_a_new_press_move_the_head_again() -> None:
    rig = ControlRig(ControlOptions(hold_ceiling_s=2))
    for _ in range(41):
        with contextlib.suppress(VisitorError):
            rig.drive(1.0)
        rig.wait(0.05)
    assert refusal_of(lambda: rig.drive(1.0, hold=2)) is Refusal.HOLD_TOO_LONG
    rig.wait(0.5)
    assert refusal_of(lambda: rig.drive(1.0, hold=2)) is Refusal.HOLD_ENDED
    rig.drive(1.0, hold=3)
    rig.tick()
    assert rig.velocity() > 0


def test_a_driver_that_rests_in_between_may_go_on_without_limit() -> None:
    rig = ControlRig(ControlOptions(hold_ceiling_s=2))
    for hold in range(1, 60):
        for _ in range(20):
            rig.drive(1.0, hold=hold)
            rig.wait(0.05)
        rig.core.receive_release(rig.now, "ann", 1, hold)
        rig.wait(0.5)


def test_a_clock_that_goes_back_before_the_head_ever_moved_changes_nothing() -> None:
    ceiling = Ceiling(30, rest_s=0.5)
    ceiling.receive_clock_jump(100, 50)
    ceiling.receive(50, is_moving=True)
    assert ceiling.ends_at(50) == 80
