"""Driving for programs: single moves with an end, under the same rules as a held stick.

A page holds a stick and repeats its setpoint until the finger lifts. A program that speaks HTTP (or any other protocol
without a connection that can break) says how long each move lasts instead. Moves that follow each other within the
dead-man time are one hold: it has the same ceiling as a hand's, and once it was cut, by whatever and whomever, it stays
cut until the program pauses for the dead-man time. Otherwise a forgotten loop would drive over every stop.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from belvedere.control.lease import LeaseVerb
from belvedere.control.setpoint import Setpoint
from belvedere.errors import Refusal, VisitorError
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.engine.engine import Engine

RATE_PER_S = 60.0  # three times what a page sends
BURST = 120.0


class DriveClient(msgspec.Struct, frozen=True, kw_only=True):
    """Who drives: `id` is unique among all clients, `person` and `rank` are as at the lease."""

    id: str
    person: str
    rank: int


class TimedMove(msgspec.Struct, frozen=True):
    """What one request asks for.

    Attributes:
        pan, tilt: shares of full speed, -1 to 1.
        for_s: for how many seconds from the beginning of the request, above 0.
        age_s: how long ago the request began, for HTTP with its first byte.
        not_after_s: when it must not be obeyed any more, on the engine's clock.
    """

    pan: float
    tilt: float
    for_s: float
    age_s: float = 0.0
    not_after_s: float = math.inf


class _Client(msgspec.Struct):
    session: str  # its name at the lease
    heard_at: float
    bucket: TokenBucket
    hold: int = 0
    seq: int = 0
    epoch: int | None = None  # of the lease under which the present hold began
    held_until: float = 0.0


class TimedDrive:
    """All programs that drive by timed moves; all calls come from the loop's own thread, none of them waits.

    Args:
        idle_s: a client not heard of for so long has left.
        dead_man_s: a client whose last move is over for so long may begin a new hold.
    """

    def __init__(self, engine: Engine, *, idle_s: float, dead_man_s: float) -> None:
        self._engine = engine
        self._idle_s = idle_s
        self._dead_man_s = dead_man_s
        self._clients: dict[str, _Client] = {}
        self._on_opened: Callable[[], None] = lambda: None

    def watch(self, on_opened: Callable[[], None]) -> None:
        """Call this whenever a client comes, because the next `deadline` may be another then."""
        self._on_opened = on_opened

    def receive_move(self, now: float, client: DriveClient, move: TimedMove) -> None:
        """Move, if nobody else drives. Raises VisitorError, which ends nothing that was not ended before."""
        known = self._heard(now, client)
        if not known.bucket.take(now):
            raise VisitorError(Refusal.TOO_FAST, "this was not listened to: too fast")
        is_fresh = now >= known.held_until
        known.held_until = now + max(move.for_s, self._dead_man_s)  # a refused request too: the client must pause
        if is_fresh:
            known.hold, known.epoch = known.hold + 1, None
        elif self._has_lease_changed(known):
            raise VisitorError(Refusal.HOLD_ENDED, "the lease has changed hands: pause, and press again")
        self._check_age(now, move)
        self._engine.receive_lease(known.session, LeaseVerb.ACQUIRE)
        known.epoch = self._engine.status.lease.epoch
        known.seq += 1
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

    def receive_stop(self, now: float, client: DriveClient) -> None:
        """Stop everything, whoever drives; the client may begin a new hold after a pause, as after any other stop."""
        self._engine.receive_stop(self._heard(now, client).session)

    def receive_client_ended(self, client_id: str) -> None:
        """A client may drive no more: what it held stops, and the lease waits for nobody to come back."""
        known = self._clients.pop(client_id, None)
        if known is not None:
            self._engine.receive_lease(known.session, LeaseVerb.RETURN)
            self._engine.receive_session_closed(known.session)

    def tick(self, now: float) -> None:
        """Forget the clients that have left."""
        self._forget(lambda known: now >= known.heard_at + self._idle_s)

    def deadline(self) -> float | None:
        """When the next client will have left if it is not heard of; None while there is none."""
        return min((known.heard_at + self._idle_s for known in self._clients.values()), default=None)

    def close(self) -> None:
        """Forget all clients: what they held stops."""
        self._forget(lambda _: True)

    def _check_age(self, now: float, move: TimedMove) -> None:
        if move.age_s > self._dead_man_s:
            raise VisitorError(Refusal.TOO_LATE, "this request took longer than the dead-man time")
        if move.age_s >= move.for_s:
            raise VisitorError(Refusal.TOO_LATE, "this request took longer than the head was to turn")
        if now > move.not_after_s:
            raise VisitorError(Refusal.TOO_LATE, "not_after has passed")

    def _has_lease_changed(self, known: _Client) -> bool:
        """Whether the lease under which this hold began has ended, and there is no other driver to name instead."""
        lease = self._engine.status.lease
        return lease.session in {None, known.session} and lease.epoch != known.epoch

    def _heard(self, now: float, client: DriveClient) -> _Client:
        known = self._clients.get(client.id)
        if known is None:
            known = self._clients[client.id] = _Client(f"timed-{client.id}", now, TokenBucket(RATE_PER_S, BURST))
            self._engine.receive_session_opened(known.session, client.person, client.rank)
            self._on_opened()
        known.heard_at = now
        return known

    def _forget(self, has_left: Callable[[_Client], bool]) -> None:
        gone = {client_id: known for client_id, known in self._clients.items() if has_left(known)}
        for client_id, known in gone.items():
            del self._clients[client_id]
            self._engine.receive_session_closed(known.session)
