"""Where an axis stands, dead-reckoned from what was written to its unit."""

from __future__ import annotations


class Odometer:
    """Adds up written velocities over time.

    A unit keeps turning until it takes another command, whether its link lives or not, so the last written velocity
    counts until the next write. The position is in degrees of view, and None where the full speed is not known.
    """

    def __init__(self, full_speed_deg_per_s: float | None, position_deg: float = 0.0) -> None:
        self.full_speed_deg_per_s = full_speed_deg_per_s
        self.velocity = 0.0
        self._position_deg = position_deg
        self._since = 0.0

    def receive_written(self, now: float, velocity: float) -> None:
        """The unit was told to turn at this share of full speed from now on."""
        self._position_deg = self.position_deg(now) or 0.0
        self._since = now
        self.velocity = velocity

    def receive_clock_jump(self, now: float) -> None:
        """The clock went backwards: count on from here."""
        self._since = min(self._since, now)

    def receive_limits(self, now: float, min_deg: float | None, max_deg: float | None) -> None:
        """Put a position that was reckoned beyond the limits, while the unit was out of reach, back to the limit."""
        position = self.position_deg(now)
        if position is None:
            return
        if max_deg is not None:
            position = min(position, max_deg)
        if min_deg is not None:
            position = max(position, min_deg)
        self._position_deg, self._since = position, now

    def position_deg(self, now: float) -> float | None:
        """Where the axis stands at `now`."""
        if self.full_speed_deg_per_s is None:
            return None
        elapsed_s = max(0.0, now - self._since) if self.velocity else 0.0
        return self._position_deg + self.velocity * self.full_speed_deg_per_s * elapsed_s
