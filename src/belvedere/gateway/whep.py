"""`/api/v1/stage/whep`: watching, as the WHEP draft (draft-ietf-wish-whep) has it, without trickle ICE.

PATCH, GET, HEAD and PUT are answered with 405 by the router, as the draft wants.
"""

from typing import Any

from litestar import Request, Response, delete, post, route
from litestar.datastructures import ResponseHeader
from litestar.enums import HttpMethod
from litestar.exceptions import ClientException
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath

from belvedere.errors import Refusal, StageError, StageReason, VisitorError
from belvedere.gateway.decoding import is_of_type
from belvedere.gateway.documented import problems, takes
from belvedere.gateway.given import GivenOffers, GivenParts, GivenVisitor

PATH = "/api/v1/stage/whep"
SDP = "application/sdp"
CAPTURE_CLOCK = "Belvedere-Capture-Clock"


OFFER = "An SDP offer to receive one video track, candidates included."


@post(
    PATH,
    media_type=SDP,
    operation_class=takes(SDP, Schema(type=OpenAPIType.STRING), OFFER),
    responses=problems(400, 401, 403, 406, 413, 415, 429, 503),
    response_headers=[
        ResponseHeader("Location", documentation_only=True, description="DELETE it to stop watching."),
        ResponseHeader(
            CAPTURE_CLOCK, documentation_only=True, description="rtp=<uint32>;server=<ms>: one instant on both clocks"
        ),
    ],
)
async def offer(
    request: Request[Any, Any, Any], parts: GivenParts, visitor: GivenVisitor, offers: GivenOffers
) -> Response[str]:
    """Watch: an offer in, an answer out."""
    if not is_of_type(request.headers.get("content-type", ""), SDP):
        raise ClientException(f"an offer is {SDP}", status_code=415, headers={"accept-post": SDP})
    if not offers.take(parts.clock(), visitor.id):
        raise VisitorError(Refusal.TOO_FAST, "too many offers")
    answer = await parts.stage.answer(_text(await request.body()), visitor.id)
    headers = {"location": f"{PATH}/{answer.id}", CAPTURE_CLOCK: str(answer.capture_clock)}
    return Response(answer.sdp, status_code=201, media_type=SDP, headers=headers)


@delete(f"{PATH}/{{viewer:str}}", status_code=200, responses=problems(401, 403, 404))
async def leave(viewer: FromPath[str], parts: GivenParts, visitor: GivenVisitor) -> None:
    """Stop watching."""
    await parts.stage.end(viewer, visitor.id)


@route(PATH, http_method=[HttpMethod.OPTIONS], include_in_schema=False)
async def describe() -> Response[None]:
    """Say what may be posted here."""
    return Response(None, status_code=204, headers={"allow": "OPTIONS, POST", "accept-post": SDP})


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise StageError(StageReason.BAD_OFFER, "an offer is UTF-8 text") from error


ROUTES = (describe, offer, leave)  # a path whose OPTIONS is not there by then is given one by the router
