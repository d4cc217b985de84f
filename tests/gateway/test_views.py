"""What is told of people, invitations and sessions."""

from __future__ import annotations

from tests.access.joining import invite, join

from belvedere.access.invitations import Invitations
from belvedere.access.rights import Role
from belvedere.gateway.views import HOUR_S, device, listed, shown_once


def invitations() -> Invitations:
    return Invitations(lambda: 0.0)


def test_a_persons_sessions_and_unused_links_are_counted_and_nobody_elses() -> None:
    house = invitations()
    ana = join(house, "Ana").session.person
    house.open_session(ana)
    house.invite(ana)
    join(house, "Ben")
    invite(house, "Cleo")
    view = listed(house, next(person for person in house.people.all() if person.id == ana))
    assert (view.name, view.sessions, view.invitations) == ("Ana", 2, 1)


def test_an_invitation_is_shown_with_its_link_as_a_qr_code() -> None:
    house = invitations()
    person = house.people.add("Room", Role.RESIDENT)
    view = shown_once(person, "secret", "https://home.example/room#secret", 60.0)
    assert (view.person, view.role, view.secret, view.ends_in_s) == (person.id, Role.RESIDENT, "secret", 60.0)
    assert view.qr_svg.startswith("<svg")


def test_when_a_session_was_used_last_is_told_to_the_hour() -> None:
    house = invitations()
    session = join(house, "Ana").session
    view = device(house, session, 5 * HOUR_S + 59.9, is_current=True)
    assert (view.name, view.seen_utc_s, view.is_current) == ("Ana", 5 * HOUR_S, True)
