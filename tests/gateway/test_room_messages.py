"""What the room and its visitors are told, as the wire has it."""

import math

from tests.support.engine_rig import EPOCH_S, open_rig

from belvedere.access.rights import Right, Role
from belvedere.events import ViewerJoined
from belvedere.gateway.messages import Access, PersonHere, PersonKnocking
from belvedere.gateway.room_messages import access_message, room_message
from belvedere.privacy.core import Access as CoreAccess
from belvedere.privacy.hours import QuietSpan
from belvedere.privacy.words import AccessState


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
        shown = room_message(rig.room, people)
        assert shown.here == [PersonHere(person=ann.id, name="Ann", since=now, looks=True, hears=False, drives=False)]
        assert shown.knocks == [PersonKnocking(person=bo.id, name="Bo", since=now, until=now + 60_000)]
        assert shown.curtain.since is None
        assert shown.quiet_until is None
        rig.room.receive_curtain(ann.id, is_closed=True)
        rig.room.receive_quiet([QuietSpan(0, 0, 780)])
        shown = room_message(rig.room, people)
        assert (shown.curtain.closed, shown.curtain.by) == (True, "Ann")
        assert shown.curtain.since == int(now / 1000) * 1000
        assert not shown.curtain.saved  # this rig has no store
        assert shown.quiet_until == round((EPOCH_S + rig.clock()) / 60 + 60) * 60_000
        assert shown.knocks == []
