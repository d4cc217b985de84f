"""Tells whoever acts for a session that it has ended, or may do less: sockets, HTTP driving, pictures."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from belvedere.access.rights import Right, Rights
from belvedere.access.sessions import EndReason, Session

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class SessionChange(msgspec.Struct, frozen=True, kw_only=True):
    """A session has ended, or has other rights than before.

    Attributes:
        session: as it is from now on; one that ended as it was last.
        lost: the rights that it had and has no more; all of them where it ended.
        end: why it ended; None while it goes on.
        is_new_role: whether its person has another role now: all that it has open ends, and may be opened again.
    """

    session: Session
    lost: Rights
    end: EndReason | None = None
    is_new_role: bool = False

    def takes(self, right: Right) -> bool:
        """Whether whatever needs this right must end now. True for every right once the session has ended."""
        return self.end is not None or right in self.lost


SessionSubscriber: TypeAlias = "Callable[[SessionChange], None]"


class SessionEvents:
    """The subscribers. Each is called within the call that changes the session, when its cookies say so already."""

    def __init__(self) -> None:
        self._subscribers: list[SessionSubscriber] = []

    def subscribe(self, receive: SessionSubscriber) -> None:
        """Call this with every change from now on.

        Subscribers are called in the order of their subscription, so subscribe first what stops the head. They must not
        block. An exception of one is logged, and the next is called.
        """
        self._subscribers.append(receive)

    def publish(self, change: SessionChange) -> None:
        """Call every subscriber. Never raises."""
        for receive in self._subscribers:
            try:
                receive(change)
            except Exception:
                what = "changed" if change.end is None else f"ended ({change.end})"
                logger.exception("session %s %s, but a subscriber failed to handle it", change.session.id, what)
