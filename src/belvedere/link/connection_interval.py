"""Learns from round trips how fast a link is, so that never more is handed over than the radio delivers. Pure.

BlueZ tells nobody the connection interval, and takes commands as fast as they come into a queue that nobody sees. But
a request shows both. On an idle link it leaves with the next connection event, after 0 to 1 intervals, and its answer
comes with the event after that: 1 to 2 intervals in all. So the shortest of the recent round trips lies just above the
interval and never below it, and one command in that time never fills the queue. Requests leave at all phases of the
interval, so a few of them suffice: of 16 the shortest is expected 6 % above.

Where something waits ahead of a request, it takes longer by as many intervals. At most one packet waits by design,
which makes 3 intervals at the utmost; more than that is a backlog, because the interval has become longer or the air
is bad. Then what was learned no longer holds: it is forgotten, and the pace slows until the next request has told.

A unit that answers within the same event would be thought faster than it is; its events carry several packets then.
"""

from __future__ import annotations

from collections import deque

from belvedere.link.options import FASTEST_INTERVAL_S, SLOWEST_INTERVAL_S

RECENT = 16  # round trips remembered: eight seconds of driving
ENOUGH = 4  # round trips after which the shortest is expected within a fifth of the interval
BACKLOG_INTERVALS = 3  # one until the event, one for the packet ahead, one for the answer
SLOWER = 1.5  # what a backlog does to the pace: 30 ms become 45, about the span of Linux's default
ANSWER_INTERVALS = 8  # five more than the longest regular round trip: as many events may be lost in a row
ANSWER_AT_LEAST_S = 0.2  # a busy Raspberry Pi keeps D-Bus waiting for a tenth of a second
ANSWER_AT_MOST_S = 1.0  # a dead link must be noticed, however slow it was


class ConnectionInterval:
    """The learned interval of one connection.

    `first_interval_s` is what is believed before anything is known.
    """

    def __init__(self, first_interval_s: float) -> None:
        self._believed_s = first_interval_s
        self._round_trips: deque[float] = deque(maxlen=RECENT)

    @property
    def estimate_s(self) -> float:
        """At most one packet may be handed over in this time."""
        return min(max(self._believed_s, FASTEST_INTERVAL_S), SLOWEST_INTERVAL_S)

    @property
    def is_learned(self) -> bool:
        """Whether the interval comes from this link, and not from a guess."""
        return bool(self._round_trips)

    @property
    def is_well_learned(self) -> bool:
        """Whether it rests on enough round trips to ask less often."""
        return len(self._round_trips) >= ENOUGH

    @property
    def backlog_after_s(self) -> float:
        """A request that takes longer than this has a backlog ahead of it."""
        return BACKLOG_INTERVALS * self.estimate_s

    @property
    def answer_timeout_s(self) -> float:
        """A write that takes longer than this has failed."""
        return min(max(ANSWER_INTERVALS * self.estimate_s, ANSWER_AT_LEAST_S), ANSWER_AT_MOST_S)

    @property
    def keep_alive_timeout_s(self) -> float:
        """A probe that takes longer has failed; it may have to wait for a backlog, and meanwhile nothing moves."""
        return min(2 * self.answer_timeout_s, ANSWER_AT_MOST_S)

    def receive_round_trip(self, round_trip_s: float) -> None:
        """A request before which at most one packet waited was answered after this time."""
        if self.is_learned and round_trip_s > self.backlog_after_s:
            self._round_trips.clear()
            self._believed_s = SLOWER * self.estimate_s
        else:
            self._round_trips.append(round_trip_s)
            self._believed_s = min(self._round_trips)
