"""Tickets: what proves a session when a page of another site opens a socket, where it can send no header.

A browser lets a page choose a socket's address and sub-protocols only. Addresses are logged everywhere, so the ticket
is a sub-protocol. It works once, within seconds, for the origin that asked for it; what a proxy logs opens nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.access.sessions import digest, new_secret

if TYPE_CHECKING:
    from collections.abc import Callable

SUBPROTOCOL_PREFIX: Final = "belvedere.ticket."
TICKET_S: Final = 30.0  # a page opens the socket at once; on a bad network that takes seconds
MAX_TICKETS: Final = 8  # of one session, unused: its two sockets, in a few windows; one more ends the oldest


class _Ticket(msgspec.Struct, frozen=True):
    session: str
    origin: str
    ends_at_s: float


class Tickets:
    """All unused tickets.

    They are not stored: after a restart a page asks for another. Whether their sessions live is for `Invitations` to
    say.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_digest: dict[bytes, _Ticket] = {}  # the oldest first

    def issue(self, session: str, origin: str) -> str:
        """A new ticket of this session, for a socket of a page of this origin; "" stands for a program's."""
        now = self._clock()
        self._by_digest = {known: each for known, each in self._by_digest.items() if now < each.ends_at_s}
        of_session = [known for known, each in self._by_digest.items() if each.session == session]
        for known in of_session[: max(0, len(of_session) + 1 - MAX_TICKETS)]:
            del self._by_digest[known]
        secret = new_secret()
        self._by_digest[digest(secret)] = _Ticket(session, origin, now + TICKET_S)
        return secret

    def find(self, ticket: str, origin: str) -> str | None:
        """The id of the session that this ticket would prove; does not use it up."""
        found = self._by_digest.get(digest(ticket))
        is_valid = found is not None and found.origin == origin and self._clock() < found.ends_at_s
        return found.session if is_valid and found is not None else None

    def use(self, ticket: str, origin: str) -> str | None:
        """The id of the session that this ticket proves, or None. Whoever shows a ticket uses it up, even in vain."""
        session = self.find(ticket, origin)
        self._by_digest.pop(digest(ticket), None)
        return session
