"""A one-time link becomes a session once, when its button is pressed; leaving ends the session and all it holds."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.access.invitations import AccessOptions
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.head.axes import Axis

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
ORIGIN = {"origin": "http://127.0.0.1:8080"}


async def test_the_button_starts_a_session(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        assert (await client.get("/")).status_code == 401
        response = await client.post(f"/enter/{rig.invitations.invite()}", headers=ORIGIN)
        assert (response.status_code, response.headers["location"]) == (303, "/#look")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        cookie = response.headers["set-cookie"]
        assert cookie.startswith("belvedere-8080=")
        assert cookie.endswith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax")
        assert (await client.get("/")).status_code == 503  # with a session, but the page is not built


async def test_a_script_without_an_origin_may_redeem_a_link_too(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        assert "set-cookie" in (await client.post(f"/enter/{rig.invitations.invite()}")).headers


async def test_behind_https_the_cookie_is_for_https(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig:
        async with make_client(create_app(make_parts(rig)), base_url="https://localhost") as client:
            response = await client.post(f"/enter/{rig.invitations.invite()}", headers={"origin": "https://localhost"})
        assert response.headers["set-cookie"].startswith("belvedere=")
        assert response.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"user-agent": "WhatsApp/2.23 A", "range": "bytes=0-1048575"},
        {"user-agent": "facebookexternalhit/1.1", "accept": "*/*"},
        {"sec-purpose": "prefetch;prerender", "purpose": "prefetch"},
        {"x-http-method-override": "POST", "x-http-method": "POST", "x-method-override": "POST"},
        {"origin": "http://127.0.0.1:8080", "content-type": "application/x-www-form-urlencoded"},
    ],
)
async def test_fetching_a_link_does_not_use_it_up(
    make_parts: MakeParts, make_client: MakeClient, method: str, headers: dict[str, str]
) -> None:
    async with open_rig() as rig:
        app, token = create_app(make_parts(rig)), rig.invitations.invite()
        async with make_client(app) as preview, make_client(app) as ana:
            for query in ("", "?_method=POST", "?fbclid=x"):
                response = await preview.request(method, f"/enter/{token}{query}", headers=headers)
                assert response.status_code == 200
                assert "belvedere-8080=" not in response.headers.get("set-cookie", "")
            assert "set-cookie" in (await ana.post(f"/enter/{token}", headers=ORIGIN)).headers


async def test_the_page_is_one_button_that_needs_no_script_and_holds_no_secret(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        token = rig.invitations.invite()
        response = await client.get(f"/enter/{token}")
        assert response.headers["content-type"].startswith("text/html")
        assert '<form method="post"><button>Come in</button></form>' in response.text
        assert "<script" not in response.text
        assert token not in response.text
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert response.headers["cache-control"] == "no-store"


async def test_the_button_page_lets_the_browser_send_its_origin(make_parts: MakeParts, make_client: MakeClient) -> None:
    """A page with no-referrer posts with `Origin: null`, which is refused."""
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        response = await client.get(f"/enter/{rig.invitations.invite()}")
        assert response.headers.get_list("referrer-policy") == ["same-origin"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9", "https://127.0.0.1:8080.evil"])
async def test_a_button_on_another_sites_page_starts_no_session(
    make_parts: MakeParts, make_client: MakeClient, origin: str
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        token = rig.invitations.invite()
        response = await client.post(f"/enter/{token}", headers={"origin": origin})
        assert response.status_code == 403
        assert "set-cookie" not in response.headers
        assert rig.invitations.is_invited(token)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_used_link_says_so(make_parts: MakeParts, make_client: MakeClient, method: str) -> None:
    async with open_rig() as rig:
        app, token = create_app(make_parts(rig)), rig.invitations.invite()
        async with make_client(app) as ana, make_client(app) as ben:
            await ana.post(f"/enter/{token}")
            response = await ben.request(method, f"/enter/{token}")
            assert response.status_code == 403
            assert "does not work any more" in response.text
            assert "set-cookie" not in response.headers


async def test_a_browser_that_presses_twice_before_the_response_gets_one_session(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        app, token = create_app(make_parts(rig)), rig.invitations.invite()
        async with make_client(app) as ana, make_client(app) as ben:
            entry = (await ana.get(f"/enter/{token}")).headers["set-cookie"].partition(";")[0]
            await ben.get(f"/enter/{token}")
            sessions = []
            for _ in range(3):
                ana.cookies.clear()  # the answers got lost
                response = await ana.post(f"/enter/{token}", headers={"cookie": entry, **ORIGIN})
                assert response.status_code == 303
                secret = response.headers["set-cookie"].partition(";")[0].partition("=")[2]
                sessions.append(rig.invitations.session(secret))
            assert sessions[0] is not None
            assert sessions == [sessions[0]] * 3
            ana.cookies.clear()
            again = await ana.get(f"/enter/{token}", headers={"cookie": entry})
            assert "Come in" in again.text
            assert again.headers["set-cookie"].startswith(entry)
            assert (await ben.post(f"/enter/{token}", headers=ORIGIN)).status_code == 403


@pytest.mark.parametrize("value", ["", "x", '"x"', "a" * 5000, "x." * 22])
async def test_no_other_value_is_taken_for_the_browsers_secret(
    make_parts: MakeParts, make_client: MakeClient, value: str
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        headers, token = {"cookie": f"belvedere-8080-entry={value}"}, rig.invitations.invite()
        shown = await client.get(f"/enter/{token}", headers=headers)
        assert f"={value};" not in shown.headers["set-cookie"]
        for status in (303, 403):
            client.cookies.clear()
            assert (await client.post(f"/enter/{token}", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("base_url", "secure"), [("http://127.0.0.1:8080", ""), ("https://localhost:8080", "; Secure")]
)
async def test_the_browser_is_recognised_by_a_cookie_for_links_alone(
    make_parts: MakeParts, make_client: MakeClient, base_url: str, secure: str
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), base_url=base_url) as client:
        cookie = (await client.get(f"/enter/{rig.invitations.invite()}")).headers["set-cookie"]
        assert cookie.startswith("belvedere-8080-entry=")
        assert cookie.endswith(f"; Path=/enter; Max-Age=3600; HttpOnly; SameSite=Lax{secure}")


@pytest.mark.parametrize(("method", "location"), [("GET", "/"), ("HEAD", "/"), ("POST", "/#look")])
async def test_a_browser_with_a_session_is_redirected_and_leaves_the_link_unused(
    make_parts: MakeParts, make_client: MakeClient, method: str, location: str
) -> None:
    async with open_rig() as rig:
        app, token = create_app(make_parts(rig)), rig.invitations.invite()
        async with make_client(app, rig.open_session().cookie) as ana:
            response = await ana.request(method, f"/enter/{token}")
            assert (response.status_code, response.headers["location"]) == (303, location)
            assert "set-cookie" not in response.headers
        assert rig.invitations.is_invited(token)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["unknown-token", "%E2%98%83", "%00", "a" * 5000, "<script>"])
async def test_an_unknown_link_starts_no_session(
    make_parts: MakeParts, make_client: MakeClient, method: str, token: str
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        response = await client.request(method, f"/enter/{token}")
        assert response.status_code == 403
        assert token not in response.text


async def test_a_new_visit_may_displace_another_one(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig(invitations=AccessOptions(max_sessions=1)) as rig:
        ana, token = rig.open_session(), rig.invitations.invite()
        async with make_client(create_app(make_parts(rig))) as client:
            await client.get(f"/enter/{token}")
            assert rig.invitations.is_live(ana.session)
            await client.post(f"/enter/{token}")
            assert not rig.invitations.is_live(ana.session)


SESSION = "/api/v1/session"
SDP = {"content-type": "application/sdp"}


async def test_leaving_ends_the_session_and_the_browser_forgets_it(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        ana = rig.open_session()
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            response = await client.delete(SESSION)
            assert (response.status_code, response.content) == (204, b"")
            assert response.headers["set-cookie"] == "belvedere-8080=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
            assert response.headers["clear-site-data"] == '"storage"'
            assert not rig.invitations.is_live(ana.session)
            assert (await client.delete(SESSION)).status_code == 401


async def test_behind_https_the_cookie_for_https_is_forgotten(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with (
        open_rig() as rig,
        make_client(create_app(make_parts(rig)), base_url="https://localhost") as client,
    ):
        response = await client.delete(SESSION, headers={"cookie": f"belvedere={rig.open_session().cookie}"})
    assert response.headers["set-cookie"] == "belvedere=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"


async def test_leaving_stops_what_was_driven_and_ends_what_was_watched_and_nothing_of_others(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        ana, ben = rig.open_session(), rig.open_session()
        app = create_app(make_parts(rig))
        async with make_client(app, ana.cookie) as client, make_client(app, ben.cookie) as other:
            for each in (client, other):
                assert (await each.post("/api/v1/stage/whep", content="v=0", headers=SDP)).status_code == 201
            assert (await client.post("/api/v1/head/velocity", json={"pan": 1})).status_code == 200
            assert rig.units[Axis.PAN].velocity > 0
            await client.delete(SESSION)
            assert rig.units[Axis.PAN].velocity == 0
            await asyncio.sleep(0)
            assert [owner for owner, _ in rig.stage.offers.values()] == [ben.session.id]
            assert (await other.post("/api/v1/head/velocity", json={"pan": 1})).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
async def test_another_sites_page_cannot_end_a_session(
    make_parts: MakeParts, make_client: MakeClient, origin: str
) -> None:
    async with open_rig() as rig:
        ana = rig.open_session()
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            assert (await client.delete(SESSION, headers={"origin": origin})).status_code == 403
        assert rig.invitations.is_live(ana.session)
