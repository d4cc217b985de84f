"""Tells when a publisher captured a picture, on our clock, from RTP timestamps and RTCP sender reports. Pure."""

from __future__ import annotations

import math

from belvedere.stage.direct.answer import RTP_WRAP
from belvedere.stage.frames import RTP_CLOCK_HZ

NTP_EPOCH_S = 2_208_988_800  # seconds from 1900, where NTP begins, to 1970
MAX_AGE_S = 1.0  # a picture that would be older has a sender whose clock is wrong, or jumps
WINDOW_S = 5.0  # how long the quickest picture counts, at least; clocks drift by less than a millisecond in it


class SenderClock:
    """Maps one stream's RTP timestamps to our monotonic clock.

    A sender report says what the sender's wall clock was at a timestamp. It is believed while the pictures are then
    between 0 and MAX_AGE_S old. Otherwise, a picture counts as captured when it would have arrived if it had been as
    quick as the quickest of the last seconds.
    """

    def __init__(self) -> None:
        self._last: int | None = None  # the newest timestamp, which does not wrap
        self._reported_s: float | None = None  # when timestamp 0 was, by the newest report
        self._window_at_s = -math.inf
        self._quickest_s = self._quickest_before_s = math.inf  # when timestamp 0 was at the latest, in two windows

    def receive_report(self, ntp: int, timestamp: int, utc_offset_s: float) -> None:
        """A sender report: its 64-bit NTP time and the RTP timestamp of the same instant.

        `utc_offset_s` is what to subtract from seconds since 1970 for our monotonic clock.
        """
        at_s = ntp / 2**32 - NTP_EPOCH_S - utc_offset_s
        self._reported_s = at_s - self._unwrapped(timestamp) / RTP_CLOCK_HZ

    def captured_s(self, timestamp: int, arrived_s: float) -> float:
        """When a picture was captured that arrived now; never later than that."""
        self._last = self._unwrapped(timestamp)
        ticks_s = self._last / RTP_CLOCK_HZ
        if arrived_s - self._window_at_s > WINDOW_S:
            self._window_at_s = arrived_s
            self._quickest_before_s, self._quickest_s = self._quickest_s, math.inf
        self._quickest_s = min(self._quickest_s, arrived_s - ticks_s)
        for zero_s in (self._reported_s, min(self._quickest_s, self._quickest_before_s)):
            if zero_s is not None and 0 <= arrived_s - zero_s - ticks_s <= MAX_AGE_S:
                return zero_s + ticks_s
        self._quickest_s, self._quickest_before_s = arrived_s - ticks_s, math.inf
        return arrived_s

    def _unwrapped(self, timestamp: int) -> int:
        """The timestamp nearest to the newest one that is the same modulo 2^32."""
        if self._last is None:
            self._last = RTP_WRAP + timestamp
        return self._last + (timestamp - self._last + RTP_WRAP // 2) % RTP_WRAP - RTP_WRAP // 2
