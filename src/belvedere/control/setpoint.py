"""The setpoint, a driver's wanted velocity at one instant, and the stamp that identifies it on its way to the radio."""

from __future__ import annotations

import math

import msgspec

from belvedere.head.axes import Axis


class Setpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The wanted velocity of both axes.

    Attributes:
        epoch: the number of the lease under which it was sent.
        hold: the number of the press that it belongs to; rises with every press.
        seq: rises with every message of the epoch.
        pan, tilt: shares of full speed in [-1, 1].
        sent_at_s: the client's own clock when the input was read.
        heard_s: the newest time of our clock that the client had received before it sent this.
        for_s: how long it is valid, if that is less than the dead-man time.
    """

    epoch: int
    hold: int
    seq: int
    pan: float
    tilt: float
    sent_at_s: float
    heard_s: float
    for_s: float = math.inf

    @property
    def is_possible(self) -> bool:
        """Whether all numbers are finite and in range; `for_s` may be infinite. False for NaN anywhere."""
        are_times = math.isfinite(self.sent_at_s) and math.isfinite(self.heard_s) and self.for_s > 0
        return -1 <= self.pan <= 1 and -1 <= self.tilt <= 1 and are_times

    def slowed(self, max_speed: float) -> Setpoint:
        """The same setpoint with both axes at most at this share of full speed, scaled alike to keep the direction."""
        fastest = max(abs(self.pan), abs(self.tilt))
        if fastest <= max_speed:
            return self
        return msgspec.structs.replace(self, pan=self.pan * max_speed / fastest, tilt=self.tilt * max_speed / fastest)

    def velocity(self, axis: Axis) -> float:
        """The wanted velocity of one axis."""
        return self.pan if axis is Axis.PAN else self.tilt


class Stamp(msgspec.Struct, frozen=True):
    """Which setpoint of which session a write carries, so that its latency can be reported to that session."""

    session: str
    seq: int
    sent_at_s: float
