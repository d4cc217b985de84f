"""The timeout for connecting to a unit, learned from how long connecting took before. Pure.

Only one connection attempt can use the adapter at a time, so a unit that hangs while connecting blocks the other one. A
unit that always connects within a second should not be waited for five.
"""

from __future__ import annotations

from collections import deque

RECENT = 16  # durations remembered: most are short because BlueZ caches the services, and it may drop the cache
MAX_DOUBLINGS = 4  # enough to get from LEAST_S to the longest timeout that can be configured
SLOWER = 3  # with bad reception, one packet in three may get through
LEAST_S = 2.0  # a unit may advertise only once a second, and a busy computer adds its own delays


class ConnectTimeout:
    """The timeout of one unit. `max_s` is the upper bound, and the timeout until a first attempt has succeeded."""

    def __init__(self, max_s: float) -> None:
        self._max_s = max_s
        self._took_s: deque[float] = deque(maxlen=RECENT)
        self._late = 0

    @property
    def limit_s(self) -> float:
        """The timeout of the next attempt in seconds; doubled after each one that timed out, for slow units."""
        if not self._took_s:
            return self._max_s
        return min(max(LEAST_S, SLOWER * max(self._took_s)) * 2.0 ** min(self._late, MAX_DOUBLINGS), self._max_s)

    def receive_connected(self, took_s: float) -> None:
        """An attempt succeeded after `took_s`."""
        self._took_s.append(took_s)
        self._late = 0

    def receive_late(self) -> None:
        """An attempt was cancelled at the limit."""
        self._late += 1
