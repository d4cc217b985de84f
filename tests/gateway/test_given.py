"""Handlers are given the application's own parts and the visitor's own session."""

from collections.abc import Callable
from typing import Any

import httpx
from litestar import Litestar, get
from tests.support.engine_rig import open_rig

from belvedere.engine.timed_drive import TimedDrive
from belvedere.gateway.control_sockets import ControlSockets
from belvedere.gateway.given import GivenParts, GivenSockets, GivenTimedDrive, GivenVisitor, given
from belvedere.gateway.parts import Parts


async def test_handlers_get_the_parts_and_the_visitor(
    make_parts: Callable[..., Parts], make_client: Callable[..., httpx.AsyncClient]
) -> None:
    seen: list[Any] = []

    @get("/")
    async def handler(
        parts: GivenParts, visitor: GivenVisitor, timed_drive: GivenTimedDrive, sockets: GivenSockets
    ) -> None:
        seen.extend((parts, visitor, timed_drive, sockets))

    async with open_rig() as rig:
        parts, ana = make_parts(rig), rig.let_in().session
        timed_drive = TimedDrive(rig.engine, idle_s=1, dead_man_s=0.5)
        sockets = ControlSockets()
        dependencies = given(parts, timed_drive, sockets)
        routes = Litestar([handler], dependencies=dependencies, logging_config=None, openapi_config=None)

        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
            scope["auth"] = ana
            await routes(scope, receive, send)

        async with make_client(app) as client:
            assert (await client.get("/")).status_code == 200
        assert seen == [parts, ana, timed_drive, sockets]
