"""Token buckets: limit how often something may be done, to a steady rate with bursts. Pure: time is an argument.

Every rate limit on viewers and on clients without a session is one of these.
"""

from __future__ import annotations


class TokenBucket:
    """Full at first; refills at `rate_per_s` tokens a second, up to `burst`.

    `now` is the time of any clock in seconds. If it goes backwards, no tokens are added or removed, and refilling goes
    on from the new time.
    """

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._filled_at: float | None = None

    def take(self, now: float, tokens: float = 1.0) -> bool:
        """Take this many tokens. Returns False, and takes none, if there are fewer."""
        self._fill(now)
        if tokens > self._tokens:
            return False
        self._tokens -= tokens
        return True

    def wait_s(self, now: float, tokens: float = 1.0) -> float:
        """The seconds until there will be this many tokens (at most `burst`) if none are taken; 0 if there are now."""
        self._fill(now)
        return max(0.0, (tokens - self._tokens) / self._rate_per_s)

    def full_at(self, now: float) -> float:
        """When the bucket will be full if no tokens are taken until then."""
        return now + self.wait_s(now, self._burst)

    def _fill(self, now: float) -> None:
        if self._filled_at is not None:
            self._tokens = min(self._burst, self._tokens + max(0.0, now - self._filled_at) * self._rate_per_s)
        self._filled_at = now


class TokenBuckets:
    """One bucket for each name.

    A bucket is removed once it is full again, because a new one would behave the same. So memory is bounded by the
    number of names used recently.
    """

    def __init__(self, rate_per_s: float, burst: float) -> None:
        self._rate_per_s, self._burst = rate_per_s, burst
        self._by_name: dict[str, tuple[TokenBucket, float]] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def take(self, now: float, name: str) -> bool:
        """Take one token from this name's bucket. Returns False if it is empty."""
        self._by_name = {each: known for each, known in self._by_name.items() if now < known[1]}
        bucket, _ = self._by_name.get(name) or (TokenBucket(self._rate_per_s, self._burst), now)
        is_taken = bucket.take(now)
        self._by_name[name] = (bucket, bucket.full_at(now))
        return is_taken

    def wait_s(self, now: float, name: str) -> float:
        """The seconds until there will be a token in this name's bucket if none is taken; 0 if there is one now."""
        known = self._by_name.get(name)
        return 0.0 if known is None else known[0].wait_s(now)
