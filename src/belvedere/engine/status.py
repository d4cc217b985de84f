"""What the engine tells on the bus: the head's state, who drives, what was written, what was cut."""

from __future__ import annotations

import msgspec

from belvedere.control.core import LeaseStatus
from belvedere.control.effects import NoticeCode
from belvedere.errors import LinkReason
from belvedere.head.axes import Axis
from belvedere.link.supervisor import LinkPhase


class AxisState(msgspec.Struct, frozen=True):
    """One axis: its link's phase and the reason for it, what it was told, where it stands, and the learned pace.

    `written` is what the radio took last: the unit turns so until it takes something else, in reach or not.
    `is_position_sure` is false once it turned out of reach for long, or may have taken what nobody heard of again.
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
        """Whether the unit was told to stop, and nothing else since."""
        return self.velocity == 0 and self.written == 0


class EngineStatus(msgspec.Struct, frozen=True):
    """Everything about the head at one instant."""

    pan: AxisState
    tilt: AxisState
    lease: LeaseStatus


class Acknowledged(msgspec.Struct, frozen=True):
    """The newest setpoint of a session that was handed to the radio on this axis, and when (engine's clock)."""

    axis: Axis
    seq: int
    sent_at_s: float
    written_s: float


class NoticeEvent(msgspec.Struct, frozen=True):
    """A hold was cut; no axis means both."""

    code: NoticeCode
    axis: Axis | None
    hold: int
