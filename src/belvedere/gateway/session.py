"""How a visit begins and ends: `/enter/{token}` turns a one-time link into a session, `/api/v1/session` ends one.

Opening a link is not enough: messengers fetch it for a preview, mail scanners to judge it, browsers ahead of a tap.
All of them send a GET, and none of them presses a button. So only the button's POST uses the link up.
"""

import logging
import re
from typing import Any

from litestar import Request, Response, delete, post, route
from litestar.datastructures import ResponseHeader
from litestar.enums import HttpMethod
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.status_codes import HTTP_503_SERVICE_UNAVAILABLE

from belvedere.access.sessions import EndReason, new_secret
from belvedere.errors import StoreError
from belvedere.gateway.dependencies import InjectedDependencies, InjectedVisitor
from belvedere.gateway.openapi import problems
from belvedere.gateway.plain_pages import BUTTON_PAGE_POLICY, INVITATION, LINK_USED
from belvedere.gateway.problems import page_response
from belvedere.gateway.security import cookie_name, entry_cookie_name, forget_cookie, read_cookie, write_cookie

logger = logging.getLogger(__name__)

PATH = "/enter/{token:str}"
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
BUTTON_COOKIE_S = 3600.0  # how long the browser is recognised between the page and its button
PAGE_LOOKING = "/#look"  # makes the page start the picture at once: the visitor has pressed a button already
# Not "cookies": that would delete those of other servers on this host, too. Not "cache": the page's files are public.
CLEARED = '"storage"'


@route(PATH, http_method=[HttpMethod.GET, HttpMethod.HEAD], include_in_schema=False)
async def show_button(
    request: Request[Any, Any, Any], token: FromPath[str], dependencies: InjectedDependencies
) -> Response[Any]:
    """Show the button, which does not use the link up. A client with a session is redirected to the page."""
    if request.scope["auth"] is not None:
        return _redirect("/")
    browser = _browser(request)
    if not dependencies.invitations.is_invited(token, browser):
        return page_response(request, 403, LINK_USED)
    page = page_response(request, 200, INVITATION, BUTTON_PAGE_POLICY)
    page.headers["referrer-policy"] = "same-origin"  # with no-referrer the button's POST would have "Origin: null"
    page.headers["set-cookie"] = write_cookie(
        entry_cookie_name(request.headers.get("host", "")),
        browser or new_secret(),
        BUTTON_COOKIE_S,
        is_secure=request.url.scheme == "https",
        path="/enter",
    )
    return page


@post(PATH, include_in_schema=False)
async def redeem(
    request: Request[Any, Any, Any], token: FromPath[str], dependencies: InjectedDependencies
) -> Response[Any]:
    """Use up the link and start a session.

    A client that has a session keeps it, and the link stays unused. `AuthMiddleware` has refused POSTs from other
    sites' pages, so no site can start a session in a visitor's browser.
    """
    if request.scope["auth"] is not None:
        return _redirect(PAGE_LOOKING)
    issued = dependencies.invitations.redeem(token, _browser(request))
    if issued is None:
        return page_response(request, 403, LINK_USED)
    name = cookie_name(request.headers.get("host", ""))
    is_secure = request.url.scheme == "https"
    response = _redirect(PAGE_LOOKING)
    response.headers["set-cookie"] = write_cookie(name, issued.cookie, issued.lifetime_s, is_secure=is_secure)
    return response


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
    """End the session, with all that it drives and watches; another session takes a new link.

    A 503 says that it has ended, but that a restart of the server might bring it back, because the disk failed.
    """
    dependencies.invitations.end(visitor.id, EndReason.LEFT)
    cookie = forget_cookie(cookie_name(request.headers.get("host", "")), is_secure=request.url.scheme == "https")
    headers = {"set-cookie": cookie, "clear-site-data": CLEARED}
    try:
        await dependencies.save_sessions()  # before the answer: it must not come back after a kill
    except StoreError as error:
        logger.warning("session %s has ended, but a restart may bring it back: %s", visitor.id, error)
        problem = "your visit has ended, but this could not be saved"
        raise HTTPException(problem, status_code=HTTP_503_SERVICE_UNAVAILABLE, headers=headers) from error
    return Response(None, status_code=204, headers=headers)


def _browser(request: Request[Any, Any, Any]) -> str:
    """The secret that the browser got with the button, or "" where it has none or one that we did not make."""
    name = entry_cookie_name(request.headers.get("host", ""))
    secret = read_cookie(request.headers.get("cookie", ""), name) or ""
    return secret if SECRET.fullmatch(secret) else ""


def _redirect(location: str) -> Response[Any]:
    return Response(b"", status_code=303, headers={"location": location})


ROUTES = (show_button, redeem, leave)
