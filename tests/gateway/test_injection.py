"""Handlers are given the application's own parts and the visitor's own session."""

from collections.abc import Callable
from typing import Any

import httpx
from litestar import Litestar, get
from tests.support.engine_rig import open_rig

from belvedere.engine.timed_drive import TimedDrive
from belvedere.gateway.control_sockets import ControlSockets
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.injection import (
    InjectedDependencies,
    InjectedSockets,
    InjectedTimedDrive,
    InjectedVisitor,
    injected,
)


async def test_handlers_get_the_parts_and_the_visitor(
    make_parts: Callable[..., Dependencies], make_client: Callable[..., httpx.AsyncClient]
) -> None:
    seen: list[Any] = []

    @get("/")
    async def handler(
        dependencies: InjectedDependencies,
        visitor: InjectedVisitor,
        timed_drive: InjectedTimedDrive,
        sockets: InjectedSockets,
    ) -> None:
        seen.extend((dependencies, visitor, timed_drive, sockets))

    async with open_rig() as rig:
        dependencies, ana = make_parts(rig), rig.open_session().session
        timed_drive = TimedDrive(rig.engine, idle_s=1, dead_man_s=0.5)
        sockets = ControlSockets()
        provided = injected(dependencies, timed_drive, sockets)
        routes = Litestar([handler], dependencies=provided, logging_config=None, openapi_config=None)

        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
            scope["auth"] = ana
            await routes(scope, receive, send)

        async with make_client(app) as client:
            assert (await client.get("/")).status_code == 200
        assert seen == [dependencies, ana, timed_drive, sockets]
