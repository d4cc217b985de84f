"""The wire messages of `belvedere.v1`: what a page and the server send each other.

One JSON object a message, distinguished by `type`. msgspec checks everything once, when it decodes; the JSON
Schema in `contract/` and the page's TypeScript types are generated from these structs. Times are milliseconds: `clock`
is the client's own monotonic clock, `server` and `written` are the server's.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import msgspec

from belvedere.access.rights import Right
from belvedere.control.effects import NoticeCode
from belvedere.control.handover import MAX_OPEN, QuestionEnd
from belvedere.errors import CameraReason
from belvedere.gateway.room_parts import CurtainView, MicrophoneView, PersonHere, PersonKnocking
from belvedere.link.phases import LinkPhase
from belvedere.privacy.floor import MOST_TALKERS
from belvedere.privacy.words import AccessState, Answer, Fault, TalkMode

SUBPROTOCOL = "belvedere.v1"
MAX_MESSAGE_BYTES = 1024  # the longest client message is under 200; anything larger is refused


class CloseCode(enum.IntEnum):
    """Why the server closes a socket, besides the codes of RFC 6455 (1009 too large, 1011 our fault, 1012 restart).

    After NO_SESSION, whose reason is an `EndReason` where a visit has ended, a page asks for a new link, and after
    NOT_PERMITTED it asks for nothing more. After WITHHELD it waits until an `access` says `open`. After any other it
    reconnects, with a growing delay. Only the socket of the picture is closed with the last four.
    """

    BAD_MESSAGES = 4400
    NO_SESSION = 4401
    SILENT = 4408
    NEW_ROLE = 4409
    TOO_MUCH = 4429
    NOT_PERMITTED = 4403
    WITHHELD = 4423
    TOO_MANY_VIEWERS = 4503
    NO_PICTURE = 4504


MAX_WATCHERS = 16  # more than a household has
LATEST_MS = 1e15  # beyond any monotonic clock; above it a float loses fractions of a millisecond
Clock = Annotated[float, msgspec.Meta(ge=0, le=LATEST_MS)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Speed = Annotated[float, msgspec.Meta(ge=-1, le=1)]
SocketName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,64}$")]
PersonId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,64}$")]


class ClientMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """Any message of a client."""


class Hello(ClientMessage, frozen=True, tag="hello"):
    """The first message on a socket; only `stop` is accepted before it."""

    clock: Clock


class Ping(ClientMessage, frozen=True, tag="ping"):
    """Keeps the lease, and measures the round-trip time."""

    clock: Clock


class Drive(ClientMessage, frozen=True, tag="drive"):
    """The setpoint of a held stick, re-sent at 20 Hz while it is held.

    Attributes:
        epoch: the lease's epoch, from `lease`.
        hold: a number that rises with every fresh press.
        seq: a number that rises with every message of this epoch.
        pan: share of full speed, right is positive.
        tilt: share of full speed, up is positive.
        clock: the client's clock when the input was read.
        heard: the newest time of the server's clock that the client received on this socket (`server` of `welcome` or
            `pong`, `written` of `ack`). The message is younger than that, whatever the client's clock says; one that
            may be older than `max_age_ms` is refused, so a client that drives pings a few times a second.
    """

    epoch: Count
    hold: Count
    seq: Count
    pan: Speed
    tilt: Speed
    clock: Clock
    heard: Clock


class Release(ClientMessage, frozen=True, tag="release"):
    """The visitor ended this hold; it never moves anything again."""

    epoch: Count
    hold: Count
    seq: Count
    clock: Clock


class Stop(ClientMessage, frozen=True, tag="stop"):
    """Stop both axes now; every session may send it, driving or not."""


class LeaseAcquire(ClientMessage, frozen=True, tag="lease.acquire"):
    """Ask for the lease, if it is free."""


class LeaseTake(ClientMessage, frozen=True, tag="lease.take"):
    """Take the lease from its holder, where `can_take` says so; both are notified."""


class LeaseAsk(ClientMessage, frozen=True, tag="lease.ask"):
    """Ask the driver for the lease; where `can_take` says so, it is taken instead. `lease.answered` has the answer."""


class LeaseAnswer(ClientMessage, frozen=True, tag="lease.answer"):
    """The driver's answer to a question; `asker` is one of `lease.offers`."""

    asker: SocketName
    granted: bool


class LeaseGive(ClientMessage, frozen=True, tag="lease.give"):
    """Give the lease to somebody who has not asked; `to` is one of `lease.offers`."""

    to: SocketName


