"""How a visit begins and ends: `/enter/{token}` turns a one-time link into a session, `/api/v1/session` ends one.

Opening a link is not enough: messengers fetch it for a preview, mail scanners to judge it, browsers ahead of a tap.
All of them send a GET, and none of them presses a button. So only the button's POST uses the link up.
"""

import re
from typing import Any

from litestar import Request, Response, delete, post, route
from litestar.datastructures import ResponseHeader
from litestar.enums import HttpMethod
from litestar.params import FromPath

from belvedere.access.sessions import EndReason, new_secret
from belvedere.gateway.dependencies import InjectedDependencies, InjectedVisitor
from belvedere.gateway.openapi import problems
from belvedere.gateway.plain_pages import BUTTON_PAGE_POLICY, COME_IN, LINK_USED
from belvedere.gateway.problems import page_response
from belvedere.gateway.security import cookie_name, entry_cookie_name, forget_cookie, read_cookie, write_cookie

PATH = "/enter/{token:str}"
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
SHOWN_S = 3600.0  # between the page and the press of its button
LOOKING = "/#look"  # the page begins to look at once: whoever comes in has pressed a button already
# not "cookies": that would take those of other houses on this computer along; not "cache": what is in there is public
CLEARED = '"storage"'


@route(PATH, http_method=[HttpMethod.GET, HttpMethod.HEAD], include_in_schema=False)
async def show_button(
    request: Request[Any, Any, Any], token: FromPath[str], dependencies: InjectedDependencies
) -> Response[Any]:
    """Show the button; the link keeps its worth. Whoever is in already is led on to the page."""
    if request.scope["auth"] is not None:
        return _led_to("/")
    browser = _browser(request)
    if not dependencies.invitations.is_invited(token, browser):
        return page_response(403, LINK_USED)
    page = page_response(200, COME_IN, BUTTON_PAGE_POLICY)
    page.headers["referrer-policy"] = "same-origin"  # with no-referrer the button would post with "Origin: null"
    page.headers["set-cookie"] = write_cookie(
        entry_cookie_name(request.headers.get("host", "")),
        browser or new_secret(),
        SHOWN_S,
        is_secure=request.url.scheme == "https",
        path="/enter",
    )
    return page


@post(PATH, include_in_schema=False)
async def redeem(
    request: Request[Any, Any, Any], token: FromPath[str], dependencies: InjectedDependencies
) -> Response[Any]:
    """Let the browser in that presses the button first.

    Whoever is in already keeps the session, and the link its worth. The doorkeeper has refused the buttons of other
    sites' pages: nobody is let in by a link that they did not open.
    """
    if request.scope["auth"] is not None:
        return _led_to(LOOKING)
    admission = dependencies.invitations.redeem(token, _browser(request))
    if admission is None:
        return page_response(403, LINK_USED)
    name = cookie_name(request.headers.get("host", ""))
    is_secure = request.url.scheme == "https"
    response = _led_to(LOOKING)
    response.headers["set-cookie"] = write_cookie(name, admission.cookie, dependencies.session_s, is_secure=is_secure)
    return response


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


def _browser(request: Request[Any, Any, Any]) -> str:
    """The secret that the browser was given with the button, or "" where there is none (or none of our making)."""
    name = entry_cookie_name(request.headers.get("host", ""))
    secret = read_cookie(request.headers.get("cookie", ""), name) or ""
    return secret if SECRET.fullmatch(secret) else ""


def _led_to(location: str) -> Response[Any]:
    return Response(b"", status_code=303, headers={"location": location})


ROUTES = (show_button, redeem, leave)
