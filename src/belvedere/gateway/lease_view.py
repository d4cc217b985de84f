"""Who drives and who would like to, as one control session sees it; and how its driver hands the lease over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from belvedere.access.rights import Right
from belvedere.control.lease import Driver
from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.messages import LeaseAnswer, LeaseOffers
from belvedere.gateway.outgoing import lease_message, offers_message
from belvedere.gateway.permissions import rank_of

if TYPE_CHECKING:
    from belvedere.access.sessions import Session
    from belvedere.control.lease import LeaseStatus
    from belvedere.gateway.dependencies import Dependencies
    from belvedere.gateway.messages import Lease, LeaseGive, Outgoing


class OpenSockets(Protocol):
    """What a control session needs to know of the others (`control_runner.ControlRunners`)."""

    def is_open(self, name: str) -> bool:
        """Whether the control session of this name has an open socket."""
        ...

    def all(self) -> list[tuple[str, Session]]:
        """Name and access session of every control session that has an open socket."""
        ...


class LeaseView:
    """The lease for one control session.

    Args:
        name: the control session's.
        visitor: the access session that opened it.
        sockets: all control sessions that are open, this one too.
    """

    def __init__(self, name: str, visitor: Session, dependencies: Dependencies, sockets: OpenSockets) -> None:
        self._name = name
        self._visitor = visitor
        self._dependencies = dependencies
        self._sockets = sockets
        self._lease: Lease | None = None
        self._offers = LeaseOffers(asking=[], watching=[])

    @property
    def is_driving(self) -> bool:
        """Whether the client was last told that it has the lease."""
        return self._lease is not None and self._lease.holder == "you"

    def changes(self, status: LeaseStatus) -> list[Outgoing]:
        """The messages about the lease that differ from those of the last call."""
        lease = self._lease_message(status)
        offers = offers_message(status, self._name, self._watchers(status), self._name_of)
        changed: list[Outgoing] = []
        if lease != self._lease:
            self._lease = lease
            changed.append(lease)
        if offers != self._offers:
            self._offers = offers
            changed.append(offers)
        return changed

    def hand_over(self, message: LeaseAnswer | LeaseGive) -> None:
        """Answer who asks, or give the lease to one of the watchers. Raises VisitorError.

        The lease is given to nobody else: other sessions may not drive, or no person looks at them.
        """
        engine = self._dependencies.engine
        if isinstance(message, LeaseAnswer):
            engine.receive_answer(self._name, message.asker, is_granted=message.granted)
            return
        lease = engine.status.lease
        if lease.session == self._name and message.to not in dict(self._watchers(lease)):
            raise VisitorError(Refusal.NOT_READY, "this visitor is not here any more, or may not drive")
        engine.receive_give(self._name, message.to)

    def _lease_message(self, lease: LeaseStatus) -> Lease:
        driver = lease.session or ""
        is_own_lost_socket = driver.startswith(f"{self._visitor.id}-") and not self._sockets.is_open(driver)
        may_drive = Right.DRIVE in self._dependencies.invitations.rights_of(self._visitor)
        asking = Driver(self._name, self._visitor.person, rank_of(self._visitor)) if may_drive else None
        return lease_message(lease, self._name, asking, self._name_of, is_own_lost_socket=is_own_lost_socket)

    def _watchers(self, lease: LeaseStatus) -> list[tuple[str, str]]:
        """To whom this session may give the lease: name and person of each socket of others who may drive."""
        if lease.session != self._name:
            return []
        rights_of = self._dependencies.invitations.rights_of
        others = ((name, visitor) for name, visitor in self._sockets.all() if visitor.id != self._visitor.id)
        return [(name, visitor.person) for name, visitor in others if Right.DRIVE in rights_of(visitor)]

    def _name_of(self, person: str) -> str:
        return self._dependencies.invitations.people.name_of(person)
