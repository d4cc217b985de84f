"""Who may drive: one lease with a rising epoch."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import Refusal, VisitorError

if TYPE_CHECKING:
    from belvedere.control.options import ControlOptions


class LeaseVerb(enum.StrEnum):
    """What a session may ask about the lease."""

    ACQUIRE = "acquire"
    TAKE = "take"
    RETURN = "return"


class Driver(msgspec.Struct, frozen=True):
    """A session that may drive: `person` is who comes back after a broken connection, `rank` who outranks whom."""

    session: str
    person: str
    rank: int


class Lease:
    """The lease and its clock.

    A driver is heard of by driving or pinging. Not heard of for `lease_stale_s`, or gone for `lease_grace_s`, it has
    lost the lease. Every grant raises the epoch, so whatever was sent under an earlier one is refused.
    """

    def __init__(self, options: ControlOptions) -> None:
        self._options = options
        self._ends_at = 0.0
        self._is_gone = False
        self.epoch = 0
        self.driver: Driver | None = None

    def is_held_by(self, session: str) -> bool:
        """Whether this session drives, with its connection open."""
        return self.driver is not None and self.driver.session == session and not self._is_gone

    def receive_acquire(self, now: float, asking: Driver) -> bool:
        """Drive, if nobody else does; True when that was not so before. Raises VisitorError (SOMEONE_ELSE_DRIVES)."""
        if self.is_held_by(asking.session):
            self.receive_heartbeat(now, asking.session)
            return False
        is_back = self._is_gone and self.driver is not None and self.driver.person == asking.person
        if self.driver is not None and not is_back:
            raise VisitorError(Refusal.SOMEONE_ELSE_DRIVES, "someone else is driving")
        self._grant(now, asking)
        return True

    def receive_take(self, now: float, asking: Driver) -> bool:
        """Drive instead of whoever does; True when that was not so before. Raises VisitorError (OUTRANKED)."""
        if self.driver is not None and self.driver.session != asking.session and self.driver.rank > asking.rank:
            raise VisitorError(Refusal.OUTRANKED, "the room itself is driving")
        if self.is_held_by(asking.session):
            return self.receive_acquire(now, asking)
        self._grant(now, asking)
        return True

    def receive_return(self, session: str) -> bool:
        """Stop driving; True if this session did."""
        if not self.is_held_by(session):
            return False
        self.driver = None
        return True

    def receive_heartbeat(self, now: float, session: str) -> None:
        """The session said something: its lease, if it has it, is retained."""
        if self.is_held_by(session):
            self._ends_at = now + self._options.lease_stale_s

    def receive_gone(self, now: float, session: str) -> bool:
        """The session's connection ended: its grace time begins. True if it was driving."""
        if not self.is_held_by(session):
            return False
        self._is_gone = True
        self._ends_at = now + self._options.lease_grace_s
        return True

    def tick(self, now: float) -> Driver | None:
        """End the lease if its time is over; returns who lost it by that."""
        if self.driver is None or now < self._ends_at:
            return None
        lost, self.driver = self.driver, None
        return lost

    def deadline(self) -> float | None:
        """When `tick` will end the lease if nothing is heard."""
        return None if self.driver is None else self._ends_at

    def receive_clock_jump(self, now: float) -> None:
        """The clock went backwards: give the driver the full time again, counted on the new clock."""
        self._ends_at = min(self._ends_at, now + max(self._options.lease_stale_s, self._options.lease_grace_s))

    def _grant(self, now: float, driver: Driver) -> None:
        self.epoch += 1
        self.driver = driver
        self._is_gone = False
        self._ends_at = now + self._options.lease_stale_s
