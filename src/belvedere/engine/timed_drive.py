"""Driving by programs: moves of a stated duration, under the same rules as a held stick.

A page repeats its setpoint until the finger lifts, and its WebSocket breaks when it goes away. A program that uses HTTP
(or another protocol without a lasting connection) states how long each move lasts instead. Moves less than the dead-man
time apart form one hold, with the same longest time as any other. Once it was cut, for whatever reason, every move is
refused until the program has paused for the dead-man time. Otherwise a forgotten loop would override every stop.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from belvedere.control.lease import LeaseVerb
from belvedere.control.setpoint import Setpoint
from belvedere.errors import Refusal, VisitorError, too_fast
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.engine.engine import Engine

RATE_PER_S = 60.0  # three times what a page sends
BURST = 120.0


class DriveClient(msgspec.Struct, frozen=True, kw_only=True):
    """A program that drives: `id` is unique among all clients, `person` and `rank` are those of the lease's Driver."""

    id: str
    person: str
    rank: int


class TimedMove(msgspec.Struct, frozen=True):
    """One request to move.

    Attributes:
        pan, tilt: shares of full speed, -1 to 1.
        for_s: the duration in seconds, counted from the beginning of the request; above 0.
        age_s: how long ago the request began, in HTTP with its first byte.
        not_after_s: the time on the engine's clock after which it must not be executed.
    """

    pan: float
    tilt: float
    for_s: float
    age_s: float = 0.0
    not_after_s: float = math.inf


class _Client(msgspec.Struct):
    session: str  # the session's name in the engine
    heard_at: float  # the time of its newest request
    bucket: TokenBucket
    hold: int = 0
    seq: int = 0
    epoch: int | None = None  # of the lease under which the present hold began; None before its first accepted move
    held_until: float = 0.0  # a move before this time belongs to the present hold


class TimedDrive:
    """All programs that drive by timed moves. Call it from the event loop's thread only; no call blocks.

    Args:
        engine: the engine; each client becomes a session of it.
        idle_s: a client that sent no request for this long is removed.
        dead_man_s: the pause after which a client's next move begins a new hold.
    """

    def __init__(self, engine: Engine, *, idle_s: float, dead_man_s: float) -> None:
        self._engine = engine
        self._idle_s = idle_s
        self._dead_man_s = dead_man_s
        self._clients: dict[str, _Client] = {}
        self._unpaused: dict[str, float] = {}  # of clients that were removed: until when a move is part of the old hold
        self._on_opened: Callable[[], None] = lambda: None

    def watch(self, on_opened: Callable[[], None]) -> None:
        """Call `on_opened` whenever a client is added, because that may bring `deadline` forward."""
        self._on_opened = on_opened

    def receive_move(self, now: float, client: DriveClient, move: TimedMove) -> None:
        """Acquire the lease if it is free, and move. Raises VisitorError if the move is refused."""
        known = self._heard(now, client)
        if not known.bucket.take(now):
            raise too_fast(RATE_PER_S)
        is_fresh = now >= known.held_until
        # Also if the request is refused below: a client that goes on sending has not paused.
        known.held_until = now + max(move.for_s, self._dead_man_s)
        if is_fresh:
            known.hold, known.epoch = known.hold + 1, None
        elif self._has_lease_changed(known):
            raise VisitorError(Refusal.HOLD_ENDED, "the lease has changed since this move began: pause, then retry")
        self._check_age(now, move)
        self._engine.receive_lease(known.session, LeaseVerb.ACQUIRE)
        known.epoch = self._engine.status.lease.epoch
        known.seq += 1
        # A program has no clock that we know. The time at which its request began, on our clock, is both an exact time
        # of sending and a bound of its age.
        setpoint = Setpoint(
            epoch=known.epoch,
            hold=known.hold,
            seq=known.seq,
            pan=move.pan,
            tilt=move.tilt,
            sent_at_s=now - move.age_s,
            heard_s=now - move.age_s,
            for_s=move.for_s - move.age_s,
        )
        self._engine.receive_drive(known.session, setpoint)

    def receive_refused(self, now: float, client_id: str) -> None:
        """A client may not drive, and still asked for a move: it goes on, so it has not paused.

        Without this a forgotten loop would turn the head at the moment when it may drive again.
        """
        known, until = self._clients.get(client_id), now + self._dead_man_s
        if known is not None:
            known.held_until = max(known.held_until, until)
        else:
            self._keep_unpaused(now, client_id, until)

    def receive_stop(self, now: float, client: DriveClient) -> None:
        """Stop the head, no matter who drives; like after any other stop, the client's next hold needs a pause."""
        self._engine.receive_stop(self._heard(now, client).session)

    def receive_client_ended(self, client_id: str) -> None:
        """A client may not drive any more: its hold ends, and its lease is free at once, without the grace time."""
        known = self._clients.pop(client_id, None)
        if known is not None:
            self._keep_unpaused(known.heard_at, client_id, known.held_until)
            self._engine.receive_lease(known.session, LeaseVerb.RETURN)
            self._engine.receive_session_closed(known.session)

    def tick(self, now: float) -> None:
        """Remove the clients that have been idle for `idle_s`."""
        self._forget(lambda known: now >= known.heard_at + self._idle_s)

    def deadline(self) -> float | None:
        """When the next client becomes idle if it sends nothing; None without clients."""
        return min((known.heard_at + self._idle_s for known in self._clients.values()), default=None)

    def close(self) -> None:
        """Remove all clients: their holds end."""
        self._forget(lambda _: True)

    def _check_age(self, now: float, move: TimedMove) -> None:
        if move.age_s > self._dead_man_s:
            raise VisitorError(Refusal.TOO_LATE, "this request took longer than the dead-man time")
        if move.age_s >= move.for_s:
            raise VisitorError(Refusal.TOO_LATE, "this request took longer than the duration of its move")
        if now > move.not_after_s:
            raise VisitorError(Refusal.TOO_LATE, "not_after has passed")

    def _has_lease_changed(self, known: _Client) -> bool:
        """Whether the lease under which this hold began has ended.

        False while another session drives: then the engine refuses the move, with that as the more useful reason.
        """
        lease = self._engine.status.lease
        return lease.session in {None, known.session} and lease.epoch != known.epoch

    def _heard(self, now: float, client: DriveClient) -> _Client:
        known = self._clients.get(client.id)
        if known is None:
            known = _Client(f"timed-{client.id}", now, TokenBucket(RATE_PER_S, BURST))
            known.held_until = self._unpaused.pop(client.id, 0.0)
            self._clients[client.id] = known
            self._engine.receive_session_opened(known.session, client.person, client.rank)
            self._on_opened()
        known.heard_at = now
        return known

    def _keep_unpaused(self, now: float, client_id: str, until: float) -> None:
        self._unpaused = {each: end for each, end in self._unpaused.items() if now < end}
        self._unpaused[client_id] = max(until, self._unpaused.get(client_id, until))

    def _forget(self, has_left: Callable[[_Client], bool]) -> None:
        gone = {client_id: known for client_id, known in self._clients.items() if has_left(known)}
        for client_id, known in gone.items():
            del self._clients[client_id]
            self._engine.receive_session_closed(known.session)
