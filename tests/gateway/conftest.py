"""The gateway over a house without radio, camera or network."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.gateway.talk import Start, Talk
from tests.support.engine_rig import House

from belvedere.gateway.control_session import ControlSession
from belvedere.gateway.parts import GatewayOptions, Parts

HOST = "127.0.0.1:8080"


@pytest.fixture(scope="session")
def make_parts() -> Callable[..., Parts]:
    """Makes the gateway's parts of a house; without a directory given, its page is not built."""

    def make(house: House, page: Path = Path("nowhere"), options: GatewayOptions | None = None) -> Parts:
        return Parts(
            engine=house.engine,
            head=house.engine,
            bus=house.bus,
            stage=house.stage,
            door=house.door,
            clock=house.clock,
            head_name="A head of paper",
            control=house.options,
            options=options or GatewayOptions(),
            page=page,
        )

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
def talk(make_parts: Callable[..., Parts]) -> Start:
    numbers: Iterator[int] = iter(range(1, 100))

    def start(house: House, person: str = "", rank: int = 0) -> Talk:
        visitor = house.let_in(person, rank).session
        connected: set[str] = set()
        name = f"{visitor.id}-{next(numbers)}"
        connected.add(name)
        session = ControlSession(name, visitor, make_parts(house), house.clock(), connected.__contains__)
        return Talk(house, session, connected)

    return start
