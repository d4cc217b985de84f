"""The harness's invariants are not vacuous: the head moves, and each invariant is seen to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.control.model_harness import LIMIT_DEG, OPTIONS, ModelHarness

from belvedere.control.lease import LeaseVerb
from belvedere.control.motion import AxisMotion
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Callable


def harness_with_ann_driving(pan: float = 1.0, tilt: float = 0.5) -> ModelHarness:
    harness = ModelHarness()
    harness.come_or_go("ann")
    for axis in AXES:
        harness.link(axis)
    harness.lease("ann", LeaseVerb.ACQUIRE)
    harness.press("ann", pan, tilt)
    return harness


def test_it_really_moves() -> None:
    harness = harness_with_ann_driving()
    harness.wait(0.3)
    assert harness.units[Axis.TILT].told == 0.5
    assert harness.pan.deg > 1


def test_limits_are_met_in_a_second() -> None:
    harness = harness_with_ann_driving()
    harness.hold_on("ann", 1.5, late_s=0.0)
    assert harness.met["limit: +1"] > 0
    assert LIMIT_DEG - 0.5 < harness.pan.deg <= LIMIT_DEG


def test_the_longest_hold_is_met_in_two() -> None:
    harness = harness_with_ann_driving()
    harness.hold_on("ann", OPTIONS.hold_ceiling_s + 0.1, late_s=0.01)
    assert harness.met["cut: hold_too_long"] == 1


def test_a_unit_turns_on_out_of_reach_and_where_it_went_is_known() -> None:
    harness = harness_with_ann_driving()
    harness.wait(0.3)
    harness.link(Axis.PAN)
    harness.wait(2.0)
    assert harness.pan.deg > LIMIT_DEG
    harness.link(Axis.PAN)
    assert harness.met["turned out of reach for seconds"] == 1
    assert not harness.pan.is_lost


def test_a_unit_that_turned_for_long_out_of_reach_is_nowhere_until_all_begins_anew() -> None:
    harness = harness_with_ann_driving()
    harness.link(Axis.PAN)
    harness.wait(6.0)
    harness.link(Axis.PAN)
    was_lost = harness.pan.is_lost
    harness.begin_anew()
    assert (was_lost, harness.pan.is_lost, harness.pan.deg) == (True, False, 0.0)


def test_a_write_that_hangs_leaves_the_unit_as_it_was_or_not() -> None:
    for is_taken in (False, True):
        harness = harness_with_ann_driving()
        harness.wait(0.3)
        harness.hang(Axis.TILT, is_taken=is_taken)
        harness.release("ann")
        assert (harness.units[Axis.TILT].turning == 0) is is_taken


def test_a_deaf_unit_takes_nothing() -> None:
    harness = harness_with_ann_driving()
    harness.wait(0.3)
    harness.go_deaf(Axis.TILT)
    harness.stop("bob")
    assert harness.units[Axis.TILT].turning == 0.5


def released(harness: ModelHarness) -> None:
    harness.model.press = None


def cut(harness: ModelHarness) -> None:
    assert harness.model.press is not None
    del harness.model.press.wishes[Axis.PAN]


def the_other_way(harness: ModelHarness) -> None:
    harness.units[Axis.PAN].told = -1.0


def faster(harness: ModelHarness) -> None:
    harness.units[Axis.TILT].told = 0.9


def at_rest(harness: ModelHarness) -> None:
    harness.units[Axis.TILT].told = 0.0


def driven_by_bob(harness: ModelHarness) -> None:
    harness.model.lease.driver = "bob"


def further(harness: ModelHarness) -> None:
    harness.pan.deg += 1


def beyond(harness: ModelHarness) -> None:
    harness.pan.is_exact = False
    harness.pan.deg = LIMIT_DEG + 0.1


def stopping_once(harness: ModelHarness) -> None:
    harness.units[Axis.TILT].stops_since, harness.units[Axis.TILT].stops = harness.now - 1, 1


def told_of_a_loss(harness: ModelHarness) -> None:
    harness.model.lost_it = {"bob"}


@pytest.mark.parametrize(
    "broken",
    [released, cut, the_other_way, faster, at_rest, driven_by_bob, further, beyond, stopping_once, told_of_a_loss],
)
def test_it_notices_a_core_that_is_not_what_it_must_be(broken: Callable[[ModelHarness], None]) -> None:
    harness = harness_with_ann_driving()
    harness.wait(0.3)
    broken(harness)
    with pytest.raises(AssertionError):
        harness.ping("room", 0.0)


def test_it_notices_a_press_that_nobody_ends() -> None:
    harness = harness_with_ann_driving(pan=0.0, tilt=0.1)
    harness.wait(0.3)
    assert harness.model.press is not None
    harness.model.press.expires_at -= 0.7
    with pytest.raises(AssertionError, match="over"):
        harness.wait(0.1)


class Sleepless(AxisMotion):
    """An axis to which something is always due."""

    def deadline(self) -> float | None:
        return 0.0


def test_it_notices_a_core_that_never_sleeps() -> None:
    harness = ModelHarness()
    harness.core.__dict__["_axes"][Axis.PAN].__class__ = Sleepless
    with pytest.raises(AssertionError, match="sleeps"):
        harness.wait(1)
