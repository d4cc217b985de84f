"""A session says whose it is, leaving ends it and all it holds, and each person revokes their own."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.access.rights import Right, Role
from belvedere.errors import StoreError
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.head.axes import Axis
from belvedere.stage.options import Way

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


async def test_a_session_says_by_which_ways_the_picture_comes(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig:
        ways = (Way.IVS, Way.STREAM)
        cookie = rig.open_session().cookie
        async with make_client(create_app(make_parts(rig)), cookie) as client:
            assert (await client.get(SESSION)).json()["ways"] == ["direct", "stream"]
        async with make_client(create_app(replace(make_parts(rig), ways=ways)), cookie) as client:
            assert (await client.get(SESSION)).json()["ways"] == ["ivs", "stream"]


async def test_behind_https_the_cookie_for_https_is_forgotten(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with (
        open_rig() as rig,
        make_client(create_app(make_parts(rig)), base_url="https://localhost") as client,
    ):
        response = await client.delete(SESSION, headers={"cookie": f"__Host-belvedere={rig.open_session().cookie}"})
    assert response.headers["set-cookie"] == "__Host-belvedere=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"


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


async def test_a_session_says_whose_it_is_and_what_it_may_do_now(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        ana = rig.open_session("Ana", Role.OWNER)
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            told = (await client.get(SESSION)).json()
            assert (told["id"], told["person"], told["name"]) == (ana.session.id, ana.session.person, "Ana")
            assert (told["role"], told["rights"]) == ("owner", ["drive", "look", "manage", "talk"])
            assert told["ends_in_s"] == pytest.approx(ana.lifetime_s)
            rig.invitations.withhold(lambda _: frozenset({Right.LOOK}))
            assert (await client.get(SESSION)).json()["rights"] == ["drive", "manage", "talk"]
        async with make_client(create_app(make_parts(rig))) as stranger:
            assert (await stranger.get(SESSION)).status_code == 401


async def test_people_see_their_own_sessions_and_an_owner_sees_all(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        ana, phone, ben = rig.open_session("Ana"), rig.open_session("Ana"), rig.open_session("Ben", Role.OWNER)
        app = create_app(make_parts(rig))
        async with make_client(app, ana.cookie) as client, make_client(app, ben.cookie) as owner:
            own = (await client.get("/api/v1/sessions")).json()
            assert [(each["id"], each["name"], each["is_current"]) for each in own] == [
                (ana.session.id, "Ana", True),
                (phone.session.id, "Ana", False),
            ]
            assert all(each["seen_utc_s"] % 3600 == 0 for each in own)
            assert len((await owner.get("/api/v1/sessions")).json()) == 3


async def test_a_lost_device_is_revoked_at_once_and_nobody_revokes_anothers(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        ana, phone, ben = rig.open_session("Ana"), rig.open_session("Ana"), rig.open_session("Ben", Role.OWNER)
        app = create_app(make_parts(rig))
        async with make_client(app, ana.cookie) as client, make_client(app, ben.cookie) as owner:
            assert (await client.delete(f"/api/v1/sessions/{phone.session.id}")).status_code == 204
            assert not rig.invitations.is_live(phone.session)
            for unknown in (phone.session.id, ben.session.id, "x"):
                assert (await client.delete(f"/api/v1/sessions/{unknown}")).status_code == 404
            assert (await owner.delete(f"/api/v1/sessions/{ana.session.id}")).status_code == 204
            assert (await client.get(SESSION)).status_code == 401


async def test_a_revoked_session_has_ended_even_where_the_disk_fails_and_the_answer_says_so(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async def fail() -> None:
        raise StoreError("the disk is full")

    async with open_rig() as rig:
        ana, phone = rig.open_session("Ana"), rig.open_session("Ana")
        app = create_app(replace(make_parts(rig), save_access=fail))
        async with make_client(app, ana.cookie) as client:
            answer = await client.delete(f"/api/v1/sessions/{phone.session.id}")
        assert (answer.status_code, rig.invitations.is_live(phone.session)) == (503, False)
        assert "a restart may undo it" in answer.json()["message"]
