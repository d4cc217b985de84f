"""How much of something may be done: at a steady rate, with some at once after a pause. Pure: time is an argument."""

from __future__ import annotations


class TokenBucket:
    """Full at first; refills at `per_s` tokens a second up to `burst`."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._tokens = burst
        self._at_s = 0.0

    def take(self, now_s: float, tokens: float = 1.0) -> bool:
        """Spend tokens if that many are there; `now_s` is any clock that never goes back."""
        if self.wait_s(now_s, tokens) > 0:
            return False
        self._tokens -= tokens
        return True

    def wait_s(self, now_s: float, tokens: float = 1.0) -> float:
        """In how many seconds there will be that many (at most `burst`), if none is spent until then; 0 for now."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        return max(0.0, (tokens - self._tokens) / self._per_s)
