"""What the room and its visitors are told, as the wire has it."""

import asyncio
import math

from tests.support.engine_rig import EPOCH_S, EngineRig, open_rig

from belvedere.access.rights import Right, Role
from belvedere.access.sessions import Session
from belvedere.events import ViewerJoined
from belvedere.gateway.messages import Access, Voice
from belvedere.gateway.room_messages import access_message, microphone_view, room_message, voice_message
from belvedere.gateway.room_parts import MicrophoneView, PersonHere, PersonKnocking
from belvedere.privacy.core import Access as CoreAccess
from belvedere.privacy.floor import CHIME_S
from belvedere.privacy.hours import QuietSpan
from belvedere.privacy.words import AccessState, TalkMode
from belvedere.stage.voice.interface import DeviceState


def test_access_has_its_end_in_milliseconds_and_none_where_there_is_none() -> None:
    quiet = access_message(CoreAccess(AccessState.QUIET, 1.5), frozenset({Right.ROOM, Right.MANAGE}))
    assert quiet == Access(state=AccessState.QUIET, until=1500, rights=[Right.MANAGE, Right.ROOM])
    assert access_message(CoreAccess(AccessState.QUIET, math.inf), frozenset()).until is None
    assert access_message(CoreAccess(AccessState.OPEN), frozenset()).until is None


async def test_the_room_is_shown_everybody_by_name() -> None:
    async with open_rig(ask_first=True) as rig:
        people = rig.invitations.people
        ann, bo = people.add("Ann", Role.VISITOR), people.add("Bo", Role.GUEST)
        knocking = rig.invitations.open_session(bo.id).session
        looking = rig.invitations.open_session(ann.id).session
        rig.room.receive(ViewerJoined("v1", looking.id, "WebRTC"))
        rig.room.receive_knock(knocking)
        now = round((EPOCH_S + rig.clock()) * 1000)
        shown = room_message(rig.room, rig.voice_rules, people)
        person = PersonHere(
            person=ann.id, name="Ann", since=now, looks=True, hears=False, drives=False, talks=False, heard=False
        )
        assert shown.here == [person]
        assert shown.knocks == [PersonKnocking(person=bo.id, name="Bo", since=now, until=now + 60_000)]
        assert shown.curtain.since is None
        assert shown.quiet_until is None
        rig.room.receive_curtain(ann.id, is_closed=True)
        rig.room.receive_quiet([QuietSpan(0, 0, 780)])
        shown = room_message(rig.room, rig.voice_rules, people)
        assert (shown.curtain.closed, shown.curtain.by) == (True, "Ann")
        assert shown.curtain.since == int(now / 1000) * 1000
        assert not shown.curtain.saved  # this rig has no store
        assert shown.quiet_until == round((EPOCH_S + rig.clock()) / 60 + 60) * 60_000
        assert shown.knocks == []


def told(rig: EngineRig, session: Session, page: str = "page") -> Voice:
    """What a visitor is told of the sound."""
    message = voice_message(rig.room, rig.voice_rules, rig.invitations.people, page, session, may_look=True)
    assert message is not None
    return message


async def test_a_visitor_is_told_whether_the_room_can_be_heard_and_who_talks() -> None:
    async with open_rig(has_voice=True) as rig:
        ann, bo = rig.open_session("Ann").session, rig.open_session("Bo").session
        assert told(rig, ann) == Voice(
            microphone="closed", hears=True, speaker="ready", open=False, heard=False, talking=[]
        )
        rig.voice.connect(ann.id)
        rig.voice.connect(bo.id)
        assert told(rig, ann).microphone == "open"
        rig.voice_rules.receive_talk("bo-1", bo, TalkMode.HOLD)
        await asyncio.sleep(CHIME_S)
        assert (told(rig, ann).talking, told(rig, bo, "bo-1").talking) == (["Bo"], [])
        assert (told(rig, ann).heard, told(rig, bo, "bo-1").heard) == (False, True)
        people = rig.invitations.people
        blind = voice_message(rig.room, rig.voice_rules, people, "page", ann, may_look=False)
        assert blind is not None
        assert blind.talking == [], "who may not look is not told who is there"
        rig.room.receive_microphone("mei", is_off=True)
        assert (told(rig, ann).microphone, told(rig, ann).hears) == ("off", False)
        rig.voice.unplug(speaker=True)
        assert told(rig, ann).speaker == "missing"
    async with open_rig(has_voice=True) as rig:
        rig.voice.microphone = DeviceState.FAILED
        assert told(rig, rig.open_session("Ann").session).microphone == "missing"


async def test_where_there_is_no_sound_nobody_is_told_of_any() -> None:
    async with open_rig() as rig:
        session = rig.open_session("Ann").session
        people = rig.invitations.people
        assert voice_message(rig.room, rig.voice_rules, people, "page", session, may_look=True) is None
        assert microphone_view(rig.room, rig.voice_rules) == MicrophoneView(
            exists=False, off=False, open=False, saved=False
        )


async def test_the_room_is_shown_who_hears_it_and_whose_microphone_is_open() -> None:
    async with open_rig(has_voice=True) as rig:
        ann = rig.open_session("Ann").session
        rig.room.receive(ViewerJoined("v1", ann.id, "WebRTC"))
        rig.voice.connect(ann.id)
        rig.voice_rules.receive_talk("ann-1", ann, TalkMode.HOLD)
        await asyncio.sleep(CHIME_S)
        shown = room_message(rig.room, rig.voice_rules, rig.invitations.people)
        (person,) = shown.here
        assert (person.hears, person.talks, person.heard) == (True, True, True)
        assert shown.microphone == MicrophoneView(exists=True, off=False, open=True, saved=False)
