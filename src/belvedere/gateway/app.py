"""Puts the gateway together: one ASGI application that serves the engine, the stage and the sessions."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.types import Scope

import belvedere
from belvedere.access.sessions import Session
from belvedere.access.tickets import Tickets
from belvedere.engine.timed_drive import TimedDrive
from belvedere.errors import InternalError
from belvedere.gateway import (
    control_socket,
    frontend,
    head,
    health,
    ivs,
    login,
    page,
    passkeys,
    people,
    room,
    rooms,
    session,
    stills,
    stream_socket,
    tokens,
    visits,
    whep,
    whip,
)
from belvedere.gateway.auth_middleware import AuthMiddleware
from belvedere.gateway.authentication import Authenticator, AuthenticatorChain, BearerAuthenticator, CookieAuthenticator
from belvedere.gateway.control_runner import ControlRunners
from belvedere.gateway.cross_origin import Frontends
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.expiry import ViewerCleanup, end_driving, expire_sessions
from belvedere.gateway.frontend_authentication import FrontendAuthenticator, TicketAuthenticator
from belvedere.gateway.http_protocol import MAX_BODY_BYTES
from belvedere.gateway.openapi import LocalDocument
from belvedere.gateway.outgoing import milliseconds
from belvedere.gateway.permissions import RouteGuard, require_rows
from belvedere.gateway.problems import HANDLERS
from belvedere.gateway.rate_limits import RateGuard
from belvedere.gateway.security import HostCheck, cookie_name
from belvedere.gateway.stream_socket import StreamSockets
from belvedere.token_bucket import TokenBuckets

CLIENT_LINGER_S = 1.0  # how long a client is kept after its lease has gone stale


def create_app(dependencies: Dependencies) -> AuthMiddleware:
    """The application: every route, behind `AuthMiddleware`."""
    timed_drive = TimedDrive(
        dependencies.engine,
        idle_s=dependencies.control.lease_stale_s + CLIENT_LINGER_S,
        dead_man_s=dependencies.control.dead_man_s,
    )
    runners, streams, viewers = ControlRunners(), StreamSockets(), ViewerCleanup(dependencies.stage)
    _end_with_sessions(dependencies, runners, timed_drive, streams, viewers)
    tickets = Tickets(dependencies.clock)
    routes = Litestar(
        [
            control_socket.control,
            *frontend.ROUTES,
            *head.ROUTES,
            *health.ROUTES,
            *session.ROUTES,
            *login.ROUTES,
            *passkeys.ROUTES,
            *people.ROUTES,
            *room.ROUTES,
            *rooms.ROUTES,
            stream_socket.stream,
            *whep.ROUTES,
            *stills.ROUTES,
            *ivs.ROUTES,
            *whip.ROUTES,
            *visits.ROUTES,
            *tokens.ROUTES,
            *page.ROUTES,
        ],
        dependencies=provided(dependencies, timed_drive, runners, streams, tickets),
        exception_handlers=HANDLERS,
        guards=[
            RouteGuard(dependencies.invitations, lambda each: timed_drive.receive_refused(dependencies.clock(), each)),
            RateGuard(dependencies.clock),
        ],
        lifespan=[lambda _: _run_expiry(dependencies, timed_drive, viewers)],
        logging_config=None,  # the program configures logging; Litestar's default starts a thread of its own
        openapi_config=_openapi(dependencies),
        request_max_body_size=MAX_BODY_BYTES,
    )
    require_rows(routes)
    invitations, base_path = dependencies.invitations, dependencies.options.base_path
    frontends = Frontends(dependencies.frontends, (room.origin for room in dependencies.rooms))
    ours: list[Authenticator] = [
        CookieAuthenticator(invitations, base_path),
        FrontendAuthenticator(invitations, frontends),
    ]
    bearer = BearerAuthenticator(invitations.programs, dependencies.clock)
    ways = [*ours, TicketAuthenticator(invitations, tickets), bearer, *dependencies.authenticators]
    chain = AuthenticatorChain(ways if dependencies.gate is None else [dependencies.gate])
    hosts = HostCheck(dependencies.options.host, dependencies.options.names)
    return AuthMiddleware(routes, chain, hosts, frontends, base_path)


def _end_with_sessions(
    dependencies: Dependencies,
    runners: ControlRunners,
    timed_drive: TimedDrive,
    streams: StreamSockets,
    viewers: ViewerCleanup,
) -> None:
    """End what a session does when it ends or loses rights.

    In this order: what it drives over sockets stops, then over HTTP, and only then its voice and its pictures.
    """
    events = dependencies.invitations.events
    events.subscribe(runners.receive_session_change)
    events.subscribe(lambda change: end_driving(timed_drive, change))
    events.subscribe(dependencies.voice.receive_session_change)
    events.subscribe(streams.receive_session_change)
    events.subscribe(viewers.receive_session_change)
    events.subscribe(functools.partial(ivs.receive_session_change, dependencies.ivs))


def provided(
    dependencies: Dependencies,
    timed_drive: TimedDrive,
    runners: ControlRunners,
    streams: StreamSockets,
    tickets: Tickets,
) -> dict[str, Provide]:
    """The values that Litestar injects into handlers, by parameter name; `visitor` is the session of the request."""
    values: dict[str, object] = {
        "dependencies": dependencies,
        "timed_drive": timed_drive,
        "runners": runners,
        "streams": streams,
        "tickets": tickets,
        "offers": TokenBuckets(whep.OFFERS_PER_S, whep.OFFERS_BURST),
        "files": page.PageFiles(dependencies.page, dependencies.options.base_path),
    }
    provides = {name: Provide(_Constant(value), sync_to_thread=False) for name, value in values.items()}
    return {**provides, "visitor": Provide(_visitor, sync_to_thread=False)}


@asynccontextmanager
async def _run_expiry(
    dependencies: Dependencies, timed_drive: TimedDrive, viewers: ViewerCleanup
) -> AsyncIterator[None]:
    task = asyncio.create_task(expire_sessions(dependencies, timed_drive), name="session expiry")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await viewers.close()
        with suppress(InternalError):  # an engine that failed has stopped the head already
            timed_drive.close()


def _openapi(dependencies: Dependencies) -> OpenAPIConfig:
    cookie = SecurityScheme(
        type="apiKey",
        security_scheme_in="cookie",
        name=cookie_name("", base_path=dependencies.options.base_path),
        description="The session. Its name carries the port, where the address has one.",
    )
    token = SecurityScheme(
        type="http", scheme="bearer", description="A program's token, for what its right is for: see the settings."
    )
    return OpenAPIConfig(
        title="Belvedere",
        version=belvedere.__version__,
        description="Look around the home you left. Driving by hand goes over the WebSocket at /api/v1/control.",
        servers=[Server(url=dependencies.options.base_path or "/")],
        components=Components(security_schemes={"session": cookie, "token": token}),
        security=[{"session": []}],
        use_handler_docstrings=True,
        render_plugins=[LocalDocument(milliseconds(dependencies.control.dead_man_s), dependencies.options.base_path)],
    )


class _Constant:
    """Provides one value, the same for every request."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __call__(self) -> object:
        return self._value


def _visitor(scope: Scope) -> Session:
    """The session that `AuthMiddleware` found; only handlers that it does not leave open may ask for it."""
    return cast("Session", scope["auth"])
