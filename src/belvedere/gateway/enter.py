"""`/enter/{token}`: a one-time link becomes a session."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from belvedere.gateway.cookies import cookie_name, write_cookie
from belvedere.gateway.given import GivenParts
from belvedere.gateway.plain_pages import LINK_USED
from belvedere.gateway.refusals import page_response


@get("/enter/{token:str}", include_in_schema=False)
async def enter(request: Request[Any, Any, Any], token: FromPath[str], parts: GivenParts) -> Response[Any]:
    """Let the browser in that opens the link first; whoever is in already keeps the session, and the link its worth."""
    to_the_page = Response(b"", status_code=303, headers={"location": "/"})
    if request.scope["auth"] is not None:
        return to_the_page
    admission = parts.door.admit(token)
    if admission is None:
        return page_response(403, LINK_USED)
    name = cookie_name(request.headers.get("host", ""))
    is_secure = request.url.scheme == "https"
    cookie = write_cookie(name, admission.cookie, parts.session_s, is_secure=is_secure)
    to_the_page.headers["set-cookie"] = cookie
    return to_the_page


ROUTES = (enter,)
