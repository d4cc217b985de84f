"""Driving without a socket: lets a program that only knows HTTP hold the stick under the same rules as a hand. Pure.

A request is one setpoint with a short life, which begins with its first byte. Requests that follow each other within
the dead-man time are one press: it has the same ceiling as a hand's, and once it was cut, by whatever and whomever, it
stays cut until the program pauses for that time. Otherwise a loop that somebody forgot would drive over every stop.
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

    from belvedere.access.sessions import EndedSession, Session
    from belvedere.gateway.parts import Driving, Head

RATE_PER_S = 60.0  # three times what a page sends
BURST = 120.0


class Wanted(msgspec.Struct, frozen=True):
    """What one request asks for.

    Attributes:
        pan, tilt: shares of full speed.
        for_s: for how many seconds from the first byte, above 0.
        age_s: how long ago the request's first byte came.
        not_after_s: when it must not be obeyed any more, on the house's clock.
    """

    pan: float
    tilt: float
    for_s: float
    age_s: float = 0.0
    not_after_s: float = math.inf


class _Script(msgspec.Struct):
    session: str
    heard_at: float
    bucket: TokenBucket
    hold: int = 0
    seq: int = 0
    epoch: int | None = None  # of the lease under which the present press began
    pressed_until: float = 0.0


class Scripts:
    """The programs that drive by HTTP, one for each visitor.

    Args:
        idle_s: a program not heard of for so long has left.
        dead_man_s: a program that has not pressed for so long may press afresh.
    """

    def __init__(self, engine: Driving, head: Head, *, idle_s: float, dead_man_s: float) -> None:
        self._engine = engine
        self._head = head
        self._idle_s = idle_s
        self._dead_man_s = dead_man_s
        self._by_visitor: dict[str, _Script] = {}
        self._on_opened: Callable[[], None] = lambda: None

    def watch(self, on_opened: Callable[[], None]) -> None:
        """Have this called whenever a program comes, because the next `deadline` may be another then."""
        self._on_opened = on_opened

    def receive_velocity(self, now: float, visitor: Session, wanted: Wanted) -> None:
        """Drive, if nobody else does. Raises VisitorError, which ends nothing that was not ended before."""
        script = self._script(now, visitor)
        if not script.bucket.take(now):
            raise VisitorError(Refusal.TOO_FAST, "this was not listened to: too fast")
        is_fresh = now >= script.pressed_until
        script.pressed_until = now + max(wanted.for_s, self._dead_man_s)  # a refused request too: it must pause
        if is_fresh:
            script.hold, script.epoch = script.hold + 1, None
        elif self._is_lease_another(script):
            raise VisitorError(Refusal.HOLD_ENDED, "the lease has changed hands: pause, and press again")
        self._check_age(now, wanted)
        self._engine.receive_lease(script.session, LeaseVerb.ACQUIRE)
        script.epoch = self._head.status.lease.epoch
        script.seq += 1
        setpoint = Setpoint(
            epoch=script.epoch,
            hold=script.hold,
            seq=script.seq,
            pan=wanted.pan,
            tilt=wanted.tilt,
            sent_at_s=now - wanted.age_s,
            heard_s=now - wanted.age_s,
            for_s=wanted.for_s - wanted.age_s,
        )
        self._engine.receive_drive(script.session, setpoint)

    def receive_stop(self, now: float, visitor: Session) -> None:
        """Stop everything, whoever drives; the program may press afresh after a pause, as after any other stop."""
        script = self._script(now, visitor)
        self._engine.receive_stop(script.session)

    def receive_session_ended(self, ended: EndedSession) -> None:
        """The visit is over: what its program held stops, and the lease waits for nobody to come back."""
        script = self._by_visitor.pop(ended.session.id, None)
        if script is not None:
            self._engine.receive_lease(script.session, LeaseVerb.RETURN)
            self._engine.receive_session_closed(script.session)

    def tick(self, now: float) -> None:
        """Let the programs go that have left."""
        self._leave(lambda script: now >= script.heard_at + self._idle_s)

    def deadline(self) -> float | None:
        """When the next program will have left if it is not heard of; None while there is none."""
        return min((script.heard_at + self._idle_s for script in self._by_visitor.values()), default=None)

    def close(self) -> None:
        """Let all of them go."""
        self._leave(lambda _: True)

    def _check_age(self, now: float, wanted: Wanted) -> None:
        if wanted.age_s > self._dead_man_s:
            raise VisitorError(Refusal.TOO_LATE, "this request took longer than the dead-man time")
        if wanted.age_s >= wanted.for_s:
            raise VisitorError(Refusal.TOO_LATE, "this request took longer than the head was to turn")
        if now > wanted.not_after_s:
            raise VisitorError(Refusal.TOO_LATE, "not_after has passed")

    def _is_lease_another(self, script: _Script) -> bool:
        """Whether the lease under which this press began has ended, and nobody else's is to be told of instead."""
        lease = self._head.status.lease
        return lease.session in {None, script.session} and lease.epoch != script.epoch

    def _script(self, now: float, visitor: Session) -> _Script:
        script = self._by_visitor.get(visitor.id)
        if script is None:
            script = self._by_visitor[visitor.id] = _Script(f"script-{visitor.id}", now, TokenBucket(RATE_PER_S, BURST))
            self._engine.receive_session_opened(script.session, visitor.person, visitor.rank)
            self._on_opened()
        script.heard_at = now
        return script

    def _leave(self, has_left: Callable[[_Script], bool]) -> None:
        gone = {visitor: script for visitor, script in self._by_visitor.items() if has_left(script)}
        for visitor, script in gone.items():
            del self._by_visitor[visitor]
            self._engine.receive_session_closed(script.session)
