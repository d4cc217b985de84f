"""Velocity shaping: limits acceleration, and slows an axis down before a soft limit. Neither ever delays a stop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from belvedere.control.options import FIRST_STEP

if TYPE_CHECKING:
    from belvedere.control.options import AxisLimits

REACTION_S = 0.25  # from deciding a stop to standing still: two slow connection intervals, a tick, and the motor's stop
TAPER_S = 0.5  # over the last half second of travel the speed falls in proportion to the remaining distance
CREEP = 0.05  # the least share of full speed near a limit: a proportional approach alone would never reach it


def slew(current: float, target: float, elapsed_s: float, acceleration_per_s: float) -> float:
    """The velocity after `elapsed_s` of accelerating from `current` towards `target`.

    Slowing down is immediate, a reversal accelerates from rest, and the first step from rest is immediate too.
    """
    is_same_way = (current > 0) == (target > 0) and current != 0
    from_rest = abs(current) if is_same_way else 0.0
    if abs(target) <= from_rest:
        return target
    reached = max(FIRST_STEP, from_rest + acceleration_per_s * max(0.0, elapsed_s))
    return math.copysign(min(abs(target), reached), target)


def distance_to_limit_deg(position_deg: float | None, velocity: float, limits: AxisLimits) -> float:
    """How far the axis may still turn in the direction of `velocity`, negative beyond the limit.

    Infinite without a limit, without a position, or at rest; 0 for a position that is not a finite number.
    """
    if position_deg is None or velocity == 0:
        return math.inf
    limit = limits.max_deg if velocity > 0 else limits.min_deg
    if limit is None:
        return math.inf
    return (limit - position_deg) * math.copysign(1, velocity) if math.isfinite(position_deg) else 0.0


def limit_approach(velocity: float, distance_deg: float, full_speed_deg_per_s: float | None) -> float:
    """`velocity`, reduced so that the axis can still stop within `distance_deg`; 0 at the limit and beyond it.

    Returned as it is if there is no limit, or no calibrated full speed to compute with.
    """
    if full_speed_deg_per_s is None or math.isinf(distance_deg):
        return velocity
    if distance_deg <= CREEP * full_speed_deg_per_s * REACTION_S:
        return 0.0
    # The speed that would cover the distance in TAPER_S. That is twice the reaction time, so an axis at this speed uses
    # up half of the distance before it stands still; the check above keeps the same promise at the creep speed.
    max_speed = max(CREEP, distance_deg / full_speed_deg_per_s / max(TAPER_S, 2 * REACTION_S))
    return math.copysign(min(abs(velocity), max_speed), velocity)
