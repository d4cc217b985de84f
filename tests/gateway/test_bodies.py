"""A body that comes late, or never, holds up nobody and outlives no visit."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.access.invitations import AccessOptions
from belvedere.access.sessions import EndReason
from belvedere.gateway.app import create_app
from belvedere.gateway.bodies import BODY_TIMEOUT_S
from belvedere.gateway.dependencies import Dependencies

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
WHEP, VELOCITY = ("/api/v1/stage/whep", "application/sdp"), ("/api/v1/head/velocity", "application/json")


async def trickled(*dependencies: bytes, every_s: float) -> AsyncIterator[bytes]:
    """A body whose parts come one by one, the first at once."""
    for part in dependencies:
        yield part
        await asyncio.sleep(every_s)


@pytest.mark.parametrize(("asked", "late"), [(WHEP, (BODY_TIMEOUT_S, 408)), (VELOCITY, (0.5, 409))])
async def test_a_body_that_never_comes_is_not_waited_for(
    make_parts: MakeParts, make_client: MakeClient, asked: tuple[str, str], late: tuple[float, int]
) -> None:
    (path, kind), (timeout_s, status) = asked, late
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        began = rig.clock()
        body = trickled(*[b" "] * 1000, every_s=1)
        response = await client.post(path, content=body, headers={"content-type": kind})
        assert rig.clock() - began == pytest.approx(timeout_s, abs=1)
        assert (response.status_code, response.json()["code"]) == (status, "too_late")
        assert response.headers["connection"] == "close"


async def test_a_body_in_parts_is_read_whole(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        body = trickled(b"v=0", b"\r\n", every_s=2)
        response = await client.post(WHEP[0], content=body, headers={"content-type": WHEP[1]})
        assert response.status_code == 201
        assert [offer for _, offer in rig.stage.offers.values()] == ["v=0\r\n"]


@pytest.mark.parametrize(("path", "kind"), [WHEP, VELOCITY])
async def test_what_was_begun_within_a_visit_is_not_given_after_its_end(
    make_parts: MakeParts, make_client: MakeClient, path: str, kind: str
) -> None:
    async with (
        open_rig(invitations=AccessOptions(session_s=0.3)) as rig,
        make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client,
    ):
        body = trickled(b"{}" if "json" in kind else b"v=0", b" ", every_s=0.2)
        response = await client.post(path, content=body, headers={"content-type": kind})
        assert (response.status_code, response.json()["code"]) == (401, "no_session")
        assert not rig.stage.offers
        assert rig.engine.status.lease.session is None


@pytest.mark.parametrize(("path", "kind"), [WHEP, VELOCITY])
async def test_what_was_begun_within_a_visit_is_not_given_after_it_was_ended(
    make_parts: MakeParts, make_client: MakeClient, path: str, kind: str
) -> None:
    async with open_rig() as rig:
        ana = rig.open_session()
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            body = trickled(b"{}" if "json" in kind else b"v=0", b" ", every_s=0.2)
            asking = asyncio.create_task(client.post(path, content=body, headers={"content-type": kind}))
            await asyncio.sleep(0.1)
            rig.invitations.end(ana.session.id, EndReason.DISPLACED)
            response = await asking
        assert (response.status_code, response.json()["code"]) == (401, "no_session")
        assert not rig.stage.offers
        assert rig.engine.status.lease.session is None
