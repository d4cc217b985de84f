"""`/api/v1/frontend`, `/api/v1/bearers` and `/api/v1/tickets`: what pages of other origins need to use this house."""

import logging
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from belvedere.access.bearers import IssuedBearer
from belvedere.access.invitations import Invitations
from belvedere.access.sessions import Session
from belvedere.access.tickets import TICKET_S, Tickets
from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.cross_origin import Frontend, frontend_of
from belvedere.gateway.dependencies import InjectedDependencies, InjectedVisitor
from belvedere.gateway.frontend_authentication import bearer_in
from belvedere.gateway.health import NO_SESSION_NEEDED
from belvedere.gateway.openapi import problems
from belvedere.gateway.security import is_same_origin

logger = logging.getLogger(__name__)

InjectedTickets = NamedDependency[SkipValidation[Tickets]]


class FrontendProof(msgspec.Struct, frozen=True):
    """How a page proves its session here: by the house's cookie, or by a bearer that it keeps."""

    cookie: bool


class Ticket(msgspec.Struct, frozen=True):
    """A ticket for one socket, which must be opened within `lifetime_s`.

    It is sent as a further sub-protocol: `belvedere.ticket.`, followed by the ticket.
    """

    ticket: str
    lifetime_s: float


def bearer_for(frontend: Frontend | None, invitations: Invitations, session: Session) -> IssuedBearer | None:
    """What a page of another site gets for a new session instead of a cookie; None for any other page."""
    if frontend is None or frontend.is_same_site:
        return None
    return invitations.bearers.issue(session.id, frontend.origin)


@get("/api/v1/frontend", security=NO_SESSION_NEEDED, responses=problems(403))
async def proof(request: Request[Any, Any, Any]) -> FrontendProof:
    """How a page of the requesting origin proves a session here. Pages that are not listed cannot read the answer."""
    frontend = frontend_of(request.scope)
    if frontend is None and not _is_own(request):
        raise VisitorError(Refusal.NOT_PERMITTED, "this page is not listed under frontends in the settings")
    return FrontendProof(cookie=frontend is None or frontend.is_same_site)


@post("/api/v1/bearers", responses=problems(401, 403, 409))
async def renew(
    request: Request[Any, Any, Any], dependencies: InjectedDependencies, visitor: InjectedVisitor
) -> IssuedBearer:
    """A new bearer for the one that proves this request, which ends within twenty minutes."""
    frontend = frontend_of(request.scope)
    headers = {b"authorization": request.headers.get("authorization", "")}
    bearer = bearer_in(headers)
    if frontend is None or bearer is None:
        raise VisitorError(Refusal.BAD_MESSAGE, "no bearer was sent, or not by a page of another site")
    issued = dependencies.invitations.bearers.renew(bearer, frontend.origin)
    if issued is None:  # it ended since it was checked, which is nobody's fault
        raise VisitorError(Refusal.TOO_LATE, "this bearer has just ended")
    logger.debug("session %s has a new bearer for %s", visitor.id, frontend.origin)
    return issued


@post("/api/v1/tickets", responses=problems(401, 403))
async def ticket(request: Request[Any, Any, Any], visitor: InjectedVisitor, tickets: InjectedTickets) -> Ticket:
    """A ticket for one socket of the page that asks. The newest few of a session are valid at a time."""
    origin = request.headers.get("origin", "")
    return Ticket(tickets.issue(visitor.id, origin), TICKET_S)


def _is_own(request: Request[Any, Any, Any]) -> bool:
    origin = request.headers.get("origin")
    return origin is None or is_same_origin(origin, request.headers.get("host", ""))


ROUTES = (proof, renew, ticket)
