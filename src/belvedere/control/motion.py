"""One axis: what is wanted of it, what it was last told, and what to tell it next. Knows nothing of the other axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from belvedere.control.effects import Write
from belvedere.control.odometry import Odometer
from belvedere.control.options import STOP_REPEAT_S, STOP_WRITES, TICK_S, AxisLimits
from belvedere.control.shaping import distance_to_limit_deg, limit_approach, slew

if TYPE_CHECKING:
    from belvedere.control.setpoint import Stamp
    from belvedere.head.axes import Axis

NO_HOLD = -1
UNSEEN_S = 2 * TICK_S  # a speed grows only for so long at a time, however quiet it was before


class AxisSetup(msgspec.Struct, frozen=True, kw_only=True):
    """What the core must know of one axis: its calibration, its limits, and where it stands."""

    full_speed_deg_per_s: float | None = None
    limits: AxisLimits = AxisLimits()
    position_deg: float = 0.0
    is_position_sure: bool = True


class AxisMotion:
    """The motion of one axis.

    Attributes:
        commanded: the velocity of the newest effect.
        is_ready: whether its unit can be reached.
        ended_hold: the newest hold that may not move this axis any more.
        odometer: where the axis stands.
    """

    def __init__(self, axis: Axis, setup: AxisSetup, acceleration_per_s: float) -> None:
        self.axis = axis
        self.odometer = Odometer(
            setup.full_speed_deg_per_s, setup.position_deg, is_position_sure=setup.is_position_sure
        )
        self.commanded = 0.0
        self.is_ready = False
        self.ended_hold = NO_HOLD
        self._limits = setup.limits
        self._acceleration_per_s = acceleration_per_s
        self._target = 0.0
        self._stamp: Stamp | None = None  # of what came last, while no write has carried it yet
        self._shaped_at = 0.0
        self._stops_left = STOP_WRITES  # a stop comes first on start
        self._next_stop_at = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether somebody wants this axis to turn."""
        return self._target != 0

    def receive_target(self, velocity: float, hold: int, stamp: Stamp) -> None:
        """A hold asks for this velocity; an ended hold, or a unit out of reach, moves nothing."""
        if hold <= self.ended_hold:
            return
        if not self.is_ready:
            self.receive_cut(hold)
            return
        self._target, self._stamp = velocity, stamp

    def receive_cut(self, hold: int, stamp: Stamp | None = None) -> bool:
        """This hold, and any before it, never moves the axis again; True if it was moving it."""
        was_wanted = self.is_wanted
        self.ended_hold = max(self.ended_hold, hold)
        self._target, self._stamp = 0.0, stamp
        return was_wanted

    def receive_stop(self, now: float) -> None:
        """Somebody asked for a stop in so many words: say it to the unit again, even one believed to be at rest."""
        if self.commanded == 0:
            self._stops_left, self._next_stop_at = STOP_WRITES, now

    def receive_ready(self, now: float, *, is_ready: bool) -> None:
        """The unit came into reach or went out of it."""
        if not is_ready:
            self.odometer.receive_lost(now)
        elif not self.is_ready:
            self.odometer.receive_found(now, self._limits.min_deg, self._limits.max_deg)
        self.is_ready = is_ready

    def receive_clock_jump(self, before: float, now: float) -> None:
        """The clock went backwards from `before`: nothing may wait for the old one."""
        self.odometer.receive_clock_jump(before, now)
        self._shaped_at = min(self._shaped_at, now)
        self._next_stop_at = min(self._next_stop_at, now)

    def limit(self, now: float) -> int:
        """The soft limit at which the axis stands: -1, 0 for none, or 1."""
        if not self._limits.is_limited:
            return 0
        for direction in (-1, 1):
            if (
                limit_approach(
                    direction, self._distance_to_limit_deg(now, direction), self.odometer.full_speed_deg_per_s
                )
                == 0
            ):
                return direction
        return 0

    def tick(self, now: float) -> Write | None:
        """The write that is due now, if any."""
        velocity = self._next_velocity(now)
        if velocity == 0:
            return self._stop(now)
        self._shaped_at = now
        if velocity == self.commanded and self._stamp is None:
            return None
        self.commanded = velocity
        return self._write(velocity)

    def deadline(self) -> float | None:
        """When `tick` has something to do next, if nothing else happens."""
        if self.commanded == 0:
            return self._next_stop_at if self._stops_left else None
        if not self.is_wanted:
            return self._shaped_at  # a stop is due since something ended the hold
        is_growing = self.commanded != self._target
        return self._shaped_at + TICK_S if is_growing or self._limits.is_limited else None

    def _next_velocity(self, now: float) -> float:
        if not self.is_wanted:
            return 0.0
        elapsed_s = min(now - self._shaped_at, UNSEEN_S) if self.commanded != 0 else 0.0
        wanted = slew(self.commanded, self._target, elapsed_s, self._acceleration_per_s)
        return limit_approach(wanted, self._distance_to_limit_deg(now, wanted), self.odometer.full_speed_deg_per_s)

    def _distance_to_limit_deg(self, now: float, velocity: float) -> float:
        farthest_deg = self.odometer.farthest_deg(now, velocity, self._limits.max_uncertainty_deg)
        return distance_to_limit_deg(farthest_deg, velocity, self._limits)

    def _stop(self, now: float) -> Write | None:
        if self.commanded != 0:
            self.commanded, self._stops_left, self._next_stop_at = 0.0, STOP_WRITES, now
        if not self._stops_left or now < self._next_stop_at:
            return None
        self._stops_left -= 1
        self._next_stop_at = now + STOP_REPEAT_S
        return self._write(0.0)

    def _write(self, velocity: float) -> Write:
        stamp, self._stamp = self._stamp, None
        return Write(self.axis, velocity, stamp)
