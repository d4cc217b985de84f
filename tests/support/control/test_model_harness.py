"""The harness's invariants are not vacuous: the head moves, and each invariant can fail."""

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
    harness.open_or_close("ann")
    for axis in AXES:
        harness.link(axis)
    harness.lease("ann", LeaseVerb.ACQUIRE)
    harness.press("ann", pan, tilt)
    return harness


def test_the_head_really_moves() -> None:
    harness = harness_with_ann_driving()
    harness.wait(0.3)
    assert harness.units[Axis.TILT].commanded == 0.5
    assert harness.pan.deg > 1


def test_a_limit_is_reached_within_a_second() -> None:
    harness = harness_with_ann_driving()
    harness.keep_holding("ann", 1.5, late_s=0.0)
    assert harness.met["limit: +1"] > 0
    assert LIMIT_DEG - 0.5 < harness.pan.deg <= LIMIT_DEG


def test_the_longest_hold_is_reached_within_two_seconds() -> None:
    harness = harness_with_ann_driving()
    harness.keep_holding("ann", OPTIONS.hold_ceiling_s + 0.1, late_s=0.01)
    assert harness.met["cut: hold_too_long"] == 1


def test_a_unit_goes_on_turning_out_of_reach_and_its_position_is_known() -> None:
    harness = harness_with_ann_driving()
    harness.wait(0.3)
    harness.link(Axis.PAN)
    harness.wait(2.0)
    assert harness.pan.deg > LIMIT_DEG
    harness.link(Axis.PAN)
    assert harness.met["turned out of reach for seconds"] == 1
    assert not harness.pan.is_lost


def test_the_position_of_a_unit_that_turned_out_of_reach_for_long_is_unknown_until_a_restart() -> None:
    harness = harness_with_ann_driving()
    harness.link(Axis.PAN)
    harness.wait(6.0)
    harness.link(Axis.PAN)
    was_lost = harness.pan.is_lost
    harness.restart()
    assert (was_lost, harness.pan.is_lost, harness.pan.deg) == (True, False, 0.0)


def test_a_write_that_hangs_may_or_may_not_be_executed() -> None:
    for is_executed in (False, True):
        harness = harness_with_ann_driving()
        harness.wait(0.3)
        harness.hang(Axis.TILT, is_executed=is_executed)
        harness.release("ann")
        assert (harness.units[Axis.TILT].turning == 0) is is_executed


def test_a_unit_with_a_dead_link_executes_nothing() -> None:
    harness = harness_with_ann_driving()
    harness.wait(0.3)
    harness.lose_link_silently(Axis.TILT)
    harness.stop("bob")
    assert harness.units[Axis.TILT].turning == 0.5


def released(harness: ModelHarness) -> None:
    harness.model.press = None


def cut(harness: ModelHarness) -> None:
    assert harness.model.press is not None
    del harness.model.press.targets[Axis.PAN]


def the_other_way(harness: ModelHarness) -> None:
    harness.units[Axis.PAN].commanded = -1.0


def faster(harness: ModelHarness) -> None:
    harness.units[Axis.TILT].commanded = 0.9


def at_rest(harness: ModelHarness) -> None:
    harness.units[Axis.TILT].commanded = 0.0


def driven_by_bob(harness: ModelHarness) -> None:
    harness.model.lease.driver = "bob"


def further(harness: ModelHarness) -> None:
    harness.pan.deg += 1


def beyond(harness: ModelHarness) -> None:
    harness.pan.is_exact = False
    harness.pan.deg = LIMIT_DEG + 0.1


def stopping_once(harness: ModelHarness) -> None:
    harness.units[Axis.TILT].stops_since, harness.units[Axis.TILT].stops = harness.now - 1, 1


def notified_of_a_loss(harness: ModelHarness) -> None:
    harness.model.to_notify = {"bob"}


@pytest.mark.parametrize(
    "broken",
    [released, cut, the_other_way, faster, at_rest, driven_by_bob, further, beyond, stopping_once, notified_of_a_loss],
)
def test_the_harness_detects_a_core_in_a_wrong_state(broken: Callable[[ModelHarness], None]) -> None:
    harness = harness_with_ann_driving()
    harness.wait(0.3)
    broken(harness)
    with pytest.raises(AssertionError):
        harness.ping("room", 0.0)


def test_the_harness_detects_a_press_that_does_not_end() -> None:
    harness = harness_with_ann_driving(pan=0.0, tilt=0.1)
    harness.wait(0.3)
    assert harness.model.press is not None
    harness.model.press.expires_at -= 0.7
    with pytest.raises(AssertionError, match="after the end of its press"):
        harness.wait(0.1)


class AlwaysDue(AxisMotion):
    """An axis whose deadline is always due."""

    def deadline(self) -> float | None:
        return 0.0


def test_the_harness_detects_a_core_that_never_sleeps() -> None:
    harness = ModelHarness()
    harness.core.__dict__["_axes"][Axis.PAN].__class__ = AlwaysDue
    with pytest.raises(AssertionError, match="sleeps"):
        harness.wait(1)
