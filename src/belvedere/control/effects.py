"""What the core wants done: frames to write, and words to tell."""

from __future__ import annotations

import enum

import msgspec

from belvedere.control.setpoint import Stamp
from belvedere.head.axes import Axis


class Write(msgspec.Struct, frozen=True):
    """Make this axis turn at `velocity` (share of full speed; 0 is a stop), replacing whatever waits for it."""

    axis: Axis
    velocity: float
    stamp: Stamp | None = None


class NoticeCode(enum.StrEnum):
    """Why a hold was cut."""

    HOLD_EXPIRED = "hold_expired"
    HOLD_TOO_LONG = "hold_too_long"
    LINK_LOST = "link_lost"
    LEASE_LOST = "lease_lost"
    STOPPED = "stopped"
    CLOCK_JUMPED = "clock_jumped"
    CLOSING = "closing"


class Notify(msgspec.Struct, frozen=True):
    """Tell a session what happened to its hold; no axis means both."""

    session: str
    code: NoticeCode
    axis: Axis | None
    hold: int


Effect = Write | Notify
