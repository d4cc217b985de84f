"""`/healthz` and `/readyz`: for supervisors and probes; they reveal nothing about visitors."""

from typing import Literal

import msgspec
from litestar import Response, route
from litestar.enums import HttpMethod
from litestar.openapi.datastructures import ResponseSpec

from belvedere.gateway.dependencies import Dependencies, InjectedDependencies
from belvedere.gateway.messages import LinkState
from belvedere.guardian.process import GuardianState


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["alive"]


class PartStates(msgspec.Struct, frozen=True, kw_only=True):
    """The state of each part; a head out of reach is shown, but no reason to restart the process.

    A missing guardian is a warning: everything works, but nothing stops the head if this process hangs.
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
NO_SESSION_NEEDED: list[dict[str, list[str]]] = [{}]  # an empty requirement, in OpenAPI's terms


@route("/healthz", http_method=PROBING, security=NO_SESSION_NEEDED)
async def alive() -> Alive:
    """Answer as long as the event loop runs."""
    return Alive("alive")


@route(
    "/readyz",
    http_method=PROBING,
    security=NO_SESSION_NEEDED,
    responses={503: ResponseSpec(Readiness, generate_examples=False, description="Not yet, or not any more")},
)
async def ready(dependencies: InjectedDependencies) -> Response[Readiness]:
    """Whether visitors can be served (200) or not (503), and the state of each part."""
    readiness = readiness_of(dependencies)
    return Response(readiness, status_code=200 if readiness.ready else 503)


def readiness_of(dependencies: Dependencies) -> Readiness:
    """What `/readyz` answers with."""
    status = dependencies.engine.status
    is_running = dependencies.engine.is_running
    states = PartStates(
        engine="running" if is_running else "stopped",
        pan=status.pan.phase.value,
        tilt=status.tilt.phase.value,
        guardian=dependencies.guardian(),
        page="built" if (dependencies.page / "index.html").is_file() else "missing",
        positions=_positions_state(dependencies),
    )
    return Readiness(ready=is_running, parts=states)


def _positions_state(dependencies: Dependencies) -> Literal["saved", "unsaved", "not kept"]:
    """Whether the head's position will survive a restart."""
    if dependencies.is_saving_positions is None:
        return "not kept"
    return "saved" if dependencies.is_saving_positions() else "unsaved"


ROUTES = (alive, ready)
