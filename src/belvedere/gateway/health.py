"""`/healthz` and `/readyz`: for whoever supervises the process; they tell nothing about anyone."""

from typing import Literal

import msgspec
from litestar import Response, route
from litestar.enums import HttpMethod
from litestar.openapi.datastructures import ResponseSpec

from belvedere.gateway.given import GivenParts
from belvedere.gateway.messages import LinkState
from belvedere.gateway.parts import Parts
from belvedere.guardian.process import GuardianState


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["alive"]


class PartStates(msgspec.Struct, frozen=True, kw_only=True):
    """Each part's state, in a word; a head out of reach is a state to show, not a reason to restart anything.

    A guardian that is missing is a warning: all works, but nobody stops the head if this process hangs.
    """

    engine: Literal["running", "stopped"]
    pan: LinkState
    tilt: LinkState
    guardian: GuardianState
    page: Literal["built", "missing"]
    positions: Literal["saved", "unsaved", "not kept"]


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether visitors can be served."""

    ready: bool
    parts: PartStates


PROBING = [HttpMethod.GET, HttpMethod.HEAD]
NO_SESSION_NEEDED: list[dict[str, list[str]]] = [{}]  # OpenAPI's way to say so


@route("/healthz", http_method=PROBING, security=NO_SESSION_NEEDED)
async def alive() -> Alive:
    """Answer while the process lives."""
    return Alive("alive")


@route(
    "/readyz",
    http_method=PROBING,
    security=NO_SESSION_NEEDED,
    responses={503: ResponseSpec(Readiness, generate_examples=False, description="Not yet, or not any more")},
)
async def ready(parts: GivenParts) -> Response[Readiness]:
    """Tell whether visitors can be served (200) or not (503), and each part's state."""
    readiness = readiness_of(parts)
    return Response(readiness, status_code=200 if readiness.ready else 503)


def readiness_of(parts: Parts) -> Readiness:
    """What `/readyz` tells."""
    status = parts.engine.status
    is_running = parts.engine.is_running
    states = PartStates(
        engine="running" if is_running else "stopped",
        pan=status.pan.phase.value,
        tilt=status.tilt.phase.value,
        guardian=parts.guardian(),
        page="built" if (parts.page / "index.html").is_file() else "missing",
        positions=_positions_state(parts),
    )
    return Readiness(ready=is_running, parts=states)


def _positions_state(parts: Parts) -> Literal["saved", "unsaved", "not kept"]:
    """Whether where the head stands will survive a restart."""
    if parts.is_saving_positions is None:
        return "not kept"
    return "saved" if parts.is_saving_positions() else "unsaved"


ROUTES = (alive, ready)
