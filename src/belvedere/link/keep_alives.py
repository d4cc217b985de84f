"""When the next keep-alive leaves, and the calls that have begun and not ended. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from belvedere.link.connection_interval import ConnectionInterval
    from belvedere.link.latest_write import PendingWrite

EARLY_KEEP_ALIVE_EVERY_S = 0.2  # until the interval is well learned: the first round trips teach the most
GOLDEN_STEP = 0.381966  # multiples of it, modulo 1, spread evenly over [0, 1) without ever repeating a pattern
MAX_SHIFT = 0.5  # of an interval: keep-alives sent at a fixed phase of the radio's events would all measure the same


class InFlightCall:
    """A call that has begun and not ended.

    `write` is what it writes; None for a keep-alive or an acknowledged stop.
    """

    def __init__(self, write: PendingWrite | None, now: float, timeout_s: float) -> None:
        self.write = write
        self.since = now
        self.timeout_s = timeout_s
        self.overdue_at = now + timeout_s

    def receive_stall(self, now: float) -> None:
        """Its answer may be waiting unread: the timeout begins again."""
        self.overdue_at = now + self.timeout_s

    def receive_clock_set(self, now: float) -> None:
        """The clock jumped back to `now`: as far as can be told, the call has just begun."""
        self.overdue_at += now - self.since
        self.since = now


class KeepAlives:
    """The keep-alives of one connection, of which one at a time is in flight.

    `every_s` is the time between two; until the interval is well learned they are sent more often. `is_possible` says
    whether the unit can answer any.
    """

    def __init__(self, interval: ConnectionInterval, every_s: float, *, is_possible: bool) -> None:
        self.in_flight: InFlightCall | None = None
        self._interval = interval
        self._every_s = every_s
        self._is_possible = is_possible
        self._last_at = 0.0
        self._shift = 0.0

    @property
    def may_begin(self) -> bool:
        """Whether the unit can answer one, and none is in flight."""
        return self._is_possible and self.in_flight is None

    @property
    def next_at(self) -> float:
        """When the next one is due while the unit moves."""
        every_s = self._every_s if self._interval.is_well_learned else EARLY_KEEP_ALIVE_EVERY_S
        return self._last_at + every_s

    @property
    def shift_s(self) -> float:
        """How much later than possible the next one leaves, so that other phases of the radio's events are sampled."""
        return MAX_SHIFT * self._shift * self._interval.estimate_s

    def is_backlogged(self, now: float) -> bool:
        """Whether the one in flight has taken so long that a backlog must be ahead of it."""
        return self.in_flight is not None and now - self.in_flight.since >= self._interval.backlog_after_s

    def begin(self, now: float) -> None:
        """One is sent."""
        self._shift = (self._shift + GOLDEN_STEP) % 1
        self.in_flight = InFlightCall(None, now, self._interval.keep_alive_timeout_s)
        self._last_at = now

    def receive_ended(self, now: float, *, is_answered: bool) -> bool:
        """The one in flight has ended. Returns whether it measured a round trip; if not, no more are sent."""
        ended, self.in_flight = self.in_flight, None
        self._is_possible = self._is_possible and is_answered and ended is not None
        if ended is None or not is_answered:
            return False
        self._interval.receive_round_trip(now - ended.since)
        return True

    def receive_clock_set(self, now: float) -> None:
        """The clock jumped back to `now`."""
        self._last_at = now
