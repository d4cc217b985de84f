"""People have checked names, are found by id and by e-mail address, and are bounded in number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.access.people import MAX_PEOPLE, People
from belvedere.access.rights import Role
from belvedere.errors import Refusal, VisitorError


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
    fresh.restore(people.all())
    assert fresh.find_by_email("ana@example.org") == ana
