"""The motion of an axis: a motor with constant acceleration. Pure: time is an argument, and nothing ticks."""

from __future__ import annotations

import math

import msgspec

FREE = (-math.inf, math.inf)
"""The end stops of an axis without end stops."""


class _Trajectory(msgspec.Struct, frozen=True):
    """The state at the last command, from which every later angle is computed."""

    since_s: float
    angle_deg: float
    speed_deg_per_s: float
    target_deg_per_s: float


class Motor:
    """One axis; angles in degrees, positive is right or up.

    The speed changes by `acceleration_deg_per_s2` until it is the commanded one, and remains so: only a command stops
    the motor. `ends_deg` are the mechanical end stops, which the axis cannot pass.
    A reader in another thread sees the state before or after a command, never a mixture: it is one frozen object.
    """

    def __init__(
        self,
        *,
        full_speed_deg_per_s: float,
        acceleration_deg_per_s2: float,
        ends_deg: tuple[float, float] = FREE,
        angle_deg: float = 0.0,
    ) -> None:
        if not (full_speed_deg_per_s > 0 and acceleration_deg_per_s2 > 0):
            raise ValueError("a motor needs a speed and an acceleration above 0")
        if not ends_deg[0] <= angle_deg <= ends_deg[1]:
            raise ValueError("a motor starts between its end stops")
        self._full_speed = full_speed_deg_per_s
        self._acceleration = acceleration_deg_per_s2
        self._ends = ends_deg
        self._trajectory = _Trajectory(-math.inf, angle_deg, 0.0, 0.0)

    def command(self, velocity: float, now: float) -> None:
        """Set the velocity, a share of full speed in [-1, 1], from `now` (seconds) on."""
        trajectory = self._trajectory
        self._trajectory = _Trajectory(
            since_s=max(now, trajectory.since_s),
            angle_deg=self._angle(trajectory, now),
            speed_deg_per_s=self._speed(trajectory, now),
            target_deg_per_s=max(-1.0, min(1.0, velocity)) * self._full_speed,
        )

    def angle_at(self, now: float) -> float:
        """The angle in degrees; for times before the last command, the angle at that command."""
        return self._angle(self._trajectory, now)

    def speed_at(self, now: float) -> float:
        """The motor's speed in degrees per second, even if an end stop holds the axis."""
        return self._speed(self._trajectory, now)

    def _speed(self, trajectory: _Trajectory, now: float) -> float:
        change = trajectory.target_deg_per_s - trajectory.speed_deg_per_s
        gained = self._acceleration * max(0.0, now - trajectory.since_s)
        if gained >= abs(change):
            return trajectory.target_deg_per_s
        return trajectory.speed_deg_per_s + math.copysign(gained, change)

    def _angle(self, trajectory: _Trajectory, now: float) -> float:
        """Add up phases in which the axis turns one way only, and apply the end stops in each."""
        angle, speed, left = trajectory.angle_deg, trajectory.speed_deg_per_s, max(0.0, now - trajectory.since_s)
        waypoints = [0.0] if speed * trajectory.target_deg_per_s < 0 else []
        for until in [*waypoints, trajectory.target_deg_per_s]:
            if speed == until:
                continue
            takes = min(left, abs(until - speed) / self._acceleration)
            reached = speed + math.copysign(self._acceleration * takes, until - speed)
            angle = self._held(angle + (speed + reached) / 2 * takes)
            left, speed = left - takes, until
        cruised = trajectory.target_deg_per_s * left if trajectory.target_deg_per_s and left > 0 else 0.0
        return self._held(angle + cruised)

    def _held(self, angle_deg: float) -> float:
        return max(self._ends[0], min(self._ends[1], angle_deg))
