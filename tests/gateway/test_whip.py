"""`/api/v1/stage/whip`, as RFC 9725 specifies it: for the one program that has the publisher's token."""

import dataclasses
from collections.abc import Callable

import httpx
import pytest
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.programs import Programs, publisher_session
from belvedere.errors import StageError, StageReason
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.secret import Secret
from belvedere.stage.direct.whip import WhipAnswer

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
PATH = "/api/v1/stage/whip"
TOKEN = Secret("a-token-of-the-settings")
SDP = {"content-type": "application/sdp"}


class FakePublishing:
    """Answers every offer; `refusal` makes it refuse."""

    def __init__(self) -> None:
        self.offers: dict[str, str] = {}
        self.refusal: StageReason | None = None

    async def publish(self, offer_sdp: str) -> WhipAnswer:
        if self.refusal is not None:
            raise StageError(self.refusal)
        self.offers = {f"publisher{len(self.offers)}": offer_sdp}
        return WhipAnswer(next(iter(self.offers)), "v=0\r\n")

    def end(self, publisher_id: str) -> None:
        if self.offers.pop(publisher_id, None) is None:
            raise StageError(StageReason.NOT_FOUND)


def publishing(rig: EngineRig, make_parts: MakeParts, fake: FakePublishing | None) -> object:
    parts = dataclasses.replace(make_parts(rig), publishing=fake)
    parts.invitations.programs = Programs([(publisher_session(), TOKEN)])
    return create_app(parts)


def having_token(client: httpx.AsyncClient) -> httpx.AsyncClient:
    client.headers["authorization"] = f"Bearer {TOKEN.reveal()}"
    return client


async def test_a_program_publishes_until_it_deletes_its_resource(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    fake = FakePublishing()
    async with open_rig() as rig, having_token(make_client(publishing(rig, make_parts, fake))) as client:
        response = await client.post(PATH, content="v=0\r\no=offer", headers=SDP)
        assert (response.status_code, response.text) == (201, "v=0\r\n")
        assert response.headers["content-type"] == "application/sdp"
        assert response.headers["location"] == f"{PATH}/publisher0"
        assert fake.offers == {"publisher0": "v=0\r\no=offer"}
        assert (await client.delete(response.headers["location"])).status_code == 200
        assert (await client.delete(response.headers["location"])).status_code == 404


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("another-token-of-nobody", 401)])
async def test_nobody_publishes_without_the_token(
    make_parts: MakeParts, make_client: MakeClient, token: str | None, status: int
) -> None:
    fake = FakePublishing()
    async with open_rig() as rig, make_client(publishing(rig, make_parts, fake)) as client:
        headers = SDP if token is None else {"authorization": f"Bearer {token}", **SDP}
        assert (await client.post(PATH, content="v=0", headers=headers)).status_code == status
        assert not fake.offers


async def test_a_visitor_does_not_publish(make_parts: MakeParts, make_client: MakeClient) -> None:
    fake = FakePublishing()
    async with open_rig() as rig:
        async with make_client(publishing(rig, make_parts, fake), rig.open_session().cookie) as client:
            response = await client.post(PATH, content="v=0", headers=SDP)
        assert (response.status_code, response.json()["code"]) == (403, "not_permitted")
        assert not fake.offers


async def test_where_the_camera_is_of_another_kind_there_is_nothing_to_publish_to(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, having_token(make_client(publishing(rig, make_parts, None))) as client:
        response = await client.post(PATH, content="v=0", headers=SDP)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert (await client.delete(f"{PATH}/publisher0")).status_code == 404


@pytest.mark.parametrize(
    ("reason", "status"),
    [(StageReason.BAD_OFFER, 400), (StageReason.NO_COMMON_CODEC, 422), (StageReason.NO_PICTURE, 503)],
)
async def test_refusals_become_problems(
    make_parts: MakeParts, make_client: MakeClient, reason: StageReason, status: int
) -> None:
    fake = FakePublishing()
    fake.refusal = reason
    async with open_rig() as rig, having_token(make_client(publishing(rig, make_parts, fake))) as client:
        response = await client.post(PATH, content="v=0", headers=SDP)
        assert (response.status_code, response.json()["code"]) == (status, reason)


async def test_another_type_and_too_many_offers_are_refused(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, having_token(make_client(publishing(rig, make_parts, FakePublishing()))) as client:
        assert (await client.post(PATH, content="v=0")).status_code == 415
        statuses = [(await client.post(PATH, content="v=0", headers=SDP)).status_code for _ in range(12)]
        assert statuses == [201] * 10 + [429] * 2


async def test_what_may_be_done_is_said_and_there_is_nothing_to_read(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, having_token(make_client(publishing(rig, make_parts, FakePublishing()))) as client:
        described = await client.options(PATH)
        assert (described.status_code, described.headers["accept-post"]) == (200, "application/sdp")
        for path in (PATH, f"{PATH}/publisher0"):
            response = await client.get(path)
            assert (response.status_code, response.content) == (204, b"")
            assert (await client.patch(path)).status_code == 405
