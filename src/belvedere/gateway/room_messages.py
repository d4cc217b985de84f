"""What visitors and the room are told about curtain, knocks, quiet hours and who is here, as the wire has it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from belvedere.gateway.messages import Access, CurtainView, PersonHere, PersonKnocking, Room

if TYPE_CHECKING:
    from belvedere.access.people import People
    from belvedere.access.rights import Rights
    from belvedere.privacy.core import Access as CoreAccess
    from belvedere.room.runtime import RoomRuntime


def access_message(access: CoreAccess, rights: Rights) -> Access:
    """Whether a session's person may come in, and what the session may do."""
    return Access(state=access.state, until=_utc_ms(access.until_utc_s), rights=sorted(rights))


def room_message(room: RoomRuntime, people: People) -> Room:
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
        quiet_until=_utc_ms(room.quiet_until_utc_s),
        faults=sorted(room.faults),
    )


def curtain_view(room: RoomRuntime, people: People) -> CurtainView:
    """The curtain."""
    state = room.rules.state
    since = None if state.since_utc_s is None else state.since_utc_s * 1000
    by = people.name_of(state.by) if state.by else ""
    return CurtainView(closed=state.is_closed, by=by, since=since, saved=room.is_saved)


def _utc_ms(utc_s: float | None) -> float | None:
    """None also for a time that never comes: the wire knows no infinity."""
    return None if utc_s is None or math.isinf(utc_s) else round(utc_s * 1000)
