"""Decides what one connection sends next: a stop, a move, a keep-alive, or nothing until some time. Pure.

The invisible queue. BlueZ accepts writes without response as fast as they come and sends them at the radio's pace, one
or a few packets per connection interval, without back-pressure. A stop written behind sixty moves would take seconds.

Pacing. So the scheduler keeps a model of that queue: each packet that it releases occupies the radio for one interval
of `ConnectionInterval`, until `_queue_empty_at`. Moves, repeated stops and keep-alives leave only while the modelled
queue is empty. Meanwhile they wait in `LatestWrite`, where only the newest survives.

Stop first. The first stop after a move is not paced: at most one packet is ahead of it, so it is on the air within two
intervals.

Keep-alive. Writes without response succeed even on a dead link. While the unit moves, a read request is sent every now
and then (`keep_alives`): its round trip measures the interval, a late answer reveals a backlog (moves are then held
back), and a missing one a dead link.

Acknowledged stop. A unit drops writes without response silently when it has no buffer for them. So every move ends with
one more stop, written with response, once nothing else is waiting. A unit that cannot acknowledge a write gets a
keep-alive instead, whose answer proves at least that the link still works.

What the scheduler knows about the unit (`unit_state.TRANSITIONS`; a RESET leads from every state to VERIFIED), and what
is due in that state (`unit_state.DUE`):

                   MOVE                       STOP, unpaced
    VERIFIED ───────────────> MOVING ─────────────────────────────────> UNVERIFIED
    (nothing)           (keep-alives) <────────── MOVE ────────────── (verification)
       ^                    │    ^                                       ^      │
       │           REQUEST  │    │ MOVE                                  │      │
       │     (a keep-alive) v    │                                       │      │
       │                  MOVING_ASKED ───────────── STOP, unpaced ──────┘      │
       │                  (keep-alives)                                         │
       └────────── REQUEST: an acknowledged stop, else a keep-alive ────────────┘

With response every write is acknowledged and thus a REQUEST itself, so there is no queue to model: a write waits for
the answer to the one before it, and neither keep-alives nor acknowledged stops are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from belvedere.link.keep_alives import InFlightCall, KeepAlives
from belvedere.link.latest_write import LatestWrite, PendingWrite
from belvedere.link.unit_state import DUE, TRANSITIONS, Due, UnitEvent, UnitState

if TYPE_CHECKING:
    from belvedere.link.connection_interval import ConnectionInterval
    from belvedere.link.options import LinkOptions

QUIET_S = 0.1  # verify a stop only after this long without a write: its repeats come 50 ms apart


class KeepAlive(msgspec.Struct, frozen=True):
    """Send a request that the unit answers and that changes nothing."""


class AcknowledgedStop(msgspec.Struct, frozen=True):
    """Write one more stop to the unit at rest, with response."""


class WriteScheduler:
    """The order of writes on one connection. All times are seconds of one monotonic clock.

    The caller asks `next`, begins the call that it returns, reports how the call ended with `receive_*`, and asks
    again, at the latest at `deadline`. `unit` is what is known of the unit.
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
        self.unit = UnitState.VERIFIED
        self._latest = LatestWrite()
        # An acknowledged write shows as much as a keep-alive, and ATT allows only one outstanding request per link.
        self._keep_alives = KeepAlives(
            interval, options.keep_alive_every_s, is_possible=can_keep_alive and not with_response
        )
        self._can_acknowledge = can_acknowledge and not with_response
        self._writing: InFlightCall | None = None
        self._queue_empty_at = 0.0
        self._last_write_at = 0.0
        self._now = 0.0

    @property
    def is_surely_at_rest(self) -> bool:
        """Whether the unit has answered a request that was sent after its newest stop."""
        return self.unit is UnitState.VERIFIED and not self._in_flight

    def put(self, pending: PendingWrite) -> None:
        """Replace whatever waits, except a stop that was not yet sent to the moving unit."""
        if not self.unit.is_moving:
            self._latest.drop_stop()  # it only repeats one that was sent, and must not delay a new move
        self._latest.put(pending)

    def receive_stop_verified(self, now: float) -> None:
        """The unit has a stop and no packet is queued ahead of the next one; forgets whatever waits here."""
        self._advance(now)
        self._latest.clear()
        self._follow(UnitEvent.RESET)
        self._queue_empty_at = now

    def next(self, now: float) -> PendingWrite | KeepAlive | AcknowledgedStop | None:
        """What to begin now; it counts as begun. None when there is nothing to do yet.

        The order of the checks is the order of priority.
        """
        self._advance(now)
        # One write at a time: a second one would wait inside bleak or BlueZ, where nothing newer can replace it.
        # A keep-alive in flight holds up no write: it is a request, and commands overtake it.
        if self._writing is not None:
            return None
        # 1. A stop for a moving unit, whatever else is due and however full the queue. 2. Any other write, paced. It
        # yields to a keep-alive that is due: a stick that moves all the time would otherwise never leave room for one.
        if self._is_stop_urgent() or (
            now >= self._queue_empty_at and not self._is_keep_alive_due(now) and self._may_write(now)
        ):
            pending = self._latest.take()
            if pending is not None:
                self._begin_write(pending, now)
            return pending
        # 3. A keep-alive, once its turn has come and the queue is empty: only then does its round trip measure the
        # interval, and not what was queued ahead of it.
        if self._is_keep_alive_due(now) and now >= self._keep_alive_slot():
            self._keep_alives.begin(now)
            self._occupy(now)
            self._follow(UnitEvent.REQUEST)  # its answer will cover all writes so far
            return KeepAlive()
        # 4. Last, because it blocks further writes until it is answered: nothing may be waiting behind it.
        if self._is_acknowledged_stop_missing() and now >= self._acknowledged_stop_slot():
            self._writing = InFlightCall(None, now, self.interval.keep_alive_timeout_s)
            return AcknowledgedStop()
        return None

    def deadline(self) -> float | None:
        """When to ask `next` and `is_overdue` again if nothing happens before; None if only an event matters."""
        times = [call.overdue_at for call in self._in_flight]
        if self._writing is not None:  # nothing else can begin before it ends
            return min(times)
        if self._keep_alive_due_at() is not None:
            times.append(self._keep_alive_slot())
        if self._may_write(self._now) and not self._is_keep_alive_due(self._now):
            times.append(self._queue_empty_at)
        if self._is_acknowledged_stop_missing():
            times.append(self._acknowledged_stop_slot())
        return min(times, default=None)

    def is_overdue(self, now: float) -> bool:
        """Whether a call has taken longer than it can on a working link."""
        self._advance(now)
        return any(now >= call.overdue_at for call in self._in_flight)

    def receive_stall(self, now: float) -> None:
        """The event loop was held up, and answers may be waiting unread: restarts the timeout of every call."""
        for call in self._in_flight:
            call.receive_stall(now)

    def newest(self) -> PendingWrite:
        """Return the write to send; to be called when it really begins: a command put since `next` replaces a move."""
        if self._writing is None or self._writing.write is None:
            raise AssertionError("nothing is being written")
        if not self._writing.write.is_stop and self._latest.pending is not None:
            self._writing.write = self._latest.take() or self._writing.write
            self._follow(UnitEvent.STOP if self._writing.write.is_stop else UnitEvent.MOVE)
        return self._writing.write

    def receive_written(self, now: float) -> PendingWrite | None:
        """The write in flight succeeded. Returns it, or None for an acknowledged stop."""
        self._advance(now)
        written, self._writing = self._writing, None
        if written is None:
            raise AssertionError("nothing was being written")
        if self.with_response or written.write is None:
            self.interval.receive_round_trip(now - written.since)
            self._follow(UnitEvent.REQUEST)
        return written.write

    def receive_refused(self) -> None:
        """The unit refused the write in flight."""
        self._writing = None

    def receive_keep_alive(self, now: float, *, is_answered: bool) -> None:
        """The keep-alive has ended; not answered means that the unit has nothing to read, so no more are sent."""
        self._advance(now)
        if self._keep_alives.receive_ended(now, is_answered=is_answered) and self.unit.is_asked:
            self._queue_empty_at = min(self._queue_empty_at, now)  # no write came after it: the real queue is empty too

    @property
    def _in_flight(self) -> list[InFlightCall]:
        return [call for call in (self._writing, self._keep_alives.in_flight) if call is not None]

    def _follow(self, event: UnitEvent) -> None:
        self.unit = TRANSITIONS[self.unit, event]

    def _begin_write(self, pending: PendingWrite, now: float) -> None:
        self._writing = InFlightCall(pending, now, self.interval.answer_timeout_s)
        self._last_write_at = now
        self._follow(UnitEvent.STOP if pending.is_stop else UnitEvent.MOVE)
        self._occupy(now)

    def _occupy(self, now: float) -> None:
        """One more packet is in the modelled queue."""
        if not self.with_response:
            self._queue_empty_at = max(self._queue_empty_at, now) + self.interval.estimate_s

    def _is_stop_urgent(self) -> bool:
        return self._latest.pending is not None and self._latest.pending.is_stop and self.unit.is_moving

    def _may_write(self, now: float) -> bool:
        """Whether anything waits that is not held back: moves are, while a backlog is known."""
        pending = self._latest.pending
        return pending is not None and (pending.is_stop or not self._keep_alives.is_backlogged(now))

    def _keep_alive_due_at(self) -> float | None:
        """When the next keep-alive is due; None while there is no reason for one."""
        if not self._keep_alives.may_begin:
            return None
        match DUE[self.unit]:
            case Due.KEEP_ALIVES:
                return self._keep_alives.next_at
            case Due.VERIFICATION if not self._can_acknowledge:
                return self._last_write_at + QUIET_S
            case _:
                return None

    def _is_keep_alive_due(self, now: float) -> bool:
        due_at = self._keep_alive_due_at()
        return due_at is not None and now >= due_at

    def _keep_alive_slot(self) -> float:
        """When the next keep-alive leaves: shifted a little each time, so that round trips sample all phases."""
        return max(self._keep_alive_due_at() or 0.0, self._queue_empty_at) + self._keep_alives.shift_s

    def _is_acknowledged_stop_missing(self) -> bool:
        """Whether a stop is still to be acknowledged and nothing else is waiting."""
        is_idle = self._latest.pending is None and self._keep_alives.in_flight is None
        return self._can_acknowledge and is_idle and DUE[self.unit] is Due.VERIFICATION

    def _acknowledged_stop_slot(self) -> float:
        return max(self._last_write_at + QUIET_S, self._queue_empty_at)

    def _advance(self, now: float) -> None:
        """Advance to `now`. A clock that jumped back restarts every time kept here: a stop must not wait for it."""
        if now < self._now:
            self._queue_empty_at = now
            self._last_write_at = now
            self._keep_alives.receive_clock_set(now)
            for call in self._in_flight:
                call.receive_clock_set(now)
        self._now = now
