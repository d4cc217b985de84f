"""`/api/v1/stage/whep`: watching, as the WHEP draft (draft-ietf-wish-whep) has it, without trickle ICE.

PATCH, GET, HEAD and PUT are answered with 405 by the router, as the draft wants.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from litestar import Request, Response, delete, post, route
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.exceptions import ClientException
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, SkipValidation

from belvedere.access.sessions import Session
from belvedere.errors import Refusal, StageError, StageReason, VisitorError
from belvedere.gateway.codec import is_of_type, read_body, require_live
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor
from belvedere.gateway.openapi import problems, takes
from belvedere.stage.answer import Answer
from belvedere.stage.options import IceServer
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
    operation_class=takes(SDP, Schema(type=OpenAPIType.STRING), OFFER),
    responses=problems(400, 401, 403, 406, 408, 413, 415, 429, 503),
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
) -> Response[str]:
    """Watch: an offer in, an answer out."""
    if not is_of_type(request.headers.get("content-type", ""), SDP):
        raise ClientException(f"an offer is {SDP}", status_code=415, headers={"accept-post": SDP})
    if not offers.take(dependencies.clock(), visitor.id):
        raise VisitorError(Refusal.TOO_FAST, "too many offers")
    answer = await _answer(dependencies, visitor, _text(await read_body(request, dependencies, visitor)))
    headers = {"location": f"{PATH}/{answer.id}", CAPTURE_CLOCK: str(answer.capture_clock)}
    headers |= ice_server_links(dependencies.ice_servers)
    return Response(answer.sdp, status_code=201, media_type=SDP, headers=headers)


@delete(f"{PATH}/{{viewer:str}}", status_code=200, responses=problems(401, 403, 404))
async def leave(viewer: FromPath[str], dependencies: InjectedDependencies, visitor: InjectedVisitor) -> None:
    """Stop watching."""
    await dependencies.stage.end(viewer, visitor.id)


@route(PATH, http_method=[HttpMethod.OPTIONS], include_in_schema=False)
async def describe(dependencies: InjectedDependencies) -> Response[None]:
    """Say what may be posted here, and which ICE servers an offer may be made with."""
    headers = {"allow": "OPTIONS, POST", "accept-post": SDP}
    return Response(None, status_code=204, headers=headers | ice_server_links(dependencies.ice_servers))


def ice_server_links(servers: Iterable[IceServer]) -> dict[str, str]:
    """The `Link` header that tells a page of these servers, or no header where there are none."""
    links = ", ".join(map(_ice_server_link, servers))
    return {"link": links} if links else {}


def _ice_server_link(server: IceServer) -> str:
    link = f'<{server.url}>; rel="ice-server"'
    if server.username is not None:
        link += f"; username={_quoted(server.username)}"
    if server.credential is not None:
        link += f'; credential={_quoted(server.credential)}; credential-type="password"'
    return link


def _quoted(text: str) -> str:
    """A quoted-string of RFC 9110, section 5.6.4; the settings let nothing through that has no place in one."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def _answer(dependencies: Dependencies, visitor: Session, offer_sdp: str) -> Answer:
    """Our answer, unless the visit ends while it is made: then there is no picture either."""
    try:
        answer = await dependencies.stage.answer(offer_sdp, visitor.id)
    except StageError:
        require_live(dependencies, visitor)  # the end of the visit is why there is no picture
        raise
    if not dependencies.invitations.is_live(visitor):
        with suppress(StageError):  # ended already
            await dependencies.stage.end(answer.id, visitor.id)
    require_live(dependencies, visitor)
    return answer


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise StageError(StageReason.BAD_OFFER, "an offer is UTF-8 text") from error


ROUTES = (describe, offer, leave)  # a path whose OPTIONS is not there by then is given one by the router
