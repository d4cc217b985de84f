"""What is known of a unit by what was last sent to it, and how that changes; `write_scheduler` has the diagram."""

from __future__ import annotations

import enum


class UnitState(enum.Enum):
    """The newest command, and whether a request followed it, whose answer proves that the unit has processed it.

    A keep-alive counts as soon as it is begun, so it may still be in flight; an acknowledged write counts once it is
    answered.
    """

    MOVING = "moving"
    MOVING_ASKED = "moving, asked"
    UNVERIFIED = "stopped, unverified"
    VERIFIED = "stopped, verified"

    __hash__ = object.__hash__  # the enumeration's own is written in Python, and the tables are asked at every write

    @property
    def is_moving(self) -> bool:
        """Whether the newest command is a move."""
        return self in MOVING

    @property
    def is_asked(self) -> bool:
        """Whether a request followed the newest command."""
        return self in ASKED


MOVING = frozenset({UnitState.MOVING, UnitState.MOVING_ASKED})
ASKED = frozenset({UnitState.MOVING_ASKED, UnitState.VERIFIED})


class UnitEvent(enum.Enum):
    """What is sent: a move, a stop, or a request. RESET: a stop was verified, and whatever was sent before is void."""

    MOVE = "move"
    STOP = "stop"
    REQUEST = "request"
    RESET = "reset"

    __hash__ = object.__hash__


_S, _E = UnitState, UnitEvent
TRANSITIONS: dict[tuple[UnitState, UnitEvent], UnitState] = {
    (_S.VERIFIED, _E.MOVE): _S.MOVING,
    (_S.VERIFIED, _E.STOP): _S.UNVERIFIED,
    (_S.VERIFIED, _E.REQUEST): _S.VERIFIED,
    (_S.VERIFIED, _E.RESET): _S.VERIFIED,
    (_S.UNVERIFIED, _E.MOVE): _S.MOVING,
    (_S.UNVERIFIED, _E.STOP): _S.UNVERIFIED,
    (_S.UNVERIFIED, _E.REQUEST): _S.VERIFIED,
    (_S.UNVERIFIED, _E.RESET): _S.VERIFIED,
    (_S.MOVING, _E.MOVE): _S.MOVING,
    (_S.MOVING, _E.STOP): _S.UNVERIFIED,
    (_S.MOVING, _E.REQUEST): _S.MOVING_ASKED,
    (_S.MOVING, _E.RESET): _S.VERIFIED,
    (_S.MOVING_ASKED, _E.MOVE): _S.MOVING,
    (_S.MOVING_ASKED, _E.STOP): _S.UNVERIFIED,
    (_S.MOVING_ASKED, _E.REQUEST): _S.MOVING_ASKED,
    (_S.MOVING_ASKED, _E.RESET): _S.VERIFIED,
}


class Due(enum.Enum):
    """What is to be sent by itself when nobody commands anything."""

    NOTHING = "nothing"
    KEEP_ALIVES = "keep-alives"
    VERIFICATION = "verification"


DUE: dict[UnitState, Due] = {
    _S.VERIFIED: Due.NOTHING,
    _S.UNVERIFIED: Due.VERIFICATION,
    _S.MOVING: Due.KEEP_ALIVES,
    _S.MOVING_ASKED: Due.KEEP_ALIVES,
}
