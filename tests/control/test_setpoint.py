import math

import msgspec
import pytest

from belvedere.control.setpoint import Setpoint
from belvedere.head.axes import Axis


def test_each_axis_has_its_own_velocity() -> None:
    setpoint = Setpoint(epoch=1, hold=1, seq=1, pan=0.25, tilt=-0.5, sent_at_s=0, heard_s=0)
    assert [setpoint.velocity(axis) for axis in (Axis.PAN, Axis.TILT)] == [0.25, -0.5]
    assert setpoint.is_possible


def test_a_setpoint_is_slowed_on_both_axes_alike_and_only_where_it_is_faster() -> None:
    setpoint = Setpoint(epoch=1, hold=1, seq=1, pan=0.4, tilt=-0.8, sent_at_s=0, heard_s=0)
    slowed = setpoint.slowed(0.5)
    assert (slowed.pan, slowed.tilt) == (0.25, -0.5)
    assert setpoint.slowed(0.8) is setpoint


def test_what_is_not_a_number_is_not_possible() -> None:
    assert not Setpoint(epoch=1, hold=1, seq=1, pan=0, tilt=0, sent_at_s=0, heard_s=float("inf")).is_possible
    assert not Setpoint(epoch=1, hold=1, seq=1, pan=float("nan"), tilt=0, sent_at_s=0, heard_s=0).is_possible


@pytest.mark.parametrize(
    ("change", "is_possible"),
    [
        *[({axis: velocity}, True) for axis in ("pan", "tilt") for velocity in (-1.0, 1.0)],
        *[({axis: velocity}, False) for axis in ("pan", "tilt") for velocity in (-1.001, 1.001, math.nan)],
        *[({"sent_at_s": nonsense}, False) for nonsense in (math.inf, -math.inf, math.nan)],
        *[({"for_s": for_s}, for_s > 0) for for_s in (-1.0, 0.0, 0.001, math.inf)],
    ],
)
def test_speeds_up_to_full_speed_and_times_that_are_some_are_possible(
    change: dict[str, float], *, is_possible: bool
) -> None:
    setpoint = Setpoint(epoch=1, hold=1, seq=1, pan=0, tilt=0, sent_at_s=0, heard_s=0)
    assert msgspec.structs.replace(setpoint, **change).is_possible is is_possible