class LeaseReturn(ClientMessage, frozen=True, tag="lease.return"):
    """Return the lease, so that others can drive."""


class Knock(ClientMessage, frozen=True, tag="knock"):
    """Ask the room to be let in; `access` has the answer. Knocking again while the room is asked changes nothing."""


class RoomCurtain(ClientMessage, frozen=True, tag="room.curtain"):
    """Close or open the curtain, for the room. It is closed at once, and opened when that is saved."""

    closed: bool


class RoomAnswer(ClientMessage, frozen=True, tag="room.answer"):
    """Let a person in, for the room, or send the person away; `person` is the id from `room`.

    Attributes:
        answer: `yes` for this visit (also in quiet hours), `always`, or `no`, which ends the visit of a person who is
            in.
    """

    person: PersonId
    answer: Answer


class RoomMicrophone(ClientMessage, frozen=True, tag="room.microphone"):
    """Switch the room's microphone off or on, for the room. It is off at once, and on when that is saved."""

    off: bool


class Talk(ClientMessage, frozen=True, tag="talk"):
    """Ask that the room hears you, and repeat it every second for as long as it shall: it ends 3 s after the last.

    `voice` says when the room hears you; until then, and after it, send nothing: it would be dropped. Before the first
    words of a visit a chime is heard in the room.

    Attributes:
        mode: `hold` for as long as something is held, or `open`, where `voice` offers it.
    """

    mode: TalkMode


class TalkOver(ClientMessage, frozen=True, tag="talk.end"):
    """The room is to hear you no more."""


Incoming = (
    Hello
    | Ping
    | Drive
    | Release
    | Stop
    | LeaseAcquire
    | LeaseTake
    | LeaseAsk
    | LeaseAnswer
    | LeaseGive
    | LeaseReturn
    | Knock
    | RoomCurtain
    | RoomAnswer
    | RoomMicrophone
    | Talk
    | TalkOver
)


class ServerMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Any message of the server."""


if TYPE_CHECKING:
    LinkState: TypeAlias = str
else:  # a plain list of values in the schema, not a type of its own
    LinkState = Literal[tuple(phase.value for phase in LinkPhase)]


if TYPE_CHECKING:
    NoPictureReason: TypeAlias = str
else:  # likewise
    NoPictureReason = Literal[("", *(reason.value for reason in CameraReason))]


class AxisState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one axis.

    Attributes:
        link: the supervisor's state; the axis can move only in `ready`.
        reason: why the link is not ready (a LinkReason), or "".
        velocity: what was last written to the unit, share of full speed.
        position_deg: dead-reckoned, or null where the profile has no calibration.
        limit: the soft limit that the axis stands at: -1, 0 (none) or 1.
        interval_ms: the link's learned write interval, or null before it is known.
    """

    link: LinkState
    reason: str
    velocity: float
    position_deg: float | None
    limit: int
    interval_ms: float | None


class StageState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the picture.

    Attributes:
        available: false once the camera has failed, until a picture has come again. Viewers keep their connections
            meanwhile, for half a minute; a new offer has it tried again.
        viewers: how many viewers there are.
        reason: why it is not available, or "". Pages should take a reason that they do not know as `failed`.
    """

    available: bool
    viewers: int
    reason: NoPictureReason


class Welcome(ServerMessage, frozen=True, tag="welcome"):
    """The reply to `hello`: the socket's name and the server's limits.

    Attributes:
        session: this socket's name in the logs; not a secret.
        resend_ms: how often a held setpoint must be sent again.
        dead_man_ms: the age of the newest setpoint at which the head stops.
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
    """The reply to `ping`: the client's clock back, and the server's."""

    clock: float
    server: float


class Ack(ServerMessage, frozen=True, tag="ack"):
    """The newest setpoint of yours that was written to the radio on this axis.

    `written - (clock mapped to the server's clock)` is the age of the command when it was written.
    """

    axis: Literal["pan", "tilt"]
    seq: int
    clock: float
    written: float


class State(ServerMessage, frozen=True, tag="state"):
    """The state of the head and of the stage; sent on change, only the newest."""

    pan: AxisState
    tilt: AxisState
    stage: StageState


