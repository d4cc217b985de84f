"""What a session may do, and whose word counts more when two want to drive."""

from __future__ import annotations

import enum
from typing import Final, TypeAlias


class Right(enum.StrEnum):
    """One thing that a session may do; to stop the head needs a session and no right."""

    LOOK = "look"  # see the picture
    DRIVE = "drive"  # turn the head
    TALK = "talk"  # be heard in the room
    PUBLISH = "publish"  # send the picture that the others see
    MANAGE = "manage"  # invite others, end their sessions, change the settings
    ROOM = "room"  # speak for the room: its curtain, who may come in, and the list of visits


class Role(enum.StrEnum):
    """Where a person stands towards the home; what each may do is in `RIGHTS_OF_ROLE`."""

    OWNER = "owner"  # invites the others; may be far away, so only a resident speaks for the room
    RESIDENT = "resident"  # lives in the room: above everyone when two want to drive
    VISITOR = "visitor"
    GUEST = "guest"  # may only look
    PROGRAM = "program"  # no person: a token of the owner's, which may use only what one of its rights is for


Rights: TypeAlias = frozenset[Right]

NO_RIGHTS: Final[Rights] = frozenset()
FRONTEND_RIGHTS: Final[Rights] = frozenset({Right.LOOK, Right.DRIVE, Right.TALK})  # at most, in a page of another site
ALL_RIGHTS: Final[Rights] = frozenset(Right)
RIGHTS_OF_ROLE: Final[dict[Role, Rights]] = {
    Role.OWNER: frozenset({Right.LOOK, Right.DRIVE, Right.TALK, Right.MANAGE}),
    Role.RESIDENT: frozenset({Right.LOOK, Right.DRIVE, Right.TALK, Right.ROOM}),
    Role.VISITOR: frozenset({Right.LOOK, Right.DRIVE, Right.TALK}),
    Role.GUEST: frozenset({Right.LOOK}),
    Role.PROGRAM: NO_RIGHTS,  # each token says its own
}
VISITOR_RIGHTS: Final[Rights] = RIGHTS_OF_ROLE[Role.VISITOR]


def rights_of_role(role: Role) -> Rights:
    """What a person of this role may do, unless the room withholds it."""
    return RIGHTS_OF_ROLE[role]
