"""Bearers: what proves a session in a page of another site, from where browsers send no cookie of ours.

A page keeps its bearer where its scripts can read it, so a bearer is worth less than a cookie: it is good for one
origin, for hours instead of days, and is replaced all the time while it is used. A copy stops working soon after the
page has renewed the original. Of a bearer only its digest is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.access.origin_secrets import OriginSecrets
from belvedere.access.sessions import new_secret
from belvedere.store.bearers import SavedBearer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PREFIX: Final = "bf_"  # tells it from a program's token, and shows those who find one in a log what it is
BEARER_S: Final = 12 * 3600.0  # unused: a phone that was in a pocket all day still shows the picture in the evening
GRACE_S: Final = 1200.0  # a renewed one. A page renews every quarter of an hour, and a copy of its tab has the same
MAX_BEARERS: Final = 8  # of one session: renewals and repeats; one more ends the oldest


class IssuedBearer(msgspec.Struct, frozen=True, kw_only=True):
    """A new bearer, sent as `Authorization: Bearer`, and for how long it is valid unless it is renewed."""

    bearer: str
    lifetime_s: float


class Bearers:
    """All bearers. Whether their sessions live is for `Invitations` to say.

    Args:
        clock: seconds, monotonic.
        on_changed: called whenever `saved` would return something else than before, time apart.
    """

    def __init__(self, clock: Callable[[], float], on_changed: Callable[[], None]) -> None:
        self._clock = clock
        self._on_changed = on_changed
        self._secrets = OriginSecrets(BEARER_S, MAX_BEARERS)
        self._origins: dict[str, str] = {}  # by session

    def origin_of(self, session: str) -> str:
        """The origin whose page a session was opened in; "" for one that has a cookie."""
        return self._origins.get(session, "")

    def issue(self, session: str, origin: str) -> IssuedBearer:
        """A new bearer of the session with this id, for pages of this origin."""
        secret = PREFIX + new_secret()
        self._secrets.add(self._clock(), secret, session, origin)
        self._origins[session] = origin
        self._on_changed()
        return IssuedBearer(bearer=secret, lifetime_s=BEARER_S)

    def find(self, bearer: str, origin: str) -> str | None:
        """The id of the session that this bearer proves in a page of this origin, or None."""
        found = self._secrets.find(self._clock(), bearer, origin)
        return None if found is None else found.session

    def renew(self, bearer: str, origin: str) -> IssuedBearer | None:
        """A bearer in place of this one, which ends within GRACE_S; None where it is not valid."""
        old = self._secrets.find(self._clock(), bearer, origin)
        if old is None:
            return None
        old.ends_at_s = min(old.ends_at_s, self._clock() + GRACE_S)
        return self.issue(old.session, origin)

    def end(self, session: str) -> None:
        """End all bearers of a session that has ended."""
        if self._origins.pop(session, None) is not None:
            self._secrets.end_all_of(session)

    def saved(self) -> list[SavedBearer]:
        """All that are valid, for the store."""
        now = self._clock()
        return [
            SavedBearer(digest=known, session=each.session, origin=each.origin, left_s=int(each.ends_at_s - now))
            for known, each in self._secrets
            if each.ends_at_s - now >= 1
        ]

    def restore(self, saved: Iterable[SavedBearer]) -> None:
        """Add bearers of an earlier run. Their time stood still while the program was off; their sessions' did not."""
        now = self._clock()
        for each in saved:
            self._secrets.restore(now, each.digest, each.session, each.origin, each.left_s)
            self._origins[each.session] = each.origin
