"""Sessions; of a session's cookies only digests are stored."""

from __future__ import annotations

import enum
import hashlib
import math
import secrets
from collections import Counter
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
        ends_at_s: when it ends at the latest, in seconds of the monotonic clock; sooner if it is not used for long.
        label: the browser and system that it was opened in, for people.
        opened_utc_s: when it was opened, in wall-clock time; 0 where that is not known.
    """

    id: str
    person: str
    role: Role
    rights: Rights
    ends_at_s: float
    label: str = ""
    opened_utc_s: int = 0


class EndReason(enum.StrEnum):
    """Why a session ended."""

    EXPIRED = "expired"  # its time was over
    DISPLACED = "displaced"  # there were too many sessions, of its person as a rule, and it had the least time left
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


def new_id() -> str:
    """A short name that nothing else has; not a secret."""
    return secrets.token_hex(6)


def digest(secret: str) -> bytes:
    """The SHA-256 of a secret, which is stored in its place.

    Looking secrets up by their digest is safe against timing attacks: an attacker cannot choose the digest of a guess,
    and so learns nothing from how far it agrees with a stored one.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Sessions:
    """All sessions that have not ended; time is an argument.

    A session ends after `lifetime_s`, or once it has not been used for `idle_s`. There are never more than `at_most`,
    and `per_person` of one person, as long as `evict_for` is called before each `open`. Methods that remove sessions
    return them, because the caller must end what they drive and watch.
    """

    def __init__(
        self, lifetime_s: float, at_most: int, *, idle_s: float = math.inf, per_person: int | None = None
    ) -> None:
        self.idle_s = idle_s
        self._lifetime_s = lifetime_s
        self._at_most = at_most
        self._per_person = at_most if per_person is None else per_person
        self._by_id: dict[str, Session] = {}
        self._used_at_s: dict[str, float] = {}
        self._ids: dict[bytes, str] = {}  # by the digest of the cookie

    def __len__(self) -> int:
        return len(self._by_id)

    def evict_for(self, person: str) -> Session | None:
        """Remove and return a session, if one more of this person would be too many.

        That is the one with the least time left of the person's own, or where there are too many of all people, of
        whoever has most: nobody who opens many ends those of others.
        """
        holders = Counter(session.person for session in self._by_id.values())
        if holders[person] >= self._per_person:
            loser = person
        elif len(self._by_id) >= self._at_most:
            loser = max(holders, key=holders.__getitem__)
        else:
            return None
        return self.end(min(self.of(loser), key=self._ends_at_s).id)

    def open(self, now: float, session: Session) -> IssuedSession:
        """Start a session, which lasts for `lifetime_s` at most; returns it with its first cookie."""
        ends_at_s = min(session.ends_at_s, now + self._lifetime_s)
        opened = self._by_id[session.id] = msgspec.structs.replace(session, ends_at_s=ends_at_s)
        self._used_at_s[session.id] = now
        return self.issue(now, opened)

    def issue(self, now: float, session: Session) -> IssuedSession:
        """A further cookie for a session that has not ended."""
        cookie = new_secret()
        self._ids[digest(cookie)] = session.id
        return IssuedSession(session=session, cookie=cookie, lifetime_s=session.ends_at_s - now)

    def receive_use(self, now: float, session_id: str) -> None:
        """A session is used; does nothing where there is none."""
        if session_id in self._by_id:
            self._used_at_s[session_id] = now

    def used_at_s(self, session_id: str) -> float:
        """When this session was used last."""
        return self._used_at_s[session_id]

    def restore(self, session: Session, used_at_s: float, digests: Iterable[bytes]) -> None:
        """Add a session of an earlier run, with its last use and the digests of its cookies."""
        self._by_id[session.id] = session
        self._used_at_s[session.id] = used_at_s
        self._ids.update(dict.fromkeys(digests, session.id))

    def all(self) -> list[tuple[Session, tuple[bytes, ...]]]:
        """Every session, also those whose time is over, with the digests of its cookies."""
        digests: dict[str, list[bytes]] = {name: [] for name in self._by_id}
        for known, name in self._ids.items():
            digests[name].append(known)
        return [(session, tuple(digests[name])) for name, session in self._by_id.items()]

    def by_id(self, session_id: str) -> Session | None:
        """The session of this name; None where there is none."""
        return self._by_id.get(session_id)

    def find(self, now: float, cookie: str) -> Session | None:
        """The session that this cookie proves, or None where there is none or it has ended."""
        return self.current(now, self._ids.get(digest(cookie), ""))

    def current(self, now: float, session_id: str) -> Session | None:
        """The session with this id as it is now; None where there is none or it has ended."""
        session = self._by_id.get(session_id)
        return session if session is not None and now < self._ends_at_s(session) else None

    def change_rights(
        self, session_id: str, rights: Rights, role: Role | None = None
    ) -> tuple[Session, Session] | None:
        """Give a session these rights instead, and this role; returns it as it was and as it is.

        Returns None where there is none.
        """
        before = self._by_id.get(session_id)
        if before is None:
            return None
        after = msgspec.structs.replace(before, rights=rights, role=role or before.role)
        self._by_id[session_id] = after
        return before, after

    def of(self, person: str) -> list[Session]:
        """The sessions of a person."""
        return [session for session in self._by_id.values() if session.person == person]

    def end(self, session_id: str) -> Session | None:
        """Remove and return a session; None where there is none."""
        self._ids = {known: name for known, name in self._ids.items() if name != session_id}
        self._used_at_s.pop(session_id, None)
        return self._by_id.pop(session_id, None)

    def expire(self, now: float) -> list[Session]:
        """Remove and return the sessions whose time is over."""
        ended = [session.id for session in self._by_id.values() if now >= self._ends_at_s(session)]
        return [session for each in ended if (session := self.end(each)) is not None]

    def deadline(self) -> float | None:
        """When the next session expires; None without sessions."""
        return min(map(self._ends_at_s, self._by_id.values()), default=None)

    def _ends_at_s(self, session: Session) -> float:
        return min(session.ends_at_s, self._used_at_s[session.id] + self.idle_s)
