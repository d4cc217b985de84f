"""The list of rooms is told to those who have a session, and to nobody else, in no header either."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.access.rights import Role
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.listed_rooms import ListedRoom

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
KITCHEN, OTHER_SITE = "https://kitchen.example.org", "https://family.example.net"
ROOMS = (
    ListedRoom(name="Kitchen", url="https://kitchen.example.org"),
    ListedRoom(name="Study", url="https://home.example.org/study"),
    ListedRoom(name="Attic", url="https://home.example.org/attic"),
)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<!doctype html>")
    return tmp_path


@pytest.mark.parametrize("role", [Role.OWNER, Role.RESIDENT, Role.VISITOR, Role.GUEST])
async def test_everybody_with_a_session_is_told_the_list(
    make_parts: MakeParts, make_client: MakeClient, role: Role
) -> None:
    async with open_rig() as rig:
        app = create_app(replace(make_parts(rig), rooms=ROOMS))
        async with make_client(app, rig.open_session("Ana", role).cookie) as client:
            told = (await client.get("/api/v1/rooms")).json()
            assert told == [{"name": room.name, "url": room.url} for room in ROOMS]
            assert (await client.get("/api/v1/session")).json()["rooms"] == 3


async def test_strangers_and_pages_of_other_sites_are_told_nothing(
    make_parts: MakeParts, make_client: MakeClient, page: Path
) -> None:
    async with open_rig() as rig:
        app = create_app(replace(make_parts(rig, page), rooms=ROOMS, frontends=(OTHER_SITE,)))
        async with make_client(app) as stranger:
            for path in ("/rooms", "/api/v1/rooms", "/", "/schema/openapi.json"):
                answer = await stranger.get(path)
                told = f"{answer.text} {answer.headers}".lower()
                assert not [word for word in ("kitchen", "study", "attic", "home.example") if word in told], path
        bearer = rig.invitations.bearers.issue(rig.open_session("Ana").session.id, OTHER_SITE).bearer
        headers = {"origin": OTHER_SITE, "sec-fetch-site": "cross-site", "authorization": f"Bearer {bearer}"}
        async with make_client(app) as elsewhere:
            answer = await elsewhere.get("/api/v1/rooms", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


async def test_the_page_of_rooms_may_ask_them_and_no_other_page_may(
    make_parts: MakeParts, make_client: MakeClient, page: Path
) -> None:
    async with open_rig() as rig:
        app = create_app(replace(make_parts(rig, page), rooms=ROOMS))
        async with make_client(app, rig.open_session("Ana").cookie) as client:
            answer = await client.get("/rooms")
            policy = answer.headers["content-security-policy"]
            own = "connect-src 'self' ws://127.0.0.1:8080 wss://127.0.0.1:8080"
            assert f"{own} https://kitchen.example.org https://home.example.org;" in policy
            assert (answer.text, answer.headers["cache-control"]) == ("<!doctype html>", "no-store")
            assert f"{own};" in (await client.get("/")).headers["content-security-policy"]


async def test_the_page_of_rooms_says_where_it_is_not_built(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig))) as client:
        assert (await client.get("/rooms")).status_code == 503


async def test_a_room_says_to_those_who_have_a_session_whether_they_may_enter(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session("Ana").cookie) as client:
        assert (await client.get("/api/v1/session")).json()["access"] == "open"
        rig.room.receive_curtain("local", is_closed=True)
        assert (await client.get("/api/v1/session")).json()["access"] == "curtain"


@pytest.mark.parametrize("is_in", [True, False])
async def test_the_page_of_another_room_may_read_that_and_nothing_else(
    make_parts: MakeParts, make_client: MakeClient, *, is_in: bool
) -> None:
    async with open_rig() as rig:
        app = create_app(replace(make_parts(rig), rooms=ROOMS))
        from_kitchen = {"origin": KITCHEN, "sec-fetch-site": "same-site"}
        async with make_client(app, rig.open_session("Ana").cookie if is_in else None) as client:
            answer = await client.get("/api/v1/session", headers=from_kitchen)
            assert answer.status_code == (200 if is_in else 401)
            assert answer.headers["access-control-allow-origin"] == KITCHEN
            assert answer.headers["access-control-allow-credentials"] == "true"
            assert "Origin" in answer.headers["vary"]
            assert "kitchen" not in answer.headers["content-security-policy"]  # it may not have ours in a frame
            for path, headers in (
                ("/api/v1/sessions", from_kitchen),
                ("/api/v1/rooms", from_kitchen),
                ("/api/v1/session", {**from_kitchen, "sec-fetch-site": "cross-site"}),
                ("/api/v1/session", {"origin": KITCHEN}),
                ("/api/v1/session", {**from_kitchen, "origin": OTHER_SITE}),
            ):
                assert "access-control-allow-origin" not in (await client.get(path, headers=headers)).headers
            stopped = await client.post("/api/v1/head/stop", headers=from_kitchen)
            assert (stopped.status_code, stopped.json()["code"]) == (403, "foreign_origin")
            left = await client.delete("/api/v1/session", headers=from_kitchen)
            assert left.status_code == 403
            asked = {**from_kitchen, "access-control-request-method": "DELETE"}
            preflight = await client.options("/api/v1/session", headers=asked)
            assert "access-control-allow-origin" not in preflight.headers
