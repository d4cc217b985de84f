"""What visitors and the room are told about curtain, knocks, voices, quiet hours and who is here, as on the wire."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from belvedere.gateway.messages import Access, Room, Voice
from belvedere.gateway.room_parts import CurtainView, MicrophoneView, PersonHere, PersonKnocking
from belvedere.room.voice_runtime import BROKEN
from belvedere.stage.voice.interface import DeviceState

if TYPE_CHECKING:
    from belvedere.access.people import People
    from belvedere.access.rights import Rights
    from belvedere.access.sessions import Session
    from belvedere.privacy.core import Access as CoreAccess
    from belvedere.room.runtime import RoomRuntime
    from belvedere.room.voice_runtime import VoiceRuntime


def access_message(access: CoreAccess, rights: Rights) -> Access:
    """Whether a session's person may come in, and what the session may do."""
    return Access(state=access.state, until=_utc_ms(access.until_utc_s), rights=sorted(rights))


def room_message(room: RoomRuntime, voice: VoiceRuntime, people: People) -> Room:
    """What the room is shown."""
    return Room(
        curtain=curtain_view(room, people),
        here=[
            PersonHere(
                person=person,
                name=people.name_of(person),
                since=round(here.since_utc_s * 1000),
                looks=here.doing.looks,
                hears=here.doing.hears,
                drives=here.doing.drives,
                talks=here.doing.talks,
                heard=here.doing.is_heard,
            )
            for person, here in room.rules.here.items()
        ],
        knocks=[
            PersonKnocking(
                person=knock.person,
                name=people.name_of(knock.person),
                since=round(knock.since_utc_s * 1000),
                until=round(knock.until_utc_s * 1000),
            )
            for knock in room.rules.knocks
        ],
        microphone=microphone_view(room, voice),
        quiet_until=_utc_ms(room.quiet_until_utc_s),
        faults=sorted(room.faults),
    )


def curtain_view(room: RoomRuntime, people: People) -> CurtainView:
    """The curtain."""
    state = room.rules.state
    since = None if state.since_utc_s is None else state.since_utc_s * 1000
    by = people.name_of(state.by) if state.by else ""
    return CurtainView(closed=state.is_closed, by=by, since=since, saved=room.is_saved)


def microphone_view(room: RoomRuntime, voice: VoiceRuntime) -> MicrophoneView:
    """The room's microphone."""
    return MicrophoneView(
        exists=voice.has_voice,
        off=room.rules.state.is_muted,
        open=voice.status.microphone is DeviceState.OPEN,
        saved=room.is_saved,
    )


def voice_message(
    room: RoomRuntime, voice: VoiceRuntime, people: People, page: str, visitor: Session, *, may_look: bool
) -> Voice | None:
    """What a visitor is told of the sound, in the control session of this name; None where there is none."""
    if not voice.has_voice:
        return None
    return Voice(
        microphone=_microphone(room, voice),
        hears=voice.permission_of(visitor.id).may_listen,
        speaker="missing" if voice.status.speaker in BROKEN else "ready",
        open=voice.offers_open,
        heard=voice.is_heard(page),
        talking=[people.name_of(person) for person in voice.talking_but(page)] if may_look else [],
    )


def _microphone(room: RoomRuntime, voice: VoiceRuntime) -> Literal["off", "missing", "closed", "open"]:
    if room.rules.state.is_muted:
        return "off"
    match voice.status.microphone:
        case DeviceState.MISSING | DeviceState.FAILED:
            return "missing"
        case DeviceState.OPEN:
            return "open"
        case _:
            return "closed"


def _utc_ms(utc_s: float | None) -> float | None:
    """None also for a time that never comes: the wire knows no infinity."""
    return None if utc_s is None or math.isinf(utc_s) else round(utc_s * 1000)
