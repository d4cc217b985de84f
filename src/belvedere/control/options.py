"""The owner's options for driving, each with its bounds and the reason for its default."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec

from belvedere.head.axes import Axis

Degrees = Annotated[float, msgspec.Meta(ge=-36000, le=36000)]


class AxisLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Soft limits of one axis's travel, in degrees from its position at first use.

    Attributes:
        min_deg: the lowest position; without it there is no limit on that side.
        max_deg: the highest position; likewise.
    """

    min_deg: Degrees | None = None
    max_deg: Degrees | None = None

    def __post_init__(self) -> None:
        if self.min_deg is not None and self.max_deg is not None and self.min_deg >= self.max_deg:
            raise ValueError("min_deg must be below max_deg")

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit on either side."""
        return self.min_deg is not None or self.max_deg is not None

    @property
    def max_uncertainty_deg(self) -> float:
        """The part of the position's uncertainty that counts against a limit.

        A quarter of the travel on either side, so that at least half of it can always be driven, however uncertain the
        position is: a head that refuses to move cannot be brought back by its driver.
        """
        return math.inf if self.min_deg is None or self.max_deg is None else (self.max_deg - self.min_deg) / 4

    def contains(self, deg: float) -> bool:
        """Whether this position is within them."""
        lowest = -math.inf if self.min_deg is None else self.min_deg
        return lowest <= deg <= (math.inf if self.max_deg is None else self.max_deg)


class ParkPosition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the head turns when the room closes the curtain, in degrees from its position at first use.

    Attributes:
        pan_deg: of the pan axis; without it that axis stays where it is.
        tilt_deg: of the tilt axis; likewise.
    """

    pan_deg: Degrees | None = None
    tilt_deg: Degrees | None = None

    def __post_init__(self) -> None:
        if self.pan_deg is None and self.tilt_deg is None:
            raise ValueError("pan_deg or tilt_deg must be given")

    def by_axis(self) -> dict[Axis, float]:
        """The axes that have a position."""
        positions = {Axis.PAN: self.pan_deg, Axis.TILT: self.tilt_deg}
        return {axis: deg for axis, deg in positions.items() if deg is not None}


class ControlOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The times and rates of the fail-safe rules.

    Attributes:
        dead_man_s: the head stops this long after the last setpoint. Others chose 0.5 s (ROS) to 1 s (Nav2).
        resend_s: how often a page re-sends a held setpoint; ten of them fit in the dead-man time.
        max_age_s: a setpoint that may be older than this (see `age.py`) is refused, because a release would arrive as
            late. From half of it on, the top speed falls.
        hold_ceiling_s: the head is never moved longer than this without a rest of the dead-man time.
        lease_stale_s: a driver that sent nothing for this long loses the lease.
        lease_grace_s: for this long after its connection broke, a driver may resume the lease.
        lease_idle_s: a driver that has not moved the head for this long may be replaced by anybody without being asked.
            It counts from the grant, so nobody loses a lease of less than ten seconds in this way.
        acceleration_per_s: how fast a speed may increase, in shares of full speed a second; slowing is never delayed.
        pan, tilt: soft limits of travel.
    """

    dead_man_s: Annotated[float, msgspec.Meta(ge=0.2, le=1.0)] = 0.5
    resend_s: Annotated[float, msgspec.Meta(ge=0.02, le=0.1)] = 0.05
    max_age_s: Annotated[float, msgspec.Meta(ge=0.3, le=2.0)] = 1.0
    hold_ceiling_s: Annotated[float, msgspec.Meta(ge=1, le=300)] = 30.0
    lease_stale_s: Annotated[float, msgspec.Meta(ge=2, le=60)] = 5.0
    lease_grace_s: Annotated[float, msgspec.Meta(ge=0, le=120)] = 10.0
    lease_idle_s: Annotated[float, msgspec.Meta(ge=10, le=3600)] = 60.0
    acceleration_per_s: Annotated[float, msgspec.Meta(ge=0.5, le=100)] = 4.0
    pan: AxisLimits = AxisLimits()
    tilt: AxisLimits = AxisLimits()


TICK_S = 0.025  # while a speed increases or a limit is near; a unit takes 20-33 writes a second, so more are useless
STOP_WRITES = 3  # a write without response is not acknowledged, so a stop is written three times
STOP_REPEAT_S = 0.05  # about one connection interval of Linux's default apart
FIRST_STEP = 0.1  # share of full speed that a press reaches at once, so that its first write is already a motion