class Lease(ServerMessage, frozen=True, tag="lease"):
    """Who drives.

    Attributes:
        epoch: what every `drive` must carry while `holder` is you.
        holder: `house` while the head is being parked.
        driver: the name of whoever drives, for people; "" while it is nobody or the house.
        can_take: whether `lease.take` would be granted.
        can_ask: whether there is somebody to be asked by `lease.ask`.
        free_at: when the lease will be free by the server's clock, unless its driver returns, whose connection is lost;
            null while it is not.
        asked_until: until when your question waits for an answer, by the server's clock; null without one.
    """

    epoch: int
    holder: Literal["you", "other", "nobody", "house"]
    driver: str
    can_take: bool
    can_ask: bool
    free_at: float | None
    asked_until: float | None


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who asks you for the lease, until `until` by the server's clock."""

    asker: str
    name: str
    until: float


class Watcher(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to whom you may give the lease."""

    to: str
    name: str


class LeaseOffers(ServerMessage, frozen=True, tag="lease.offers"):
    """While you drive: who asks for the lease, oldest first, and who could have it without asking; sent on change."""

    asking: Annotated[list[Asker], msgspec.Meta(max_length=MAX_OPEN)]
    watching: Annotated[list[Watcher], msgspec.Meta(max_length=MAX_WATCHERS)]


class LeaseAnswered(ServerMessage, frozen=True, tag="lease.answered"):
    """How your question ended; `over` says that somebody else drives now, or nobody."""

    answer: QuestionEnd


class Notice(ServerMessage, frozen=True, tag="notice"):
    """An event that the visitor should know of; a hold that it ended moves again only after a new press."""

    code: NoticeCode
    axis: Literal["pan", "tilt", "both"]
    hold: int


class Error(ServerMessage, frozen=True, tag="error"):
    """A message of yours was refused; `code` is a Refusal, `closing` says that the server closes the socket now.

    `hold` is that of the refused `drive` or `release`, and absent for other messages. `delay` comes with
    `too_slow`: the age in milliseconds that the `drive` may have had.
    """

    code: str
    message: str
    closing: bool
    hold: int | msgspec.UnsetType = msgspec.UNSET
    delay: float | msgspec.UnsetType = msgspec.UNSET


class Access(ServerMessage, frozen=True, tag="access"):
    """Whether the room lets you look, hear, talk and drive; sent after `welcome`, and on change.

    Attributes:
        state: `open`, or why not: the `curtain` is closed; you must `knock`; you have knocked and are `waiting`; you
            were `refused`, or nobody answered; the room has `quiet` hours.
        until: how long `waiting`, `refused` or `quiet` last, in milliseconds since 1970, UTC; else null.
        rights: what this session may do now.
    """

    state: AccessState
    until: float | None
    rights: list[Right]


class Voice(ServerMessage, frozen=True, tag="voice"):
    """The sound between you and the room; sent after `welcome`, and on change, where the house has any.

    Attributes:
        microphone: whether the room can be heard: `off` (the room has switched it off), `missing` (it does not work),
            `closed` (nobody hears it now), `open`.
        hears: whether you may hear it.
        speaker: whether the room can hear its visitors: `missing` (it does not work) or `ready`.
        open: whether you may talk with an open microphone, too.
        heard: whether the room hears you now.
        talking: the names of the others whom it hears now.
    """

    microphone: Literal["off", "missing", "closed", "open"]
    hears: bool
    speaker: Literal["missing", "ready"]
    open: bool
    heard: bool
    talking: Annotated[list[str], msgspec.Meta(max_length=MOST_TALKERS)]


class TalkEnded(ServerMessage, frozen=True, tag="talk.ended"):
    """The room does not hear you: your `talk` was refused, or the server ended it; `reason` is a Refusal."""

    reason: str


class Room(ServerMessage, frozen=True, tag="room"):
    """What the room knows: sent to who may speak for it, after `welcome` and on change.

    Attributes:
        here: who looks, hears, drives or talks, in the order in which they came.
        knocks: who knocks, likewise.
        microphone: the room's own; `off` is its switch, whatever the curtain does.
        quiet_until: when the quiet hours of now end, in milliseconds since 1970, UTC; null outside of them.
        faults: what does not work: `store` (the newest change may be lost by a restart), `media` (pictures or sound
            could not be cut everywhere), `park` (the head could not be parked), `chime`, `light`, `microphone`,
            `speaker`.
    """

    curtain: CurtainView
    here: list[PersonHere]
    knocks: list[PersonKnocking]
    microphone: MicrophoneView
    quiet_until: float | None
    faults: list[Fault]


Outgoing = (
    Welcome
    | Pong
    | Ack
    | State
    | Lease
    | LeaseOffers
    | LeaseAnswered
    | Notice
    | Error
    | Access
    | Room
    | Voice
    | TalkEnded
)
