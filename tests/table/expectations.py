"""Who may use each route and each message, in which state of the room: written down by hand, apart from the code.

A new route, message, role or state has no row, and a test fails until it has one. `expected` says what a row means for
each requester.
"""

from __future__ import annotations

import enum
from typing import Final

from belvedere.access.rights import Role
from belvedere.errors import Refusal


class Who(enum.StrEnum):
    """Whose request it is."""

    NOBODY = "nobody"  # without a session
    EXPIRED = "expired"
    REVOKED = "revoked"
    OWNER = "owner"
    RESIDENT = "resident"
    VISITOR = "visitor"
    GUEST = "guest"
    PLAYER = "player"
    PUBLISHER = "publisher"
    SCRIPT = "script"  # a program that may look and drive


class State(enum.StrEnum):
    """What the room says."""

    OPEN = "open"
    CURTAIN = "curtain"
    KNOCK = "knock"
    QUIET = "quiet"


class Origin(enum.StrEnum):
    """Whose page sends it."""

    OWN = "own"
    FOREIGN = "foreign"


class Row(enum.Enum):
    """Who may."""

    PROBES = enum.auto()  # everybody; no proof is looked at
    EVERYBODY = enum.auto()  # also without a session, but no program
    FRONTENDS = enum.auto()  # likewise, from our own page and those of the settings
    SESSIONS = enum.auto()  # every person with a session, whatever the room says
    LOOKERS = enum.auto()  # those who may look, unless the room withholds it
    DRIVERS = enum.auto()  # those who may drive, likewise
    TALKERS = enum.auto()  # those who may talk, likewise
    MANAGERS = enum.auto()  # the owner
    KNOCKERS = enum.auto()  # every person with a session, unless the room has said no already
    ROOM = enum.auto()  # residents
    PUBLISHER = enum.auto()  # the program that publishes the picture
    ALL_SESSIONS = enum.auto()  # every session, also a program's


PEOPLE: Final = frozenset({Who.OWNER, Who.RESIDENT, Who.VISITOR, Who.GUEST})
PROGRAMS: Final = frozenset({Who.PLAYER, Who.PUBLISHER, Who.SCRIPT})
WITHOUT_SESSION: Final = frozenset({Who.NOBODY, Who.EXPIRED, Who.REVOKED})
ROLES: Final = {Who.OWNER: Role.OWNER, Who.RESIDENT: Role.RESIDENT, Who.VISITOR: Role.VISITOR, Who.GUEST: Role.GUEST}
MAY: Final[dict[Row, frozenset[Who]]] = {
    Row.PROBES: frozenset(Who),
    Row.EVERYBODY: frozenset(Who) - PROGRAMS,
    Row.FRONTENDS: frozenset(Who) - PROGRAMS,
    Row.SESSIONS: PEOPLE,
    Row.LOOKERS: PEOPLE | {Who.PLAYER, Who.SCRIPT},
    Row.DRIVERS: (PEOPLE - {Who.GUEST}) | {Who.SCRIPT},
    Row.TALKERS: PEOPLE - {Who.GUEST},
    Row.MANAGERS: frozenset({Who.OWNER}),
    Row.KNOCKERS: PEOPLE,
    Row.ROOM: frozenset({Who.RESIDENT}),
    Row.PUBLISHER: frozenset({Who.PUBLISHER}),
    Row.ALL_SESSIONS: PEOPLE | PROGRAMS,
}
WITHHELD_ROWS: Final = frozenset({Row.LOOKERS, Row.DRIVERS, Row.TALKERS, Row.KNOCKERS})

PASSES: Final = "passes"  # reaches the handler, which may answer anything else
NO_SESSION: Final = "no_session"
FOREIGN: Final = "foreign_origin"
NOT_PERMITTED: Final = str(Refusal.NOT_PERMITTED)
WITHHELD: Final = {  # by the room
    State.CURTAIN: str(Refusal.CURTAIN_CLOSED),
    State.KNOCK: str(Refusal.NOT_WELCOMED),
    State.QUIET: str(Refusal.QUIET_HOURS),
}
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SOCKET: Final = "WEBSOCKET"

