"""`/api/v1/session`: the visitor's own session, to be ended before its time."""

from typing import Any

from litestar import Request, Response, delete
from litestar.datastructures import ResponseHeader

from belvedere.access.sessions import EndReason
from belvedere.gateway.cookies import cookie_name, forget_cookie
from belvedere.gateway.injection import InjectedDependencies, InjectedVisitor
from belvedere.gateway.openapi import problems

# not "cookies": that would take those of other houses on this computer along; not "cache": what is in there is public
CLEARED = '"storage"'


@delete(
    "/api/v1/session",
    status_code=204,
    responses=problems(401, 403),
    response_headers=[
        ResponseHeader("Set-Cookie", documentation_only=True, description="Makes a browser forget the session."),
        ResponseHeader("Clear-Site-Data", documentation_only=True, description="What a page of ours may have kept."),
    ],
)
async def leave(
    request: Request[Any, Any, Any], dependencies: InjectedDependencies, visitor: InjectedVisitor
) -> Response[None]:
    """Leave: the session ends, with all that it drives and watches; to come in again takes a new link."""
    dependencies.invitations.end(visitor.id, EndReason.LEFT)
    cookie = forget_cookie(cookie_name(request.headers.get("host", "")), is_secure=request.url.scheme == "https")
    return Response(None, status_code=204, headers={"set-cookie": cookie, "clear-site-data": CLEARED})


ROUTES = (leave,)
