"""The named states of one unit's link, and which may follow which."""

from __future__ import annotations

import enum

import msgspec

from belvedere.errors import InternalError, LinkReason
from belvedere.link.port import LinkDetails


class LinkPhase(enum.StrEnum):
    """What is being done about a unit's link.

    Only a READY unit takes moves; on the way there it has always been told to stop first (SETTLING).
    """

    SEARCHING = "searching"
    CONNECTING = "connecting"
    SETTLING = "settling"
    READY = "ready"
    WAITING = "waiting"
    DISABLED = "disabled"
    CLOSED = "closed"


_P = LinkPhase
TRANSITIONS: dict[LinkPhase, frozenset[LinkPhase]] = {
    _P.WAITING: frozenset({_P.SEARCHING, _P.CLOSED}),
    _P.SEARCHING: frozenset({_P.CONNECTING, _P.SETTLING, _P.WAITING, _P.DISABLED, _P.CLOSED}),
    _P.CONNECTING: frozenset({_P.SETTLING, _P.WAITING, _P.CLOSED}),
    _P.SETTLING: frozenset({_P.READY, _P.WAITING, _P.CLOSED}),
    _P.READY: frozenset({_P.SETTLING, _P.WAITING, _P.CLOSED}),  # SETTLING when the unit refused a command
    _P.DISABLED: frozenset({_P.CLOSED}),
    _P.CLOSED: frozenset(),
}


class UnitStatus(msgspec.Struct, frozen=True):
    """What is known of one unit's link.

    Attributes:
        state: what is being done.
        reason: why the unit is not READY, from the failure until it is READY again; None at first.
        details: the unit, while it is connected.
        interval_s: the learned connection interval, or None while nothing was learned.
    """

    state: LinkPhase
    reason: LinkReason | None = None
    details: LinkDetails | None = None
    interval_s: float | None = None


def follow(phase: LinkPhase, following: LinkPhase) -> LinkPhase:
    """The following phase, if it may follow. Raises InternalError."""
    if following not in TRANSITIONS[phase]:
        raise InternalError(f"{following} must not follow {phase}")
    return following
