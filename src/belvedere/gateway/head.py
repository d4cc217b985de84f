"""`/api/v1/head`: driving for scripts, one timed move a request."""

import math
from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import SkipValidation
from litestar.status_codes import HTTP_409_CONFLICT

from belvedere.access.sessions import Session
from belvedere.engine.timed_drive import DriveClient, TimedDrive, TimedMove
from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.codec import JSON, decode_strictly, read_json
from belvedere.gateway.dependencies import InjectedDependencies, InjectedVisitor
from belvedere.gateway.messages import LATEST_MS, Clock, Speed
from belvedere.gateway.openapi import operation_with_body, problems
from belvedere.gateway.outgoing import milliseconds
from belvedere.gateway.permissions import rank_of
from belvedere.gateway.transport import age_s

InjectedTimedDrive = NamedDependency[SkipValidation[TimedDrive]]

SHORTEST_MS = 1.0  # the unit sees at most one command in 7.5 ms anyway
LONGEST_MS = 1000.0  # the longest dead-man time that can be configured


class Velocity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast to turn, as shares of full speed (right and up are positive), and for how long.

    `for_ms` is at most the dead-man time; without it, it is the dead-man time. It counts from the request's first byte;
    a request that takes longer than that, or than the dead-man time, turns nothing. To keep turning, ask again in time.
    After a stop, whoever sent it, nothing turns until no request has arrived for the dead-man time.

    `not_after` is a deadline on the server's clock, from the `server` of an earlier answer: a request that is processed
    later turns nothing, wherever it was delayed. Add to `server` what has passed since by your own clock.
    """

    pan: Speed = 0.0
    tilt: Speed = 0.0
    for_ms: Annotated[float, msgspec.Meta(ge=SHORTEST_MS, le=LONGEST_MS)] | None = None
    not_after: Clock | None = None


class Moving(msgspec.Struct, frozen=True):
    """The move was accepted; the head stops `for_ms` after the request began. `server` is the server's clock."""

    for_ms: float
    server: float


class Stopped(msgspec.Struct, frozen=True):
    """Both axes were commanded to stop. `server` is the server's clock."""

    stopped: bool
    server: float


_DECODER: msgspec.json.Decoder[Velocity] = msgspec.json.Decoder(Velocity)
_SPEED = Schema(type=OpenAPIType.NUMBER, minimum=-1, maximum=1, default=0)
_FOR_MS = Schema(type=OpenAPIType.NUMBER, minimum=SHORTEST_MS, maximum=LONGEST_MS)
_NOT_AFTER = Schema(type=OpenAPIType.NUMBER, minimum=0, maximum=LATEST_MS)
_VELOCITY = Schema(
    type=OpenAPIType.OBJECT,
    properties={"pan": _SPEED, "tilt": _SPEED, "for_ms": _FOR_MS, "not_after": _NOT_AFTER},
    additional_properties=False,
)


@post(
    "/api/v1/head/velocity",
    status_code=200,
    operation_class=operation_with_body(JSON, _VELOCITY, str(Velocity.__doc__)),
    responses=problems(400, 401, 403, 409, 413, 415, 429, 503),
)
async def velocity(
    request: Request[Any, Any, Any],
    dependencies: InjectedDependencies,
    visitor: InjectedVisitor,
    timed_drive: InjectedTimedDrive,
) -> Moving:
    """Turn the head, if no one else drives."""
    dead_man_s = dependencies.control.dead_man_s
    began_at = dependencies.clock() - age_s(request.scope)
    rest_s = began_at + dead_man_s - dependencies.clock()
    # After a 408 a client may repeat the request by itself, and so move the head although no one asks for it: 409.
    body = await read_json(request, dependencies, visitor, timeout_s=max(0.0, rest_s), late_status=HTTP_409_CONFLICT)
    wanted = decode_strictly(_DECODER, body)
    max_ms = milliseconds(dead_man_s)
    for_ms = max_ms if wanted.for_ms is None else wanted.for_ms
    if for_ms > max_ms:
        raise VisitorError(Refusal.BAD_MESSAGE, f"for_ms must be at most {max_ms:g}")
    now = dependencies.clock()
    not_after_s = math.inf if wanted.not_after is None else wanted.not_after / 1000
    move = TimedMove(wanted.pan, wanted.tilt, for_ms / 1000, now - began_at, not_after_s)
    timed_drive.receive_move(now, _client(visitor), move)
    return Moving(for_ms, milliseconds(now))


@post("/api/v1/head/stop", status_code=200, responses=problems(401, 403))
async def stop(
    dependencies: InjectedDependencies, visitor: InjectedVisitor, timed_drive: InjectedTimedDrive
) -> Stopped:
    """Stop both axes, whoever drives."""
    now = dependencies.clock()
    timed_drive.receive_stop(now, _client(visitor))
    return Stopped(stopped=True, server=milliseconds(now))


def _client(visitor: Session) -> DriveClient:
    return DriveClient(id=visitor.id, person=visitor.person, rank=rank_of(visitor))


ROUTES = (velocity, stop)
