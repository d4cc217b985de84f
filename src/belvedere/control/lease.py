"""Who may drive: one lease, with an epoch that rises at every grant.

             acquire, take                      connection closed
      free ----------------> held by a session -------------------> kept for its person
       ^                       |        ^                              |   |
       +-- return, or silent --+        +------- same person returns --+   |
       |   for lease_stale_s            |        (or anybody takes it)     |
       +--------------------------------+----------- lease_grace_s is over +

`take` also replaces the present holder, unless that has a higher rank.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import Refusal, VisitorError

if TYPE_CHECKING:
    from belvedere.control.options import ControlOptions


class LeaseVerb(enum.StrEnum):
    """A session's request: ACQUIRE only gets a free lease, TAKE also gets one that another session has."""

    ACQUIRE = "acquire"
    TAKE = "take"
    RETURN = "return"


class Driver(msgspec.Struct, frozen=True):
    """A session that may drive.

    Attributes:
        session: one connection; a reconnect is a new session.
        person: the same for all sessions of one person, so that the lease can be resumed after a broken connection.
        rank: a session cannot take the lease from one of higher rank.
    """

    session: str
    person: str
    rank: int


class Lease:
    """The lease, its holder and its expiry.

    Every message of the driver renews the lease. After `lease_stale_s` without one, or `lease_grace_s` after the
    connection closed, it ends. Every grant raises the epoch, so commands sent under an earlier one can be refused.
    """

    def __init__(self, options: ControlOptions) -> None:
        self._options = options
        self._ends_at = 0.0
        self._is_gone = False
        self.epoch = 0
        self.driver: Driver | None = None

    def is_held_by(self, session: str) -> bool:
        """Whether this session has the lease and its connection is open."""
        return self.driver is not None and self.driver.session == session and not self._is_gone

    def receive_acquire(self, now: float, asking: Driver) -> bool:
        """Grant a free lease, or one kept for the same person. Returns whether the driver changed.

        Raises VisitorError (SOMEONE_ELSE_DRIVES) if another session has it.
        """
        if self.is_held_by(asking.session):
            self.receive_heartbeat(now, asking.session)
            return False
        is_back = self._is_gone and self.driver is not None and self.driver.person == asking.person
        if self.driver is not None and not is_back:
            raise VisitorError(Refusal.SOMEONE_ELSE_DRIVES, "someone else is driving")
        self._grant(now, asking)
        return True

    def receive_take(self, now: float, asking: Driver) -> bool:
        """Grant the lease even if another session has it. Returns whether the driver changed.

        Raises VisitorError (OUTRANKED) if the present driver has a higher rank.
        """
        if self.driver is not None and self.driver.session != asking.session and self.driver.rank > asking.rank:
            raise VisitorError(Refusal.OUTRANKED, "somebody in the room is driving")
        if self.is_held_by(asking.session):
            return self.receive_acquire(now, asking)
        self._grant(now, asking)
        return True

    def receive_return(self, session: str) -> bool:
        """Return the lease. Returns whether this session had it."""
        if not self.is_held_by(session):
            return False
        self.driver = None
        return True

    def receive_heartbeat(self, now: float, session: str) -> None:
        """The session sent something: if it has the lease, renew it."""
        if self.is_held_by(session):
            self._ends_at = now + self._options.lease_stale_s

    def receive_gone(self, now: float, session: str) -> bool:
        """The session's connection closed: its grace time begins. Returns whether it was driving."""
        if not self.is_held_by(session):
            return False
        self._is_gone = True
        self._ends_at = now + self._options.lease_grace_s
        return True

    def tick(self, now: float) -> Driver | None:
        """End the lease if it has expired. Returns the driver who lost it, or None."""
        if self.driver is None or now < self._ends_at:
            return None
        lost, self.driver = self.driver, None
        return lost

    def deadline(self) -> float | None:
        """When `tick` will end the lease if its driver sends nothing; None while the lease is free."""
        return None if self.driver is None else self._ends_at

    def receive_clock_jump(self, now: float) -> None:
        """The clock went backwards to `now`: the lease lasts for the full time from now on at most.

        Without this it would last for as long as the clock jumped back.
        """
        self._ends_at = min(self._ends_at, now + max(self._options.lease_stale_s, self._options.lease_grace_s))

    def _grant(self, now: float, driver: Driver) -> None:
        self.epoch += 1
        self.driver = driver
        self._is_gone = False
        self._ends_at = now + self._options.lease_stale_s
