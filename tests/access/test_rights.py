"""Each role gives the rights that the house promises, and no other."""

from belvedere.access.rights import NO_RIGHTS, Right, Role, rights_of_role

LOOK, DRIVE, TALK, MANAGE, ROOM = Right.LOOK, Right.DRIVE, Right.TALK, Right.MANAGE, Right.ROOM


def test_the_rights_of_each_role() -> None:
    assert {role: set(rights_of_role(role)) for role in Role} == {
        Role.OWNER: {LOOK, DRIVE, TALK, MANAGE},
        Role.RESIDENT: {LOOK, DRIVE, TALK, ROOM},
        Role.VISITOR: {LOOK, DRIVE, TALK},
        Role.GUEST: {LOOK},
        Role.PROGRAM: NO_RIGHTS,
    }


def test_only_a_resident_speaks_for_the_room_and_nobody_publishes_by_a_role() -> None:
    assert [role for role in Role if ROOM in rights_of_role(role)] == [Role.RESIDENT]
    assert [role for role in Role if Right.PUBLISH in rights_of_role(role)] == []
