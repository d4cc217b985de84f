"""A page of another origin learns how to prove a session, renews its bearer, and gets tickets for its sockets."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from tests.support.asgi import SocketPeer, open_socket
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.bearers import BEARER_S, GRACE_S
from belvedere.access.sessions import EndReason, Session
from belvedere.access.tickets import TICKET_S
from belvedere.gateway.app import create_app
from belvedere.gateway.cross_origin import Frontend
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.frontend import bearer_for

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
SITE, OTHER = "https://family.example", "https://other.example"
HOST = "127.0.0.1:8080"
SOCKETS = ("/api/v1/control", "belvedere.v1"), ("/api/v1/stage/stream", "belvedere.video.v1")


class Page:
    """A page of SITE with a bearer, and the house that it looks into."""

    def __init__(self, rig: EngineRig, parts: Dependencies, make_client: MakeClient) -> None:
        self.rig = rig
        self.session: Session = rig.open_session().session
        self.bearer = rig.invitations.bearers.issue(self.session.id, SITE).bearer
        self.app = create_app(dataclasses.replace(parts, frontends=(SITE, OTHER)))
        self.client = make_client(self.app)

    async def post(self, path: str, origin: str = SITE) -> httpx.Response:
        headers = {"origin": origin, "authorization": f"Bearer {self.bearer}"}
        return await self.client.post(path, headers=headers)

    async def ticket(self) -> str:
        response = await self.post("/api/v1/tickets")
        assert (response.status_code, response.json()["lifetime_s"]) == (201, TICKET_S)
        ticket: str = response.json()["ticket"]
        return ticket

    @asynccontextmanager
    async def socket(
        self, ticket: str | None, where: tuple[str, str] = SOCKETS[0], origin: str = SITE, cookie: str = ""
    ) -> AsyncIterator[SocketPeer]:
        path, subprotocol = where
        offered = (subprotocol,) if ticket is None else (f"belvedere.ticket.{ticket}", subprotocol)
        headers = {"host": HOST, "origin": origin, "cookie": cookie, "sec-websocket-protocol": ", ".join(offered)}
        async with open_socket(self.app, path, headers, offered) as peer:
            yield peer


OpenPage = Callable[[], AbstractAsyncContextManager[Page]]


@pytest.fixture
def open_page(make_parts: MakeParts, make_client: MakeClient) -> OpenPage:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Page]:
        async with open_rig() as rig:
            page = Page(rig, make_parts(rig), make_client)
            async with page.client:
                yield page

    return opened


@pytest.mark.parametrize(("site", "answer"), [("same-site", {"cookie": True}), ("cross-site", {"cookie": False})])
async def test_a_page_learns_whether_the_cookie_counts_there(
    open_page: OpenPage, site: str, answer: dict[str, bool]
) -> None:
    async with open_page() as page:
        headers = {"origin": SITE, "sec-fetch-site": site}
        response = await page.client.get("/api/v1/frontend", headers=headers)
        assert response.json() == answer
        assert response.headers["access-control-allow-origin"] == SITE
        own = await page.client.get("/api/v1/frontend")
        assert own.json() == {"cookie": True}


async def test_a_page_that_is_not_listed_learns_nothing(open_page: OpenPage) -> None:
    async with open_page() as page:
        response = await page.client.get("/api/v1/frontend", headers={"origin": "https://unlisted.example"})
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers


async def test_a_bearer_is_renewed_and_the_old_one_ends(open_page: OpenPage) -> None:
    async with open_page() as page:
        response = await page.post("/api/v1/bearers")
        assert (response.status_code, response.json()["lifetime_s"]) == (201, BEARER_S)
        old, page.bearer = page.bearer, response.json()["bearer"]
        assert (await page.post("/api/v1/tickets")).status_code == 201
        await asyncio.sleep(GRACE_S)
        assert page.rig.invitations.bearers.find(old, SITE) is None
        assert (await page.post("/api/v1/bearers")).status_code == 201


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_copy_of_a_bearer_adds_no_passkey_whatever_a_program_says_of_its_site(
    open_page: OpenPage, site: str
) -> None:
    async with open_page() as page:
        headers = {"origin": SITE, "authorization": f"Bearer {page.bearer}", "sec-fetch-site": site}
        for method, path in (("POST", "/api/v1/passkeys/options"), ("GET", "/api/v1/passkeys")):
            refused = await page.client.request(method, path, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")


async def test_a_cookie_cannot_be_exchanged_for_a_bearer(open_page: OpenPage) -> None:
    async with open_page() as page:
        cookie = {"cookie": f"belvedere-8080={page.rig.open_session().cookie}"}
        own = await page.client.post("/api/v1/bearers", headers=cookie)
        assert (own.status_code, own.json()["code"]) == (400, "bad_message")
        same_site = cookie | {"origin": SITE, "sec-fetch-site": "same-site"}
        assert (await page.client.post("/api/v1/bearers", headers=same_site)).status_code == 400


@pytest.mark.parametrize("where", SOCKETS, ids=["control", "stream"])
async def test_a_ticket_opens_a_socket_once_and_is_not_in_the_answer(
    open_page: OpenPage, where: tuple[str, str]
) -> None:
    async with open_page() as page:
        ticket = await page.ticket()
        async with page.socket(ticket, where) as peer:
            await peer.is_accepted.wait()
            assert peer.subprotocol == where[1]
        async with page.socket(ticket, where) as peer:
            await peer.over()
            assert (peer.status, peer.subprotocol) == (401, None)
            assert b"used already" in peer.body
            assert ticket.encode() not in peer.body


async def test_a_ticket_that_is_late_opens_nothing(open_page: OpenPage) -> None:
    async with open_page() as page:
        ticket = await page.ticket()
        await asyncio.sleep(TICKET_S)
        async with page.socket(ticket) as peer:
            await peer.over()
            assert peer.status == 401


@pytest.mark.parametrize("origin", [OTHER, "https://unlisted.example", f"http://{HOST}"])
async def test_a_ticket_opens_nothing_for_another_page(open_page: OpenPage, origin: str) -> None:
    async with open_page() as page, page.socket(await page.ticket(), origin=origin) as peer:
        await peer.over()
        assert peer.status in {401, 403}
        assert not peer.is_accepted.is_set()


async def test_a_cookie_opens_no_socket_from_a_page_of_another_origin(open_page: OpenPage) -> None:
    async with open_page() as page:
        cookie = f"belvedere-8080={page.rig.open_session().cookie}"
        async with page.socket(None, cookie=cookie) as peer:
            await peer.over()
            assert peer.close_code == 4401
        async with page.socket(None, origin=f"http://{HOST}", cookie=cookie) as peer:
            await peer.is_accepted.wait()
            assert peer.close_code is None


async def test_a_ticket_proves_no_request(open_page: OpenPage) -> None:
    async with open_page() as page:
        headers = {"origin": SITE, "sec-websocket-protocol": f"belvedere.ticket.{await page.ticket()}"}
        assert (await page.client.delete("/api/v1/session", headers=headers)).status_code == 401


async def test_the_end_of_the_session_closes_the_socket_and_refuses_bearer_and_ticket(open_page: OpenPage) -> None:
    async with open_page() as page:
        unused = await page.ticket()
        async with page.socket(await page.ticket()) as peer:
            peer.send_json({"type": "hello", "clock": 1})
            await peer.receive("welcome")
            page.rig.invitations.end(page.session.id, EndReason.REVOKED)
            await peer.over()
            assert peer.close_code == 4401
        refused = await page.post("/api/v1/tickets")
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == SITE
        async with page.socket(unused) as peer:
            await peer.over()
            assert peer.status == 401


async def test_only_a_page_of_another_site_gets_a_bearer_instead_of_a_cookie(open_page: OpenPage) -> None:
    async with open_page() as page:
        session = page.rig.open_session().session
        for frontend in (None, Frontend(origin=SITE, is_same_site=True)):
            assert bearer_for(frontend, page.rig.invitations, session) is None
        issued = bearer_for(Frontend(origin=OTHER, is_same_site=False), page.rig.invitations, session)
        assert issued is not None
        assert page.rig.invitations.bearers.find(issued.bearer, OTHER) == session.id
