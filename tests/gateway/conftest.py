"""The gateway over an engine rig, without radio, camera or network."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.gateway.session_client import OpenSockets, SessionClient, Start
from tests.support.engine_rig import NO_PAGE, EngineRig

from belvedere.access.rights import Rights, Role
from belvedere.gateway.control_session import ControlSession
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.options import GatewayOptions

HOST = "127.0.0.1:8080"


@pytest.fixture(scope="session")
def make_parts() -> Callable[..., Dependencies]:
    """Makes the gateway's parts over an engine rig; without a directory given, its page is not built."""

    def make(rig: EngineRig, page: Path = NO_PAGE, options: GatewayOptions | None = None) -> Dependencies:
        return rig.dependencies(page, options)

    return make


@pytest.fixture
def make_client() -> Callable[..., httpx.AsyncClient]:
    """Makes an HTTP client of an application in this process, with a session's cookie where one is given."""

    def make(app: object, cookie: str | None = None, base_url: str = f"http://{HOST}") -> httpx.AsyncClient:
        headers = {} if cookie is None else {"cookie": f"belvedere-8080={cookie}"}
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]  # it is one
        return httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers)

    return make


@pytest.fixture
def start_session(make_parts: Callable[..., Dependencies]) -> Start:
    numbers: Iterator[int] = iter(range(1, 100))
    connected = OpenSockets()

    def start(
        rig: EngineRig, person: str = "", role: Role = Role.VISITOR, rights: Rights | None = None
    ) -> SessionClient:
        visitor = rig.open_session(person, role, rights).session
        name = f"{visitor.id}-{next(numbers)}"
        connected.sessions[name] = visitor
        session = ControlSession(name, visitor, make_parts(rig), rig.clock(), connected)
        return SessionClient(rig, session, connected)

    return start
