"""Cloudflare Access: its signed token, one with every request, says by e-mail address who asks.

The session that a token opens ends when the token does. A token whose session was ended by its person or by the owner
opens no other, after a restart neither: who wants to come back logs in at Cloudflare again.
"""

from __future__ import annotations

import enum
import logging
from typing import TYPE_CHECKING, Annotated, Final, Protocol

import msgspec

from belvedere.access.sessions import EndReason, Session, digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.access.ended_logins import EndedLogins
    from belvedere.access.people import People
    from belvedere.access.session_events import SessionChange, SessionEvents
    from belvedere.access.sessions import IssuedSession

MAX_TOKENS: Final = 1024  # remembered; those that have expired, then the oldest are forgotten first

logger = logging.getLogger(__name__)

Team = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z",
        max_length=63,
        description="the part before .cloudflareaccess.com",
    ),
]
Audience = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z", max_length=64, description="64 hexadecimal digits")]


class CloudflareOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where this table is given, nobody comes in but through Cloudflare Access.

    Attributes:
        team: the name of the Zero Trust organisation, as in `https://<team>.cloudflareaccess.com`.
        audience: the application's "AUD tag".
    """

    team: Team
    audience: Audience

    @property
    def issuer(self) -> str:
        """Who signs: the `iss` of every token."""
        return f"https://{self.team}.cloudflareaccess.com"

    @property
    def keys_url(self) -> str:
        """Where the keys are."""
        return f"{self.issuer}/cdn-cgi/access/certs"


class TokenFault(enum.StrEnum):
    """Why a token is refused; also what the log says."""

    TOO_LARGE = "too large"
    MALFORMED = "malformed"
    WRONG_ALGORITHM = "not signed with RS256"
    UNKNOWN_KEY = "signed with a key that is not known"
    BAD_SIGNATURE = "its signature is wrong"
    WRONG_AUDIENCE = "for another application"
    WRONG_ISSUER = "of another issuer"
    EXPIRED = "expired"
    NOT_YET_VALID = "not valid yet: is this computer's clock right?"
    BAD_CLAIMS = "without the claims that are needed"
    ENDED = "of a session that was ended"


class TokenRefusedError(Exception):
    """A token proves nothing.

    Attributes:
        fault: why.
    """

    def __init__(self, fault: TokenFault) -> None:
        self.fault = fault
        super().__init__(fault.value)


class NotListedError(Exception):
    """A token is genuine, but nobody here has its e-mail address."""


class AccessClaims(msgspec.Struct, frozen=True):
    """What a verified token says: who asks, and until when in wall-clock time."""

    email: str
    ends_utc_s: float


class Verifier(Protocol):
    """Verifies tokens (`access.signed_tokens.SignedTokens`)."""

    async def verify(self, token: str) -> AccessClaims:
        """What a token says. Raises TokenRefusedError, and KeysUnavailableError where that cannot be known now."""
        ...


class SessionOpener(Protocol):
    """Who knows the people, and opens the sessions (`Invitations`)."""

    ended_logins: EndedLogins
    events: SessionEvents
    people: People

    def open_session(self, person_id: str, *, lifetime_s: float | None = None) -> IssuedSession:
        """A session of a person, which lasts no longer than this."""
        ...

    def is_live(self, session: Session) -> bool:
        """Whether a session has not ended."""
        ...

    def end(self, session_id: str, reason: EndReason) -> None:
        """End a session."""
        ...


class _Token(msgspec.Struct, frozen=True):
    claims: AccessClaims
    session: Session


class CloudflareSessions:
    """The sessions that tokens have opened, by the digests of the tokens; a token is verified once.

    Args:
        utc: seconds since 1970, wall-clock time.
    """

    def __init__(self, verifier: Verifier, opener: SessionOpener, utc: Callable[[], float]) -> None:
        self._verifier = verifier
        self._opener = opener
        self._utc = utc
        self._tokens: dict[bytes, _Token] = {}
        opener.events.subscribe(self._receive_session_change)

    async def session(self, token: str) -> Session:
        """The session that a token proves, opened if need be.

        Raises TokenRefusedError, NotListedError, and KeysUnavailableError where the token cannot be verified now.
        """
        known = self.recognise(token)
        if known is not None:
            return known
        name = digest(token)
        claims = self._tokens[name].claims if name in self._tokens else await self._verifier.verify(token)
        now = self._utc()
        if now >= claims.ends_utc_s:
            raise TokenRefusedError(TokenFault.EXPIRED)
        known = self.recognise(token)  # again: another request with the same token may have opened it meanwhile
        if known is not None:
            return known
        if name in self._opener.ended_logins:
            raise TokenRefusedError(TokenFault.ENDED)
        person = self._opener.people.find_by_email(claims.email)
        if person is None:
            raise NotListedError
        session = self._opener.open_session(person.id, lifetime_s=claims.ends_utc_s - now).session
        self._forget_some(now)
        self._tokens[name] = _Token(claims, session)
        logger.info("session %s began with a login at Cloudflare Access", session.id)
        return session

    def recognise(self, token: str) -> Session | None:
        """The live session that a token has opened; None for any other token. Never waits.

        Where the e-mail address has become another person's, or nobody's, the session is ended.
        """
        known = self._tokens.get(digest(token))
        if known is None or not self._opener.is_live(known.session):
            return None
        if self._utc() >= known.claims.ends_utc_s:
            return None
        person = self._opener.people.find_by_email(known.claims.email)
        if person is None or person.id != known.session.person:
            self._opener.end(known.session.id, EndReason.REVOKED)
            return None
        return known.session

    def _receive_session_change(self, change: SessionChange) -> None:
        if change.end not in {EndReason.LEFT, EndReason.REVOKED}:
            return
        for name, each in self._tokens.items():
            if each.session.id == change.session.id:
                self._opener.ended_logins.add(name, each.claims.ends_utc_s)

    def _forget_some(self, utc_s: float) -> None:
        self._tokens = {name: each for name, each in self._tokens.items() if utc_s < each.claims.ends_utc_s}
        while len(self._tokens) >= MAX_TOKENS:
            del self._tokens[next(iter(self._tokens))]
