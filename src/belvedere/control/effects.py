"""The core's outputs: velocities to write, and notices to send."""

from __future__ import annotations

import enum

import msgspec

from belvedere.control.setpoint import Stamp
from belvedere.head.axes import Axis


class Write(msgspec.Struct, frozen=True):
    """Write `velocity` (share of full speed; 0 is a stop) to this axis, replacing any command that is still pending."""

    axis: Axis
    velocity: float
    stamp: Stamp | None = None


class NoticeCode(enum.StrEnum):
    """Why a hold was cut; the diagram in `core.py` says what causes which."""

    HOLD_EXPIRED = "hold_expired"
    HOLD_TOO_LONG = "hold_too_long"
    LINK_LOST = "link_lost"
    LEASE_LOST = "lease_lost"
    STOPPED = "stopped"
    CLOCK_JUMPED = "clock_jumped"
    CLOSING = "closing"


class Notify(msgspec.Struct, frozen=True):
    """Notify a session that its hold was cut, and why; `axis` is None for both."""

    session: str
    code: NoticeCode
    axis: Axis | None
    hold: int


Effect = Write | Notify
