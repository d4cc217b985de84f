"""`/api/v1/stage/whep`: watching by WHEP (draft-ietf-wish-whep-03), without trickle ICE and counter-offers.

So the router answers PATCH with 405, and no answer is a 406, which would mean a counter-offer.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from litestar import Request, Response, delete, get, head, post, route
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.exceptions import ClientException, HTTPException
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, FromQuery, SkipValidation
from litestar.types import Scope

from belvedere.access.sessions import Session
from belvedere.errors import Refusal, StageError, StageReason, VisitorError
from belvedere.gateway.codec import is_of_type, read_body
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor
from belvedere.gateway.openapi import operation_with_body, problems
from belvedere.gateway.permissions import require_permitted
from belvedere.stage.direct.answer import Answer
from belvedere.stage.options import IceServer
from belvedere.stage.viewer import is_view
from belvedere.token_bucket import TokenBuckets

InjectedOffers = NamedDependency[SkipValidation[TokenBuckets]]

PATH = "/api/v1/stage/whep"
SDP = "application/sdp"
CAPTURE_CLOCK = "Belvedere-Capture-Clock"
OFFERS_PER_S = 1.0  # a page asks for a lost picture again every few seconds at most
OFFERS_BURST = 10.0
OFFER = "An SDP offer to receive one video track, candidates included."


@post(
    PATH,
    media_type=SDP,
    operation_class=operation_with_body(SDP, Schema(type=OpenAPIType.STRING), OFFER),
    responses=problems(400, 401, 403, 408, 413, 415, 422, 429, 503),
    response_headers=[
        ResponseHeader("Location", documentation_only=True, description="DELETE it to stop watching."),
        ResponseHeader("Link", documentation_only=True, description='ICE servers: <stun:host>; rel="ice-server"'),
        ResponseHeader(
            CAPTURE_CLOCK, documentation_only=True, description="rtp=<uint32>;server=<ms>: one instant on both clocks"
        ),
    ],
)
async def offer(
    request: Request[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    offers: InjectedOffers,
    view: FromQuery[str] = "",
) -> Response[str]:
    """Start to watch: takes an SDP offer, returns an SDP answer.

    `view` names the picture on a page that is sent it by another way at the same time, so that it counts once.
    """
    if not is_of_type(request.headers.get("content-type", ""), SDP):
        raise ClientException(f"the content type must be {SDP}", status_code=415, headers={"accept-post": SDP})
    if not offers.take(dependencies.clock(), visitor.id):
        raise VisitorError(Refusal.TOO_FAST, "too many offers")
    if not is_view(view):
        raise ClientException("a view is named with at most 64 letters, digits, hyphens and underscores")
    offer_sdp = sdp_text(await read_body(request, dependencies, visitor))
    answer = await _answer(request.scope, dependencies, visitor, offer_sdp, view)
    headers = {
        "location": f"{dependencies.options.base_path}{PATH}/{answer.id}",
        CAPTURE_CLOCK: str(answer.capture_clock),
    }
    headers |= ice_server_links(dependencies.webrtc.newest_ice_servers_of(visitor.id))
    return Response(answer.sdp, status_code=201, media_type=SDP, headers=headers)


@delete(f"{PATH}/{{viewer:str}}", status_code=200, responses=problems(401, 403, 404))
async def leave(viewer: FromPath[str], dependencies: InjectedDependencies, visitor: InjectedVisitor) -> None:
    """Stop watching."""
    await dependencies.stage.end(viewer, visitor.id)


@route(PATH, http_method=[HttpMethod.OPTIONS], include_in_schema=False)
async def describe(dependencies: InjectedDependencies, visitor: InjectedVisitor) -> Response[None]:
    """What may be posted here, and which ICE servers an offer should be made with."""
    headers = {"allow": "GET, HEAD, OPTIONS, POST", "accept-post": SDP}
    headers |= ice_server_links(await dependencies.webrtc.ice_servers_of(visitor.id))
    return Response(None, status_code=200, headers=headers)


@route(f"{PATH}/{{viewer:str}}", http_method=[HttpMethod.OPTIONS], status_code=204, include_in_schema=False)
async def describe_connection() -> Response[None]:
    """What may be done with a connection."""
    return Response(None, status_code=204, headers={"allow": "DELETE, GET, OPTIONS"})


@get([PATH, f"{PATH}/{{viewer:str}}"], status_code=204, include_in_schema=False)
async def read() -> None:
    """Nothing: neither the endpoint nor a connection has a representation; the draft wants a success all the same."""


@head(PATH, include_in_schema=False)
async def recognise() -> Response[None]:
    """Nothing but the type, by which players recognise a WHEP endpoint."""
    return Response(None, headers={"content-type": SDP})


def ice_server_links(servers: Iterable[IceServer]) -> dict[str, str]:
    """The `Link` header that names these servers, or no header where there are none."""
    links = ", ".join(map(_ice_server_link, servers))
    return {"link": links} if links else {}


def _ice_server_link(server: IceServer) -> str:
    link = f'<{server.url}>; rel="ice-server"'
    if server.username is not None:
        link += f"; username={_quoted(server.username)}"
    if server.credential is not None:
        link += f'; credential={_quoted(server.credential.reveal())}; credential-type="password"'
    return link


def _quoted(text: str) -> str:
    """A quoted-string of RFC 9110, section 5.6.4; the settings allow no character that cannot be quoted."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def _answer(scope: Scope, dependencies: Dependencies, visitor: Session, offer_sdp: str, view: str) -> Answer:
    """The stage's answer. Ends the viewer where the session ends or may not look any more, and raises why."""
    try:
        answer = await dependencies.webrtc.answer(offer_sdp, visitor.id, view)
    except StageError:
        require_permitted(dependencies.invitations, scope, visitor)  # the session's end is the reason, not the stage
        raise
    try:
        require_permitted(dependencies.invitations, scope, visitor)
    except (HTTPException, VisitorError):
        with suppress(StageError):  # ended already
            await dependencies.stage.end(answer.id, visitor.id)
        raise
    return answer


def sdp_text(body: bytes) -> str:
    """A body as text. Raises StageError (BAD_OFFER)."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise StageError(StageReason.BAD_OFFER, "the offer is not UTF-8 text") from error


ROUTES = (
    describe,
    describe_connection,
    read,
    recognise,
    offer,
    leave,
)  # `describe` first: the router adds an OPTIONS of its own to a path without one
