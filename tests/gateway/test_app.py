"""The application as a whole does what its API description says."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import given, settings
from litestar import Litestar, get
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from tests.support.engine_rig import open_rig

import belvedere
from belvedere.access.tickets import Tickets
from belvedere.control.options import ControlOptions
from belvedere.engine.timed_drive import TimedDrive
from belvedere.gateway.app import create_app, provided
from belvedere.gateway.connection_limits import ConnectionLimits
from belvedere.gateway.control_runner import ControlRunners
from belvedere.gateway.control_socket import InjectedRunners
from belvedere.gateway.dependencies import Dependencies, InjectedDependencies, InjectedVisitor
from belvedere.gateway.frontend import InjectedTickets
from belvedere.gateway.head import InjectedTimedDrive
from belvedere.gateway.permissions import ROUTES, SOCKET
from belvedere.gateway.server import listen, serve
from belvedere.gateway.stream_socket import InjectedStreams, StreamSockets

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]


async def test_the_api_describes_itself_to_visitors(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        document = (await client.get("/schema")).json()
        assert (await client.get("/schema/openapi.json")).json() == document
        assert document["info"]["version"] == belvedere.__version__
        described = {path for method, path in ROUTES if method != SOCKET and path.startswith("/api/")}
        assert set(document["paths"]) == described | {"/healthz", "/readyz"}
        answered = document["paths"]["/api/v1/stage/whep"]["post"]
        assert set(answered["responses"]["201"]["headers"]) == {"Location", "Link", "Belvedere-Capture-Clock"}
        assert set(answered["responses"]["201"]["content"]) == {"application/sdp"}
        still = document["paths"]["/api/v1/stage/stills"]["post"]
        assert set(still["responses"]["200"]["content"]) == {"image/jpeg", "image/png"}
        assert [each["name"] for each in still["parameters"]] == ["format"]


@pytest.mark.parametrize(
    ("dead_man_s", "base_url", "name"),
    [(0.5, "http://127.0.0.1:8080", "belvedere-8080"), (0.2, "https://localhost", "__Host-belvedere")],
)
async def test_the_api_description_has_the_servers_own_limits_and_cookie(
    make_parts: MakeParts, make_client: MakeClient, dead_man_s: float, base_url: str, name: str
) -> None:
    async with open_rig(ControlOptions(dead_man_s=dead_man_s)) as rig:
        headers = {"cookie": f"{name}={rig.open_session().cookie}"}
        async with make_client(create_app(make_parts(rig)), base_url=base_url) as client:
            document = (await client.get("/schema", headers=headers)).json()
            assert document["components"]["securitySchemes"]["session"]["name"] == name
            velocity = document["paths"]["/api/v1/head/velocity"]["post"]["requestBody"]["content"]["application/json"]
            bounds = velocity["schema"]["properties"]["for_ms"]
            assert (bounds["minimum"], bounds["maximum"]) == (1, dead_man_s * 1000)
            for for_ms, status in [
                (bounds["minimum"], 200),
                (bounds["maximum"], 200),
                (bounds["minimum"] - 0.1, 400),
                (bounds["maximum"] + 0.1, 400),
            ]:
                path = "/api/v1/head/velocity"
                assert (await client.post(path, headers=headers, json={"for_ms": for_ms})).status_code == status


async def test_a_method_that_is_not_allowed_is_answered_with_those_that_are(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        for path, methods in [
            ("/healthz", {"GET", "HEAD", "OPTIONS"}),
            ("/", {"GET", "HEAD", "OPTIONS"}),
            ("/join", {"GET", "HEAD", "OPTIONS"}),
            ("/api/v1/people/x", {"PATCH", "DELETE", "OPTIONS"}),
            ("/api/v1/head/stop", {"POST", "OPTIONS"}),
            ("/api/v1/stage/whep", {"GET", "HEAD", "POST", "OPTIONS"}),
            ("/api/v1/session", {"GET", "DELETE", "OPTIONS"}),
        ]:
            response = await client.put(path)
            assert response.status_code == 405
            assert set(response.headers["allow"].split(", ")) == methods


async def test_the_api_description_needs_a_session(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        assert (await client.get("/schema")).status_code == 401


@pytest.mark.parametrize("path", ["/schema/swagger", "/schema/redoc", "/schema/elements", "/schema/rapidoc"])
async def test_no_page_of_a_library_is_served(make_parts: MakeParts, make_client: MakeClient, path: str) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.get(path)
        assert response.status_code == 404
        assert "<script" not in response.text


async def test_it_starts_and_stops_cleanly(make_parts: MakeParts) -> None:
    sent: list[str] = []
    to_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI
        sent.append(message["type"])

    async with open_rig() as rig:
        app: Any = create_app(make_parts(rig))
        living = asyncio.create_task(app({"type": "lifespan", "state": {}}, to_app.get, send))
        to_app.put_nowait({"type": "lifespan.startup"})
        await asyncio.sleep(30)
        assert sent == ["lifespan.startup.complete"]
        to_app.put_nowait({"type": "lifespan.shutdown"})
        await living
        assert sent[1:] == ["lifespan.shutdown.complete"]


def unhurried() -> ConnectionLimits:
    """Limits that count each request as another session's: the random requests exceed the rate of one session."""
    numbers = itertools.count()
    return ConnectionLimits(lambda _headers: str(next(numbers)))


