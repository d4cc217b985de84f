"""`/api/v1/head`: driving for scripts, one short-lived setpoint a request."""

from typing import Annotated

import msgspec
from litestar import post
from litestar.params import JSONBody

from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.documented import problems
from belvedere.gateway.given import GivenParts, GivenScripts, GivenVisitor
from belvedere.gateway.messages import Speed
from belvedere.gateway.outgoing import milliseconds
from belvedere.gateway.scripts import Wanted


class Velocity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast to turn, as shares of full speed (right and up are positive), and for how long.

    `for_ms` may be at most the dead-man time; without it, it is the dead-man time. To keep turning, ask again in time.
    """

    pan: Speed = 0.0
    tilt: Speed = 0.0
    for_ms: Annotated[float, msgspec.Meta(gt=0, le=1000)] | None = None


class Moving(msgspec.Struct, frozen=True):
    """The head was told; it stops by itself after `for_ms`."""

    for_ms: float


class Stopped(msgspec.Struct, frozen=True):
    """Both axes were told to stop."""

    stopped: bool


@post("/api/v1/head/velocity", status_code=200, responses=problems(400, 401, 403, 409, 413, 429, 503))
async def velocity(data: JSONBody[Velocity], parts: GivenParts, visitor: GivenVisitor, scripts: GivenScripts) -> Moving:
    """Turn the head, if nobody else drives."""
    most_ms = milliseconds(parts.control.dead_man_s)
    for_ms = most_ms if data.for_ms is None else data.for_ms
    if for_ms > most_ms:
        raise VisitorError(Refusal.BAD_MESSAGE, f"for_ms must be at most {most_ms:g}")
    scripts.receive_velocity(parts.clock(), visitor, Wanted(data.pan, data.tilt, for_ms / 1000))
    return Moving(for_ms)


@post("/api/v1/head/stop", status_code=200, responses=problems(401, 403))
async def stop(parts: GivenParts, visitor: GivenVisitor, scripts: GivenScripts) -> Stopped:
    """Stop both axes, whoever drives."""
    scripts.receive_stop(parts.clock(), visitor)
    return Stopped(stopped=True)


ROUTES = (velocity, stop)
