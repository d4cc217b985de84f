"""Tells when samples were captured, on our clock, from how many of them have come. Pure."""

from __future__ import annotations

import math

RATE_HZ = 48_000
WINDOW_S = 5.0  # how long the quickest piece counts, at least; sound cards drift by a millisecond in it
MAX_LATE_S = 0.15  # what is later has waited somewhere, and is worth nothing any more
LATE_PIECES = 25  # half a second of late pieces, with nothing more waiting: so samples were lost, not late


class SampleClock:
    """Counts the samples of one microphone.

    The quickest pieces of the last seconds say how the count maps to our clock, so that the sound card's drift is
    followed and a late piece is recognized.

    Args:
        latency_s: how long a sample takes from the air to here at the least, by what was asked of the sound server.
    """

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._count = 0
        self._window_at_s = -math.inf
        self._quickest_s = self._quickest_before_s = math.inf  # when sample 0 would have come, in two windows
        self._late = 0

    @property
    def count(self) -> int:
        """How many samples have come."""
        return self._count

    def receive(self, samples: int, now_s: float, *, is_newest: bool) -> float | None:
        """A piece of this length has come; `is_newest` if no other one waits behind it.

        Returns when its first sample was captured, or None if that is too long ago.
        """
        self._count += samples
        zero_s = now_s - self._count / RATE_HZ
        if now_s - self._window_at_s > WINDOW_S:
            self._window_at_s = now_s
            self._quickest_before_s, self._quickest_s = self._quickest_s, math.inf
        self._quickest_s = min(self._quickest_s, zero_s)
        quickest_s = min(self._quickest_s, self._quickest_before_s)
        is_late = zero_s - quickest_s > MAX_LATE_S
        self._late = self._late + 1 if is_late and is_newest else 0
        if self._late >= LATE_PIECES:
            self._quickest_s, self._quickest_before_s, self._late = zero_s, math.inf, 0
            quickest_s, is_late = zero_s, False
        return None if is_late else quickest_s + (self._count - samples) / RATE_HZ - self._latency_s
