"""Who hears the room and who talks to it: only who may, and nobody for longer than that."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from tests.support.engine_rig import EngineRig, open_rig
from tests.support.fake_room_store import FakeRoomStore

from belvedere.access.invitations import Invitations
from belvedere.access.rights import NO_RIGHTS, Right, Role
from belvedere.access.sessions import EndReason
from belvedere.errors import Refusal, VisitorError
from belvedere.events import TalkBegan, TalkChimed, TalkEnded, ViewerJoined, ViewerLeft
from belvedere.privacy.floor import ALIVE_S, CHIME_S
from belvedere.privacy.state import RoomState
from belvedere.privacy.words import Answer, TalkMode
from belvedere.room.voice_runtime import BEGINS_BURST, TalkRefused, VoiceRuntime
from belvedere.stage.voice.interface import NO_VOICE, DeviceState, VoicePermission

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from belvedere.access.sessions import Session

PAGE = "ann-1"
BOTH = VoicePermission(may_listen=True, may_talk=True)


class VoiceRig:
    """A visitor, Ann, whose picture's connection carries sound."""

    def __init__(self, rig: EngineRig) -> None:
        self.rig, self.voice, self.rules, self.room = rig, rig.voice, rig.voice_rules, rig.room
        rig.invitations.events.subscribe(self.rules.receive_session_change)
        self.ann = self.come("Ann")
        self.refused: list[tuple[str, Refusal]] = []
        self.rules._publish = self._receive

    def _receive(self, topic: str, value: object) -> None:
        assert isinstance(value, TalkRefused)
        self.refused.append((topic, value.reason))

    def come(self, name: str, role: Role = Role.VISITOR) -> Session:
        """Somebody comes in, and looks."""
        session = self.rig.open_session(name, role).session
        self.room.receive(ViewerJoined(f"viewer of {name}", session.id, "WebRTC"))
        self.voice.connect(session.id)
        return session

    def ask(self, page: str = PAGE, session: Session | None = None, mode: TalkMode = TalkMode.HOLD) -> None:
        self.rules.receive_talk(page, session or self.ann, mode)

    async def talk(self, page: str = PAGE, session: Session | None = None, mode: TalkMode = TalkMode.HOLD) -> None:
        """Somebody asks, and the chime is over."""
        self.ask(page, session, mode)
        await asyncio.sleep(CHIME_S)
        assert self.rules.is_heard(page)

    def is_mute(self, session: Session | None = None) -> bool:
        """Whether nobody hears this session, and nothing says otherwise."""
        who = session or self.ann
        is_shown = who.person in self.room.rules.here and self.room.rules.here[who.person].doing.talks
        return not (who.id in self.voice.allowed or is_shown)

    def permission(self, session: Session | None = None) -> VoicePermission:
        return self.rules.permission_of((session or self.ann).id)

    def events(self, *kinds: type) -> list[object]:
        return [event for event in self.rig.events if isinstance(event, kinds)]


@asynccontextmanager
async def voice_rig(store: FakeRoomStore | None = None) -> AsyncIterator[VoiceRig]:
    async with open_rig(room_store=store, has_voice=True) as rig:
        yield VoiceRig(rig)


async def test_a_visitor_is_heard_after_a_chime_and_no_longer_than_asked_for() -> None:
    async with voice_rig() as rig:
        rig.ask()
        assert rig.events(TalkChimed) == [TalkChimed(rig.ann.person)]
        assert rig.voice.chimes == 1
        assert rig.voice.allowed == set()
        await asyncio.sleep(CHIME_S)
        assert rig.voice.allowed == {rig.ann.id}
        assert rig.room.rules.here[rig.ann.person].doing.talks
        await asyncio.sleep(1.0)
        rig.rules.receive_end(PAGE)
        assert rig.is_mute()
        rig.rules.receive_end(PAGE)
        began, ended = rig.events(TalkBegan, TalkEnded)
        assert began == TalkBegan(rig.ann.id, rig.ann.person)
        assert isinstance(ended, TalkEnded)
        assert ended.session == rig.ann.id
        assert ended.talked_s == pytest.approx(1.0)
        rig.ask()
        assert rig.voice.allowed == {rig.ann.id}, "the second words need no chime"
        assert rig.refused == []


async def test_a_page_that_says_no_more_is_muted_and_told() -> None:
    async with voice_rig() as rig:
        rig.ask()
        for _ in range(10):
            await asyncio.sleep(1.0)
            rig.ask()
        assert rig.voice.allowed == {rig.ann.id}
        await asyncio.sleep(ALIVE_S + 0.01)
        assert rig.is_mute()
        assert rig.refused == [(f"talk:{PAGE}", Refusal.TOO_LATE)]


async def test_a_connection_that_carries_sound_is_no_use_of_a_session() -> None:
    """The rules are asked again and again while it stands; a session that nobody uses ends all the same."""
    async with voice_rig() as rig:
        used_at_s = rig.rig.invitations._sessions.used_at_s
        before = used_at_s(rig.ann.id)
        await asyncio.sleep(100)
        rig.permission()
        rig.rules.receive_rules_changed()
        assert used_at_s(rig.ann.id) == before


