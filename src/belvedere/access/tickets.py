"""Tickets: what proves a session when a page of another site opens a socket, where it can send no header.

A browser lets a page choose a socket's address and sub-protocols only. Addresses are logged everywhere, so the ticket
is a sub-protocol. It works once, within seconds, for the origin that asked for it; what a proxy logs opens nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from belvedere.access.origin_secrets import OriginSecrets
from belvedere.access.sessions import new_secret

if TYPE_CHECKING:
    from collections.abc import Callable

SUBPROTOCOL_PREFIX: Final = "belvedere.ticket."
TICKET_S: Final = 30.0  # a page opens the socket at once; on a bad network that takes seconds
MAX_TICKETS: Final = 8  # of one session, unused: its two sockets, in a few windows; one more ends the oldest


class Tickets:
    """All unused tickets.

    They are not stored: after a restart a page asks for another. Whether their sessions live is for `Invitations` to
    say.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._secrets = OriginSecrets(TICKET_S, MAX_TICKETS)

    def issue(self, session: str, origin: str) -> str:
        """A new ticket of this session, for a socket of a page of this origin; "" stands for a program's."""
        secret = new_secret()
        self._secrets.add(self._clock(), secret, session, origin)
        return secret

    def find(self, ticket: str, origin: str) -> str | None:
        """The id of the session that this ticket would prove; does not use it up."""
        found = self._secrets.find(self._clock(), ticket, origin)
        return None if found is None else found.session

    def use(self, ticket: str, origin: str) -> str | None:
        """The id of the session that this ticket proves, or None. Whoever shows a ticket uses it up, even in vain."""
        session = self.find(ticket, origin)
        self._secrets.end(ticket)
        return session
