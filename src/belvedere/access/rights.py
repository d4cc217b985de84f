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
    """Where a person stands towards the home. A role gives no right; it decides who may take the lease from whom."""

    VISITOR = "visitor"
    RESIDENT = "resident"  # lives in the room: above every visitor
    PROGRAM = "program"  # of the owner's settings; it may use only what one of its rights is for


Rights: TypeAlias = frozenset[Right]

NO_RIGHTS: Final[Rights] = frozenset()
VISITOR_RIGHTS: Final[Rights] = frozenset({Right.LOOK, Right.DRIVE})
ALL_RIGHTS: Final[Rights] = frozenset(Right)