def close_curtain(rig: VoiceRig) -> None:
    rig.room.receive_curtain("mei", is_closed=True)


def say_no(rig: VoiceRig) -> None:
    rig.room.receive_answer(rig.ann.person, Answer.NO)


def revoke(rig: VoiceRig) -> None:
    rig.rig.invitations.end(rig.ann.id, EndReason.REVOKED)


def remove(rig: VoiceRig) -> None:
    rig.rig.invitations.remove(rig.ann.person)


def displace(rig: VoiceRig) -> None:
    for _ in range(40):
        rig.rig.invitations.open_session(rig.ann.person)


def take_right(rig: VoiceRig) -> None:
    rig.rig.invitations.change_rights(rig.ann.id, frozenset({Right.DRIVE}))


def make_guest(rig: VoiceRig) -> None:
    rig.rig.invitations.change_role(rig.ann.person, Role.GUEST)


def break_rules(rig: VoiceRig) -> None:
    rig.room._failure = RuntimeError("a bug")
    rig.room._close_after_failure()


ENDS = (close_curtain, say_no, revoke, remove, displace, take_right, make_guest, break_rules)


@pytest.mark.parametrize("end", ENDS)
async def test_whatever_takes_the_permission_away_mutes_and_deafens_within_the_call(
    end: Callable[[VoiceRig], None],
) -> None:
    async with voice_rig() as rig:
        await rig.talk()
        assert rig.voice.status.listening == {rig.ann.id}
        end(rig)
        assert rig.voice.allowed == set()
        assert rig.voice.status.listening == frozenset()
        assert not rig.rules.is_heard(PAGE)
        assert rig.permission() == NO_VOICE
        assert rig.refused == [(f"talk:{PAGE}", Refusal.NOT_PERMITTED)]


async def test_an_expired_session_is_mute_and_deaf() -> None:
    async with voice_rig() as rig:
        short = rig.rig.invitations.open_session(rig.ann.person, lifetime_s=5.0).session
        rig.voice.connect(short.id)
        await rig.talk("short", short)
        for _ in range(4):
            await asyncio.sleep(1.0)
            rig.ask("short", short)
        await asyncio.sleep(0.2)
        rig.rig.invitations.tick()
        assert rig.permission(short) == NO_VOICE
        assert rig.is_mute(short)
        assert short.id not in rig.voice.status.listening


async def test_who_waits_for_the_chime_when_the_curtain_closes_is_never_heard() -> None:
    async with voice_rig() as rig:
        rig.ask()
        close_curtain(rig)
        await asyncio.sleep(2 * CHIME_S)
        assert rig.voice.allowed == set()
        assert rig.events(TalkBegan) == []


async def test_the_microphone_that_the_room_switches_off_deafens_everybody_and_lets_them_talk() -> None:
    store = FakeRoomStore(RoomState())
    async with voice_rig(store) as rig:
        await rig.talk()
        store.is_fast.clear()
        rig.room.receive_microphone("mei", is_off=True)
        assert rig.voice.status.listening == frozenset()
        assert rig.permission() == VoicePermission(may_listen=False, may_talk=True)
        assert not rig.room.rules.here[rig.ann.person].doing.hears
        assert rig.rules.is_heard(PAGE)
        store.is_fast.set()
        await asyncio.sleep(0.1)
        store.is_fast.clear()
        number = rig.room.receive_microphone("mei", is_off=False)
        assert rig.voice.status.listening == frozenset(), "it is on only once that is saved"
        store.is_fast.set()
        assert await rig.room.saved(number)
        assert rig.voice.status.listening == {rig.ann.id}
        assert rig.room.rules.here[rig.ann.person].doing.hears


async def test_guests_hear_the_room_only_if_it_says_so_and_never_talk() -> None:
    async with voice_rig() as rig:
        guest = rig.come("Gus", Role.GUEST)
        assert rig.permission(guest) == NO_VOICE
        await rig.room.saved(rig.room.receive_guests(may_hear=True))
        assert rig.permission(guest) == VoicePermission(may_listen=True)
        assert guest.id in rig.voice.status.listening
        rig.ask("gus-1", guest)
        await asyncio.sleep(2 * CHIME_S)
        assert rig.is_mute(guest)
        rig.room.receive_guests(may_hear=False)
        assert guest.id not in rig.voice.status.listening


@pytest.mark.parametrize("role", [Role.OWNER, Role.RESIDENT, Role.VISITOR])
async def test_the_others_hear_and_talk_whatever_their_role(role: Role) -> None:
    async with voice_rig() as rig:
        assert rig.permission(rig.come("Bo", role)) == BOTH


async def test_who_is_unknown_or_may_nothing_hears_nothing() -> None:
    async with voice_rig() as rig:
        assert rig.rules.permission_of("nobody") == NO_VOICE
        rig.rig.invitations.change_rights(rig.ann.id, NO_RIGHTS)
        assert rig.permission() == NO_VOICE


