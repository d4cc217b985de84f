"""Challenges: what an authenticator signs, so that no answer serves twice. Pure, but for chance.

A challenge carries its end and a tag that only this run of the server can make, so none is kept before it is used:
whoever requests thousands takes up no memory, and nobody else's challenge ends by it.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from belvedere.errors import Refusal, VisitorError

LIFETIME_S: Final = 300.0  # finding the phone, the key or the right finger takes a while
MAX_USED: Final = 4096  # far more than a household can use; beyond that, none is accepted until old ones have ended
_NONCE_BYTES, _TIME_BYTES, _TAG_BYTES = 16, 8, 32
CHALLENGE_BYTES: Final = _NONCE_BYTES + _TIME_BYTES + _TAG_BYTES


class Challenges:
    """Issues challenges and accepts each once; time is an argument, in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(_TAG_BYTES)
        self._used: dict[bytes, float] = {}  # when each ends by itself

    def issue(self, now: float, purpose: str) -> bytes:
        """A new challenge for one purpose, such as registering in one session."""
        nonce = secrets.token_bytes(_NONCE_BYTES) + int((now + LIFETIME_S) * 1000).to_bytes(_TIME_BYTES, "big")
        return nonce + self._tag(nonce, purpose)

    def use(self, now: float, challenge: bytes, purpose: str) -> None:
        """Use a challenge up. Raises VisitorError: TOO_LATE where it is invalid, TOO_FAST where too many are."""
        nonce, tag = challenge[:-_TAG_BYTES], challenge[-_TAG_BYTES:]
        is_ours = len(challenge) == CHALLENGE_BYTES and hmac.compare_digest(tag, self._tag(nonce, purpose))
        ends_at_s = int.from_bytes(nonce[_NONCE_BYTES:], "big") / 1000
        if not is_ours or now >= ends_at_s or challenge in self._used:
            raise VisitorError(Refusal.TOO_LATE, "this took too long, or was done already: try again")
        self._used = {each: end for each, end in self._used.items() if now < end}
        if len(self._used) >= MAX_USED:
            raise VisitorError(Refusal.TOO_FAST, "too many passkeys are used: try again in a few minutes")
        self._used[challenge] = ends_at_s

    def _tag(self, nonce: bytes, purpose: str) -> bytes:
        return hmac.digest(self._key, nonce + purpose.encode(), "sha256")
