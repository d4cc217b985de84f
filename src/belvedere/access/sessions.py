"""The sessions of those who were let in, each known by the hash of its cookie alone."""

from __future__ import annotations

import enum
import hashlib
import secrets

import msgspec

SECRET_BYTES = 32  # 256 bits: guessing is hopeless, so nothing here needs to count attempts


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser (or script) that was let in.

    Attributes:
        id: its name inside the house; no secret.
        person: who it is; the same person may have several sessions.
        rank: who outranks whom at the lease; a resident's is above a visitor's.
        ends_at_s: when it ends at the latest, on the house's monotonic clock.
    """

    id: str
    person: str
    rank: int
    ends_at_s: float


class EndReason(enum.StrEnum):
    """Why a session ended."""

    EXPIRED = "expired"  # its time was over
    DISPLACED = "displaced"  # there were too many, and it had the least time left
    LEFT = "left"  # the visitor said goodbye
    REVOKED = "revoked"  # the household ended it


class EndedSession(msgspec.Struct, frozen=True):
    """A session that is over, and why."""

    session: Session
    reason: EndReason


class IssuedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A fresh session with the secret that proves it; the secret is kept nowhere else."""

    session: Session
    cookie: str


def new_secret() -> str:
    """A secret that fits in a URL and in a cookie."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> bytes:
    """What is remembered of a secret: enough to recognise it, too little to repeat it.

    Looking secrets up by their digest tells an attacker's stopwatch nothing: which digest a guess has, and so how far
    it agrees with a stored one, is beyond the guesser's choice.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Sessions:
    """All sessions that have not ended; time is an argument.

    Never more than `at_most`, as long as `evict_oldest` is called before each `open`. Whoever is forgotten here is
    returned, because what the session holds must be taken back.
    """

    def __init__(self, lifetime_s: float, at_most: int) -> None:
        self._lifetime_s = lifetime_s
        self._at_most = at_most
        self._by_id: dict[str, Session] = {}
        self._ids: dict[bytes, str] = {}  # by the digest of the cookie

    def __len__(self) -> int:
        return len(self._by_id)

    def evict_oldest(self) -> Session | None:
        """Forget the session with the least time left if one more would be too many; returns it."""
        if len(self._by_id) < self._at_most:
            return None
        return self.end(min(self._by_id.values(), key=lambda session: session.ends_at_s).id)

    def open(self, now: float, person: str, rank: int) -> IssuedSession:
        """Let somebody in; without a name, `person` is the session itself."""
        name = secrets.token_hex(6)
        session = Session(id=name, person=person or name, rank=rank, ends_at_s=now + self._lifetime_s)
        self._by_id[name] = session
        return self.issue(session)

    def issue(self, session: Session) -> IssuedSession:
        """One more cookie for a session that has not ended."""
        cookie = new_secret()
        self._ids[digest(cookie)] = session.id
        return IssuedSession(session=session, cookie=cookie)

    def find(self, now: float, cookie: str) -> Session | None:
        """The session that this cookie proves, or None where there is none or it has ended."""
        session = self._by_id.get(self._ids.get(digest(cookie), ""))
        return session if session is not None and now < session.ends_at_s else None

    def is_live(self, now: float, session: Session) -> bool:
        """Whether this session has not ended."""
        return session.id in self._by_id and now < session.ends_at_s

    def end(self, session_id: str) -> Session | None:
        """Forget a session and return it; None where there is none."""
        self._ids = {known: name for known, name in self._ids.items() if name != session_id}
        return self._by_id.pop(session_id, None)

    def expire(self, now: float) -> list[Session]:
        """Forget the sessions whose time is over, and return them."""
        ended = [session.id for session in self._by_id.values() if now >= session.ends_at_s]
        return [session for each in ended if (session := self.end(each)) is not None]

    def deadline(self) -> float | None:
        """When `expire` has something to return next; None while there is no session."""
        return min((session.ends_at_s for session in self._by_id.values()), default=None)
