"""The sessions of those who were let in, each known by the hash of its cookie alone."""

from __future__ import annotations

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
        ends_at_s: when it ends, on the house's monotonic clock.
    """

    id: str
    person: str
    rank: int
    ends_at_s: float


class Admission(msgspec.Struct, frozen=True, kw_only=True):
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

    Never more than `at_most`: opening one too many ends the one that had the least time left.
    """

    def __init__(self, lifetime_s: float, at_most: int) -> None:
        self._lifetime_s = lifetime_s
        self._at_most = at_most
        self._by_digest: dict[bytes, Session] = {}
        self._displaced: list[Session] = []

    def __len__(self) -> int:
        return len(self._by_digest)

    def open(self, now: float, person: str, rank: int) -> Admission:
        """Let somebody in; without a name, `person` is the session itself."""
        if len(self._by_digest) >= self._at_most:
            soonest = min(self._by_digest, key=lambda known: self._by_digest[known].ends_at_s)
            self._displaced.append(msgspec.structs.replace(self._by_digest.pop(soonest), ends_at_s=now))
        name = secrets.token_hex(6)
        session = Session(id=name, person=person or name, rank=rank, ends_at_s=now + self._lifetime_s)
        cookie = new_secret()
        self._by_digest[digest(cookie)] = session
        return Admission(session=session, cookie=cookie)

    def find(self, now: float, cookie: str) -> Session | None:
        """The session that this cookie proves, or None where there is none or it has ended."""
        session = self._by_digest.get(digest(cookie))
        return session if session is not None and now < session.ends_at_s else None

    def tick(self, now: float) -> list[Session]:
        """Forget the sessions whose time is over or that had to give way, and return them."""
        displaced, self._displaced = self._displaced, []
        ended = [known for known, session in self._by_digest.items() if now >= session.ends_at_s]
        return [*displaced, *(self._by_digest.pop(known) for known in ended)]

    def deadline(self) -> float | None:
        """When `tick` has something to return next; None while there is no session."""
        return min((session.ends_at_s for session in (*self._displaced, *self._by_digest.values())), default=None)
