"""The logins at Cloudflare Access that a person or the owner has ended: they count no more, after a restart neither."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from belvedere.store.ended_logins import SavedEndedLogin

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_ENDED: Final = 1024  # remembered; one more forgets the one that expires first


class EndedLogins:
    """The digests of the tokens, each with the time in seconds since 1970 when it expires."""

    def __init__(self) -> None:
        self._ends_utc_s: dict[bytes, float] = {}

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._ends_utc_s

    def add(self, digest: bytes, ends_utc_s: float) -> None:
        """Remember one."""
        self._ends_utc_s[digest] = ends_utc_s
        if len(self._ends_utc_s) > MAX_ENDED:
            del self._ends_utc_s[min(self._ends_utc_s, key=self._ends_utc_s.__getitem__)]

    def saved(self, utc_s: float) -> list[SavedEndedLogin]:
        """Those that have not expired, for the store."""
        ends = ((digest, math.ceil(end)) for digest, end in self._ends_utc_s.items())
        return [SavedEndedLogin(digest=digest, ends_utc_s=end) for digest, end in ends if end > utc_s]

    def restore(self, saved: Iterable[SavedEndedLogin]) -> None:
        """Add what an earlier run saved."""
        for each in saved:
            self.add(each.digest, each.ends_utc_s)
