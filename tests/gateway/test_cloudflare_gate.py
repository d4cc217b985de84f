"""Behind Cloudflare Access nothing is served without its token, whatever cookie or other token a request has."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.support.access_tokens import EMAIL, HOUR_S, NOW, OPTIONS, claims, key_set, private_key, published, token
from tests.support.asgi import open_socket
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.cloudflare import CloudflareSessions
from belvedere.access.jwks import KeySetError, read_keys
from belvedere.access.rights import Role
from belvedere.access.sessions import EndReason
from belvedere.access.signed_tokens import SignedTokens
from belvedere.access.signing_keys import SigningKeys
from belvedere.gateway.app import create_app
from belvedere.gateway.cloudflare_gate import CloudflareGate
from belvedere.gateway.messages import CloseCode
from belvedere.head.axes import Axis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from belvedere.gateway.auth_middleware import AuthMiddleware

    MakeClient = Callable[..., httpx.AsyncClient]

HOST = "127.0.0.1:8080"
HEADER = "cf-access-jwt-assertion"


class Behind:
    """A gateway behind Access, with Ana, a visitor, on the list."""

    def __init__(self, rig: EngineRig, published_keys: Callable[[], dict[str, RSAPublicKey]]) -> None:
        began = rig.clock()
        self.rig = rig
        self.keys = SigningKeys(published_keys, rig.clock, lambda run: run())
        self.utc = lambda: NOW + rig.clock() - began
        self.ana = rig.invitations.people.add("Ana", Role.VISITOR, EMAIL)
        sessions = CloudflareSessions(SignedTokens(OPTIONS, self.keys, self.utc), rig.invitations, self.utc)
        self.app: AuthMiddleware = create_app(replace(rig.dependencies(), gate=CloudflareGate(sessions)))


def first_key() -> dict[str, RSAPublicKey]:
    return read_keys(key_set(published("first", private_key())))


def no_key() -> dict[str, RSAPublicKey]:
    raise KeySetError("HTTP status 500")


@asynccontextmanager
async def behind_access(publish: Callable[[], dict[str, RSAPublicKey]] = first_key) -> AsyncIterator[Behind]:
    async with open_rig() as rig:
        behind = Behind(rig, publish)
        fetching = asyncio.create_task(behind.keys.run())
        await asyncio.sleep(0.01)
        try:
            yield behind
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)


ROUTES = [
    ("GET", "/"),
    ("GET", "/api/v1/stage/whep"),
    ("POST", "/api/v1/stage/whep"),
    ("POST", "/api/v1/stage/stills"),
    ("POST", "/api/v1/head/velocity"),
    ("POST", "/api/v1/head/stop"),
    ("DELETE", "/api/v1/session"),
    ("GET", "/schema/openapi.json"),
    ("GET", "/no/such/thing"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_token_nothing_is_served_whatever_cookie_there_is(
    make_client: MakeClient, method: str, path: str
) -> None:
    async with behind_access() as behind, make_client(behind.app, behind.rig.open_session().cookie) as client:
        for headers in (
            {},
            {HEADER: ""},
            {HEADER: token(claims(aud=["cd" * 32]))},
            {"cookie": f"CF_Authorization={token()}"},
        ):
            answer = await client.request(method, path, headers=headers)
            assert answer.status_code == 401
        assert behind.rig.stage.stills == []


async def test_with_a_token_the_person_whose_address_it_is_comes_in(make_client: MakeClient) -> None:
    async with behind_access() as behind, make_client(behind.app) as client:
        moved = await client.post("/api/v1/head/velocity", json={"pan": 1}, headers={HEADER: token()})
        assert moved.status_code == 200
        assert behind.rig.units[Axis.PAN].velocity > 0
        assert behind.app.person_of([(HEADER.encode(), token().encode())]) == behind.ana.id


async def test_a_cookie_beside_the_token_changes_nothing(make_client: MakeClient) -> None:
    async with behind_access() as behind:
        guest = behind.rig.invitations.people.add("Gil", Role.GUEST, "gil@example.org")
        cookie = behind.rig.open_session().cookie  # of somebody who may drive
        async with make_client(behind.app, cookie) as client:
            gils = {HEADER: token(claims(email=guest.email))}
            answer = await client.post("/api/v1/head/velocity", json={"pan": 1}, headers=gils)
            assert answer.status_code == 403


async def test_who_is_not_on_the_list_is_told_so(make_client: MakeClient) -> None:
    async with behind_access() as behind, make_client(behind.app) as client:
        stranger = {HEADER: token(claims(email="mallory@example.org"))}
        page = await client.get("/", headers=stranger)
        assert page.status_code == 403
        assert "not on the list" in page.text
        problem = await client.post("/api/v1/head/stop", headers=stranger)
        assert (problem.status_code, problem.json()["code"]) == (403, "not_listed")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_checks_need_no_token(make_client: MakeClient, path: str) -> None:
    async with behind_access() as behind, make_client(behind.app) as client:
        assert (await client.get(path)).status_code == 200


async def test_while_the_keys_are_not_known_the_answer_is_to_try_again(make_client: MakeClient) -> None:
    async with behind_access(no_key) as behind, make_client(behind.app, behind.rig.open_session().cookie) as client:
        answer = await client.post("/api/v1/head/stop", headers={HEADER: token()})
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert answer.headers["retry-after"] == "1"
        assert "try again" in (await client.get("/", headers={HEADER: token()})).text


async def test_after_an_outage_of_the_keys_known_ones_still_count_and_a_new_one_is_found(
    make_client: MakeClient,
) -> None:
    published_now = [first_key]

    def publish() -> dict[str, RSAPublicKey]:
        return published_now[0]()

    async with behind_access(publish) as behind, make_client(behind.app) as client:
        published_now[0] = no_key
        await asyncio.sleep(1)
        answer = await client.post("/api/v1/head/stop", headers={HEADER: token()})
        assert answer.status_code == 200
        rotated = {HEADER: token(key=private_key(1), head={"kid": "second"})}
        assert (await client.post("/api/v1/head/stop", headers=rotated)).status_code == 401
        published_now[0] = lambda: first_key() | read_keys(key_set(published("second", private_key(1))))
        await asyncio.sleep(60)
        assert (await client.post("/api/v1/head/stop", headers=rotated)).status_code == 200


async def test_the_control_socket_the_pictures_and_http_driving_end_when_the_token_does(
    make_client: MakeClient,
) -> None:
    async with behind_access() as behind, make_client(behind.app) as client:
        short = {HEADER: token(claims(exp=int(NOW + 2)))}
        offer = {**short, "content-type": "application/sdp"}
        assert (await client.post("/api/v1/stage/whep", content="v=0", headers=offer)).status_code == 201
        headers = {"host": HOST, "origin": f"http://{HOST}", **short}
        async with open_socket(behind.app, "/api/v1/control", headers) as peer:
            peer.send_json({"type": "hello", "clock": 5.0})
            await peer.receive("welcome")
            await asyncio.sleep(1.9)
            moved = await client.post("/api/v1/head/velocity", json={"pan": 1}, headers=short)
            assert moved.status_code == 200
            assert not peer.is_over.is_set()
            await asyncio.sleep(0.15)
            behind.rig.invitations.tick()
            assert behind.rig.units[Axis.PAN].velocity == 0
            await peer.over()
            assert peer.close_code == CloseCode.NO_SESSION
        await asyncio.sleep(0.1)
        assert behind.rig.stage.offers == {}
        assert (await client.post("/api/v1/head/stop", headers=short)).status_code == 401


async def test_who_leaves_is_out_although_the_token_is_still_valid(make_client: MakeClient) -> None:
    async with behind_access() as behind, make_client(behind.app) as client:
        mine = {HEADER: token()}
        assert (await client.delete("/api/v1/session", headers=mine)).status_code == 204
        assert (await client.post("/api/v1/head/stop", headers=mine)).status_code == 401


async def test_a_socket_without_a_token_is_refused() -> None:
    async with behind_access() as behind:
        headers = {
            "host": HOST,
            "origin": f"http://{HOST}",
            "cookie": f"belvedere-8080={behind.rig.open_session().cookie}",
        }
        for path in ("/api/v1/control", "/api/v1/stage/stream"):
            async with open_socket(behind.app, path, headers) as peer:
                await peer.over()
                assert peer.status == 401
                assert not peer.is_accepted.is_set()


async def test_the_log_says_why_a_token_is_refused_and_has_nothing_of_it(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    async with behind_access() as behind, make_client(behind.app) as client:
        bad = token(claims(exp=int(NOW - HOUR_S)))
        await client.get("/", headers={HEADER: bad})
        await client.get("/", headers={HEADER: token(claims(email="mallory@example.org"))})
        assert "refused a token of Cloudflare Access: expired" in caplog.text
        assert not any(part in caplog.text for part in (*bad.split("."), "mallory"))


async def test_a_session_that_ended_for_another_reason_begins_anew(make_client: MakeClient) -> None:
    async with behind_access() as behind, make_client(behind.app) as client:
        mine = {HEADER: token()}
        await client.post("/api/v1/head/stop", headers=mine)
        behind.rig.invitations.end_all_of(behind.ana.id, EndReason.DISPLACED)
        assert (await client.post("/api/v1/head/stop", headers=mine)).status_code == 200
