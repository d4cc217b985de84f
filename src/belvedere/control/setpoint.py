"""What a visitor's hand asks for at one instant."""

from __future__ import annotations

import math

import msgspec

from belvedere.head.axes import Axis


class Setpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The wanted velocity of both axes.

    Attributes:
        epoch: the lease under which it was sent.
        hold: the press that it belongs to; rises with every press.
        seq: rises with every message of the epoch.
        pan, tilt: shares of full speed in [-1, 1].
        sent_at_s: the client's own clock when the hand was read.
        heard_s: a time of our clock that the client had been told before it sent this; the newest tells most.
        for_s: how long it may live, where that is less than the dead-man time.
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
        """Whether the numbers are such as can be carried out; NaN and what is out of range are not."""
        are_times = math.isfinite(self.sent_at_s) and math.isfinite(self.heard_s) and self.for_s > 0
        return -1 <= self.pan <= 1 and -1 <= self.tilt <= 1 and are_times

    def slowed(self, most: float) -> Setpoint:
        """The same, no faster than this share of full speed on either axis, and in the same direction."""
        fastest = max(abs(self.pan), abs(self.tilt))
        if fastest <= most:
            return self
        return msgspec.structs.replace(self, pan=self.pan * most / fastest, tilt=self.tilt * most / fastest)

    def velocity(self, axis: Axis) -> float:
        """The wanted velocity of one axis."""
        return self.pan if axis is Axis.PAN else self.tilt


class Stamp(msgspec.Struct, frozen=True):
    """Whose setpoint a write carries, so that its true latency can be told back."""

    session: str
    seq: int
    sent_at_s: float
