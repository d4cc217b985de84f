"""Runs who hears the room and who talks to it on a clock, and makes the voice (`stage.voice`) obey.

Rights come from `access`, what the room permits from its rules, and who talks from `privacy.floor`. Whatever takes a
permission away, takes it within the call that causes it: the voice asks `permission_of` again. It knows no sound.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.access.rights import Right
from belvedere.errors import Refusal, VisitorError
from belvedere.events import Event, TalkBegan, TalkChimed, TalkEnded, ignore
from belvedere.privacy.floor import Floor
from belvedere.privacy.words import Fault, TalkMode
from belvedere.room.presence import Voices
from belvedere.stage.voice.interface import NO_VOICE, DeviceState, VoicePermission, VoiceStatus
from belvedere.timeouts import wait_until
from belvedere.token_bucket import TokenBuckets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from belvedere.access.invitations import Invitations
    from belvedere.access.session_events import SessionChange
    from belvedere.access.sessions import Session
    from belvedere.privacy.floor import Talker
    from belvedere.room.runtime import RoomRuntime
    from belvedere.stage.voice.interface import RoomVoice

logger = logging.getLogger(__name__)

BEGINS_PER_S: Final = 1.0  # each may ring, open a speaker and be written down
BEGINS_BURST: Final = 10.0
BROKEN: Final = frozenset({DeviceState.MISSING, DeviceState.FAILED})


class TalkRefused(msgspec.Struct, frozen=True):
    """What a page's visitor said is not heard, or not any more."""

    reason: Refusal


