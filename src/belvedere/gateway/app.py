"""Puts the gateway together: one ASGI application over the parts of the house."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

import belvedere
from belvedere.engine.timed_drive import TimedDrive
from belvedere.errors import InternalError
from belvedere.gateway import control_socket, enter, head, health, page, session, whep
from belvedere.gateway.control_sockets import ControlSockets
from belvedere.gateway.cookies import cookie_name
from belvedere.gateway.documented import LocalDocument
from belvedere.gateway.doorkeeper import Doorkeeper
from belvedere.gateway.given import given
from belvedere.gateway.housekeeping import Pictures, keep_house
from belvedere.gateway.http_protocol import MOST_BODY_BYTES
from belvedere.gateway.outgoing import milliseconds
from belvedere.gateway.refusals import HANDLERS
from belvedere.gateway.security import HostCheck

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from belvedere.gateway.parts import Parts

CLIENT_LINGER_S = 1.0  # beyond the time in which its lease went stale


def create_app(parts: Parts) -> Doorkeeper:
    """The application: every route, behind the doorkeeper."""
    timed_drive = TimedDrive(
        parts.engine,
        idle_s=parts.control.lease_stale_s + CLIENT_LINGER_S,
        dead_man_s=parts.control.dead_man_s,
    )
    sockets, pictures = ControlSockets(), Pictures(parts.stage)
    parts.door.subscribe(sockets.receive_session_ended)  # the head comes first
    parts.door.subscribe(lambda ended: timed_drive.receive_client_ended(ended.session.id))
    parts.door.subscribe(pictures.receive_session_ended)
    routes = Litestar(
        [
            control_socket.control,
            *enter.ROUTES,
            *head.ROUTES,
            *health.ROUTES,
            *session.ROUTES,
            *whep.ROUTES,
            *page.ROUTES,
        ],
        dependencies=given(parts, timed_drive, sockets),
        exception_handlers=HANDLERS,
        lifespan=[lambda _: _housekeeping(parts, timed_drive, pictures)],
        logging_config=None,  # logging is the program's, and no thread of its own is wanted
        openapi_config=_openapi(parts),
        request_max_body_size=MOST_BODY_BYTES,
    )
    return Doorkeeper(routes, parts.door, HostCheck(parts.options.host, parts.options.names))


@asynccontextmanager
async def _housekeeping(parts: Parts, timed_drive: TimedDrive, pictures: Pictures) -> AsyncIterator[None]:
    task = asyncio.create_task(keep_house(parts, timed_drive), name="housekeeping")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await pictures.close()
        with suppress(InternalError):  # an engine that failed has stopped the head already
            timed_drive.close()


def _openapi(parts: Parts) -> OpenAPIConfig:
    cookie = SecurityScheme(
        type="apiKey",
        security_scheme_in="cookie",
        name=cookie_name(""),
        description="The session. Its name carries the port, where the address has one.",
    )
    return OpenAPIConfig(
        title="Belvedere",
        version=belvedere.__version__,
        description="Look around the home you left. Driving by hand goes over the WebSocket at /api/v1/control.",
        components=Components(security_schemes={"session": cookie}),
        security=[{"session": []}],
        use_handler_docstrings=True,
        render_plugins=[LocalDocument(milliseconds(parts.control.dead_man_s))],
    )
