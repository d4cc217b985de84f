"""The values that the engine publishes on the bus: the head's state, the lease, completed writes, cut holds."""

from __future__ import annotations

import msgspec

from belvedere.control.effects import NoticeCode
from belvedere.control.lease import LeaseStatus
from belvedere.errors import LinkReason
from belvedere.head.axes import Axis
from belvedere.link.supervisor import LinkPhase


class AxisState(msgspec.Struct, frozen=True):
    """The state of one axis.

    Attributes:
        phase: the phase of the link to its unit.
        reason: why the link is in that phase, if there is a reason.
        velocity: the newest commanded velocity, a share of full speed.
        position_deg: the dead-reckoned position; None without a calibrated full speed.
        limit: the soft limit that the axis has reached: -1, 0 for none, or 1.
        interval_s: the measured connection interval; None before it is known.
        written: the velocity of the last completed write: the unit keeps turning at it until it takes another command.
        is_position_sure: false if the unit may have turned without being counted.
    """

    phase: LinkPhase
    reason: LinkReason | None
    velocity: float
    position_deg: float | None
    limit: int
    interval_s: float | None
    written: float = 0.0
    is_position_sure: bool = True

    @property
    def is_at_rest(self) -> bool:
        """Whether a stop is the newest command, and its write completed."""
        return self.velocity == 0 and self.written == 0


class EngineStatus(msgspec.Struct, frozen=True):
    """The state of the whole head at one instant."""

    pan: AxisState
    tilt: AxisState
    lease: LeaseStatus


class Acknowledged(msgspec.Struct, frozen=True):
    """The newest setpoint of a session whose write completed on this axis, and when (on the engine's clock)."""

    axis: Axis
    seq: int
    sent_at_s: float
    written_s: float


class NoticeEvent(msgspec.Struct, frozen=True):
    """A hold was cut; `axis` is None for both."""

    code: NoticeCode
    axis: Axis | None
    hold: int
