"""That the world's rules are not empty: it moves, and notices each rule that is broken under its eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.control.model_harness import LIMIT_DEG, OPTIONS, ControlWorld

from belvedere.control.lease import LeaseVerb
from belvedere.control.motion import AxisMotion
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Callable


def a_world_in_which_ann_drives(pan: float = 1.0, tilt: float = 0.5) -> ControlWorld:
    world = ControlWorld()
    world.come_or_go("ann")
    for axis in AXES:
        world.link(axis)
    world.lease("ann", LeaseVerb.ACQUIRE)
    world.press("ann", pan, tilt)
    return world


def test_it_really_moves() -> None:
    world = a_world_in_which_ann_drives()
    world.wait(0.3)
    assert world.units[Axis.TILT].told == 0.5
    assert world.pan.deg > 1


def test_limits_are_met_in_a_second() -> None:
    world = a_world_in_which_ann_drives()
    world.hold_on("ann", 1.5, late_s=0.0)
    assert world.met["limit: +1"] > 0
    assert LIMIT_DEG - 0.5 < world.pan.deg <= LIMIT_DEG


def test_the_longest_hold_is_met_in_two() -> None:
    world = a_world_in_which_ann_drives()
    world.hold_on("ann", OPTIONS.hold_ceiling_s + 0.1, late_s=0.01)
    assert world.met["cut: hold_too_long"] == 1


def test_a_unit_turns_on_out_of_reach_and_where_it_went_is_known() -> None:
    world = a_world_in_which_ann_drives()
    world.wait(0.3)
    world.link(Axis.PAN)
    world.wait(2.0)
    assert world.pan.deg > LIMIT_DEG
    world.link(Axis.PAN)
    assert world.met["turned out of reach for seconds"] == 1
    assert not world.pan.is_lost


def test_a_unit_that_turned_for_long_out_of_reach_is_nowhere_until_all_begins_anew() -> None:
    world = a_world_in_which_ann_drives()
    world.link(Axis.PAN)
    world.wait(6.0)
    world.link(Axis.PAN)
    was_lost = world.pan.is_lost
    world.begin_anew()
    assert (was_lost, world.pan.is_lost, world.pan.deg) == (True, False, 0.0)


def test_a_write_that_hangs_leaves_the_unit_as_it_was_or_not() -> None:
    for is_taken in (False, True):
        world = a_world_in_which_ann_drives()
        world.wait(0.3)
        world.hang(Axis.TILT, is_taken=is_taken)
        world.release("ann")
        assert (world.units[Axis.TILT].turning == 0) is is_taken


def test_a_deaf_unit_takes_nothing() -> None:
    world = a_world_in_which_ann_drives()
    world.wait(0.3)
    world.go_deaf(Axis.TILT)
    world.stop("bob")
    assert world.units[Axis.TILT].turning == 0.5


def released(world: ControlWorld) -> None:
    world.books.press = None


def cut(world: ControlWorld) -> None:
    assert world.books.press is not None
    del world.books.press.wishes[Axis.PAN]


def the_other_way(world: ControlWorld) -> None:
    world.units[Axis.PAN].told = -1.0


def faster(world: ControlWorld) -> None:
    world.units[Axis.TILT].told = 0.9


def at_rest(world: ControlWorld) -> None:
    world.units[Axis.TILT].told = 0.0


def driven_by_bob(world: ControlWorld) -> None:
    world.books.lease.driver = "bob"


def further(world: ControlWorld) -> None:
    world.pan.deg += 1


def beyond(world: ControlWorld) -> None:
    world.pan.is_exact = False
    world.pan.deg = LIMIT_DEG + 0.1


def stopping_once(world: ControlWorld) -> None:
    world.units[Axis.TILT].stops_since, world.units[Axis.TILT].stops = world.now - 1, 1


def told_of_a_loss(world: ControlWorld) -> None:
    world.books.lost_it = {"bob"}


@pytest.mark.parametrize(
    "broken",
    [released, cut, the_other_way, faster, at_rest, driven_by_bob, further, beyond, stopping_once, told_of_a_loss],
)
def test_it_notices_a_core_that_is_not_what_it_must_be(broken: Callable[[ControlWorld], None]) -> None:
    world = a_world_in_which_ann_drives()
    world.wait(0.3)
    broken(world)
    with pytest.raises(AssertionError):
        world.ping("room", 0.0)


def test_it_notices_a_press_that_nobody_ends() -> None:
    world = a_world_in_which_ann_drives(pan=0.0, tilt=0.1)
    world.wait(0.3)
    assert world.books.press is not None
    world.books.press.expires_at -= 0.7
    with pytest.raises(AssertionError, match="over"):
        world.wait(0.1)


class Sleepless(AxisMotion):
    """An axis to which something is always due."""

    def deadline(self) -> float | None:
        return 0.0


def test_it_notices_a_core_that_never_sleeps() -> None:
    world = ControlWorld()
    world.core.__dict__["_axes"][Axis.PAN].__class__ = Sleepless
    with pytest.raises(AssertionError, match="sleeps"):
        world.wait(1)
