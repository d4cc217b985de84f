"""Whoever leaves is out at once, with all that was theirs."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.head.axes import Axis

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
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
async def test_another_sites_page_sends_nobody_away(
    make_parts: MakeParts, make_client: MakeClient, origin: str
) -> None:
    async with open_rig() as rig:
        ana = rig.open_session()
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            assert (await client.delete(SESSION, headers={"origin": origin})).status_code == 403
        assert rig.invitations.is_live(ana.session)
