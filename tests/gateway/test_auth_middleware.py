"""No request reaches a handler without an accepted host, an accepted origin and a session."""

import asyncio
import logging
from collections.abc import Callable, Mapping

import httpx
import pytest
from litestar import Litestar, get, post
from tests.access.joining import join
from tests.support.asgi import open_socket

from belvedere.access.invitations import Invitations
from belvedere.access.sessions import Session
from belvedere.gateway.auth_middleware import AuthMiddleware
from belvedere.gateway.authentication import (
    AUTHENTICATE_TIMEOUT_S,
    AuthenticationRefusedError,
    Authenticator,
    AuthenticatorChain,
    CookieAuthenticator,
)
from belvedere.gateway.problems import Problem, ProblemCode
from belvedere.gateway.security import HostCheck
from belvedere.testing.clock import FakeClock

HOST = "127.0.0.1:8080"
MakeClient = Callable[..., httpx.AsyncClient]


@get(["/", "/api/v1/thing", "/healthz", "/readyz", "/join", "/embed.js", "/assets/{name:str}"])
async def read() -> dict[str, str]:
    return {}


@post("/api/v1/thing")
async def change() -> dict[str, str]:
    return {}


def middleware(*further: Authenticator) -> tuple[AuthMiddleware, str]:
    invitations = Invitations(FakeClock())
    issued = join(invitations)
    routes = Litestar([read, change], openapi_config=None, logging_config=None)
    chain = AuthenticatorChain([CookieAuthenticator(invitations), *further])
    return AuthMiddleware(routes, chain, HostCheck("127.0.0.1")), issued.cookie


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/join", "/embed.js", "/assets/app-1.js"])
async def test_some_paths_need_no_session(make_client: MakeClient, path: str) -> None:
    app, _ = middleware()
    async with make_client(app) as client:
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/thing", "/api", "/api/nowhere", "/schema", "/schema/openapi.json"])
async def test_a_program_without_a_session_gets_a_problem(make_client: MakeClient, path: str) -> None:
    app, _ = middleware()
    async with make_client(app) as client:
        response = await client.get(path)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "no_session"


@pytest.mark.parametrize("path", ["/nowhere", "/enter", "/enter/x", "/apiary", "/API/x"])
async def test_where_there_is_nothing_a_person_without_a_session_is_told_so(make_client: MakeClient, path: str) -> None:
    app, _ = middleware()
    async with make_client(app) as client:
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/thing"])
@pytest.mark.parametrize(
    ("base_url", "name"), [("http://127.0.0.1:8080", "belvedere-8080"), ("http://localhost", "belvedere")]
)
async def test_a_401_says_which_cookie_is_needed(make_client: MakeClient, path: str, base_url: str, name: str) -> None:
    app, cookie = middleware()
    async with make_client(app, base_url=base_url) as client:
        rejected = await client.get(path)
        let_through = await client.get(path, headers={"cookie": f"{name}={cookie}"})
    assert rejected.headers.get_list("www-authenticate") == [
        f'Cookie realm="Belvedere", cookie-name="{name}"',
        'Bearer realm="Belvedere"',
    ]
    assert "www-authenticate" not in let_through.headers


@pytest.mark.parametrize("cookie", ["", "belvedere-8080=", "belvedere-8080=x", "belvedere=x", "ä"])
async def test_a_wrong_cookie_is_no_session(make_client: MakeClient, cookie: str) -> None:
    app, _ = middleware()
    async with make_client(app) as client:
        response = await client.get("/api/v1/thing", headers={b"cookie": cookie.encode("latin-1")})
    assert response.status_code == 401


async def test_a_request_with_a_session_is_passed_on(make_client: MakeClient) -> None:
    app, cookie = middleware()
    async with make_client(app, cookie) as client:
        assert (await client.get("/api/v1/thing")).status_code == 200


async def test_a_session_of_another_port_is_not_accepted(make_client: MakeClient) -> None:
    app, cookie = middleware()
    async with make_client(app, cookie, base_url="http://127.0.0.1:8081") as client:
        assert (await client.get("/api/v1/thing")).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", ""])
