"""`/api/v1/stage/whip`: publishing the picture by WHIP (RFC 9725), without trickle ICE, for one program."""

from typing import Any

from litestar import Request, Response, delete, get, post, route
from litestar.datastructures import ResponseHeader
from litestar.enums import HttpMethod
from litestar.exceptions import ClientException
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath

from belvedere.errors import Refusal, StageError, StageReason, VisitorError
from belvedere.gateway.codec import is_of_type, read_body
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor, Publishing
from belvedere.gateway.openapi import operation_with_body, problems
from belvedere.gateway.whep import SDP, InjectedOffers, sdp_text

PATH = "/api/v1/stage/whip"
OFFER = "An SDP offer to send one H.264 video track, candidates included."


@post(
    PATH,
    media_type=SDP,
    operation_class=operation_with_body(SDP, Schema(type=OpenAPIType.STRING), OFFER),
    responses=problems(400, 401, 403, 404, 408, 413, 415, 422, 429, 503),
    response_headers=[
        ResponseHeader("Location", documentation_only=True, description="DELETE it to stop publishing."),
    ],
)
async def publish(
    request: Request[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    offers: InjectedOffers,
) -> Response[str]:
    """Start to publish, instead of whoever does: takes an SDP offer, returns an SDP answer."""
    if not is_of_type(request.headers.get("content-type", ""), SDP):
        raise ClientException(f"the content type must be {SDP}", status_code=415, headers={"accept-post": SDP})
    if not offers.take(dependencies.clock(), visitor.id):
        raise VisitorError(Refusal.TOO_FAST, "too many offers")
    body = sdp_text(await read_body(request, dependencies, visitor))
    published = await _publishing(dependencies).publish(body)
    return Response(
        published.sdp,
        status_code=201,
        media_type=SDP,
        headers={"location": f"{dependencies.options.base_path}{PATH}/{published.id}"},
    )


@delete(f"{PATH}/{{publisher:str}}", status_code=200, responses=problems(401, 403, 404))
async def stop(publisher: FromPath[str], dependencies: InjectedDependencies) -> None:
    """Stop publishing."""
    _publishing(dependencies).end(publisher)


@route(PATH, http_method=[HttpMethod.OPTIONS], include_in_schema=False)
async def describe_endpoint() -> Response[None]:
    """What may be posted here."""
    return Response(None, status_code=200, headers={"allow": "GET, OPTIONS, POST", "accept-post": SDP})


@get([PATH, f"{PATH}/{{publisher:str}}"], status_code=204, include_in_schema=False)
async def read_nothing() -> None:
    """Nothing, successfully, as the standard has it."""


def _publishing(dependencies: Dependencies) -> Publishing:
    if dependencies.publishing is None:
        raise StageError(StageReason.NOT_FOUND, 'nobody may publish here: the camera is not of the kind "whip"')
    return dependencies.publishing


ROUTES = (describe_endpoint, publish, stop, read_nothing)