@pytest.fixture(scope="module")
def described(make_parts: MakeParts) -> Iterator[Any]:
    """The API of a server that runs from a thread, as it describes itself to a visitor."""
    (socket,) = listen("127.0.0.1", 0)
    port = socket.getsockname()[1]
    cookies, started, over = [], threading.Event(), threading.Event()

    async def be_served() -> None:
        async with open_rig(ControlOptions(dead_man_s=0.7)) as rig:
            app = create_app(make_parts(rig))
            serving = asyncio.create_task(serve(app, [socket], started.set, unhurried()))
            cookies.append(f"belvedere-{port}={rig.open_session().cookie}")
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
        ("/healthz", "HEAD"),
        ("/readyz", "GET"),
        ("/readyz", "HEAD"),
    ],
)
def test_it_does_what_its_api_description_says(described: Any, path: str, method: str) -> None:  # noqa: ANN401 - schemathesis' schema
    @given(described[path][method].as_strategy())
    @settings(max_examples=25, derandomize=True, deadline=None, database=None)
    def whatever_is_asked(case: Any) -> None:  # noqa: ANN401 - schemathesis' case
        # Anonymous requests beyond the rate get 429 instead of 401; and text that is no SDP is refused.
        refusing = [positive_data_acceptance] if path.startswith("/api/v1/stage/wh") else []
        case.call_and_validate(excluded_checks=[ignored_auth, *refusing])

    whatever_is_asked()


async def test_handlers_get_the_dependencies_and_the_visitor(
    make_parts: Callable[..., Dependencies], make_client: Callable[..., httpx.AsyncClient]
) -> None:
    seen: list[Any] = []

    @get("/")
    async def handler(  # noqa: PLR0917 - one for each that is injected
        dependencies: InjectedDependencies,
        visitor: InjectedVisitor,
        timed_drive: InjectedTimedDrive,
        runners: InjectedRunners,
        streams: InjectedStreams,
        tickets: InjectedTickets,
    ) -> None:
        seen.extend((dependencies, visitor, timed_drive, runners, streams, tickets))

    async with open_rig() as rig:
        dependencies, ana = make_parts(rig), rig.open_session().session
        timed_drive = TimedDrive(rig.engine, idle_s=1, dead_man_s=0.5)
        runners, streams, tickets = ControlRunners(), StreamSockets(), Tickets(rig.clock)
        routes = Litestar(
            [handler],
            dependencies=provided(dependencies, timed_drive, runners, streams, tickets),
            logging_config=None,
            openapi_config=None,
        )

        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
            scope["auth"] = ana
            await routes(scope, receive, send)

        async with make_client(app) as client:
            assert (await client.get("/")).status_code == 200
        assert seen == [dependencies, ana, timed_drive, runners, streams, tickets]
