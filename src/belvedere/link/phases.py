"""The phases of one unit's link and the allowed transitions; `supervisor` has the diagram."""

from __future__ import annotations

import enum

import msgspec

from belvedere.errors import InternalError, LinkReason
from belvedere.link.port import LinkDetails


class LinkPhase(enum.StrEnum):
    """The phase of a unit's link.

    Only a READY unit is sent moves, and READY follows only SETTLING, in which the unit was stopped.
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
    _P.READY: frozenset({_P.SETTLING, _P.WAITING, _P.CLOSED}),  # SETTLING when the unit refused a write
    _P.DISABLED: frozenset({_P.CLOSED}),
    _P.CLOSED: frozenset(),
}


class UnitStatus(msgspec.Struct, frozen=True):
    """The state of one unit's link.

    Attributes:
        state: the phase.
        reason: the last failure, until the unit is READY again; None at first.
        details: the unit, while it is connected.
        interval_s: the measured connection interval in seconds, None before a measurement.
    """

    state: LinkPhase
    reason: LinkReason | None = None
    details: LinkDetails | None = None
    interval_s: float | None = None


def follow(phase: LinkPhase, following: LinkPhase) -> LinkPhase:
    """Return `following`. Raises InternalError if it must not follow `phase`."""
    if following not in TRANSITIONS[phase]:
        raise InternalError(f"{following} must not follow {phase}")
    return following
