"""People have checked names, are found by id and by e-mail address, and are bounded in number; sessions follow them."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.access.invitations import Invitations
from belvedere.access.people import MAX_PEOPLE, People
from belvedere.access.rights import Right, Role, rights_of_role
from belvedere.access.sessions import EndReason
from belvedere.errors import Refusal, VisitorError
from belvedere.events import Event, RightsChanged
from belvedere.store.people import SavedPerson
from belvedere.testing.clock import FakeClock

if TYPE_CHECKING:
    from belvedere.access.session_events import SessionChange


def test_a_person_is_found_by_id_and_by_e_mail_address_in_any_case() -> None:
    people = People()
    ana = people.add(" Ana 李 ", Role.VISITOR, "Ana@Example.org")
    ben = people.add("Ben", Role.OWNER)
    assert (ana.name, ana.role, ana.email) == ("Ana 李", Role.VISITOR, "ana@example.org")
    assert people.find(ana.id) == people.find_by_email("ANA@example.org") == ana
    assert people.find_by_email("") is None
    assert people.find("unknown") is None
    assert people.all() == [ana, ben]
    assert (people.name_of(ben.id), people.name_of("player-tv")) == ("Ben", "player-tv")


def test_a_persons_role_can_be_changed_and_a_person_removed() -> None:
    people = People()
    ana = people.add("Ana", Role.VISITOR)
    changed = people.change_role(ana.id, Role.GUEST)
    assert changed is not None
    assert (changed.id, changed.role) == (ana.id, Role.GUEST)
    assert people.find(ana.id) == people.remove(ana.id) == changed
    assert people.find(ana.id) is people.remove(ana.id) is people.change_role(ana.id, Role.OWNER) is None
    assert len(people) == 0


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb", "a\u2028b", "a\x00", "\u202eana", "\ud800", "\x1b[2J"])
def test_a_name_that_would_break_a_line_or_deceive_is_refused(name: str) -> None:
    people = People()
    with pytest.raises(VisitorError) as caught:
        people.add(name, Role.VISITOR)
    assert caught.value.refusal is Refusal.BAD_MESSAGE
    assert people.all() == []


@pytest.mark.parametrize("email", ["ana", "ana@", "a na@example.org", "x" * 255 + "@example.org", "ana@exa\nmple.org"])
def test_what_is_no_e_mail_address_is_refused(email: str) -> None:
    with pytest.raises(VisitorError, match="no person can have"):
        People().add("Ana", Role.VISITOR, email)


def test_no_two_people_have_one_e_mail_address() -> None:
    people = People()
    people.add("Ana", Role.VISITOR, "ana@example.org")
    with pytest.raises(VisitorError, match="another person"):
        people.add("Ben", Role.VISITOR, "ANA@example.org")


def test_a_program_is_no_person() -> None:
    with pytest.raises(VisitorError, match="no person"):
        People().add("tv", Role.PROGRAM)


def test_there_are_only_so_many_people() -> None:
    people = People()
    for number in range(MAX_PEOPLE):
        people.add(f"Person {number}", Role.VISITOR)
    with pytest.raises(VisitorError) as caught:
        people.add("One more", Role.VISITOR)
    assert caught.value.refusal is Refusal.TOO_MANY


@given(st.text(), st.sampled_from([Role.OWNER, Role.RESIDENT, Role.VISITOR, Role.GUEST]))
def test_whatever_a_name_is_it_is_one_line_or_refused(name: str, role: Role) -> None:
    people = People()
    try:
        person = people.add(name, role)
    except VisitorError:
        return
    assert 1 <= len(person.name) <= 64
    assert person.name.splitlines() == [person.name]


def test_restored_people_are_as_they_were() -> None:
    people = People()
    ana = people.add("Ana", Role.RESIDENT, "ana@example.org")
    fresh = People()
    fresh.restore(people.saved())
    assert fresh.find_by_email("ana@example.org") == ana


def test_a_person_gets_a_session_with_the_rights_of_the_role_or_fewer() -> None:
    invitations = Invitations(FakeClock())
    guest = invitations.people.add("Ana", Role.GUEST)
    owner = invitations.people.add("Olga", Role.OWNER)
    everything = invitations.open_session(owner.id)
    less = invitations.open_session(owner.id, rights=frozenset({Right.LOOK, Right.ROOM}), lifetime_s=60)
    assert invitations.session(everything.cookie) == everything.session
    assert (everything.session.person, everything.session.role) == (owner.id, Role.OWNER)
    assert everything.session.rights == rights_of_role(Role.OWNER)
    assert (less.session.rights, less.lifetime_s) == (frozenset({Right.LOOK}), 60.0)
    assert invitations.open_session(guest.id).session.rights == {Right.LOOK}
    with pytest.raises(VisitorError, match="not known"):
        invitations.open_session("0123456789ab")


def test_removing_a_person_ends_all_of_their_sessions_and_nobody_elses() -> None:
    invitations = Invitations(FakeClock())
    ana, ben = (invitations.people.add(name, Role.VISITOR) for name in ("Ana", "Ben"))
    first, second, other = (invitations.open_session(person.id) for person in (ana, ana, ben))
    received: list[SessionChange] = []
    invitations.events.subscribe(received.append)
    assert invitations.remove(ana.id) is not None
    assert invitations.remove(ana.id) is None
    assert [(change.session, change.end) for change in received] == [
        (each.session, EndReason.REVOKED) for each in (first, second)
    ]
    assert invitations.session(first.cookie) is None
    assert invitations.is_live(other.session)
    assert [person.id for person in invitations.people.all()] == [ben.id]


def test_another_role_ends_what_is_open_and_the_session_goes_on_with_the_new_rights() -> None:
    events: list[Event] = []
    invitations = Invitations(FakeClock(), record=events.append)
    ana = invitations.people.add("Ana", Role.VISITOR)
    less = invitations.open_session(ana.id, rights=frozenset({Right.LOOK})).session
    issued = invitations.open_session(ana.id)
    received: list[SessionChange] = []
    invitations.events.subscribe(received.append)
    assert invitations.change_role("unknown", Role.OWNER) is None
    changed = invitations.change_role(ana.id, Role.RESIDENT)
    assert changed is not None
    assert invitations.rights_of(less) == {Right.LOOK}
    change = received[1]
    assert change.end is None
    assert change.takes(Right.LOOK)
    assert change.takes(Right.DRIVE)
    assert change.session.role is changed.role is Role.RESIDENT
    assert invitations.rights_of(issued.session) == rights_of_role(Role.RESIDENT)
    assert invitations.session(issued.cookie) == change.session
    assert events[-1] == RightsChanged(issued.session.id, ana.id, "drive look room talk")


def test_a_person_can_get_another_name_and_address_but_not_anothers() -> None:
    people = People()
    ana, ben = people.add("Ana", Role.VISITOR, "ana@example.org"), people.add("Ben", Role.GUEST)
    changed = people.rename(ana.id, "Anna", "anna@example.org")
    assert changed is not None
    assert (changed.name, changed.email, changed.role) == ("Anna", "anna@example.org", Role.VISITOR)
    assert people.rename(ana.id, "Anna", "anna@example.org") == changed
    with pytest.raises(VisitorError, match="another person"):
        people.rename(ben.id, "Ben", "ANNA@example.org")
    assert people.rename("unknown", "Ben", "") is None


def test_a_saved_person_that_is_none_is_logged_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    saved = SavedPerson(id="0123456789ab", name="Ana\n", role="king", email="", has_joined=True)
    people = People()
    people.restore([saved])
    assert people.all() == []
    assert "left out the saved person 0123456789ab" in caplog.text
