"""Secrets that prove a session in pages of one origin, for a time: bearers and tickets. Only digests are kept. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from belvedere.access.sessions import digest

if TYPE_CHECKING:
    from collections.abc import Iterator


class OriginSecret(msgspec.Struct):
    """What a secret proves: a session, by its id, in pages of this origin, until `ends_at_s`."""

    session: str
    origin: str
    ends_at_s: float


class OriginSecrets:
    """The secrets of one kind; time is an argument.

    Args:
        lifetime_s: how long one lasts.
        at_most: how many a session may have; one more ends its oldest.
    """

    def __init__(self, lifetime_s: float, at_most: int) -> None:
        self._lifetime_s = lifetime_s
        self._at_most = at_most
        self._by_digest: dict[bytes, OriginSecret] = {}  # the oldest first

    def __iter__(self) -> Iterator[tuple[bytes, OriginSecret]]:
        """All with their digests, also those whose time is over."""
        return iter(self._by_digest.items())

    def add(self, now: float, secret: str, session: str, origin: str) -> None:
        """Let this secret prove a session from now on."""
        self._by_digest = {known: each for known, each in self._by_digest.items() if now < each.ends_at_s}
        of_session = [known for known, each in self._by_digest.items() if each.session == session]
        for known in of_session[: max(0, len(of_session) + 1 - self._at_most)]:
            del self._by_digest[known]
        self._by_digest[digest(secret)] = OriginSecret(session, origin, now + self._lifetime_s)

    def restore(self, now: float, known: bytes, session: str, origin: str, left_s: float) -> None:
        """Add one of an earlier run by its digest; it lasts no longer than a new one."""
        self._by_digest[known] = OriginSecret(session, origin, now + min(left_s, self._lifetime_s))

    def find(self, now: float, secret: str, origin: str) -> OriginSecret | None:
        """What this secret proves in a page of this origin, or None."""
        found = self._by_digest.get(digest(secret))
        return found if found is not None and found.origin == origin and now < found.ends_at_s else None

    def end(self, secret: str) -> None:
        """End a secret; does nothing where there is none."""
        self._by_digest.pop(digest(secret), None)

    def end_all_of(self, session: str) -> None:
        """End all of a session."""
        self._by_digest = {known: each for known, each in self._by_digest.items() if each.session != session}
