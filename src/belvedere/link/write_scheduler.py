"""Decides what one connection hands to the radio next: a stop, a move, a question, or nothing until some time. Pure.

What was handed over without response waits in a queue that cannot be seen. The courier counts as if the radio took one
packet each interval: a move, a repeated stop or a probe leaves only when that imagined queue is empty. The first stop
after a move never waits: at most one packet is ahead of it, so that it is on the air within two intervals.

Commands without response are lost without a trace when a unit has no room for them. So the last word of every move is a
stop that the unit acknowledges, where it can; only where it cannot, a probe shows that at least the link is alive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from belvedere.link.latest_command import LatestCommand, PendingWrite

if TYPE_CHECKING:
    from belvedere.link.connection_interval import ConnectionInterval
    from belvedere.link.options import LinkOptions

EARLY_KEEP_ALIVE_EVERY_S = 0.2  # until the pace is well learned: the first seconds tell the most
QUIET_S = 0.1  # after a stop's repeats (50 ms apart) a last question shows that the unit has them
GOLDEN = 0.381966  # steps of this share of a span visit all of it evenly
SPREAD = 0.5  # a probe leaves up to this share of an interval late, so that pace and radio cannot march in lockstep


class KeepAlive(msgspec.Struct, frozen=True):
    """Ask the unit something."""


class AcknowledgedStop(msgspec.Struct, frozen=True):
    """Tell the unit at rest to stop once more, and to acknowledge that."""


class InFlightCall:
    """A call that was begun and has not ended; without a letter it is a question."""

    def __init__(self, pending: PendingWrite | None, now: float, timeout_s: float) -> None:
        self.pending = pending
        self.since = now
        self.timeout_s = timeout_s
        self.overdue_at = now + timeout_s


class WriteScheduler:
    """The order of business on one connection; all times are seconds of one monotonic clock.

    Whoever runs it asks `next`, begins the call that it names, tells how the call ended, and asks again, at `deadline`
    at the latest.
    """

    def __init__(
        self,
        interval: ConnectionInterval,
        options: LinkOptions,
        *,
        with_response: bool,
        can_keep_alive: bool,
        can_acknowledge: bool,
    ) -> None:
        self.interval = interval
        self.with_response = with_response
        self._latest = LatestCommand()
        # An acknowledged write is as good as a probe, and requests would only queue behind each other.
        self._can_keep_alive = can_keep_alive and not with_response
        self._can_acknowledge = can_acknowledge and not with_response
        self._keep_alive_every_s = options.keep_alive_every_s
        self._writing: InFlightCall | None = None
        self._keeping_alive: InFlightCall | None = None
        self._free_at = 0.0
        self._kept_alive_at = 0.0
        self._wrote_at = 0.0
        self._is_moving = False
        self._is_acknowledged = True
        self._now = 0.0
        self._spread = 0.0

    @property
    def is_surely_at_rest(self) -> bool:
        """Whether the unit has shown, by an answer that came after it, that it has its newest stop."""
        return not self._is_moving and self._is_acknowledged and self._writing is None and self._keeping_alive is None

    def put(self, pending: PendingWrite) -> None:
        """Replace whatever waits, but for a stop that the moving unit has not been told yet."""
        if not self._is_moving:
            self._latest.drop_stop()
        self._latest.put(pending)

    def receive_stop_verified(self, now: float) -> None:
        """The unit was told to stop, and nothing waits on the way to it; whatever waits here is forgotten."""
        self._advance(now)
        self._latest.clear()
        self._is_moving, self._is_acknowledged = False, True
        self._free_at = now

    def next(self, now: float) -> PendingWrite | KeepAlive | AcknowledgedStop | None:
        """What to hand over now; it counts as begun."""
        self._advance(now)
        if self._writing is not None:
            return None
        if self._is_stop_urgent() or (
            now >= self._free_at and not self._is_keep_alive_due(now) and self._may_write(now)
        ):
            pending = self._latest.take()
            if pending is not None:
                self._begin_write(pending, now)
            return pending
        if self._is_keep_alive_due(now) and now >= self._keep_alive_slot():
            self._spread = (self._spread + GOLDEN) % 1
            self._keeping_alive = InFlightCall(None, now, self.interval.keep_alive_timeout_s)
            self._kept_alive_at = now
            self._occupy(now)
            self._is_acknowledged = True  # until something is handed over after it
            return KeepAlive()
        if self._is_acknowledged_stop_due(now):
            self._writing = InFlightCall(None, now, self.interval.keep_alive_timeout_s)
            return AcknowledgedStop()
        return None

    def deadline(self) -> float | None:
        """When `next` or `is_overdue` may have something to say, if nothing happens before; None for never."""
        calls = [call.overdue_at for call in (self._writing, self._keeping_alive) if call]
        if self._writing is not None:
            return min(calls)
        if self._keep_alive_at() is not None:
            calls.append(self._keep_alive_slot())
        pending = self._latest.pending
        if pending is not None and not self._is_held(self._now, pending) and not self._is_keep_alive_due(self._now):
            calls.append(self._free_at)
        if self._is_acknowledged_stop_missing():
            calls.append(self._acknowledged_stop_slot())
        return min(calls, default=None)

    def is_overdue(self, now: float) -> bool:
        """Whether a call has taken longer than a good link can take."""
        self._advance(now)
        calls = (call for call in (self._writing, self._keeping_alive) if call is not None)
        return any(now >= call.overdue_at for call in calls)

    def receive_stall(self, now: float) -> None:
        """Nobody looked for a while: answers may wait to be read, so every call has its whole time again."""
        for call in (self._writing, self._keeping_alive):
            if call is not None:
                call.overdue_at = now + call.timeout_s

    def newest(self) -> PendingWrite:
        """The letter to write, asked when the write really begins: a command that came since `next` replaces a move."""
        in_flight = self._writing
        if in_flight is None or in_flight.pending is None:
            raise AssertionError("nothing is being written")
        if not in_flight.pending.is_stop and self._latest.pending is not None:
            in_flight.pending = self._latest.take() or in_flight.pending
            self._is_moving = not in_flight.pending.is_stop
        return in_flight.pending

    def receive_written(self, now: float) -> PendingWrite | None:
        """The write that was begun has ended well; returns its letter, None for a confirmation."""
        self._advance(now)
        in_flight, self._writing = self._writing, None
        if in_flight is None:
            raise AssertionError("nothing was being written")
        if self.with_response or in_flight.pending is None:
            self.interval.receive_round_trip(now - in_flight.since)
            self._is_acknowledged = True
        return in_flight.pending

    def receive_refused(self) -> None:
        """The unit refused the write that was begun."""
        self._writing = None

    def receive_keep_alive(self, now: float, *, is_answered: bool) -> None:
        """The probe has ended; without an answer there is nothing to ask this unit."""
        self._advance(now)
        keeping_alive, self._keeping_alive = self._keeping_alive, None
        if is_answered and keeping_alive is not None:
            self.interval.receive_round_trip(now - keeping_alive.since)
            if self._is_acknowledged:  # nothing was handed over after it, so nothing waits
                self._free_at = min(self._free_at, now)
        else:
            self._can_keep_alive = False

    def _begin_write(self, pending: PendingWrite, now: float) -> None:
        self._writing = InFlightCall(pending, now, self.interval.answer_timeout_s)
        self._wrote_at = now
        self._is_moving = not pending.is_stop
        self._is_acknowledged = False
        self._occupy(now)

    def _occupy(self, now: float) -> None:
        """One more packet is in the imagined queue."""
        if not self.with_response:
            self._free_at = max(self._free_at, now) + self.interval.interval_s

    def _is_stop_urgent(self) -> bool:
        return self._latest.pending is not None and self._latest.pending.is_stop and self._is_moving

    def _may_write(self, now: float) -> bool:
        return self._latest.pending is not None and not self._is_held(now, self._latest.pending)

    def _is_held(self, now: float, pending: PendingWrite) -> bool:
        """Moves wait while a probe shows that a backlog does."""
        keeping_alive = self._keeping_alive
        return (
            not pending.is_stop
            and keeping_alive is not None
            and now - keeping_alive.since >= self.interval.backlog_after_s
        )

    def _keep_alive_slot(self) -> float:
        """When the next probe leaves; moves wait for it once it is due."""
        return max(self._keep_alive_at() or 0.0, self._free_at) + SPREAD * self._spread * self.interval.interval_s

    def _is_keep_alive_due(self, now: float) -> bool:
        keep_alive_at = self._keep_alive_at()
        return keep_alive_at is not None and now >= keep_alive_at

    def _keep_alive_at(self) -> float | None:
        """When the unit should be asked next; None while there is no reason to."""
        if not self._can_keep_alive or self._keeping_alive is not None:
            return None
        if self._is_moving:
            every_s = self._keep_alive_every_s if self.interval.is_well_learned else EARLY_KEEP_ALIVE_EVERY_S
            return self._kept_alive_at + every_s
        return None if self._is_acknowledged or self._can_acknowledge else self._wrote_at + QUIET_S

    def _is_acknowledged_stop_missing(self) -> bool:
        """Whether the unit shall acknowledge its stop, as soon as that leaves nothing else waiting."""
        is_idle = not self._is_moving and self._latest.pending is None and self._keeping_alive is None
        return self._can_acknowledge and is_idle and not self._is_acknowledged

    def _is_acknowledged_stop_due(self, now: float) -> bool:
        return self._is_acknowledged_stop_missing() and now >= self._acknowledged_stop_slot()

    def _acknowledged_stop_slot(self) -> float:
        return max(self._wrote_at + QUIET_S, self._free_at)

    def _advance(self, now: float) -> None:
        """Let time pass; if it goes backwards, nothing waits for the old one."""
        if now < self._now:
            self._free_at = now
            self._kept_alive_at = self._wrote_at = now
            for call in (self._writing, self._keeping_alive):
                if call is not None:
                    call.overdue_at += now - call.since
                    call.since = now
        self._now = now
