"""How pages of other origins prove a session: requests by a bearer, sockets by a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.access.bearers import PREFIX
from belvedere.access.tickets import SUBPROTOCOL_PREFIX
from belvedere.gateway.authentication import AuthenticationRefusedError
from belvedere.gateway.problems import Problem, ProblemCode
from belvedere.gateway.security import read_bearer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from belvedere.access.invitations import Invitations
    from belvedere.access.sessions import Session
    from belvedere.access.tickets import Tickets
    from belvedere.gateway.cross_origin import Frontends

    Headers = Mapping[bytes, str]


class FrontendAuthenticator:
    """A bearer in `Authorization: Bearer`, from the listed page that it was issued to. Others are refused."""

    def __init__(self, invitations: Invitations, frontends: Frontends) -> None:
        self._invitations = invitations
        self._frontends = frontends

    async def authenticate(self, headers: Headers) -> Session | None:
        """The session that the bearer proves. Raises AuthenticationRefusedError where it proves none."""
        bearer = bearer_in(headers)
        if bearer is None:
            return None
        session = self.recognise(headers)
        if session is None:
            problem = Problem(ProblemCode.NO_SESSION, "this visit has ended: ask for a new link")
            raise AuthenticationRefusedError(problem)
        return session

    def recognise(self, headers: Headers) -> Session | None:
        """The session that the bearer proves."""
        bearer, frontend = bearer_in(headers), self._frontends.sender_of(headers)
        if bearer is None or frontend is None:
            return None
        session_id = self._invitations.bearers.find(bearer, frontend.origin)
        return None if session_id is None else self._invitations.find(session_id)


class TicketAuthenticator:
    """A ticket among the sub-protocols of an upgrade. Wrong ones are refused, so that the page asks for another."""

    def __init__(self, invitations: Invitations, tickets: Tickets) -> None:
        self._invitations = invitations
        self._tickets = tickets

    async def authenticate(self, headers: Headers) -> Session | None:
        """The session that the ticket proves; uses it up. Raises AuthenticationRefusedError where it proves none."""
        ticket = _ticket_in(headers)
        if ticket is None:
            return None
        session = self._session(self._tickets.use(ticket, headers.get(b"origin", "")))
        if session is None:
            problem = Problem(ProblemCode.NO_SESSION, "this ticket was used already, or is too old")
            raise AuthenticationRefusedError(problem)
        return session

    def recognise(self, headers: Headers) -> Session | None:
        """The session that the ticket would prove; does not use it up."""
        ticket = _ticket_in(headers)
        if ticket is None:
            return None
        return self._session(self._tickets.find(ticket, headers.get(b"origin", "")))

    def _session(self, session_id: str | None) -> Session | None:
        return None if session_id is None else self._invitations.find(session_id)


def bearer_in(headers: Headers) -> str | None:
    """The bearer of a page in a request's headers; None where there is none, or another kind of token."""
    token = read_bearer(headers.get(b"authorization", ""))
    return token if token is not None and token.startswith(PREFIX) else None


def _ticket_in(headers: Headers) -> str | None:
    offered = (each.strip() for each in headers.get(b"sec-websocket-protocol", "").split(","))
    tickets = [each.removeprefix(SUBPROTOCOL_PREFIX) for each in offered if each.startswith(SUBPROTOCOL_PREFIX)]
    return tickets[0] if tickets else None
