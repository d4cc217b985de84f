"""The motion of one axis: turns the target velocity of a hold into the writes to its unit. Independent of other axes.

    receive_target --> target --> slew (acceleration) --> limit_approach (soft limit) --> commanded --> Write
                         ^
    receive_cut ---------+ 0

The target is what the driver wants; `commanded` is the newest write. They differ while the speed increases
and near a soft limit. A target of 0 skips the shaping: the stop is written at the next `tick`, and repeated
`STOP_WRITES` times, since a write without response may be lost unnoticed.
"""

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
UNSEEN_S = 2 * TICK_S  # the longest time that one step of acceleration may cover, so that a late tick is not a jump


class AxisSetup(msgspec.Struct, frozen=True, kw_only=True):
    """One axis's calibration, soft limits, and position at the start."""

    full_speed_deg_per_s: float | None = None
    limits: AxisLimits = AxisLimits()
    position_deg: float = 0.0
    is_position_sure: bool = True


class AxisMotion:
    """The motion of one axis.

    Attributes:
        commanded: the velocity of the newest write, a share of full speed.
        is_ready: whether the link to its unit is up.
        ended_hold: the highest hold number that may not move this axis any more. It is kept for each axis, because a
            lost unit ends a hold for its own axis only.
        odometer: the axis's dead-reckoned position.
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
        self._stops_left = STOP_WRITES  # a unit may still be turning from before the start: the first write is a stop
        self._next_stop_at = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether the current hold asks this axis to move."""
        return self._target != 0

    def receive_target(self, velocity: float, hold: int, stamp: Stamp) -> None:
        """A hold asks for this velocity; ignored if it has ended for this axis, or if the unit is out of reach."""
        if hold <= self.ended_hold:
            return
        if not self.is_ready:
            # A hold that began while the unit was out of reach has ended for this axis. Otherwise the unit would begin
            # to move at the moment it reconnects, which its driver cannot foresee.
            self.receive_cut(hold)
            return
        self._target, self._stamp = velocity, stamp

    def receive_cut(self, hold: int, stamp: Stamp | None = None) -> bool:
        """End this hold, and any before it, for this axis. Returns whether the axis was asked to move."""
        was_wanted = self.is_wanted
        self.ended_hold = max(self.ended_hold, hold)
        self._target, self._stamp = 0.0, stamp
        return was_wanted

    def receive_stop(self, now: float) -> None:
        """Stop was requested explicitly: write the stop again, even to a unit that is believed to be at rest.

        The belief may be wrong, and a visitor who presses stop may have seen the head move. A moving axis is stopped
        by `receive_cut`.
        """
        if self.commanded == 0:
            self._stops_left, self._next_stop_at = STOP_WRITES, now

    def receive_ready(self, now: float, *, is_ready: bool) -> None:
        """The link to the unit came up or went down."""
        if not is_ready:
            self.odometer.receive_lost(now)
        elif not self.is_ready:
            self.odometer.receive_found(now, self._limits.min_deg, self._limits.max_deg)
        self.is_ready = is_ready

    def receive_clock_jump(self, before: float, now: float) -> None:
        """The clock went backwards from `before` to `now`: bring times that would now lie in the future forward."""
        self.odometer.receive_clock_jump(before, now)
        self._shaped_at = min(self._shaped_at, now)
        self._next_stop_at = min(self._next_stop_at, now)

    def limit(self, now: float) -> int:
        """The soft limit that the axis has reached, so that it is not driven further that way: -1, 0 for none, or 1."""
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
        """The write that is due at `now`, or None."""
        velocity = self._next_velocity(now)
        if velocity == 0:
            return self._stop(now)
        self._shaped_at = now
        # An unchanged velocity is written again if a setpoint asked for it: its sender waits for the acknowledgement,
        # and a write that fails is how a dead link shows.
        if velocity == self.commanded and self._stamp is None:
            return None
        self.commanded = velocity
        return self._write(velocity)

    def deadline(self) -> float | None:
        """When `tick` is due next if no event comes before; None if nothing is due."""
        if self.commanded == 0:
            return self._next_stop_at if self._stops_left else None
        if not self.is_wanted:
            return self._shaped_at  # in the past: the hold has ended, and its stop is due at once
        is_growing = self.commanded != self._target
        return self._shaped_at + TICK_S if is_growing or self._limits.is_limited else None

    def _next_velocity(self, now: float) -> float:
        if not self.is_wanted:
            return 0.0
        # While the speed is constant nothing ticks, so `_shaped_at` may be long ago when the target changes.
        elapsed_s = min(now - self._shaped_at, UNSEEN_S) if self.commanded != 0 else 0.0
        wanted = slew(self.commanded, self._target, elapsed_s, self._acceleration_per_s)
        return limit_approach(wanted, self._distance_to_limit_deg(now, wanted), self.odometer.full_speed_deg_per_s)

    def _distance_to_limit_deg(self, now: float, velocity: float) -> float:
        # From the position nearest to the limit that the axis may have, not from the most likely one.
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