class BrokenInvitations(Invitations):
    """They know nobody."""

    def find(self, session_id: str, *, is_use: bool = True) -> Session | None:
        raise RuntimeError(session_id, is_use)


async def test_a_rule_that_fails_permits_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with voice_rig() as rig:
        rules = VoiceRuntime(rig.room, BrokenInvitations(rig.rig.clock), clock=rig.rig.clock)
        assert rules.permission_of(rig.ann.id) == NO_VOICE
        assert "may not" in caplog.text


async def test_a_connection_without_sound_cannot_talk_and_one_that_is_lost_ends_it() -> None:
    async with voice_rig() as rig:
        rig.voice.disconnect(rig.ann.id)
        rig.ask()
        await asyncio.sleep(CHIME_S)
        assert rig.refused == [(f"talk:{PAGE}", Refusal.NO_VOICE_PATH)]
        rig.voice.connect(rig.ann.id)
        rig.ask()
        assert rig.rules.is_heard(PAGE)
        rig.voice.disconnect(rig.ann.id)
        assert rig.is_mute()
        assert rig.refused[1:] == [(f"talk:{PAGE}", Refusal.NO_VOICE_PATH)]


async def test_two_pages_of_a_session_are_one_voice_until_both_are_silent() -> None:
    async with voice_rig() as rig:
        await rig.talk()
        rig.ask("ann-2")
        rig.rules.receive_end(PAGE)
        assert rig.voice.allowed == {rig.ann.id}
        rig.rules.receive_end("ann-2")
        assert rig.voice.allowed == set()


async def test_who_talks_is_named_to_the_others_and_an_open_microphone_only_while_it_is_loud() -> None:
    async with open_rig(has_voice=True) as engine:
        rig = VoiceRig(engine)
        rules = VoiceRuntime(engine.room, engine.invitations, clock=engine.clock, talking=TalkMode.OPEN)
        rules.attach(engine.voice)
        rig.rules = rules
        bo = rig.come("Bo")
        rules.receive_talk(PAGE, rig.ann, TalkMode.OPEN)
        rules.receive_talk("bo-1", bo, TalkMode.HOLD)
        running = asyncio.create_task(rules.run())
        await asyncio.sleep(CHIME_S + 0.01)
        running.cancel()
        assert rules.talking_but(PAGE) == [bo.person]
        assert rules.talking_but("bo-1") == []
        engine.voice.speak(rig.ann.id)
        assert rules.talking_but("bo-1") == [rig.ann.person]
        assert rules.talking_but("somebody") == sorted([rig.ann.person, bo.person])


async def test_an_open_microphone_is_refused_where_the_house_offers_none() -> None:
    async with voice_rig() as rig:
        with pytest.raises(VisitorError) as refused:
            rig.ask(mode=TalkMode.OPEN)
        assert refused.value.refusal is Refusal.NOT_PERMITTED


async def test_without_a_speaker_that_works_nobody_talks_and_the_room_is_told_what_is_missing() -> None:
    async with voice_rig() as rig:
        rig.voice.unplug(microphone=True, speaker=True)
        with pytest.raises(VisitorError) as refused:
            rig.ask()
        assert refused.value.refusal is Refusal.NO_SPEAKER
        assert rig.room.faults == {"microphone", "speaker"}
        rig.voice.unplug()
        assert rig.room.faults == frozenset()
        await rig.talk()
        rig.voice.unplug(speaker=True)
        assert rig.is_mute()
        assert rig.refused == [(f"talk:{PAGE}", Refusal.NO_SPEAKER)]


async def test_a_house_without_sound_lets_nobody_talk() -> None:
    async with open_rig() as rig:
        session = rig.open_session("Ann").session
        with pytest.raises(VisitorError) as refused:
            rig.voice_rules.receive_talk(PAGE, session, TalkMode.HOLD)
        assert refused.value.refusal is Refusal.NO_SPEAKER
        assert not rig.voice_rules.has_voice
        assert rig.voice_rules.status.microphone is DeviceState.CLOSED
        assert rig.voice_rules.faults() == frozenset()


async def test_a_visit_that_is_over_has_its_chime_again() -> None:
    async with voice_rig() as rig:
        await rig.talk()
        rig.rules.receive_end(PAGE)
        rig.room.receive(ViewerLeft("viewer of Ann", rig.ann.id, 9.0))
        rig.voice.disconnect(rig.ann.id)
        await asyncio.sleep(60)
        rig.room.receive(ViewerJoined("viewer of Ann", rig.ann.id, "WebRTC"))
        rig.voice.connect(rig.ann.id)
        rig.ask()
        assert len(rig.events(TalkChimed)) == 2


async def test_nobody_begins_to_talk_again_and_again_and_who_talks_goes_on() -> None:
    async with voice_rig() as rig:
        for _ in range(int(BEGINS_BURST)):
            rig.ask()
            rig.rules.receive_end(PAGE)
        with pytest.raises(VisitorError) as refused:
            rig.ask()
        assert refused.value.refusal is Refusal.TOO_FAST
        await asyncio.sleep(2.0)
        for _ in range(100):
            rig.ask()
