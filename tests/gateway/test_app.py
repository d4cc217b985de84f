"""The application as a whole: what it says of itself is what it does."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis.specs.openapi.checks import ignored_auth

import belvedere
from belvedere.control.options import ControlOptions
from belvedere.gateway.app import create_app
from belvedere.gateway.connection_limits import ConnectionLimits
from belvedere.gateway.parts import Parts
from belvedere.gateway.server import listen, serve
from belvedere.testing.house import open_house

MakeParts = Callable[..., Parts]
MakeClient = Callable[..., httpx.AsyncClient]


async def test_the_api_describes_itself_to_visitors(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house)), house.let_in().cookie) as client:
        document = (await client.get("/schema")).json()
        assert (await client.get("/schema/openapi.json")).json() == document
        assert document["info"]["version"] == belvedere.__version__
        assert set(document["paths"]) == {
            "/api/v1/head/velocity",
            "/api/v1/head/stop",
            "/api/v1/stage/whep",
            "/api/v1/stage/whep/{viewer}",
            "/healthz",
            "/readyz",
        }
        answered = document["paths"]["/api/v1/stage/whep"]["post"]
        assert set(answered["responses"]["201"]["headers"]) == {"Location", "Link", "Belvedere-Capture-Clock"}
        assert set(answered["responses"]["201"]["content"]) == {"application/sdp"}


async def test_the_description_is_not_for_strangers(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house))) as client:
        assert (await client.get("/schema")).status_code == 401


@pytest.mark.parametrize("path", ["/schema/swagger", "/schema/redoc", "/schema/elements", "/schema/rapidoc"])
async def test_no_page_of_somebody_elses_is_served(make_parts: MakeParts, make_client: MakeClient, path: str) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house)), house.let_in().cookie) as client:
        response = await client.get(path)
        assert response.status_code == 404
        assert "<script" not in response.text


async def test_its_life_begins_and_ends_cleanly(make_parts: MakeParts) -> None:
    sent: list[str] = []
    to_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI
        sent.append(message["type"])

    async with open_house() as house:
        app: Any = create_app(make_parts(house))
        living = asyncio.create_task(app({"type": "lifespan", "state": {}}, to_app.get, send))
        to_app.put_nowait({"type": "lifespan.startup"})
        await asyncio.sleep(30)
        assert sent == ["lifespan.startup.complete"]
        to_app.put_nowait({"type": "lifespan.shutdown"})
        await living
        assert sent[1:] == ["lifespan.shutdown.complete"]


@pytest.fixture(scope="module")
def described(make_parts: MakeParts) -> Iterator[Any]:
    """The API of a house that is served from a thread, as it describes itself to a visitor."""
    (socket,) = listen("127.0.0.1", 0)
    port = socket.getsockname()[1]
    cookies, started, over = [], threading.Event(), threading.Event()

    async def be_served() -> None:
        async with open_house(ControlOptions(dead_man_s=1.0)) as house:  # as long as it may be, and as the API says
            app = create_app(make_parts(house))
            serving = asyncio.create_task(serve(app, [socket], started.set, ConnectionLimits(app.session_of)))
            cookies.append(f"belvedere-{port}={house.let_in().cookie}")
            await asyncio.to_thread(over.wait)
            serving.cancel()
            await asyncio.wait({serving})

    thread = threading.Thread(target=lambda: asyncio.run(be_served()))
    thread.start()
    assert started.wait(10)
    url = f"http://127.0.0.1:{port}/schema/openapi.json"
    headers = {"Cookie": cookies[0]}
    config = schemathesis.Config.from_dict({"seed": 1, "headers": headers})
    yield schemathesis.openapi.from_url(url, headers=headers, config=config)
    over.set()
    thread.join(10)


@schemathesis.serializer("application/sdp")
def as_sdp(_: object, value: object) -> bytes:
    return str(value).encode(errors="surrogatepass")


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/api/v1/head/velocity", "POST"),
        ("/api/v1/head/stop", "POST"),
        ("/api/v1/stage/whep", "POST"),
        ("/api/v1/stage/whep/{viewer}", "DELETE"),
        ("/healthz", "GET"),
        ("/readyz", "GET"),
    ],
)
def test_it_does_what_it_says(described: Any, path: str, method: str) -> None:  # noqa: ANN401 - schemathesis' schema
    @given(described[path][method].as_strategy())
    @settings(max_examples=25, derandomize=True, deadline=None, database=None)
    def whatever_is_asked(case: Any) -> None:  # noqa: ANN401 - schemathesis' case
        case.call_and_validate(excluded_checks=[ignored_auth])  # it does not know that cookies are told apart by port

    whatever_is_asked()
