"""One visitor's control channel without its socket: what each message does, the replies, and when it must end.

It calls the engine directly and never waits; `control_socket` carries the messages. Time is an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

import msgspec

from belvedere.access.rights import Right
from belvedere.access.sessions import EndReason
from belvedere.control.effects import QuestionEnded
from belvedere.control.lease import LeaseVerb
from belvedere.control.setpoint import Setpoint, Stamp
from belvedere.engine.status import Acknowledged, EngineStatus, NoticeEvent
from belvedere.errors import Refusal, VisitorError, too_fast
from belvedere.events import CommandRefused
from belvedere.gateway.codec import decode
from belvedere.gateway.lease_view import LeaseView
from belvedere.gateway.messages import (
    CloseCode,
    Drive,
    Error,
    Hello,
    Knock,
    LeaseAcquire,
    LeaseAnswer,
    LeaseAnswered,
    LeaseAsk,
    LeaseGive,
    LeaseReturn,
    LeaseTake,
    Ping,
    Pong,
    Release,
    RoomAnswer,
    RoomCurtain,
    RoomMicrophone,
    Stop,
    Talk,
    TalkEnded,
    TalkOver,
    Welcome,
)
from belvedere.gateway.outgoing import ack_message, milliseconds, notice_message, state_message
from belvedere.gateway.permissions import MESSAGES, rank_of, require_right
from belvedere.gateway.room_messages import access_message, room_message, voice_message
from belvedere.room.runtime import TOPIC
from belvedere.room.voice_runtime import TalkRefused
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from belvedere.access.session_events import SessionChange
    from belvedere.access.sessions import Session
    from belvedere.gateway.dependencies import Dependencies
    from belvedere.gateway.lease_view import OpenSockets
    from belvedere.gateway.messages import Access, Incoming, Outgoing, Room, State, Voice

HELLO_TIMEOUT_S = 5.0  # a page sends hello at once; even a bad mobile link delivers it within seconds
SILENCE_TIMEOUT_S = 25.0  # a page pings at least every 20 s, because tunnels close connections that are idle for longer
RATE_PER_S = 120.0  # two 60 Hz sticks; a page sends 20 a second
BURST = 240.0  # what a phone may deliver at once after two seconds without a network
TOO_FAST_BURST = 120.0  # refusals before the socket is closed; our page would have slowed down by then
BAD_MESSAGES_BURST = 8.0  # our page sends none; a script under development sends a few
BAD_MESSAGES_PER_S = 0.1  # one bad message in ten seconds never ends a socket

STATUS_TOPICS = ("status", "stage", TOPIC)
VERBS: Final = {
    LeaseAcquire: LeaseVerb.ACQUIRE,
    LeaseTake: LeaseVerb.TAKE,
    LeaseAsk: LeaseVerb.ASK,
    LeaseReturn: LeaseVerb.RETURN,
}

VISIT_ENDED = {  # the page has words of its own, in its language, for the close reason: the EndReason
    EndReason.EXPIRED: "The time of this visit is over.",
    EndReason.DISPLACED: "You have come in on too many other devices, so this visit has ended.",
    EndReason.LEFT: "You have left in another window.",
    EndReason.REVOKED: "The household has ended this visit.",
}


class Ending(msgspec.Struct, frozen=True):
    """Why the server closes the socket; after NO_SESSION, `reason` is an EndReason."""

    code: CloseCode
    reason: str


class ControlSession:
    """The conversation of one socket.

    Args:
        name: the id of this socket in leases and logs; not a secret.
        visitor: the access session that opened it; the socket ends with that.
        sockets: all control sessions that are open, this one too.

    Attributes:
        ending: set once the socket must be closed; later messages are ignored.
    """

    def __init__(
        self, name: str, visitor: Session, dependencies: Dependencies, now: float, sockets: OpenSockets
    ) -> None:
        self.name = name
        self.ending: Ending | None = None
        self._visitor = visitor
        self._dependencies = dependencies
        self._engine = dependencies.engine
        self._received_at = now
        self._is_open = False
        self._bucket = TokenBucket(RATE_PER_S, BURST)
        self._too_fast = TokenBucket(RATE_PER_S / 10, TOO_FAST_BURST)
        self._bad = TokenBucket(BAD_MESSAGES_PER_S, BAD_MESSAGES_BURST)
        self._state: State | None = None
        self._access: Access | None = None
        self._shown: Room | None = None
        self._voice: Voice | None = None
        self._lease = LeaseView(name, visitor, dependencies, sockets)

    @property
    def personal_topics(self) -> tuple[str, ...]:
        """The bus topics for this session alone."""
        return f"ack:{self.name}", f"notice:{self.name}", f"question:{self.name}", f"talk:{self.name}"

    @property
    def is_driving(self) -> bool:
        """Whether the client was last told that it has the lease."""
        return self._lease.is_driving

    def receive_text(self, now: float, text: str | None) -> list[Outgoing]:
        """Carry out one message and return the replies; `text` is None for a binary one, which is invalid.

        What ends something (`stop`, `release`, the curtain, the microphone, `talk.end`) is exempt from the rate limit,
        and `stop` needs no hello before it: nothing may delay a stop. Once the access session is over nothing is
        carried out, even if its end has not been published yet.
        """
        if self.ending is not None or self._is_session_over(now):
            return self._end_visit(EndReason.EXPIRED)
        self._received_at = now
        is_within = self._bucket.take(now)
        try:
            message = decode(text or "")
        except VisitorError as error:
            return self._refuse_bad(now, error) if is_within else self._refuse_fast(now)
        if not is_within and not isinstance(message, Stop | Release | RoomCurtain | RoomMicrophone | TalkOver):
            return self._refuse_fast(now, message)
        if not self._is_open and not isinstance(message, Stop | Hello):
            return self._refuse_bad(now, VisitorError(Refusal.NOT_READY, "send hello first"), message)
        try:
            return self._dispatch(now, message)
        except VisitorError as error:
            refusal = self._refusal(error, message)
            return [refusal, TalkEnded(reason=error.refusal)] if isinstance(message, Talk) else [refusal]

    def receive_published(self, topic: str, value: object) -> list[Outgoing]:
        """Turn a value from the bus into messages for this session; unchanged state is not sent again."""
        match value:
            case Acknowledged():
                return [ack_message(value)]
            case NoticeEvent():
                return [notice_message(value)]
            case QuestionEnded(end=end):
                return [LeaseAnswered(answer=end)]
            case TalkRefused(reason=reason):
                return [TalkEnded(reason=reason)]
            case EngineStatus():
                return self._status_messages(value)
            case _:
                return self._status_messages(self._dependencies.engine.status) if topic in STATUS_TOPICS else []

    def receive_closed(self) -> None:
        """The socket is closed: stop what it drives. May be called more than once."""
        if self._is_open:
            self._is_open = False
            self._engine.receive_session_closed(self.name)
            self._dependencies.voice.receive_end(self.name)

    def receive_session_change(self, change: SessionChange) -> list[Outgoing]:
        """The access session has ended, or has other rights.

        Where it may not drive any more, stop what the socket drives and return the lease without the grace time.
        """
        if change.end is not None:
            return self._end_visit(change.end)
        if self.ending is not None:
            return []
        if change.is_new_role:
            return self._end_with(CloseCode.NEW_ROLE, "The household has changed what you may do.", "new_role")
        if self._is_open and change.takes(Right.DRIVE):
            self._engine.receive_withdrawn(self.name)
        return self._status_messages(self._engine.status)  # also without a new status: `can_take` may be another

    def tick(self, now: float) -> list[Outgoing]:
        """End the socket if its time is over; to be called at `deadline`."""
        if self.ending is not None:
            return []
        if self._is_session_over(now):
            return self._end_visit(EndReason.EXPIRED)
        if now >= self.deadline():
            return self._end(CloseCode.SILENT, Refusal.NOT_READY, "no message was received for too long")
        return []

    def deadline(self) -> float:
        """When `tick` must be called at the latest; it never moves to an earlier time."""
        timeout_s = SILENCE_TIMEOUT_S if self._is_open else HELLO_TIMEOUT_S
        return min(self._received_at + timeout_s, self._visitor.ends_at_s)

    def _end_visit(self, reason: EndReason) -> list[Outgoing]:
        return self._end_with(CloseCode.NO_SESSION, VISIT_ENDED[reason], reason)

    def _end_with(self, code: CloseCode, text: str, reason: str) -> list[Outgoing]:
        """Close the socket, and return the lease without the grace time."""
        if self.ending is not None:
            return []
        messages = self._end(code, Refusal.NOT_READY, text)
        self.ending = Ending(code, reason)
        if self._is_open:
            self._engine.receive_withdrawn(self.name)
            self.receive_closed()
        return messages

    def _is_session_over(self, now: float) -> bool:
        return now >= self._visitor.ends_at_s or not self._dependencies.invitations.is_live(self._visitor)

    def _dispatch(self, now: float, message: Incoming) -> list[Outgoing]:
        require_right(self._dependencies.invitations, self._visitor, MESSAGES[type(message)])
        match message:
            case Drive():
                self._engine.receive_drive(self.name, _setpoint(message))
            case Ping(clock=clock):
                self._dependencies.invitations.receive_use(self._visitor)  # a socket may be open for longer than idle_s
                self._engine.receive_heartbeat(self.name, clock / 1000)
                return [Pong(clock=clock, server=milliseconds(now))]
            case Release(epoch=epoch, hold=hold, seq=seq, clock=clock):
                self._engine.receive_release(self.name, epoch, hold, Stamp(self.name, seq, clock / 1000))
            case Stop():
                self._engine.receive_stop(self.name)
            case LeaseAcquire() | LeaseTake() | LeaseAsk() | LeaseReturn():
                self._engine.receive_lease(self.name, VERBS[type(message)])
            case LeaseAnswer() | LeaseGive():
                self._lease.hand_over(message)
            case Hello(clock=clock):
                return self._welcome_messages(now, clock)
            case Knock() | RoomCurtain() | RoomAnswer() | RoomMicrophone() | Talk() | TalkOver():
                self._dispatch_to_room(message)
            case _:
                assert_never(message)
        return []

    def _dispatch_to_room(self, message: Knock | RoomCurtain | RoomAnswer | RoomMicrophone | Talk | TalkOver) -> None:
        room = self._dependencies.room
        match message:
            case Knock():
                room.receive_knock(self._visitor)
            case RoomCurtain(closed=is_closed):
                room.receive_curtain(self._visitor.person, is_closed=is_closed)
            case RoomAnswer(person=person, answer=answer):
                room.receive_answer(person, answer)
            case RoomMicrophone(off=is_off):
                room.receive_microphone(self._visitor.person, is_off=is_off)
            case Talk(mode=mode):
                self._dependencies.voice.receive_talk(self.name, self._visitor, mode)
            case TalkOver():
                self._dependencies.voice.receive_end(self.name)

    def _welcome_messages(self, now: float, clock: float) -> list[Outgoing]:
        if self._is_open:
            raise VisitorError(Refusal.BAD_MESSAGE, "hello was sent already")
        self._engine.receive_session_opened(self.name, self._visitor.person, rank_of(self._visitor))
        self._is_open = True
        self._engine.receive_heartbeat(self.name, clock / 1000)
        options = self._dependencies.control
        welcome = Welcome(
            session=self.name,
            resend_ms=milliseconds(options.resend_s),
            dead_man_ms=milliseconds(options.dead_man_s),
            max_age_ms=milliseconds(options.max_age_s),
            server=milliseconds(now),
            clock=clock,
            head=self._dependencies.head_name,
        )
        return [welcome, *self._status_messages(self._dependencies.engine.status)]

    def _status_messages(self, status: EngineStatus) -> list[Outgoing]:
        if not self._is_open:
            return []
        stage = self._dependencies.stage
        state = state_message(status, stage.viewers, is_available=stage.is_available, camera_reason=stage.camera_reason)
        changed = self._lease.changes(status.lease)
        if state != self._state:
            self._state = state
            changed.append(state)
        return [*changed, *self._room_messages()]

    def _room_messages(self) -> list[Outgoing]:
        """What has changed of what the room says to this visitor, and of what it is shown if this is the room."""
        room, invitations = self._dependencies.room, self._dependencies.invitations
        rights = invitations.rights_of(self._visitor)
        changed: list[Outgoing] = []
        access = access_message(room.access_of(self._visitor), rights)
        if access != self._access:
            self._access = access
            changed.append(access)
        voice = voice_message(
            room,
            self._dependencies.voice,
            invitations.people,
            self.name,
            self._visitor,
            may_look=Right.LOOK in rights,
        )
        if voice is not None and voice != self._voice:
            self._voice = voice
            changed.append(voice)
        shown = room_message(room, self._dependencies.voice, invitations.people) if Right.ROOM in rights else None
        if shown is not None and shown != self._shown:
            changed.append(shown)
        self._shown = shown
        return changed

    def _refuse_bad(self, now: float, error: VisitorError, message: Incoming | None = None) -> list[Outgoing]:
        if self._bad.take(now):
            return [self._refusal(error, message)]
        return self._end(CloseCode.BAD_MESSAGES, error.refusal, "too many invalid messages")

    def _refuse_fast(self, now: float, message: Incoming | None = None) -> list[Outgoing]:
        if self._too_fast.take(now):
            return [self._refusal(too_fast(RATE_PER_S), message)]
        return self._end(CloseCode.TOO_MUCH, Refusal.TOO_FAST, str(too_fast(RATE_PER_S)))

    def _end(self, code: CloseCode, refusal: Refusal, reason: str) -> list[Outgoing]:
        self.ending = Ending(code, reason)
        return [Error(code=refusal, message=reason, closing=True)]

    def _refusal(self, error: VisitorError, message: Incoming | None) -> Error:
        """The error for a refused message; `message` is None where it could not be decoded."""
        self._dependencies.record(CommandRefused(self.name, error.refusal))
        hold = message.hold if isinstance(message, Drive | Release) else msgspec.UNSET
        delay = msgspec.UNSET if error.delay_s is None else milliseconds(error.delay_s)
        return Error(code=error.refusal, message=str(error), closing=False, hold=hold, delay=delay)


def _setpoint(message: Drive) -> Setpoint:
    return Setpoint(
        epoch=message.epoch,
        hold=message.hold,
        seq=message.seq,
        pan=message.pan,
        tilt=message.tilt,
        sent_at_s=message.clock / 1000,
        heard_s=message.heard / 1000,
    )
