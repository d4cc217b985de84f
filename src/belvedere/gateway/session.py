"""`/api/v1/session`: whose session a request has, and the end of it; `/api/v1/sessions`: all of them, to revoke one."""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get
from litestar.datastructures import ResponseHeader
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from belvedere.access.rights import Right, Role
from belvedere.access.sessions import EndReason, Session
from belvedere.errors import StoreError
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor
from belvedere.gateway.openapi import problems
from belvedere.gateway.permissions import require_may_manage
from belvedere.gateway.problems import not_saved
from belvedere.gateway.security import cookie_name, forget_cookie
from belvedere.gateway.views import Device, device
from belvedere.privacy.words import AccessState
from belvedere.stage.options import Way

# Not "cookies": that would delete those of other servers on this host, too. Not "cache": the page's files are public.
CLEARED = '"storage"'


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A session: whose it is, and what it may do now.

    `rights` are those in force, without what the room withholds. `ends_in_s` is its time at most, null for a session
    without an end. `access` is whether the room lets this person in now, and if not, why; `rooms` says how many rooms
    the list has, `ways` how a page gets the picture, in the order to try.
    """

    id: str
    person: str
    name: str
    role: Role
    rights: list[Right]
    ends_in_s: float | None
    access: AccessState
    rooms: int
    ways: list[Way]


def session_info(dependencies: Dependencies, session: Session) -> SessionInfo:
    """What a session is now."""
    invitations = dependencies.invitations
    left_s = session.ends_at_s - dependencies.clock()
    return SessionInfo(
        id=session.id,
        person=session.person,
        name=invitations.people.name_of(session.person),
        role=session.role,
        rights=sorted(invitations.rights_of(session)),
        ends_in_s=max(0.0, left_s) if left_s < float("inf") else None,
        access=dependencies.room.access_of(session).state,
        rooms=len(dependencies.rooms),
        ways=list(dependencies.ways),
    )


@get("/api/v1/session", responses=problems(401))
async def show(dependencies: InjectedDependencies, visitor: InjectedVisitor) -> SessionInfo:
    """Whose session this is."""
    return session_info(dependencies, visitor)


@delete(
    "/api/v1/session",
    status_code=204,
    responses=problems(401, 403, 503),
    response_headers=[
        ResponseHeader("Set-Cookie", documentation_only=True, description="Deletes the session cookie."),
        ResponseHeader("Clear-Site-Data", documentation_only=True, description="Deletes what the page has stored."),
    ],
)
async def leave(
    request: Request[Any, Any, Any], dependencies: InjectedDependencies, visitor: InjectedVisitor
) -> Response[None]:
    """End the session, with all that it drives and watches; another session takes a new link, or a passkey.

    A 503 says that it has ended, but that a restart of the server might bring it back, because the disk failed.
    """
    dependencies.invitations.end(visitor.id, EndReason.LEFT)
    is_secure, base_path = request.url.scheme == "https", dependencies.options.base_path
    name = cookie_name(request.headers.get("host", ""), is_secure=is_secure, base_path=base_path)
    headers = {"set-cookie": forget_cookie(name, is_secure=is_secure, path=base_path or "/")}
    if not base_path:  # below a path, what is stored may be another house's of this host
        headers["clear-site-data"] = CLEARED
    await save_end(dependencies, f"session {visitor.id}", "your visit has ended", headers)
    return Response(None, status_code=204, headers=headers)


@get("/api/v1/sessions", responses=problems(401))
async def listing(dependencies: InjectedDependencies, visitor: InjectedVisitor) -> list[Device]:
    """The person's own sessions; those who run the house see everybody's."""
    invitations = dependencies.invitations
    return [
        device(invitations, session, seen_utc_s, is_current=session.id == visitor.id)
        for session, seen_utc_s in invitations.sessions()
        if _may_see(dependencies, visitor, session)
    ]


@delete("/api/v1/sessions/{session_id:str}", status_code=204, responses=problems(401, 403, 404, 503))
async def revoke(dependencies: InjectedDependencies, visitor: InjectedVisitor, session_id: FromPath[str]) -> None:
    """End one of the person's own sessions; those who run the house may end anybody's but a resident's.

    A 503 says that it has ended, but that a restart of the server might bring it back, because the disk failed.
    """
    found = [session for session, _ in dependencies.invitations.sessions() if session.id == session_id]
    if not found or not _may_see(dependencies, visitor, found[0]):
        raise NotFoundException("there is no such session")
    if found[0].person != visitor.person:
        require_may_manage(dependencies.invitations, visitor, found[0].role)
    dependencies.invitations.end(session_id, EndReason.REVOKED)
    await save_end(dependencies, f"session {session_id}", "the session has ended")


async def save_end(dependencies: Dependencies, what: str, outcome: str, headers: dict[str, str] | None = None) -> None:
    """Save that something has ended, before the answer: it must not come back after a kill.

    Raises an HTTP error (503), which says what has ended all the same, where the disk does not take it.
    """
    try:
        await dependencies.save_access()
    except StoreError as error:
        problem = f"{outcome}, but this could not be saved: a restart may undo it"
        logged = f"{what} has ended, but a restart may bring it back"
        raise not_saved(error, problem, logged=logged, headers=headers) from error


def _may_see(dependencies: Dependencies, visitor: Session, session: Session) -> bool:
    return session.person == visitor.person or Right.MANAGE in dependencies.invitations.rights_of(visitor)


ROUTES = (show, leave, listing, revoke)
