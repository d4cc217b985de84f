"""How long a unit may take to be connected to, learned from how long it took before. Pure.

Whoever connects keeps the adapter to itself: a unit that hangs keeps the other one out of reach meanwhile. What a unit
does every time in less than a second need not be waited for five.
"""

from __future__ import annotations

from collections import deque

RECENT = 16  # connects remembered: most are quick because BlueZ knows the services, and it may forget them any time
MAX_DOUBLINGS = 4  # from the least time to the longest that an owner may allow
SLOWER = 3  # a bad air may carry one packet in three
LEAST_S = 2.0  # a unit may advertise but once a second, and a busy computer takes its time


class ConnectTime:
    """Of one unit. `most_s` is given to one that is not known yet, and never more."""

    def __init__(self, max_s: float) -> None:
        self._max_s = max_s
        self._took_s: deque[float] = deque(maxlen=RECENT)
        self._late = 0

    @property
    def limit_s(self) -> float:
        """How long the next attempt may take: it doubles with each that was late, so that a slow unit gets its time."""
        if not self._took_s:
            return self._max_s
        return min(max(LEAST_S, SLOWER * max(self._took_s)) * 2.0 ** min(self._late, MAX_DOUBLINGS), self._max_s)

    def receive_connected(self, took_s: float) -> None:
        """An attempt succeeded, after this time."""
        self._took_s.append(took_s)
        self._late = 0

    def receive_late(self) -> None:
        """An attempt was given up at the limit."""
        self._late += 1
