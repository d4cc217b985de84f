"""Puts the gateway together: one ASGI application over the parts of the house."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import Scope

import belvedere
from belvedere.access.sessions import Session
from belvedere.engine.timed_drive import TimedDrive
from belvedere.errors import InternalError
from belvedere.gateway import control_socket, head, health, page, session, whep
from belvedere.gateway.auth_middleware import AuthMiddleware
from belvedere.gateway.control_socket import MAX_SOCKETS, MAX_SOCKETS_PER_VISITOR, ControlSockets, SocketLimit
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.expiry import Pictures, expire_sessions
from belvedere.gateway.http_protocol import MAX_BODY_BYTES
from belvedere.gateway.openapi import LocalDocument
from belvedere.gateway.outgoing import milliseconds
from belvedere.gateway.problems import HANDLERS
from belvedere.gateway.security import HostCheck, cookie_name
from belvedere.token_bucket import TokenBuckets

CLIENT_LINGER_S = 1.0  # beyond the time in which its lease went stale


def create_app(dependencies: Dependencies) -> AuthMiddleware:
    """The application: every route, behind the doorkeeper."""
    timed_drive = TimedDrive(
        dependencies.engine,
        idle_s=dependencies.control.lease_stale_s + CLIENT_LINGER_S,
        dead_man_s=dependencies.control.dead_man_s,
    )
    sockets, pictures = ControlSockets(), Pictures(dependencies.stage)
    dependencies.invitations.subscribe(sockets.receive_session_ended)  # the head comes first
    dependencies.invitations.subscribe(lambda ended: timed_drive.receive_client_ended(ended.session.id))
    dependencies.invitations.subscribe(pictures.receive_session_ended)
    routes = Litestar(
        [
            control_socket.control,
            *head.ROUTES,
            *health.ROUTES,
            *session.ROUTES,
            *whep.ROUTES,
            *page.ROUTES,
        ],
        dependencies=provided(dependencies, timed_drive, sockets),
        exception_handlers=HANDLERS,
        lifespan=[lambda _: _housekeeping(dependencies, timed_drive, pictures)],
        logging_config=None,  # logging is the program's, and no thread of its own is wanted
        openapi_config=_openapi(dependencies),
        request_max_body_size=MAX_BODY_BYTES,
    )
    return AuthMiddleware(
        routes, dependencies.invitations, HostCheck(dependencies.options.host, dependencies.options.names)
    )


def provided(dependencies: Dependencies, timed_drive: TimedDrive, sockets: ControlSockets) -> dict[str, Provide]:
    """What handlers are given by the names of their parameters; `visitor` is the session of the request."""
    values: dict[str, object] = {
        "dependencies": dependencies,
        "timed_drive": timed_drive,
        "sockets": sockets,
        "socket_limit": SocketLimit(MAX_SOCKETS, MAX_SOCKETS_PER_VISITOR),
        "offers": TokenBuckets(whep.OFFERS_PER_S, whep.OFFERS_BURST),
        "files": page.PageFiles(dependencies.page),
    }
    provides = {name: Provide(_Constant(value), sync_to_thread=False) for name, value in values.items()}
    return {**provides, "visitor": Provide(_visitor, sync_to_thread=False)}


@asynccontextmanager
async def _housekeeping(dependencies: Dependencies, timed_drive: TimedDrive, pictures: Pictures) -> AsyncIterator[None]:
    task = asyncio.create_task(expire_sessions(dependencies, timed_drive), name="housekeeping")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await pictures.close()
        with suppress(InternalError):  # an engine that failed has stopped the head already
            timed_drive.close()


def _openapi(dependencies: Dependencies) -> OpenAPIConfig:
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
        render_plugins=[LocalDocument(milliseconds(dependencies.control.dead_man_s))],
    )


class _Constant:
    """Always gives the same value."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __call__(self) -> object:
        return self._value


def _visitor(scope: Scope) -> Session:
    """The session that the doorkeeper found; only routes behind it may ask."""
    return cast("Session", scope["auth"])
