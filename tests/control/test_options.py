import math

import msgspec
import pytest

from belvedere.control.options import AxisLimits, ControlOptions, ParkPosition
from belvedere.head.axes import Axis


@pytest.mark.parametrize("key", ["dead_man_s", "max_age_s", "hold_ceiling_s", "lease_stale_s", "acceleration_per_s"])
def test_a_time_out_of_its_bounds_is_refused(key: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=key):
        msgspec.convert({key: 1e9}, ControlOptions)


def test_several_setpoints_fit_into_the_shortest_dead_man_time() -> None:
    assert ControlOptions().resend_s * 4 <= 0.2


def test_limits_must_be_in_order() -> None:
    with pytest.raises(ValueError, match="below"):
        AxisLimits(min_deg=10, max_deg=-10)


def test_an_axis_is_limited_by_either_end() -> None:
    assert AxisLimits(min_deg=1).is_limited
    assert not AxisLimits().is_limited


def test_an_uncertain_position_leaves_half_of_the_travel() -> None:
    assert AxisLimits(min_deg=-10, max_deg=30).max_uncertainty_deg == 10
    assert AxisLimits(max_deg=30).max_uncertainty_deg == math.inf


def test_limits_without_travel_between_them_are_refused() -> None:
    with pytest.raises(ValueError, match="min_deg must be below max_deg"):
        AxisLimits(min_deg=5, max_deg=5)
    assert AxisLimits(min_deg=5, max_deg=5.1).is_limited


def test_limits_contain_what_is_between_them_and_themselves() -> None:
    limits = AxisLimits(min_deg=-5, max_deg=5)
    assert [limits.contains(deg) for deg in (-5.1, -5, 0, 5, 5.1)] == [False, True, True, True, False]
    assert AxisLimits().contains(1e9)


def test_a_parking_position_names_an_axis_at_least() -> None:
    with pytest.raises(ValueError, match="must be given"):
        ParkPosition()
    assert ParkPosition(pan_deg=0).by_axis() == {Axis.PAN: 0}
    assert ParkPosition(tilt_deg=-9, pan_deg=1).by_axis() == {Axis.PAN: 1, Axis.TILT: -9}
