"""Estimates a link's connection interval from round trips, so that writes never outrun the radio. Pure.

BlueZ does not report the connection interval, and its queue of writes without response is invisible. The round trip of
a request reveals both. On an idle link a request is sent at the next connection event, after 0 to 1 intervals, and is
answered at the event after that: 1 to 2 intervals in total. So the shortest of the recent round trips is never below
the interval and just above it, and one write in that time never fills the queue. Requests start at all phases of the
interval, so few of them suffice: the shortest of 16 is expected to be 6 % too long.

Each packet queued ahead of a request adds one interval. By design at most one is, which makes 3 intervals at most. A
longer round trip means a backlog: the interval has grown, or packets are being retransmitted. The estimate is then too
short, so it is discarded and replaced by a longer one until the next round trip.

If a unit answers within the same event, the estimate is too short; but then its events carry several packets each.
"""

from __future__ import annotations

from collections import deque

from belvedere.link.options import FASTEST_INTERVAL_S, SLOWEST_INTERVAL_S

RECENT = 16  # round trips kept: eight seconds of driving
ENOUGH = 4  # round trips after which the shortest is expected within a fifth of the interval
BACKLOG_INTERVALS = 3  # one until the event, one for the packet ahead, one for the answer
SLOWER = 1.5  # factor after a backlog: 30 ms become 45, about the range of Linux's default
ANSWER_INTERVALS = 8  # five more than the longest regular round trip: as many events may be lost in a row
ANSWER_AT_LEAST_S = 0.2  # a busy Raspberry Pi delays D-Bus by a tenth of a second
ANSWER_AT_MOST_S = 1.0  # a dead link must be noticed, however slow it was


class ConnectionInterval:
    """The estimated interval of one connection; `first_interval_s` is the estimate before the first round trip."""

    def __init__(self, first_interval_s: float) -> None:
        self._estimate_s = first_interval_s
        self._round_trips: deque[float] = deque(maxlen=RECENT)

    @property
    def estimate_s(self) -> float:
        """The estimate in seconds: write at most one packet in this time."""
        return min(max(self._estimate_s, FASTEST_INTERVAL_S), SLOWEST_INTERVAL_S)

    @property
    def is_learned(self) -> bool:
        """Whether the estimate was measured on this link."""
        return bool(self._round_trips)

    @property
    def is_well_learned(self) -> bool:
        """Whether there were enough round trips to send keep-alives less often."""
        return len(self._round_trips) >= ENOUGH

    @property
    def backlog_after_s(self) -> float:
        """A round trip longer than this means a backlog."""
        return BACKLOG_INTERVALS * self.estimate_s

    @property
    def answer_timeout_s(self) -> float:
        """A write that takes longer than this has failed."""
        return min(max(ANSWER_INTERVALS * self.estimate_s, ANSWER_AT_LEAST_S), ANSWER_AT_MOST_S)

    @property
    def keep_alive_timeout_s(self) -> float:
        """A keep-alive that takes longer has failed. Longer than for a write: a backlog may be ahead of it."""
        return min(2 * self.answer_timeout_s, ANSWER_AT_MOST_S)

    def receive_round_trip(self, round_trip_s: float) -> None:
        """A request with at most one packet queued ahead of it was answered after this time."""
        if self.is_learned and round_trip_s > self.backlog_after_s:
            self._round_trips.clear()
            self._estimate_s = SLOWER * self.estimate_s
        else:
            self._round_trips.append(round_trip_s)
            self._estimate_s = min(self._round_trips)
