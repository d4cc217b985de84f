"""The phases of the stage and of one viewer, and the allowed transitions; `stage` has the diagram."""

from __future__ import annotations

import enum

from belvedere.errors import InternalError


class StagePhase(enum.StrEnum):
    """Whether the picture is on, and whether the source is known to fail.

    The source is on in STARTING, LIVE and RETRYING, and in no other phase.
    """

    IDLE = "idle"
    STARTING = "starting"
    LIVE = "live"
    UNAVAILABLE = "unavailable"
    RETRYING = "retrying"
    COVERED = "covered"
    CLOSED = "closed"


class StageEvent(enum.StrEnum):
    """What changes the phase of the stage."""

    NEEDED = "needed"
    NOT_NEEDED = "not needed"
    PICTURE = "picture"
    FAILURE = "failure"
    GIVEN_UP = "given up"
    COVERING = "covering"
    UNCOVERING = "uncovering"
    CLOSING = "closing"


class ViewerPhase(enum.StrEnum):
    """How far a viewer has come. Only one who is WATCHING is sent frames, and is counted."""

    JOINING = "joining"
    CONNECTING = "connecting"
    WATCHING = "watching"
    ENDED = "ended"


_P, _E = StagePhase, StageEvent
STAGE_TRANSITIONS: dict[StagePhase, dict[StageEvent, StagePhase]] = {
    _P.IDLE: {
        _E.NEEDED: _P.STARTING,
        _E.NOT_NEEDED: _P.IDLE,
        _E.FAILURE: _P.UNAVAILABLE,
        _E.CLOSING: _P.CLOSED,
    },
    _P.STARTING: {
        _E.NEEDED: _P.STARTING,
        _E.NOT_NEEDED: _P.IDLE,
        _E.PICTURE: _P.LIVE,
        _E.FAILURE: _P.RETRYING,
        _E.CLOSING: _P.CLOSED,
    },
    _P.LIVE: {
        _E.NEEDED: _P.LIVE,
        _E.NOT_NEEDED: _P.IDLE,
        _E.PICTURE: _P.LIVE,
        _E.FAILURE: _P.RETRYING,
        _E.CLOSING: _P.CLOSED,
    },
    _P.UNAVAILABLE: {
        _E.NEEDED: _P.RETRYING,
        _E.NOT_NEEDED: _P.UNAVAILABLE,
        _E.FAILURE: _P.UNAVAILABLE,
        _E.CLOSING: _P.CLOSED,
    },
    _P.RETRYING: {
        _E.NEEDED: _P.RETRYING,
        _E.NOT_NEEDED: _P.UNAVAILABLE,
        _E.PICTURE: _P.LIVE,
        _E.FAILURE: _P.RETRYING,
        _E.GIVEN_UP: _P.UNAVAILABLE,
        _E.CLOSING: _P.CLOSED,
    },
    _P.COVERED: {_E.NOT_NEEDED: _P.COVERED, _E.UNCOVERING: _P.IDLE, _E.CLOSING: _P.CLOSED},
    _P.CLOSED: dict.fromkeys((_E.NOT_NEEDED, _E.COVERING, _E.UNCOVERING, _E.CLOSING), _P.CLOSED),
}
for _phase, _row in STAGE_TRANSITIONS.items():
    if _phase is not _P.CLOSED:
        _row[_E.COVERING] = _P.COVERED  # a curtain closes whatever else happens
        _row.setdefault(_E.UNCOVERING, _phase)
_V = ViewerPhase
VIEWER_TRANSITIONS: dict[ViewerPhase, frozenset[ViewerPhase]] = {
    _V.JOINING: frozenset({_V.CONNECTING, _V.WATCHING, _V.ENDED}),
    _V.CONNECTING: frozenset({_V.WATCHING, _V.ENDED}),
    _V.WATCHING: frozenset({_V.ENDED}),
    _V.ENDED: frozenset(),
}


def follow(phase: StagePhase, event: StageEvent) -> StagePhase:
    """Return the phase after `event`. Raises InternalError if it must not happen in `phase`."""
    following = STAGE_TRANSITIONS[phase].get(event)
    if following is None:
        raise InternalError(f"{event!s} must not happen while the stage is {phase}")
    return following


def follow_viewer(phase: ViewerPhase, following: ViewerPhase) -> ViewerPhase:
    """Return `following`. Raises InternalError if it must not follow `phase`."""
    if following not in VIEWER_TRANSITIONS[phase]:
        raise InternalError(f"a viewer who is {phase} must not become {following}")
    return following