async def test_an_unknown_host_is_refused(make_client: MakeClient, host: str) -> None:
    app, cookie = middleware()
    async with make_client(app, cookie) as client:
        response = await client.get("/api/v1/thing", headers={"host": host})
        page = await client.get("/", headers={"host": host})
    assert response.status_code == page.status_code == 421
    assert response.json()["code"] == "unknown_host"
    assert "not set up for this address" in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src" not in page.headers["content-security-policy"]
    assert "evil" not in f"{response.headers}{page.headers}{page.text}"


@pytest.mark.parametrize(
    ("wanted", "given", "text"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans", "Belvedere"), ("de,en;q=0.5", "en", "not set up for this address")],
)
async def test_a_page_is_in_the_language_of_the_browser(
    make_client: MakeClient, wanted: str, given: str, text: str
) -> None:
    app, _ = middleware()
    async with make_client(app) as client:
        page = await client.get("/", headers={"accept-language": wanted, "host": "evil.example"})
    assert text in page.text
    assert (page.headers["content-language"], page.headers["vary"]) == (given, "accept-language")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_may_use_any_host(make_client: MakeClient, path: str) -> None:
    app, _ = middleware()
    async with make_client(app) as client:
        assert (await client.get(path, headers={"host": "10.1.2.3:8080"})).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9", "http://localhost:8080"])
async def test_requests_of_another_sites_page_change_nothing(make_client: MakeClient, origin: str) -> None:
    app, cookie = middleware()
    async with make_client(app, cookie) as client:
        response = await client.post("/api/v1/thing", headers={"origin": origin})
    assert response.status_code == 403
    assert response.json()["code"] == "foreign_origin"


async def test_a_button_pressed_on_another_site_is_answered_with_a_page(make_client: MakeClient) -> None:
    app, _ = middleware()
    async with make_client(app) as client:
        response = await client.post("/join", headers={"origin": "http://evil.example"})
    assert response.status_code == 403
    assert response.headers["content-type"].startswith("text/html")
    assert "open the link you were given" in response.text.lower()
    assert "evil" not in response.text


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
async def test_without_an_origin_the_browsers_word_for_another_site_counts(make_client: MakeClient, site: str) -> None:
    app, cookie = middleware()
    headers = {"sec-fetch-site": site}
    async with make_client(app, cookie) as client:
        assert (await client.post("/api/v1/thing", headers=headers)).status_code == 403
        assert (await client.get("/api/v1/thing", headers=headers)).status_code == 200
    proof = {"host": HOST, "cookie": f"belvedere-8080={cookie}"}
    async with open_socket(app, "/api/v1/control", {**proof, **headers}) as peer:
        await peer.over()
    assert peer.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": f"http://{HOST}"},
        {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
async def test_our_page_and_scripts_may_change_things(make_client: MakeClient, headers: dict[str, str]) -> None:
    app, cookie = middleware()
    async with make_client(app, cookie) as client:
        assert (await client.post("/api/v1/thing", headers=headers)).status_code == 201


async def test_a_link_from_another_site_may_be_followed(make_client: MakeClient) -> None:
    app, cookie = middleware()
    async with make_client(app, cookie) as client:
        assert (await client.get("/", headers={"origin": "http://evil.example"})).status_code == 200


@pytest.mark.parametrize(
    ("path", "method"), [("/", "GET"), ("/nowhere", "GET"), ("/api/v1/thing", "PUT"), ("/healthz", "GET")]
)
async def test_every_response_carries_the_security_headers(make_client: MakeClient, path: str, method: str) -> None:
    app, cookie = middleware()
    for session in (cookie, None):
        async with make_client(app, session) as client:
            response = await client.request(method, path)
        assert "default-src" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert len(response.headers.get_list("content-security-policy")) == 1


async def test_a_socket_without_a_session_is_closed_with_a_reason() -> None:
    app, _ = middleware()
    async with open_socket(app, "/api/v1/control", {"host": HOST, "origin": f"http://{HOST}"}) as peer:
        await peer.over()
    assert peer.subprotocol == "belvedere.v1"
    assert peer.close_code == 4401
    assert peer.close_reason


async def test_a_socket_of_another_sites_page_is_refused() -> None:
    app, cookie = middleware()
    headers = {"host": HOST, "origin": "http://evil.example", "cookie": f"belvedere-8080={cookie}"}
    async with open_socket(app, "/api/v1/control", headers) as peer:
        await peer.over()
    assert peer.status == 403
    assert not peer.is_accepted.is_set()


async def test_a_socket_to_another_name_is_refused() -> None:
    app, cookie = middleware()
    async with open_socket(app, "/", {"host": "evil.example", "cookie": f"belvedere-8080={cookie}"}) as peer:
        await peer.over()
    assert peer.status == 421


@pytest.mark.parametrize(
    ("host", "origin", "shown", "advice"),
    [
        (
            "evil.example",
            "http://evil.example",
            "'evil.example'",
            "if visitors use that Host, add it to server.names",
        ),
        (HOST, "http://evil.example", "'http://evil.example'", "its proxy must forward the browser's Host"),
        ("x\r\n\x1b[2J" + "y" * 500, "", "'x\\r\\n\\x1b[2J" + "y" * 93 + "'", "server.names"),
    ],
)
async def test_a_refused_socket_is_logged_in_one_line_with_the_reason(
    host: str, origin: str, shown: str, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    app, _ = middleware()
    async with open_socket(app, "/api/v1/control", {"host": host, "origin": origin}) as peer:
        await peer.over()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    line = record.getMessage()
    assert shown in line
    assert advice in line
    assert line.isprintable()


async def test_an_accepted_socket_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    app, _ = middleware()
    async with open_socket(app, "/api/v1/control", {"host": HOST, "origin": f"http://{HOST}"}) as peer:
        await peer.over()
    assert caplog.records == []


def test_a_session_is_known_from_headers_alone() -> None:
    app, cookie = middleware()
    proof = (b"cookie", f"belvedere-8080={cookie}".encode())
    assert app.person_of([(b"host", HOST.encode()), proof])
    assert app.person_of([(b"host", b"127.0.0.1:8081"), proof]) is None
    assert app.person_of([proof]) is None
    assert app.person_of([]) is None


class Failing:
    """An authenticator that hangs, or raises what it was given."""

    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure

    async def authenticate(self, _: Mapping[bytes, str]) -> Session | None:
        if self._failure is not None:
            raise self._failure
        await asyncio.Event().wait()
        return None

    def recognise(self, _: Mapping[bytes, str]) -> Session | None:
        return None


async def test_an_authenticator_that_hangs_gets_a_503_in_time_and_holds_no_other_request(
    make_client: MakeClient,
) -> None:
    app, cookie = middleware(Failing())
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with make_client(app) as stranger, make_client(app, cookie) as visitor:
        asking = [asyncio.create_task(stranger.get(path)) for path in ("/api/v1/thing", "/")]
        assert (await visitor.get("/api/v1/thing")).status_code == 200  # the cookie is asked first
        assert (await stranger.get("/healthz")).status_code == 200
        assert loop.time() == began
        problem, page = [await each for each in asking]
    assert loop.time() - began == pytest.approx(AUTHENTICATE_TIMEOUT_S)
    assert (problem.status_code, problem.json()["code"]) == (503, "not_ready")
    assert problem.headers["retry-after"]
    assert page.status_code == 503
    assert "try again" in page.text


async def test_a_socket_whose_authenticator_fails_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    app, _ = middleware(Failing(RuntimeError("a bug")))
    async with open_socket(app, "/api/v1/control", {"host": HOST, "origin": f"http://{HOST}"}) as peer:
        await peer.over()
    assert peer.status == 503
    assert not peer.is_accepted.is_set()
    assert "a bug" in caplog.text


async def test_what_an_authenticator_refuses_is_answered_with_its_problem(make_client: MakeClient) -> None:
    refusal = AuthenticationRefusedError(Problem(ProblemCode.NO_SESSION, "this token is over"))
    app, _ = middleware(Failing(refusal))
    async with make_client(app) as client:
        response = await client.get("/api/v1/thing")
        page = await client.get("/")
    assert (response.status_code, response.json()["message"]) == (401, "this token is over")
    assert "www-authenticate" in response.headers
    assert page.status_code == 401
