"""What clients are told of people, invitations, sessions and tokens.

Commands read the same answers, so this imports nothing of the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.access.rights import Role
from belvedere.gateway.qr_code import svg_of
from belvedere.store.tokens import Scope

if TYPE_CHECKING:
    from belvedere.access.invitations import Invitations
    from belvedere.access.people import Person
    from belvedere.access.sessions import Session

HOUR_S: Final = 3600  # when a session was used last is nobody's business to the minute


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A person: how many sessions there are, how many unused invitations, and whether the person ever came in."""

    id: str
    name: str
    role: Role
    email: str
    has_joined: bool
    sessions: int
    invitations: int


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A new invitation. It is shown once: only a digest of its secret is stored.

    `qr_svg` is a QR code of the link, a whole SVG document.
    """

    person: str
    name: str
    role: Role
    secret: str
    link: str
    ends_in_s: float
    qr_svg: str


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A session in a list: whose, in which browser, since when, and in which hour it was used last.

    `opened_utc_s` and `seen_utc_s` are seconds since 1970; `is_current` marks the session that asks.
    """

    id: str
    person: str
    name: str
    role: Role
    label: str
    opened_utc_s: int
    seen_utc_s: int
    is_current: bool


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """One token. Times are in seconds since 1970, UTC; `ends_utc_s` is null for one without an end.

    Attributes:
        is_valid: whether it lets its script in: false once its time is over.
    """

    id: str
    name: str
    scope: Scope
    created_utc_s: int
    ends_utc_s: int | None
    is_valid: bool


class Tokens(msgspec.Struct, frozen=True):
    """All tokens that were not revoked, oldest first."""

    tokens: list[TokenView]


class CreatedToken(msgspec.Struct, frozen=True, kw_only=True):
    """A new token; `secret` is what the script sends as `Authorization: Bearer`, and is never shown again."""

    token: TokenView
    secret: str


def shown_once(person: Person, secret: str, link: str, ends_in_s: float) -> Invitation:
    """A new invitation of a person, with what its link looks like."""
    return Invitation(
        person=person.id,
        name=person.name,
        role=person.role,
        secret=secret,
        link=link,
        ends_in_s=ends_in_s,
        qr_svg=svg_of(link),
    )


def listed(invitations: Invitations, person: Person) -> Listed:
    """What is said of a person."""
    return Listed(
        id=person.id,
        name=person.name,
        role=person.role,
        email=person.email,
        has_joined=person.has_joined,
        sessions=sum(session.person == person.id for session, _ in invitations.sessions()),
        invitations=invitations.count_invitations_of(person.id),
    )


def device(invitations: Invitations, session: Session, seen_utc_s: float, *, is_current: bool) -> Device:
    """What is said of a session in a list."""
    return Device(
        id=session.id,
        person=session.person,
        name=invitations.people.name_of(session.person),
        role=session.role,
        label=session.label,
        opened_utc_s=session.opened_utc_s,
        seen_utc_s=int(seen_utc_s) // HOUR_S * HOUR_S,
        is_current=is_current,
    )
