"""The core's outputs: velocities to write, notices and answers to send."""

from __future__ import annotations

import enum

import msgspec

from belvedere.control.handover import QuestionEnd
from belvedere.control.setpoint import Stamp
from belvedere.head.axes import Axis


class Write(msgspec.Struct, frozen=True):
    """Write `velocity` (share of full speed; 0 is a stop) to this axis, replacing any command that is still pending."""

    axis: Axis
    velocity: float
    stamp: Stamp | None = None


class NoticeCode(enum.StrEnum):
    """Why a hold was cut, as the protocol says it; the diagram in `core.py` says what causes which."""

    HOLD_EXPIRED = "hold_expired"  # no setpoint arrived for the dead-man time
    HOLD_TOO_LONG = "hold_too_long"  # the head moved for the longest time that is allowed without a rest
    LINK_LOST = "link_lost"  # the connection to the axis's unit was lost
    LEASE_LOST = "lease_lost"  # another session took the lease, or it went stale
    STOPPED = "stopped"  # a session sent stop
    CLOCK_JUMPED = "clock_jumped"  # the server's clock jumped
    CLOSING = "closing"  # the server is shutting down


class Notify(msgspec.Struct, frozen=True):
    """Notify a session that its hold was cut, and why; `axis` is None for both."""

    session: str
    code: NoticeCode
    axis: Axis | None
    hold: int


class QuestionEnded(msgspec.Struct, frozen=True):
    """Tell a session what became of its question whether it may drive."""

    session: str
    end: QuestionEnd


Effect = Write | Notify | QuestionEnded
