"""`/api/v1/head`: driving for scripts, one short-lived setpoint a request."""

from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.exceptions import ClientException
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType

from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.bodies import read_body
from belvedere.gateway.decoding import decode_strictly, is_of_type
from belvedere.gateway.documented import problems, takes
from belvedere.gateway.given import GivenParts, GivenScripts, GivenVisitor
from belvedere.gateway.messages import Speed
from belvedere.gateway.outgoing import milliseconds
from belvedere.gateway.scripts import Wanted

JSON = "application/json"
SHORTEST_MS = 1.0  # the unit sees at most one command in 7.5 ms anyway
LONGEST_MS = 1000.0  # no house may set a longer dead-man time


class Velocity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast to turn, as shares of full speed (right and up are positive), and for how long.

    `for_ms` is at most the dead-man time; without it, it is the dead-man time. To keep turning, ask again in time. What
    was stopped, by whomever, stays stopped until no request has come for the dead-man time.
    """

    pan: Speed = 0.0
    tilt: Speed = 0.0
    for_ms: Annotated[float, msgspec.Meta(ge=SHORTEST_MS, le=LONGEST_MS)] | None = None


class Moving(msgspec.Struct, frozen=True):
    """The head was told; it stops by itself after `for_ms`."""

    for_ms: float


class Stopped(msgspec.Struct, frozen=True):
    """Both axes were told to stop."""

    stopped: bool


_DECODER: msgspec.json.Decoder[Velocity] = msgspec.json.Decoder(Velocity)
_SPEED = Schema(type=OpenAPIType.NUMBER, minimum=-1, maximum=1, default=0)
_FOR_MS = Schema(type=OpenAPIType.NUMBER, minimum=SHORTEST_MS, maximum=LONGEST_MS)
_VELOCITY = Schema(
    type=OpenAPIType.OBJECT,
    properties={"pan": _SPEED, "tilt": _SPEED, "for_ms": _FOR_MS},
    additional_properties=False,
)


@post(
    "/api/v1/head/velocity",
    status_code=200,
    operation_class=takes(JSON, _VELOCITY, str(Velocity.__doc__)),
    responses=problems(400, 401, 403, 408, 409, 413, 415, 429, 503),
)
async def velocity(
    request: Request[Any, Any, Any], parts: GivenParts, visitor: GivenVisitor, scripts: GivenScripts
) -> Moving:
    """Turn the head, if nobody else drives."""
    if not is_of_type(request.headers.get("content-type", ""), JSON):
        raise ClientException(f"a velocity is {JSON}", status_code=415, headers={"accept-post": JSON})
    wanted = decode_strictly(_DECODER, await read_body(request, parts, visitor))
    most_ms = milliseconds(parts.control.dead_man_s)
    for_ms = most_ms if wanted.for_ms is None else wanted.for_ms
    if for_ms > most_ms:
        raise VisitorError(Refusal.BAD_MESSAGE, f"for_ms must be at most {most_ms:g}")
    scripts.receive_velocity(parts.clock(), visitor, Wanted(wanted.pan, wanted.tilt, for_ms / 1000))
    return Moving(for_ms)


@post("/api/v1/head/stop", status_code=200, responses=problems(401, 403))
async def stop(parts: GivenParts, visitor: GivenVisitor, scripts: GivenScripts) -> Stopped:
    """Stop both axes, whoever drives."""
    scripts.receive_stop(parts.clock(), visitor)
    return Stopped(stopped=True)


ROUTES = (velocity, stop)
