"""`/api/v1/stage/stills`: who gets a picture, and how it is labelled."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.access.sessions import EndReason
from belvedere.errors import StageReason
from belvedere.events import StillTaken
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
PATH = "/api/v1/stage/stills"


async def test_a_still_is_a_download_named_by_its_capture_and_is_recorded(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        ana = rig.open_session("ana")
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            response = await client.post(PATH)
        assert response.status_code == 200
        assert response.content == ana.session.id.encode()
        assert response.headers["content-type"] == "image/jpeg"
        name = "belvedere-2026-11-28T09-30-05.250+0000.jpg"
        assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert response.headers["last-modified"] == "Sat, 28 Nov 2026 09:30:05 GMT"
        assert response.headers["cache-control"] == "no-store"
        assert rig.events[-1] == StillTaken(ana.session.id, ana.session.person)


@pytest.mark.parametrize(
    ("query", "accept", "wanted"),
    [
        ("", "*/*", "image/jpeg"),
        ("", "image/png", "image/png"),
        ("", "image/png;q=0.1, image/*", "image/jpeg"),
        ("", "text/html", "image/jpeg"),
        ("?format=png", "*/*", "image/png"),
        ("?format=jpeg", "image/png", "image/jpeg"),
    ],
)
async def test_the_format_is_chosen_by_the_address_or_by_accept(
    make_parts: MakeParts, make_client: MakeClient, query: str, accept: str, wanted: str
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.post(PATH + query, headers={"accept": accept})
        assert (response.status_code, response.headers["content-type"]) == (200, wanted)


async def test_another_format_is_refused_before_anything_is_taken(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.post(f"{PATH}?format=tiff")
        assert (response.status_code, response.json()["code"]) == (400, "bad_message")
        assert not rig.stage.stills


@pytest.mark.parametrize(("reason", "status"), [(StageReason.NOT_WATCHING, 409), (StageReason.NO_PICTURE, 503)])
async def test_refusals_become_problems_and_are_not_recorded(
    make_parts: MakeParts, make_client: MakeClient, reason: StageReason, status: int
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        rig.stage.refusal = reason
        response = await client.post(PATH)
        assert (response.status_code, response.json()["code"]) == (status, reason)
        assert not [event for event in rig.events if isinstance(event, StillTaken)]


async def test_a_session_that_ends_while_it_is_taken_does_not_get_it(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        ana = rig.open_session()
        rig.stage.still_s = 1.0
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            asking = asyncio.create_task(client.post(PATH))
            await asyncio.sleep(0.5)
            rig.invitations.end(ana.session.id, EndReason.REVOKED)
            assert (await asking).status_code == 401
        assert not [event for event in rig.events if isinstance(event, StillTaken)]


async def test_nobody_takes_one_by_following_a_link(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        assert (await client.get(PATH)).status_code == 405
        assert not rig.stage.stills
