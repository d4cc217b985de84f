"""Which right each route and each message needs, and how a role ranks: the only place where this is written.

None stands for any session; who has none is refused before (`auth_middleware.is_open` says what is open). Stopping
the head, and ending what one has begun, need no right. A program may use only routes that need a right, which it must
have, and those of PROGRAM_ROUTES: a token that leaks opens nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException

from belvedere.access.rights import Right, Role
from belvedere.errors import InternalError, Refusal, VisitorError
from belvedere.gateway.auth_middleware import is_open
from belvedere.gateway.cross_origin import frontend_of
from belvedere.gateway.messages import (
    Drive,
    Hello,
    Knock,
    LeaseAcquire,
    LeaseAnswer,
    LeaseAsk,
    LeaseGive,
    LeaseReturn,
    LeaseTake,
    Ping,
    Release,
    RoomAnswer,
    RoomCurtain,
    RoomMicrophone,
    Stop,
    Talk,
    TalkOver,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar import Litestar
    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler
    from litestar.types import Scope

    from belvedere.access.invitations import Invitations
    from belvedere.access.sessions import Session
    from belvedere.gateway.messages import Incoming

SOCKET: Final = "WEBSOCKET"
ROUTES: Final[dict[tuple[str, str], Right | None]] = {
    ("GET", "/"): None,
    ("GET", "/join"): None,
    ("GET", "/room"): None,
    ("GET", "/rooms"): None,
    ("GET", "/{path}"): None,
    ("GET", "/healthz"): None,
    ("GET", "/readyz"): None,
    ("GET", "/schema"): None,
    ("GET", "/schema/{path}"): None,
    ("GET", "/schema/openapi.json"): None,
    ("POST", "/api/v1/login/invitation"): None,
    ("POST", "/api/v1/login/invitation/peek"): None,
    ("GET", "/api/v1/session"): None,
    ("DELETE", "/api/v1/session"): None,
    ("GET", "/api/v1/sessions"): None,  # one's own; with the right to manage everybody's
    ("DELETE", "/api/v1/sessions/{session_id}"): None,  # likewise
    ("GET", "/api/v1/people"): Right.MANAGE,
    ("POST", "/api/v1/people"): Right.MANAGE,
    ("PATCH", "/api/v1/people/{person_id}"): Right.MANAGE,
    ("DELETE", "/api/v1/people/{person_id}"): Right.MANAGE,
    ("POST", "/api/v1/people/{person_id}/invitations"): Right.MANAGE,
    ("GET", "/api/v1/frontend"): None,
    ("GET", "/api/v1/rooms"): None,
    ("POST", "/api/v1/bearers"): None,
    ("POST", "/api/v1/tickets"): None,
    ("POST", "/api/v1/login/passkey/options"): None,
    ("POST", "/api/v1/login/passkey"): None,
    ("POST", "/api/v1/passkeys/options"): None,
    ("GET", "/api/v1/passkeys"): None,
    ("POST", "/api/v1/passkeys"): None,
    ("DELETE", "/api/v1/passkeys/{passkey}"): None,
    ("POST", "/api/v1/head/velocity"): Right.DRIVE,
    ("POST", "/api/v1/head/stop"): None,
    ("OPTIONS", "/api/v1/stage/whep"): Right.LOOK,
    ("GET", "/api/v1/stage/whep"): Right.LOOK,
    ("POST", "/api/v1/stage/whep"): Right.LOOK,
    ("GET", "/api/v1/stage/whep/{viewer}"): None,
    ("DELETE", "/api/v1/stage/whep/{viewer}"): None,
    ("POST", "/api/v1/stage/stills"): Right.LOOK,  # what is shown could be photographed from the screen anyway
    (SOCKET, "/api/v1/stage/stream"): Right.LOOK,
    ("POST", "/api/v1/stage/ivs/participants"): Right.LOOK,
    ("PUT", "/api/v1/stage/ivs/participants/{participant}"): Right.LOOK,
    ("DELETE", "/api/v1/stage/ivs/participants/{participant}"): None,
    ("GET", "/api/v1/stage/ivs/hours"): Right.MANAGE,
    ("OPTIONS", "/api/v1/stage/whip"): Right.PUBLISH,
    ("GET", "/api/v1/stage/whip"): Right.PUBLISH,
    ("POST", "/api/v1/stage/whip"): Right.PUBLISH,
    ("GET", "/api/v1/stage/whip/{publisher}"): Right.PUBLISH,
    ("DELETE", "/api/v1/stage/whip/{publisher}"): Right.PUBLISH,
    ("GET", "/api/v1/tokens"): Right.MANAGE,
    ("POST", "/api/v1/tokens"): Right.MANAGE,
    ("DELETE", "/api/v1/tokens/{token}"): Right.MANAGE,
    ("GET", "/api/v1/room"): Right.ROOM,
    ("PUT", "/api/v1/room/curtain"): Right.ROOM,
    ("PUT", "/api/v1/room/microphone"): Right.ROOM,
    ("PUT", "/api/v1/room/guests"): Right.ROOM,
    ("POST", "/api/v1/room/knocks/{person}"): Right.ROOM,
    ("PUT", "/api/v1/room/welcome/{person}"): Right.ROOM,
    ("PUT", "/api/v1/room/hours"): Right.ROOM,
    ("GET", "/api/v1/room/visits"): Right.ROOM,
    ("GET", "/api/v1/room/visits/export"): Right.ROOM,
    ("DELETE", "/api/v1/room/visits/{visit}"): Right.ROOM,
    (SOCKET, "/api/v1/control"): None,  # each message has a row below
}
MESSAGES: Final[dict[type[Incoming], Right | None]] = {
    Hello: None,
    Ping: None,
    Stop: None,
    Release: None,
    LeaseReturn: None,
    LeaseAcquire: Right.DRIVE,
    LeaseTake: Right.DRIVE,
    LeaseAsk: Right.DRIVE,
    LeaseAnswer: Right.DRIVE,  # who has lost the right has no lease to give
    LeaseGive: Right.DRIVE,
    Drive: Right.DRIVE,
    Knock: None,  # who has no right to look yet asks for it
    RoomCurtain: Right.ROOM,
    RoomAnswer: Right.ROOM,
    RoomMicrophone: Right.ROOM,
    Talk: Right.TALK,
    TalkOver: None,
}
CLOSED_TO_OTHER_SITES: Final = (
    "/api/v1/passkeys",  # or a site's script could give itself a way in that lasts
    "/api/v1/rooms",  # where else somebody has a room is not for the page that shows this one
)
PROGRAM_ROUTES: Final = frozenset(
    {
        ("GET", "/api/v1/stage/whep/{viewer}"),
        ("DELETE", "/api/v1/stage/whep/{viewer}"),
        ("DELETE", "/api/v1/stage/ivs/participants/{participant}"),
        ("POST", "/api/v1/head/stop"),  # whoever can see that the head must stop may stop it
    }
)
RANKS: Final = {Role.PROGRAM: -1, Role.GUEST: 0, Role.VISITOR: 0, Role.OWNER: 0, Role.RESIDENT: 1}
_REFUSALS: Final = {
    Right.LOOK: "this visit does not include the picture: ask the household",
    Right.DRIVE: "this visit does not include turning the camera: ask the household",
    Right.TALK: "this visit does not include talking: ask the household",
    Right.PUBLISH: "only the program that publishes the picture may do this: ask the household",
    Right.MANAGE: "only those who run the house may do this: ask the household",
    Right.ROOM: "only those who live here may do this: ask the household",
}


def rank_of(session: Session) -> int:
    """The rank that decides who may take the lease from whom (`control.lease`)."""
    return RANKS[session.role]


def right_for(scope: Scope) -> Right | None:
    """The right that a request's route needs; None for any session. A route without a row is a bug of ours."""
    row = row_of(scope)
    if row[0] == "OPTIONS":  # without a row, Litestar answers with the methods that there are
        return ROUTES.get(row)
    return ROUTES[row]


