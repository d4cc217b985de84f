"""Who may drive: one lease, with an epoch that rises at every grant.

             acquire, take, give                   connection closed
      free ----------------------> held by a session ------------------> kept for its person
       ^                             |        ^                             |   |
       +-- return, or silent --------+        +----- same person returns ---+   |
       |   for lease_stale_s                                                    |
       +------------------------------------------ lease_grace_s is over -------+

`acquire` gets a free lease only. `take` also replaces the present holder, but only where that takes nothing from
anybody who uses it (`LeaseStatus.may_be_taken_by`). Everybody else asks, and the driver gives (`handover.py`).
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

from belvedere.control.handover import Question
from belvedere.errors import Refusal, VisitorError

if TYPE_CHECKING:
    from belvedere.control.options import ControlOptions


class LeaseVerb(enum.StrEnum):
    """A session's request.

    ACQUIRE only gets a free lease, TAKE also gets one that may be taken, and ASK asks the driver where TAKE would be
    refused.
    """

    ACQUIRE = "acquire"
    TAKE = "take"
    ASK = "ask"
    RETURN = "return"


class Driver(msgspec.Struct, frozen=True):
    """A session that may drive.

    Attributes:
        session: one connection; a reconnect is a new session.
        person: the same for all sessions of one person, so that the lease can be resumed after a broken connection.
        rank: a higher one takes the lease from a lower at once.
    """

    session: str
    person: str
    rank: int


class LeaseStatus(msgspec.Struct, frozen=True):
    """Who drives.

    Attributes:
        epoch: of the newest grant.
        session, person, rank: of the driver; the first two are None while the lease is free.
        is_idle: whether the driver has not moved the head for `lease_idle_s`.
        free_at_s: when the lease will be free unless the driver returns, whose connection is lost; None while it is
            not.
        questions: of those who ask the driver for the lease, oldest first.
    """

    epoch: int
    session: str | None
    rank: int
    person: str | None = None
    is_idle: bool = False
    free_at_s: float | None = None
    questions: tuple[Question, ...] = ()

    def may_be_taken_by(self, person: str, rank: int) -> bool:
        """Whether `take` is granted: if the lease is free, its driver idle, of lower rank, or the same person."""
        return self.session is None or self.is_idle or self.rank < rank or self.person == person


class Lease:
    """The lease, its holder and its expiry.

    Every message of the driver renews the lease. After `lease_stale_s` without one, or `lease_grace_s` after the
    connection closed, it ends. Every grant raises the epoch, so commands sent under an earlier one can be refused.
    """

    def __init__(self, options: ControlOptions) -> None:
        self._options = options
        self._ends_at = 0.0
        self._moved_at = 0.0
        self._is_gone = False
        self.epoch = 0
        self.driver: Driver | None = None

    def is_held_by(self, session: str) -> bool:
        """Whether this session has the lease and its connection is open."""
        return self.driver is not None and self.driver.session == session and not self._is_gone

    def status(self, now: float, questions: tuple[Question, ...] = ()) -> LeaseStatus:
        """Who drives at `now`."""
        driver = self.driver
        if driver is None:
            return LeaseStatus(self.epoch, None, 0)
        free_at_s = self._ends_at if self._is_gone else None
        is_idle = now >= self._idle_at()
        return LeaseStatus(self.epoch, driver.session, driver.rank, driver.person, is_idle, free_at_s, questions)

    def receive_acquire(self, now: float, asking: Driver) -> bool:
        """Grant a free lease, or one kept for the same person. Returns whether the driver changed.

        Raises VisitorError if another session has it: SOMEONE_ELSE_DRIVES.
        """
        if self.is_held_by(asking.session):
            self.receive_heartbeat(now, asking.session)
            return False
        is_back = self._is_gone and self.driver is not None and self.driver.person == asking.person
        if self.driver is not None and not is_back:
            raise VisitorError(Refusal.SOMEONE_ELSE_DRIVES, "someone else is driving")
        self.grant(now, asking)
        return True

    def receive_take(self, now: float, asking: Driver) -> bool:
        """Grant the lease, even if another session has it, where it may be taken. Returns whether the driver changed.

        Raises VisitorError if it may not: OUTRANKED if the present driver has a higher rank, else SOMEONE_ELSE_DRIVES.
        """
        if self.driver is None or self.is_held_by(asking.session):
            return self.receive_acquire(now, asking)
        if not self.status(now).may_be_taken_by(asking.person, asking.rank):
            if self.driver.rank > asking.rank:
                raise VisitorError(Refusal.OUTRANKED, "somebody in the room is driving")
            raise VisitorError(Refusal.SOMEONE_ELSE_DRIVES, "someone else is driving: ask first")
        self.grant(now, asking)
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

    def receive_motion(self, now: float) -> None:
        """The driver moves the head: from now on it counts as idle only after the full time."""
        self._moved_at = now

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

    def deadline(self, now: float) -> float | None:
        """When the lease ends or its driver becomes idle if nothing comes before; None while the lease is free."""
        if self.driver is None:
            return None
        idle_at = self._idle_at()
        return min(self._ends_at, idle_at) if idle_at > now else self._ends_at

    def receive_clock_jump(self, now: float) -> None:
        """The clock went backwards to `now`: the lease lasts for the full time from now on at most.

        Without this it would last for as long as the clock jumped back.
        """
        self._ends_at = min(self._ends_at, now + max(self._options.lease_stale_s, self._options.lease_grace_s))
        self._moved_at = min(self._moved_at, now)

    def grant(self, now: float, driver: Driver) -> None:
        """This session drives from now on, whoever did before; a fresh driver is not idle."""
        self.epoch += 1
        self.driver = driver
        self._is_gone = False
        self._ends_at = now + self._options.lease_stale_s
        self._moved_at = now

    def _idle_at(self) -> float:
        return self._moved_at + self._options.lease_idle_s
