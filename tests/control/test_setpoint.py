"""Which setpoints are possible, and how one is slowed down, for any numbers that a client may send."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from belvedere.control.setpoint import Setpoint
from belvedere.head.axes import AXES, Axis

NO_NUMBERS = (math.nan, math.inf, -math.inf)
SHARES = st.floats(-1, 1)
TOO_FAST = math.nextafter(1, 2)


def a_setpoint(pan: float = 0.25, tilt: float = -0.5, **changes: float) -> Setpoint:
    setpoint = Setpoint(epoch=3, hold=5, seq=7, pan=pan, tilt=tilt, sent_at_s=11.0, heard_s=13.0)
    return msgspec.structs.replace(setpoint, **changes)


def test_each_axis_has_its_own_velocity() -> None:
    assert [a_setpoint().velocity(axis) for axis in (Axis.PAN, Axis.TILT)] == [0.25, -0.5]


def test_a_setpoint_without_a_duration_is_bounded_by_the_dead_man_time_only() -> None:
    assert a_setpoint().for_s == math.inf


@pytest.mark.parametrize("field", ["pan", "tilt", "hold"])
def test_a_setpoint_is_immutable(field: str) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        setattr(a_setpoint(), field, 1)


@example(1.0, 1.0, 0.0, 0.001)
@example(-1.0, -1.0, 0.0, 0.001)
@given(SHARES, SHARES, st.floats(allow_nan=False, allow_infinity=False), st.floats(0, exclude_min=True))
def test_any_velocity_up_to_full_speed_and_any_finite_time_are_possible(
    pan: float, tilt: float, time_s: float, for_s: float
) -> None:
    assert a_setpoint(pan, tilt, sent_at_s=time_s, heard_s=-time_s, for_s=for_s).is_possible


@example(Axis.PAN, TOO_FAST, 1)
@example(Axis.PAN, TOO_FAST, -1)
@example(Axis.TILT, TOO_FAST, 1)
@example(Axis.TILT, TOO_FAST, -1)
@given(st.sampled_from(AXES), st.floats(TOO_FAST), st.sampled_from((1, -1)))
def test_faster_than_full_speed_is_not_possible_on_either_axis(axis: Axis, speed: float, sign: int) -> None:
    assert not a_setpoint(**{axis: sign * speed}).is_possible


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("pan", NO_NUMBERS),
        ("tilt", NO_NUMBERS),
        ("sent_at_s", NO_NUMBERS),
        ("heard_s", NO_NUMBERS),
        ("for_s", (math.nan, -math.inf, -1.0, -0.0, 0.0)),
    ],
)
def test_what_is_no_number_or_no_duration_is_not_possible(field: str, values: tuple[float, ...]) -> None:
    assert [value for value in values if a_setpoint(**{field: value}).is_possible] == []


@given(SHARES, SHARES, st.floats(0.01, 1))
def test_a_slowed_setpoint_keeps_its_direction_and_never_gets_faster(pan: float, tilt: float, most: float) -> None:
    setpoint = a_setpoint(pan, tilt)
    slowed = setpoint.slowed(most)
    fastest = max(abs(pan), abs(tilt))
    assert max(abs(slowed.pan), abs(slowed.tilt)) == pytest.approx(min(fastest, most))
    assert slowed.pan * tilt == pytest.approx(slowed.tilt * pan)  # on the same line
    assert (slowed.pan * pan, slowed.tilt * tilt) >= (0, 0)  # and not in the opposite direction
    assert slowed.is_possible


@given(SHARES, SHARES, st.floats(0.01, 1))
def test_slowing_a_setpoint_changes_its_velocities_only(pan: float, tilt: float, most: float) -> None:
    setpoint = a_setpoint(pan, tilt, for_s=0.2)
    slowed = setpoint.slowed(most)
    assert msgspec.structs.replace(slowed, pan=pan, tilt=tilt) == setpoint


def test_a_setpoint_that_is_slow_enough_stays_as_it_is() -> None:
    setpoint = a_setpoint(0.4, -0.8)
    assert setpoint.slowed(0.8) is setpoint
