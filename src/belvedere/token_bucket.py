"""Token buckets: how often something may be done, at a steady rate with a burst after a pause. Pure: time is passed in.

Every bound on what viewers and strangers may ask for is one of these.
"""

from __future__ import annotations


class TokenBucket:
    """Full at first; refills at `rate_per_s` tokens a second up to `burst`.

    `now` is any clock in seconds. One that goes backwards adds nothing, and nothing is owed for the time before.
    """

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._filled_at: float | None = None

    def take(self, now: float, tokens: float = 1.0) -> bool:
        """Take that many tokens; False, and none taken, where there are fewer."""
        self._fill(now)
        if tokens > self._tokens:
            return False
        self._tokens -= tokens
        return True

    def wait_s(self, now: float, tokens: float = 1.0) -> float:
        """In how many seconds there will be that many (at most `burst`) if none is taken until then; 0 for now."""
        self._fill(now)
        return max(0.0, (tokens - self._tokens) / self._rate_per_s)

    def full_at(self, now: float) -> float:
        """When it will be full if none is taken until then."""
        return now + self.wait_s(now, self._burst)

    def _fill(self, now: float) -> None:
        if self._filled_at is not None:
            self._tokens = min(self._burst, self._tokens + max(0.0, now - self._filled_at) * self._rate_per_s)
        self._filled_at = now


class TokenBuckets:
    """One bucket for each name, forgotten as soon as it is full again: its memory is that of the names of late."""

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s, self._burst = rate_per_s, burst
        self._by_name: dict[str, tuple[TokenBucket, float]] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def take(self, now: float, name: str) -> bool:
        """Take one token of this name's; False where there is none."""
        self._by_name = {each: known for each, known in self._by_name.items() if now < known[1]}
        bucket, _ = self._by_name.get(name) or (TokenBucket(self._rate_per_s, self._burst), now)
        is_taken = bucket.take(now)
        self._by_name[name] = (bucket, bucket.full_at(now))
        return is_taken