def row_of(scope: Scope) -> tuple[str, str]:
    """Method and path of the row for a request."""
    method = SOCKET if scope["type"] == ScopeType.WEBSOCKET else scope["method"]
    return "GET" if method == "HEAD" else str(method), scope["path_template"]


def require_right(invitations: Invitations, session: Session, right: Right | None) -> None:
    """Raise VisitorError where a session has not got this right now; None asks for nothing.

    It is NOT_PERMITTED, or what the room says if that withholds the right.
    """
    if right is not None and right not in invitations.rights_of(session):
        withheld = invitations.why_withheld(session, right)
        raise withheld or VisitorError(Refusal.NOT_PERMITTED, _REFUSALS[right])


def require_may_manage(invitations: Invitations, visitor: Session, role: Role) -> None:
    """Raise VisitorError (NOT_PERMITTED) where a session may not decide who has this role, and how they log in.

    Only the room decides who speaks for it: an owner far away could otherwise make, or be, a resident and open the
    curtain, or remove whoever could close it.
    """
    if role is Role.RESIDENT and Right.ROOM not in invitations.rights_of(visitor):
        problem = "only a resident, or `belvedere people` on the house's computer, decides about residents"
        raise VisitorError(Refusal.NOT_PERMITTED, problem)


def require_permitted(invitations: Invitations, scope: Scope, session: Session) -> None:
    """Raise an HTTP error where the session has ended (401), or has not got the right that the route needs (403).

    To be called again after each `await` of a handler: the cleanup after a session, or a right, runs once, when it
    ends, and would miss what a handler starts afterwards.
    """
    if not invitations.is_live(session):
        raise NotAuthorizedException("your visit is over: ask for a new link")
    require_right(invitations, session, right_for(scope))


