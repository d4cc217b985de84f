"""Handlers are given the application's own parts and the visitor's own session."""

from collections.abc import Callable
from typing import Any

import httpx
from litestar import Litestar, get
from tests.support.engine_rig import open_rig

from belvedere.gateway.control_sockets import ControlSockets
from belvedere.gateway.given import GivenParts, GivenScripts, GivenSockets, GivenVisitor, given
from belvedere.gateway.parts import Parts
from belvedere.gateway.scripts import Scripts


async def test_handlers_get_the_parts_and_the_visitor(
    make_parts: Callable[..., Parts], make_client: Callable[..., httpx.AsyncClient]
) -> None:
    seen: list[Any] = []

    @get("/")
    async def handler(parts: GivenParts, visitor: GivenVisitor, scripts: GivenScripts, sockets: GivenSockets) -> None:
        seen.extend((parts, visitor, scripts, sockets))

    async with open_rig() as rig:
        parts, ana = make_parts(rig), rig.let_in().session
        scripts = Scripts(rig.engine, rig.engine, idle_s=1, dead_man_s=0.5)
        sockets = ControlSockets()
        dependencies = given(parts, scripts, sockets)
        routes = Litestar([handler], dependencies=dependencies, logging_config=None, openapi_config=None)

        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
            scope["auth"] = ana
            await routes(scope, receive, send)

        async with make_client(app) as client:
            assert (await client.get("/")).status_code == 200
        assert seen == [parts, ana, scripts, sockets]
