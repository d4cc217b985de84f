"""Sessions; of a session's cookies only digests are stored."""

from __future__ import annotations

import enum
import hashlib
import secrets
from typing import TYPE_CHECKING

import msgspec

from belvedere.access.rights import Rights, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET_BYTES = 32  # 256 bits: guessing is hopeless, so nothing here needs to count attempts


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser or script that has redeemed an invitation.

    Attributes:
        id: its name in leases and logs; not a secret.
        person: the id of whose session it is (`access.people`); a person may have several.
        role: decides who may take the lease from whom.
        rights: what it may do; `Invitations.rights_of` has those of now.
        ends_at_s: when it ends at the latest, in seconds of the monotonic clock.
    """

    id: str
    person: str
    role: Role
    rights: Rights
    ends_at_s: float


class EndReason(enum.StrEnum):
    """Why a session ended."""

    EXPIRED = "expired"  # its time was over
    DISPLACED = "displaced"  # there were too many sessions, and it had the least time left
    LEFT = "left"  # the visitor ended it
    REVOKED = "revoked"  # the owner ended it


class IssuedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session with a new cookie that proves it, for `lifetime_s`; only the digest of the cookie is stored."""

    session: Session
    cookie: str
    lifetime_s: float


def new_secret() -> str:
    """A secret that fits in a URL and in a cookie."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> bytes:
    """The SHA-256 of a secret, which is stored in its place.

    Looking secrets up by their digest is safe against timing attacks: an attacker cannot choose the digest of a guess,
    and so learns nothing from how far it agrees with a stored one.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Sessions:
    """All sessions that have not ended; time is an argument.

    Never more than `at_most`, as long as `evict_if_full` is called before each `open`. Methods that remove sessions
    return them, because the caller must end what they drive and watch.
    """

    def __init__(self, lifetime_s: float, at_most: int) -> None:
        self._lifetime_s = lifetime_s
        self._at_most = at_most
        self._by_id: dict[str, Session] = {}
        self._ids: dict[bytes, str] = {}  # by the digest of the cookie

    def __len__(self) -> int:
        return len(self._by_id)

    def evict_if_full(self) -> Session | None:
        """Remove and return the session with the least time left, if one more would be too many."""
        if len(self._by_id) < self._at_most:
            return None
        return self.end(min(self._by_id.values(), key=lambda session: session.ends_at_s).id)

    def open(
        self, now: float, person: str, role: Role, rights: Rights, lifetime_s: float | None = None
    ) -> IssuedSession:
        """Start a session, of `lifetime_s` if that is less; without a name, `person` is the session's id."""
        name = secrets.token_hex(6)
        ends_at_s = now + min(self._lifetime_s, self._lifetime_s if lifetime_s is None else lifetime_s)
        session = Session(id=name, person=person or name, role=role, rights=rights, ends_at_s=ends_at_s)
        self._by_id[name] = session
        return self.issue(now, session)

    def issue(self, now: float, session: Session) -> IssuedSession:
        """A further cookie for a session that has not ended."""
        cookie = new_secret()
        self._ids[digest(cookie)] = session.id
        return IssuedSession(session=session, cookie=cookie, lifetime_s=session.ends_at_s - now)

    def restore(self, session: Session, digests: Iterable[bytes]) -> None:
        """Add a session of an earlier run, with the digests of its cookies."""
        self._by_id[session.id] = session
        self._ids.update(dict.fromkeys(digests, session.id))

    def all(self) -> list[tuple[Session, tuple[bytes, ...]]]:
        """Every session, also those whose time is over, with the digests of its cookies."""
        digests: dict[str, list[bytes]] = {name: [] for name in self._by_id}
        for known, name in self._ids.items():
            digests[name].append(known)
        return [(session, tuple(digests[name])) for name, session in self._by_id.items()]

    def find(self, now: float, cookie: str) -> Session | None:
        """The session that this cookie proves, or None where there is none or it has ended."""
        session = self._by_id.get(self._ids.get(digest(cookie), ""))
        return session if session is not None and now < session.ends_at_s else None

    def is_live(self, now: float, session: Session) -> bool:
        """Whether this session has not ended."""
        return self.current(now, session.id) is not None

    def current(self, now: float, session_id: str) -> Session | None:
        """The session with this id as it is now; None where there is none or it has ended."""
        session = self._by_id.get(session_id)
        return session if session is not None and now < session.ends_at_s else None

    def change_rights(self, session_id: str, rights: Rights) -> tuple[Session, Session] | None:
        """Give a session these rights instead; returns it as it was and as it is, or None where there is none."""
        before = self._by_id.get(session_id)
        if before is None:
            return None
        after = self._by_id[session_id] = msgspec.structs.replace(before, rights=rights)
        return before, after

    def change_role(self, session_id: str, role: Role, rights: Rights) -> tuple[Session, Session] | None:
        """Likewise, with another role."""
        before = self._by_id.get(session_id)
        if before is None:
            return None
        after = self._by_id[session_id] = msgspec.structs.replace(before, role=role, rights=rights)
        return before, after

    def of(self, person: str) -> list[Session]:
        """The sessions of a person."""
        return [session for session in self._by_id.values() if session.person == person]

    def end(self, session_id: str) -> Session | None:
        """Remove and return a session; None where there is none."""
        self._ids = {known: name for known, name in self._ids.items() if name != session_id}
        return self._by_id.pop(session_id, None)

    def expire(self, now: float) -> list[Session]:
        """Remove and return the sessions whose time is over."""
        ended = [session.id for session in self._by_id.values() if now >= session.ends_at_s]
        return [session for each in ended if (session := self.end(each)) is not None]

    def deadline(self) -> float | None:
        """When the next session expires; None without sessions."""
        return min((session.ends_at_s for session in self._by_id.values()), default=None)
