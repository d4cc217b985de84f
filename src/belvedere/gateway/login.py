"""`/api/v1/login/invitation`: a one-time invitation becomes a session.

The secret is in the fragment of the link (`/join#SECRET`), which browsers send to nobody; the page sends it in a body.
So no server, proxy, log or preview of a messenger has a URL that lets anyone in, and no GET uses an invitation up.
"""

import re
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import ResponseHeader
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType

from belvedere.access.bearers import IssuedBearer
from belvedere.access.rights import Role
from belvedere.access.sessions import EndReason, IssuedSession, new_secret
from belvedere.errors import Refusal, StoreError, VisitorError
from belvedere.gateway.codec import JSON, decode_strictly, read_json
from belvedere.gateway.cross_origin import frontend_of
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies
from belvedere.gateway.device_label import label_of
from belvedere.gateway.frontend import bearer_for
from belvedere.gateway.health import NO_SESSION_NEEDED
from belvedere.gateway.openapi import operation_with_body, problems
from belvedere.gateway.problems import not_saved
from belvedere.gateway.security import cookie_name, entry_cookie_name, read_cookie, write_cookie
from belvedere.gateway.session import SessionInfo, session_info

PATH = "/api/v1/login/invitation"
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
ENTRY_COOKIE_S = 3600.0  # how long the browser is recognised between asking and redeeming
BROWSER_HEADER = "belvedere-browser"
ENTRY_PATH = "/api/v1/login"


class Secret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secret of an invitation: the fragment of its link."""

    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class LoggedIn(SessionInfo, frozen=True, kw_only=True):
    """The session that somebody has got; `bearer` proves it in a page of another site, and is null in our own."""

    bearer: IssuedBearer | None = None


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an invitation lets in."""

    name: str
    role: Role


_DECODER: msgspec.json.Decoder[Secret] = msgspec.json.Decoder(Secret)
_SCHEMA = Schema(
    type=OpenAPIType.OBJECT,
    properties={"secret": Schema(type=OpenAPIType.STRING, min_length=1, max_length=128)},
    required=["secret"],
    additional_properties=False,
)
BODY = operation_with_body(JSON, _SCHEMA, str(Secret.__doc__))


@post(
    f"{PATH}/peek",
    status_code=200,
    operation_class=BODY,
    security=NO_SESSION_NEEDED,
    responses=problems(400, 403, 408, 415, 429),
)
async def peek(request: Request[Any, Any, Any], dependencies: InjectedDependencies) -> Response[Invited]:
    """Whom an invitation lets in, without using it up. The browser is recognised if it then redeems it."""
    secret = decode_strictly(_DECODER, await read_json(request, dependencies)).secret
    browser = _browser(request)
    person = dependencies.invitations.invited(secret, browser)
    if person is None:
        raise _wrong()
    response = Response(Invited(name=person.name, role=person.role))
    response.headers["set-cookie"] = write_cookie(
        entry_cookie_name(request.headers.get("host", "")),
        browser or new_secret(),
        ENTRY_COOKIE_S,
        is_secure=request.url.scheme == "https",
        path=dependencies.options.base_path + ENTRY_PATH,
    )
    return response


@post(
    PATH,
    status_code=200,
    operation_class=BODY,
    security=NO_SESSION_NEEDED,
    responses=problems(400, 403, 408, 415, 429, 503),
    response_headers=[ResponseHeader("Set-Cookie", documentation_only=True, description="The session.")],
)
async def redeem(request: Request[Any, Any, Any], dependencies: InjectedDependencies) -> Response[LoggedIn]:
    """Use up an invitation and start a session.

    A client that has a session of the same person keeps it, and the invitation stays unused; one of another person is
    ended. A 503 says that nothing was done: the disk did not take it.
    """
    secret = decode_strictly(_DECODER, await read_json(request, dependencies)).secret
    browser, invitations = _browser(request), dependencies.invitations
    person, before = invitations.invited(secret, browser), request.scope["auth"]
    if person is None:
        raise _wrong()
    if before is not None and before.person == person.id:
        return Response(LoggedIn(**msgspec.structs.asdict(session_info(dependencies, before))))
    redemption = invitations.redeem(secret, browser, label_of_sender(request))
    if redemption is None:
        raise _wrong()
    bearer = bearer_for(frontend_of(request.scope), invitations, redemption.issued.session)
    try:
        await dependencies.save_access()  # before the answer: who was let in must stay so after a kill
    except StoreError as error:
        invitations.take_back(redemption)
        problem = "you were not let in, because this could not be saved: try again"
        raise not_saved(error, problem, logged=f"an invitation of {person.id} was not redeemed") from error
    if before is not None:
        invitations.end(before.id, EndReason.LEFT)
    return logged_in(request, dependencies, redemption.issued, bearer)


def label_of_sender(request: Request[Any, Any, Any]) -> str:
    """What a session is called in the list of devices: the browser and system, after a page of another origin."""
    frontend, label = frontend_of(request.scope), label_of(request.headers.get("user-agent", ""))
    return label if frontend is None else f"{frontend.origin}, {label}"


def logged_in(
    request: Request[Any, Any, Any],
    dependencies: Dependencies,
    issued: IssuedSession,
    bearer: IssuedBearer | None = None,
) -> Response[LoggedIn]:
    """The answer to a login that succeeded: what the session is, and its cookie, or in another site's page a bearer."""
    answer = LoggedIn(**msgspec.structs.asdict(session_info(dependencies, issued.session)), bearer=bearer)
    response = Response(answer)
    if bearer is not None:
        return response
    is_secure, base_path = request.url.scheme == "https", dependencies.options.base_path
    name = cookie_name(request.headers.get("host", ""), is_secure=is_secure, base_path=base_path)
    response.headers["set-cookie"] = write_cookie(
        name, issued.cookie, issued.lifetime_s, is_secure=is_secure, path=base_path or "/"
    )
    return response


def _wrong() -> VisitorError:
    return VisitorError(Refusal.NOT_INVITED, "this link has been used or has expired: ask for a new one")


def _browser(request: Request[Any, Any, Any]) -> str:
    """The secret that the browser got with `peek`, or "" where it has none or one that we did not make.

    A page of another site, from where no cookie comes, makes one of this form itself.
    """
    name, frontend = entry_cookie_name(request.headers.get("host", "")), frontend_of(request.scope)
    if frontend is not None and not frontend.is_same_site:
        secret = request.headers.get(BROWSER_HEADER, "")
    else:
        secret = read_cookie(request.headers.get("cookie", ""), name) or ""
    return secret if SECRET.fullmatch(secret) else ""


ROUTES = (peek, redeem)
