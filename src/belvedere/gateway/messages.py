"""The wire messages of `belvedere.v1`: what a page and the server say to each other, and nothing else.

One JSON object a message, told apart by `type`. Everything is checked once, here at the edge, by msgspec; the JSON
Schema in `contract/` and the page's TypeScript types are generated from these structs. Times are milliseconds: `clock`
is the client's own monotonic clock, `server` and `written` are the server's.
"""

from __future__ import annotations

import enum
from typing import Annotated, Literal

import msgspec

SUBPROTOCOL = "belvedere.v1"
MAX_MESSAGE_BYTES = 1024  # the longest client message is under 200; anything larger is not ours


class CloseCode(enum.IntEnum):
    """Why the server ends a socket, besides the codes of RFC 6455 (1009 too large, 1011 our fault, 1012 restarting).

    After NO_SESSION a page asks for a new link; after any other it opens the next socket, later each time.
    """

    BAD_MESSAGES = 4400
    NO_SESSION = 4401
    SILENT = 4408
    TOO_MUCH = 4429


LATEST_MS = 1e15  # no clock of ours goes so far; beyond it a float loses fractions of a millisecond
Clock = Annotated[float, msgspec.Meta(ge=0, le=LATEST_MS)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Speed = Annotated[float, msgspec.Meta(ge=-1, le=1)]


class ClientMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """Anything a client may say."""


class Hello(ClientMessage, frozen=True, tag="hello"):
    """The first message on a socket; nothing but `stop` is listened to before it."""

    clock: Clock


class Ping(ClientMessage, frozen=True, tag="ping"):
    """Keeps the lease and measures the way to the server and back."""

    clock: Clock


class Drive(ClientMessage, frozen=True, tag="drive"):
    """The setpoint of a held stick, re-sent at 20 Hz while it is held.

    Attributes:
        epoch: the lease's epoch, from `lease`.
        hold: a number that rises with every fresh press.
        seq: a number that rises with every message of this epoch.
        pan: share of full speed, right is positive.
        tilt: share of full speed, up is positive.
        clock: the client's clock when the visitor's hand was read.
        heard: the newest time of the server's clock that the client has heard on this socket (`server` of `welcome` or
            `pong`, `written` of `ack`). The message is younger than that, whatever the client's clock says; one that
            may be older than `max_age_ms` is refused, so whoever drives pings a few times a second.
    """

    epoch: Count
    hold: Count
    seq: Count
    pan: Speed
    tilt: Speed
    clock: Clock
    heard: Clock


class Release(ClientMessage, frozen=True, tag="release"):
    """The visitor let go of this hold; it never moves anything again."""

    epoch: Count
    hold: Count
    seq: Count
    clock: Clock


class Stop(ClientMessage, frozen=True, tag="stop"):
    """Stop everything now; anyone in the house may say it, driving or not."""


class LeaseAcquire(ClientMessage, frozen=True, tag="lease.acquire"):
    """Ask to drive, if nobody does."""


class LeaseTake(ClientMessage, frozen=True, tag="lease.take"):
    """Drive instead of whoever drives now; both are told."""


class LeaseReturn(ClientMessage, frozen=True, tag="lease.return"):
    """Stop driving and let others."""


Incoming = Hello | Ping | Drive | Release | Stop | LeaseAcquire | LeaseTake | LeaseReturn


class ServerMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Anything the server may say."""


LinkState = Literal["searching", "connecting", "settling", "ready", "waiting", "disabled", "closed"]


class AxisState(msgspec.Struct, frozen=True, kw_only=True):
    """What one axis does now.

    Attributes:
        link: the supervisor's state; `ready` alone can move.
        reason: why the link is not ready (a LinkReason), or "".
        velocity: what was last written to the unit, share of full speed.
        position_deg: dead-reckoned, or null where the profile has no calibration.
        limit: the soft limit that the axis stands at: -1, 0 (none) or 1.
        interval_ms: the learned pace of the link, or null before it is known.
    """

    link: LinkState
    reason: str
    velocity: float
    position_deg: float | None
    limit: int
    interval_ms: float | None


class StageState(msgspec.Struct, frozen=True, kw_only=True):
    """What the picture does now.

    Attributes:
        available: false once the picture broke off, until one has come again; asking for it is what brings it back.
        viewers: how many are being shown it.
    """

    available: bool
    viewers: int


class Welcome(ServerMessage, frozen=True, tag="welcome"):
    """The answer to `hello`: who you are and how this house works.

    Attributes:
        session: this socket's name in `lease` and in the logs; no secret.
        resend_ms: how often a held setpoint must be sent again.
        dead_man_ms: how old a setpoint may grow before the head stops.
        max_age_ms: a `drive` whose `heard` is older than this is refused; from half of it on, the top speed falls.
        server: the server's clock.
        clock: the client's clock from `hello`.
        head: the head's name, for people.
    """

    session: str
    resend_ms: float
    dead_man_ms: float
    max_age_ms: float
    server: float
    clock: float
    head: str


class Pong(ServerMessage, frozen=True, tag="pong"):
    """The answer to `ping`: the client's clock back, and the server's."""

    clock: float
    server: float


class Ack(ServerMessage, frozen=True, tag="ack"):
    """The newest setpoint of yours that was written to the radio on this axis.

    `written - (clock mapped to the server's clock)` is the true age of the command when it left.
    """

    axis: Literal["pan", "tilt"]
    seq: int
    clock: float
    written: float


class State(ServerMessage, frozen=True, tag="state"):
    """What the head and the stage do now; sent on change, newest only."""

    pan: AxisState
    tilt: AxisState
    stage: StageState


class Lease(ServerMessage, frozen=True, tag="lease"):
    """Who drives: `you`, `other` or `nobody`; `epoch` belongs in every `drive` while it is you.

    `can_take` says that `lease.take` would be granted.
    """

    epoch: int
    holder: Literal["you", "other", "nobody"]
    can_take: bool


NoticeCode = Literal[
    "hold_expired",  # no setpoint came for the dead-man time
    "hold_too_long",  # the head was moved for as long as it may be without rest
    "link_lost",  # the axis's unit went out of reach
    "lease_lost",  # someone took over, or the lease went stale
    "stopped",  # somebody pressed stop
    "clock_jumped",  # the server's clock misbehaved
    "closing",  # the server is shutting down
]


class Notice(ServerMessage, frozen=True, tag="notice"):
    """Something happened that the visitor should know: after a cut hold, let go and press again."""

    code: NoticeCode
    axis: Literal["pan", "tilt", "both"]
    hold: int


class Error(ServerMessage, frozen=True, tag="error"):
    """A message of yours was not carried out; `code` is a Refusal, `closing` says that the socket ends now.

    `hold` is that of the `drive` or `release` that was refused; other messages have none. `delay` comes with
    `too_slow`: how many milliseconds old the `drive` may have been.
    """

    code: str
    message: str
    closing: bool
    hold: int | msgspec.UnsetType = msgspec.UNSET
    delay: float | msgspec.UnsetType = msgspec.UNSET


Outgoing = Welcome | Pong | Ack | State | Lease | Notice | Error