class RouteGuard:
    """Litestar's guard of every route: raises what `require_permitted` does.

    Args:
        on_move_refused: called with the id of a session that asked to drive and may not now.
    """

    def __init__(self, invitations: Invitations, on_move_refused: Callable[[str], None] = lambda _: None) -> None:
        self._invitations = invitations
        self._on_move_refused = on_move_refused

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        """Check one request before its handler is called; async, because Litestar calls other guards in a thread."""
        session: Session | None = connection.scope["auth"]
        frontend = frontend_of(connection.scope)
        is_closed = connection.scope["path_template"].startswith(CLOSED_TO_OTHER_SITES)
        # The session decides, too: a program that has a copy of a bearer says what it likes in `Sec-Fetch-Site`.
        is_elsewhere = session is not None and self._invitations.bearers.origin_of(session.id) != ""
        if is_closed and (is_elsewhere or (frontend is not None and not frontend.is_same_site)):
            raise VisitorError(Refusal.NOT_PERMITTED, "this can be done on the house's own page only")
        if session is None and not is_open(connection.scope["path_template"]):
            # The middleware has seen the path as it was sent, which may be spelt in a way that only the router knows.
            raise NotAuthorizedException("no session: open an invitation link first")
        right = right_for(connection.scope)
        if right is not None:
            try:
                require_permitted(self._invitations, connection.scope, connection.scope["auth"])
            except VisitorError:
                if right is Right.DRIVE:
                    self._on_move_refused(connection.scope["auth"].id)
                raise
        elif session is not None and session.role is Role.PROGRAM and row_of(connection.scope) not in PROGRAM_ROUTES:
            raise VisitorError(Refusal.NOT_PERMITTED, "a program's token is not for this")


def require_rows(app: Litestar) -> None:
    """Raise InternalError for a route of the application without a row, so that none can be forgotten."""
    for route in app.routes:
        for method in getattr(route, "methods", ()) or {SOCKET}:
            if method not in {"HEAD", "OPTIONS"} and (method, route.path_format) not in ROUTES:
                raise InternalError(f"{method} {route.path} has no row in gateway/permissions.py")