ROUTES: Final[dict[tuple[str, str], Row]] = {
    ("GET", "/"): Row.EVERYBODY,
    ("GET", "/{path}"): Row.EVERYBODY,
    ("GET", "/healthz"): Row.PROBES,
    ("GET", "/readyz"): Row.PROBES,
    ("GET", "/schema"): Row.SESSIONS,
    ("GET", "/schema/{path}"): Row.SESSIONS,
    ("GET", "/schema/openapi.json"): Row.SESSIONS,
    ("POST", "/api/v1/login/invitation"): Row.EVERYBODY,
    ("POST", "/api/v1/login/invitation/peek"): Row.EVERYBODY,
    ("GET", "/api/v1/session"): Row.SESSIONS,
    ("DELETE", "/api/v1/session"): Row.SESSIONS,
    ("GET", "/api/v1/sessions"): Row.SESSIONS,
    ("DELETE", "/api/v1/sessions/{session_id}"): Row.SESSIONS,
    ("GET", "/api/v1/people"): Row.MANAGERS,
    ("POST", "/api/v1/people"): Row.MANAGERS,
    ("PATCH", "/api/v1/people/{person_id}"): Row.MANAGERS,
    ("DELETE", "/api/v1/people/{person_id}"): Row.MANAGERS,
    ("POST", "/api/v1/people/{person_id}/invitations"): Row.MANAGERS,
    ("POST", "/api/v1/login/passkey/options"): Row.EVERYBODY,
    ("POST", "/api/v1/login/passkey"): Row.EVERYBODY,
    ("POST", "/api/v1/passkeys/options"): Row.SESSIONS,
    ("GET", "/api/v1/passkeys"): Row.SESSIONS,
    ("POST", "/api/v1/passkeys"): Row.SESSIONS,
    ("DELETE", "/api/v1/passkeys/{passkey}"): Row.SESSIONS,
    ("POST", "/api/v1/head/velocity"): Row.DRIVERS,
    ("POST", "/api/v1/head/stop"): Row.ALL_SESSIONS,
    ("OPTIONS", "/api/v1/stage/whep"): Row.LOOKERS,
    ("GET", "/api/v1/stage/whep"): Row.LOOKERS,
    ("POST", "/api/v1/stage/whep"): Row.LOOKERS,
    ("GET", "/api/v1/stage/whep/{viewer}"): Row.ALL_SESSIONS,
    ("DELETE", "/api/v1/stage/whep/{viewer}"): Row.ALL_SESSIONS,
    ("POST", "/api/v1/stage/stills"): Row.LOOKERS,
    (SOCKET, "/api/v1/stage/stream"): Row.LOOKERS,
    ("POST", "/api/v1/stage/ivs/participants"): Row.LOOKERS,
    ("PUT", "/api/v1/stage/ivs/participants/{participant}"): Row.LOOKERS,
    ("DELETE", "/api/v1/stage/ivs/participants/{participant}"): Row.ALL_SESSIONS,
    ("GET", "/api/v1/stage/ivs/hours"): Row.MANAGERS,
    ("OPTIONS", "/api/v1/stage/whip"): Row.PUBLISHER,
    ("GET", "/api/v1/stage/whip"): Row.PUBLISHER,
    ("POST", "/api/v1/stage/whip"): Row.PUBLISHER,
    ("GET", "/api/v1/stage/whip/{publisher}"): Row.PUBLISHER,
    ("DELETE", "/api/v1/stage/whip/{publisher}"): Row.PUBLISHER,
    (SOCKET, "/api/v1/control"): Row.SESSIONS,
    ("GET", "/api/v1/tokens"): Row.MANAGERS,
    ("POST", "/api/v1/tokens"): Row.MANAGERS,
    ("DELETE", "/api/v1/tokens/{token}"): Row.MANAGERS,
    ("GET", "/join"): Row.EVERYBODY,
    ("GET", "/room"): Row.EVERYBODY,
    ("GET", "/rooms"): Row.EVERYBODY,
    ("GET", "/api/v1/rooms"): Row.SESSIONS,
    ("GET", "/api/v1/room"): Row.ROOM,
    ("PUT", "/api/v1/room/curtain"): Row.ROOM,
    ("PUT", "/api/v1/room/microphone"): Row.ROOM,
    ("PUT", "/api/v1/room/guests"): Row.ROOM,
    ("POST", "/api/v1/room/knocks/{person}"): Row.ROOM,
    ("PUT", "/api/v1/room/welcome/{person}"): Row.ROOM,
    ("PUT", "/api/v1/room/hours"): Row.ROOM,
    ("GET", "/api/v1/frontend"): Row.FRONTENDS,
    ("POST", "/api/v1/bearers"): Row.SESSIONS,
    ("POST", "/api/v1/tickets"): Row.SESSIONS,
    ("GET", "/api/v1/room/visits"): Row.ROOM,
    ("GET", "/api/v1/room/visits/export"): Row.ROOM,
    ("DELETE", "/api/v1/room/visits/{visit}"): Row.ROOM,
}
MESSAGES: Final[dict[str, Row]] = {
    "hello": Row.SESSIONS,
    "ping": Row.SESSIONS,
    "stop": Row.SESSIONS,
    "release": Row.SESSIONS,
    "lease.return": Row.SESSIONS,
    "lease.acquire": Row.DRIVERS,
    "lease.take": Row.DRIVERS,
    "lease.ask": Row.DRIVERS,
    "lease.answer": Row.DRIVERS,
    "lease.give": Row.DRIVERS,
    "drive": Row.DRIVERS,
    "talk": Row.TALKERS,
    "talk.end": Row.SESSIONS,
    "knock": Row.KNOCKERS,
    "room.microphone": Row.ROOM,
    "room.curtain": Row.ROOM,
    "room.answer": Row.ROOM,
}


def expected(row: Row, who: Who, state: State, origin: Origin = Origin.OWN, method: str = "GET") -> str:
    """What becomes of a request of a row: PASSES, or why it is refused."""
    if origin is Origin.FOREIGN and method not in SAFE:
        return FOREIGN
    if who not in MAY[row]:
        return NO_SESSION if who in WITHOUT_SESSION else NOT_PERMITTED
    if row is Row.FRONTENDS and origin is Origin.FOREIGN:
        return NOT_PERMITTED
    if row is Row.KNOCKERS and state is State.KNOCK:
        return PASSES
    return WITHHELD.get(state, PASSES) if row in WITHHELD_ROWS else PASSES