class VoiceRuntime:
    """Who hears and who talks. It belongs to the event loop.

    Args:
        room: whose rules are asked.
        invitations: whose rights are asked.
        talking: `open` if pages may offer an open microphone, too.
        clock: seconds, monotonic.
        publish: tells a control session, by the topic `talk:` and its name, that it is not heard any more.
        tell: called when what is shown has changed.
        record: called with the events of talks.
    """

    def __init__(
        self,
        room: RoomRuntime,
        invitations: Invitations,
        *,
        clock: Callable[[], float],
        talking: TalkMode = TalkMode.HOLD,
        publish: Callable[[str, object], None] = lambda _topic, _value: None,
        tell: Callable[[], None] = lambda: None,
        record: Callable[[Event], None] = ignore,
    ) -> None:
        self._room = room
        self._invitations = invitations
        self._talking = talking
        self._clock = clock
        self._publish = publish
        self._tell = tell
        self._record = record
        self._voice: RoomVoice | None = None
        self._floor = Floor()
        self._heard: set[str] = set()  # the pages whose visitor the voice lets be heard
        self._begins = TokenBuckets(BEGINS_PER_S, BEGINS_BURST)
        self._wake = asyncio.Event()

    def attach(self, voice: RoomVoice) -> None:
        """Let this voice obey from now on; without one there is no sound."""
        self._voice = voice

    # what is asked of it

    def permission_of(self, session: str) -> VoicePermission:
        """What a session may do with the room's sound now; nothing if anything about that fails."""
        try:
            known = self._invitations.find(session, is_use=False)  # it is asked four times a second
            if known is None:
                return NO_VOICE
            rights = self._invitations.rights_of(known)
            may_listen = Right.LOOK in rights and self._room.may_hear(known)
            return VoicePermission(may_listen=may_listen, may_talk=Right.TALK in rights)
        except Exception:
            logger.exception("nobody knows whether session %s may hear or talk, so it may not", session)
            return NO_VOICE

    @property
    def has_voice(self) -> bool:
        """Whether there is any sound between the room and its visitors."""
        return self._voice is not None

    @property
    def status(self) -> VoiceStatus:
        """How the voice is doing."""
        return VoiceStatus() if self._voice is None else self._voice.status

    def faults(self) -> frozenset[str]:
        """Which of the room's microphone and speaker do not work, by the values of `Fault`."""
        status = self.status
        states = {Fault.MICROPHONE: status.microphone, Fault.SPEAKER: status.speaker}
        return frozenset(fault.value for fault, state in states.items() if state in BROKEN)

    @property
    def offers_open(self) -> bool:
        """Whether a page may offer an open microphone."""
        return self._voice is not None and self._talking is TalkMode.OPEN

    def is_heard(self, page: str) -> bool:
        """Whether the room hears the visitor of this control session now."""
        return page in self._heard

    def talking_but(self, page: str) -> list[str]:
        """The people whose voice the room hears now, without the visitor of this control session."""
        return sorted({talker.person for talker in self._talkers() if self._is_loud(talker) and talker.page != page})

    # what happens

    def receive_talk(self, page: str, session: Session, mode: TalkMode) -> None:
        """A visitor asks to be heard, or repeats that. Raises VisitorError: why not.

        The right to talk was asked for before; what else is needed is here.
        """
        if self._voice is None or self._voice.status.speaker in BROKEN:
            raise VisitorError(Refusal.NO_SPEAKER, "the room has no speaker that works")
        if mode is TalkMode.OPEN and not self.offers_open:
            raise VisitorError(Refusal.NOT_PERMITTED, "hold to talk: the settings offer no open microphone")
        if not self._floor.has(page) and not self._begins.take(self._clock(), session.id):
            raise VisitorError(Refusal.TOO_FAST, "too many talks in a short time")
        chimed = self._floor.receive_talk(self._clock(), page, session.id, session.person, mode)
        if chimed is not None:
            self._voice.chime()
            self._record(TalkChimed(chimed.person))
        self._step()

    def receive_end(self, page: str) -> None:
        """A visitor talks no more: said so, or the page is gone. May be called more than once."""
        self._end([talker] if (talker := self._floor.receive_end(page)) is not None else [])

    def receive_session_change(self, change: SessionChange) -> None:
        """A session has ended, or may do less: it is mute, and deaf, when this returns."""
        if change.takes(Right.TALK) or change.is_new_role:
            self._end_where(lambda talker: talker.session == change.session.id, Refusal.NOT_PERMITTED)
        self.receive_rules_changed()

    def receive_rules_changed(self) -> None:
        """The room permits something else than before: whoever may not hear or talk any more is cut."""
        self._end_where(lambda talker: not self.permission_of(talker.session).may_talk, Refusal.NOT_PERMITTED)
        if self._voice is not None:
            self._voice.receive_rules_changed()
        self._show()

    def receive_voice_changed(self) -> None:
        """The voice's status has changed: a device, a connection, or who is loud."""
        if self.status.speaker in BROKEN:
            self._end_where(lambda _: True, Refusal.NO_SPEAKER)
        heard = self.status.heard
        self._end_where(lambda each: each.page in self._heard and each.session not in heard, Refusal.NO_VOICE_PATH)
        self._show()

    async def run(self) -> None:
        """Do what becomes due by the clock, until cancelled."""
        while True:
            self._step()
            self._wake.clear()  # nothing is awaited between the step and the wait, so no event is missed
            due_at = self._floor.deadline()
            await wait_until(self._wake, due_at if due_at < math.inf else None, self._clock)

    # Private.

    def _step(self) -> None:
        """Let be heard who is due, and end who has fallen silent."""
        changes = self._floor.tick(self._clock())
        self._end(changes.ended, Refusal.TOO_LATE)
        for talker in changes.begun:
            self._begin(talker)
        if changes.begun:
            self._show()
        self._wake.set()

    def _begin(self, talker: Talker) -> None:
        may_talk = self.permission_of(talker.session).may_talk
        if may_talk and self._voice is not None and self._voice.hear(talker.session, is_allowed=True):
            self._heard.add(talker.page)
            self._record(TalkBegan(talker.session, talker.person))
            return
        self._floor.receive_end(talker.page)
        self._refuse(talker, Refusal.NO_VOICE_PATH if may_talk else Refusal.NOT_PERMITTED)

    def _end_where(self, is_over: Callable[[Talker], bool], reason: Refusal) -> None:
        over = [talker for talker in self._floor.talkers if is_over(talker)]
        for talker in over:
            self._floor.receive_end(talker.page)
        self._end(over, reason)

    def _end(self, talkers: Iterable[Talker], reason: Refusal | None = None) -> None:
        """Mute those who talk no more, unless they do by another page; tell them the reason if there is one."""
        for talker in talkers:
            was_heard = talker.page in self._heard
            self._heard.discard(talker.page)
            if self._voice is not None and not any(each.session == talker.session for each in self._talkers()):
                self._voice.hear(talker.session, is_allowed=False)
            if was_heard:
                self._record(TalkEnded(talker.session, talker.person, self._clock() - talker.heard_from))
            if reason is not None:
                self._refuse(talker, reason)
            self._show()

    def _talkers(self) -> list[Talker]:
        """Whom the room hears, in the order in which they began."""
        return [talker for talker in self._floor.talkers if talker.page in self._heard]

    def _refuse(self, talker: Talker, reason: Refusal) -> None:
        self._publish(f"talk:{talker.page}", TalkRefused(reason))

    def _is_loud(self, talker: Talker) -> bool:
        """Whether to show that somebody talks: who holds a button does, an open microphone may be silent."""
        return talker.mode is TalkMode.HOLD or talker.session in self.status.talking

    def _show(self) -> None:
        """Tell the room who hears and talks now, and everybody that something may have changed."""
        heard = self._talkers()
        listening = (self._invitations.find(session, is_use=False) for session in self.status.listening)
        voices = Voices(
            hearing=frozenset(session.person for session in listening if session is not None),
            talking=frozenset(talker.person for talker in self._floor.talkers),
            heard=frozenset(talker.person for talker in heard if self._is_loud(talker)),
        )
        self._room.receive_voices(voices)
        self._floor.receive_presence(self._clock(), self._room.rules.here)
        self._wake.set()
        self._tell()
