"""`/api/v1/stage/whep`: watching, as the WHEP draft (draft-ietf-wish-whep) has it, without trickle ICE.

PATCH, GET, HEAD and PUT are answered with 405 by the router, as the draft wants.
"""

from dataclasses import dataclass, field
from typing import Any

from litestar import Request, Response, delete, post, route
from litestar.datastructures import ResponseHeader
from litestar.enums import HttpMethod
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath

from belvedere.errors import Refusal, StageError, StageReason, VisitorError
from belvedere.gateway.documented import problems
from belvedere.gateway.given import GivenOffers, GivenParts, GivenVisitor
from belvedere.gateway.problems import ProblemCode
from belvedere.gateway.refusals import problem_response

PATH = "/api/v1/stage/whep"
SDP = "application/sdp"
CAPTURE_CLOCK = "Belvedere-Capture-Clock"


@dataclass
class _Offering(Operation):
    """The operation's description: what an offer is."""

    request_body: RequestBody | None = field(
        default_factory=lambda: RequestBody(
            description="An SDP offer to receive one video track, candidates included.",
            required=True,
            content={SDP: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))},
        )
    )


@post(
    PATH,
    media_type=SDP,
    operation_class=_Offering,
    responses={
        201: ResponseSpec(str, generate_examples=False, description="The SDP answer", media_type=SDP),
        **problems(400, 401, 403, 406, 413, 415, 429, 503),
    },
    response_headers=[
        ResponseHeader("Location", documentation_only=True, description="DELETE it to stop watching."),
        ResponseHeader(
            CAPTURE_CLOCK, documentation_only=True, description="rtp=<uint32>;server=<ms>: one instant on both clocks"
        ),
    ],
)
async def offer(
    request: Request[Any, Any, Any], parts: GivenParts, visitor: GivenVisitor, offers: GivenOffers
) -> Response[Any]:
    """Watch: an offer in, an answer out."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != SDP:
        return problem_response(ProblemCode.WRONG_CONTENT_TYPE, f"an offer is {SDP}", headers={"accept-post": SDP})
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
