"""An invitation becomes a session once, by a request that no page of another site and no preview can make."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from tests.support.asgi import open_socket
from tests.support.engine_rig import open_rig

from belvedere.access.invitations import AccessOptions
from belvedere.access.rights import Role
from belvedere.errors import StoreError
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.rate_limits import LOGIN as LOGIN_LIMIT

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
LOGIN = "/api/v1/login/invitation"
PEEK = f"{LOGIN}/peek"
HOST = "127.0.0.1:8080"
ORIGIN = {"origin": f"http://{HOST}"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


async def test_redeeming_starts_a_session_and_says_whose(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        headers = {**ORIGIN, "user-agent": FIREFOX}
        response = await client.post(LOGIN, json={"secret": rig.invite("Ana")}, headers=headers)
        assert (response.status_code, response.json()["name"]) == (200, "Ana")
        assert response.json()["rights"] == ["drive", "look", "talk"]
        assert response.headers["cache-control"] == "no-store"
        cookie = response.headers["set-cookie"]
        assert cookie.startswith("belvedere-8080=")
        assert cookie.endswith("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax")
        assert {**(await client.get("/api/v1/session")).json(), "bearer": None} == response.json()
        (device,) = (await client.get("/api/v1/sessions")).json()
        assert device["label"] == "Firefox on Linux"


async def test_behind_https_the_cookie_can_come_from_this_host_alone(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        secret = rig.invite()
        async with make_client(create_app(make_parts(rig)), base_url="https://localhost") as client:
            response = await client.post(LOGIN, json={"secret": secret}, headers={"origin": "https://localhost"})
            assert response.headers["set-cookie"].startswith("__Host-belvedere=")
            assert response.headers["set-cookie"].endswith("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure")
            assert (await client.get("/api/v1/session")).status_code == 200
            value = response.headers["set-cookie"].partition(";")[0].partition("=")[2]
            client.cookies.clear()
            planted = await client.get("/api/v1/session", headers={"cookie": f"belvedere={value}"})
            assert planted.status_code == 401


async def test_peeking_says_whom_it_is_for_and_uses_nothing_up(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        secret = rig.invite("Rosa", Role.RESIDENT)
        for _ in range(3):
            response = await client.post(PEEK, json={"secret": secret})
            assert (response.status_code, response.json()) == (200, {"name": "Rosa", "role": "resident"})
        assert rig.invitations.sessions() == []
        assert (await client.post(LOGIN, json={"secret": secret})).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/join", LOGIN, PEEK, f"{LOGIN}?secret=", "/enter/"])
async def test_no_get_of_a_preview_or_scanner_uses_an_invitation_up(
    make_parts: MakeParts, make_client: MakeClient, method: str, path: str
) -> None:
    headers = {"user-agent": "WhatsApp/2.23 A", "x-http-method-override": "POST", "x-http-method": "POST"}
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        secret = rig.invite()
        response = await client.request(method, path + (secret if path[-1] in "=/" else ""), headers=headers)
        assert "set-cookie" not in response.headers
        assert secret not in response.text
        assert rig.invitations.invited(secret) is not None


@pytest.mark.parametrize("path", [LOGIN, PEEK])
@pytest.mark.parametrize("secret", ["unknown", "☃", "\x00", "a" * 128, "<script>", "A" * 43])
async def test_a_wrong_secret_starts_nothing_and_is_not_repeated(
    make_parts: MakeParts, make_client: MakeClient, path: str, secret: str
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        response = await client.post(path, json={"secret": secret})
        assert (response.status_code, response.json()["code"]) == (403, "not_invited")
        assert secret not in response.text
        assert "set-cookie" not in response.headers


async def test_an_invitation_that_has_expired_lets_nobody_in(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with (
        open_rig(invitations=AccessOptions(invite_s=60)) as rig,
        make_client(create_app(make_parts(rig))) as client,
    ):
        secret = rig.invite()
        await asyncio.sleep(59)
        assert (await client.post(PEEK, json={"secret": secret})).status_code == 200
        await asyncio.sleep(2)
        for path in (PEEK, LOGIN):
            response = await client.post(path, json={"secret": secret})
            assert (response.status_code, response.json()["code"]) == (403, "not_invited")
        assert rig.invitations.sessions() == []


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"secret": "x"}', "text/plain", 415),
        (b"secret=x", "application/x-www-form-urlencoded", 415),
        (b"{", "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"secret": 1}', "application/json", 400),
        (b'{"secret": "x", "y": 1}', "application/json", 400),
        (b'{"secret": "' + b"x" * 129 + b'"}', "application/json", 400),
        (b"[" * 5000, "application/json", 400),
        (b'{"secret": "\xff"}', "application/json", 400),
    ],
)
async def test_what_is_no_secret_is_a_bad_request(
    make_parts: MakeParts, make_client: MakeClient, content: bytes, content_type: str, status: int
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        for path in (LOGIN, PEEK):
            answer = await client.post(path, content=content, headers={"content-type": content_type})
            assert answer.status_code == status


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9", "https://127.0.0.1:8080.evil"])
async def test_a_page_of_another_site_starts_no_session(
    make_parts: MakeParts, make_client: MakeClient, origin: str
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        secret = rig.invite()
        response = await client.post(LOGIN, json={"secret": secret}, headers={"origin": origin})
        assert response.status_code == 403
        assert rig.invitations.invited(secret) is not None


async def test_an_invitation_is_used_once_and_by_its_own_browser_for_some_minutes_more(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        app, secret = create_app(make_parts(rig)), rig.invite()
        async with make_client(app) as ana, make_client(app) as ben:
            entry = (await ana.post(PEEK, json={"secret": secret})).headers["set-cookie"]
            assert entry.startswith("belvedere-8080-entry=")
            assert "; Path=/api/v1/login; Max-Age=3600; HttpOnly; SameSite=Lax" in entry
            await ben.post(PEEK, json={"secret": secret})
            cookie, sessions = entry.partition(";")[0], []
            for _ in range(3):
                ana.cookies.clear()  # the answers got lost
                answer = await ana.post(LOGIN, json={"secret": secret}, headers={"cookie": cookie})
                assert answer.status_code == 200
                sessions.append(answer.json()["id"])
            assert len(set(sessions)) == 1
            assert (await ben.post(LOGIN, json={"secret": secret})).status_code == 403
            assert (await ben.post(PEEK, json={"secret": secret})).status_code == 403


@pytest.mark.parametrize("value", ["", "x", '"x"', "a" * 5000, "x." * 22])
async def test_no_other_value_is_taken_for_the_browsers_secret(
    make_parts: MakeParts, make_client: MakeClient, value: str
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        headers, secret = {"cookie": f"belvedere-8080-entry={value}"}, rig.invite()
        shown = await client.post(PEEK, json={"secret": secret}, headers=headers)
        assert f"={value};" not in shown.headers["set-cookie"]
        for status in (200, 403):
            client.cookies.clear()
            assert (await client.post(LOGIN, json={"secret": secret}, headers=headers)).status_code == status


async def test_who_has_a_session_keeps_it_and_the_invitation_unless_it_is_another_persons(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        ana, own, rosas = rig.open_session("Ana"), rig.invite("Ana"), rig.invite("Rosa", Role.RESIDENT)
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            kept = await client.post(LOGIN, json={"secret": own})
            assert (kept.json()["id"], "set-cookie" in kept.headers) == (ana.session.id, False)
            assert rig.invitations.invited(own) is not None
            changed = await client.post(LOGIN, json={"secret": rosas})
            assert (changed.json()["name"], "set-cookie" in changed.headers) == ("Rosa", True)
        assert not rig.invitations.is_live(ana.session)


async def test_a_flood_of_guesses_is_slowed_down_and_keeps_nobody_out_for_long(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        answers = [(await client.post(LOGIN, json={"secret": f"{number}"})).status_code for number in range(100)]
        assert answers.count(403) == pytest.approx(LOGIN_LIMIT.burst, abs=2)
        assert set(answers[-50:]) == {429}
        await asyncio.sleep(1 / LOGIN_LIMIT.per_s)
        assert (await client.post(LOGIN, json={"secret": rig.invite()})).status_code == 200


async def test_where_the_disk_fails_nobody_is_let_in_and_the_invitation_stays_unused(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    failing = [True]

    async def save() -> None:
        if failing[0]:
            raise StoreError("the disk is full")

    async with open_rig() as rig, make_client(create_app(replace(make_parts(rig), save_access=save))) as client:
        secret = rig.invite()
        answer = await client.post(LOGIN, json={"secret": secret})
        assert (answer.status_code, "set-cookie" in answer.headers) == (503, False)
        assert rig.invitations.sessions() == []
        failing[0] = False
        assert (await client.post(LOGIN, json={"secret": secret})).status_code == 200


async def test_another_role_closes_the_control_socket_and_the_page_may_come_back(make_parts: MakeParts) -> None:
    async with open_rig() as rig:
        ana = rig.open_session("Ana")
        headers = {"host": HOST, "origin": f"http://{HOST}", "cookie": f"belvedere-8080={ana.cookie}"}
        app = create_app(make_parts(rig))
        async with open_socket(app, "/api/v1/control", headers) as peer:
            peer.send_json({"type": "hello", "clock": 1})
            peer.send_json({"type": "lease.acquire"})
            while (await peer.receive("lease"))["holder"] != "you":
                pass
            rig.invitations.change_role(ana.session.person, Role.GUEST)
            assert rig.engine.status.lease.session is None
            await peer.over()
            assert peer.close_code == 4409
        async with open_socket(app, "/api/v1/control", headers) as peer:
            peer.send_json({"type": "hello", "clock": 1})
            peer.send_json({"type": "lease.acquire"})
            assert (await peer.receive("error"))["code"] == "not_permitted"


SITE = "https://family.example"


async def test_in_a_page_of_another_site_it_yields_a_bearer_and_the_devices_name_the_page(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, make_client(create_app(replace(make_parts(rig), frontends=(SITE,)))) as client:
        headers = {"origin": SITE, "user-agent": FIREFOX}
        response = await client.post(LOGIN, json={"secret": rig.invite("Ana")}, headers=headers)
        assert response.status_code == 200
        assert "set-cookie" not in response.headers
        with_bearer = headers | {"authorization": f"Bearer {response.json()['bearer']['bearer']}"}
        (device,) = (await client.get("/api/v1/sessions", headers=with_bearer)).json()
        assert device["label"] == f"{SITE}, Firefox on Linux"
        assert (await client.delete("/api/v1/session", headers=with_bearer)).status_code == 204
        assert (await client.get("/api/v1/session", headers=with_bearer)).status_code == 401


async def test_a_page_of_another_site_redeems_again_by_its_own_secret(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, make_client(create_app(replace(make_parts(rig), frontends=(SITE,)))) as client:
        sent, headers = {"secret": rig.invite("Ana")}, {"origin": SITE, "belvedere-browser": "b" * 43}
        first = await client.post(LOGIN, json=sent, headers=headers)
        again = await client.post(LOGIN, json=sent, headers=headers)
        assert first.json()["id"] == again.json()["id"]
        assert first.json()["bearer"] != again.json()["bearer"]
        other = await client.post(LOGIN, json=sent, headers=headers | {"belvedere-browser": "c" * 43})
        assert other.status_code == 403


async def test_a_bearer_is_saved_before_it_is_issued(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig:
        saved: list[int] = []

        async def save() -> None:
            saved.append(len(rig.invitations.saved().bearers))

        app = create_app(replace(make_parts(rig), frontends=(SITE,), save_access=save))
        async with make_client(app) as client:
            await client.post(LOGIN, json={"secret": rig.invite("Ana")}, headers={"origin": SITE})
        assert saved == [1]
