"""`/api/v1/stage/whep`, as the WHEP draft specifies it."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from tests.support.engine_rig import FakeStage, open_rig

from belvedere.access.sessions import EndReason
from belvedere.errors import StageError, StageReason
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.secret import Secret
from belvedere.stage.direct.answer import Answer
from belvedere.stage.options import IceServer

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
PATH = "/api/v1/stage/whep"
SDP = {"content-type": "application/sdp"}


async def test_an_offer_is_answered(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig:
        ana = rig.open_session()
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            response = await client.post(PATH, content="v=0\r\no=offer", headers=SDP)
        assert response.status_code == 201
        assert response.headers["content-type"] == "application/sdp"
        assert response.headers["location"] == f"{PATH}/viewer0"
        assert response.headers["belvedere-capture-clock"] == "rtp=90000;server=1000"
        assert response.headers["cache-control"] == "no-store"
        assert response.text == "v=0\r\n"
        assert rig.stage.offers == {"viewer0": (ana.session.id, "v=0\r\no=offer")}


async def test_an_offer_may_name_its_view(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        await client.post(f"{PATH}?view=a-view_1", content="v=0", headers=SDP)
        await client.post(PATH, content="v=0", headers=SDP)
        assert rig.stage.views == ["a-view_1", ""]


@pytest.mark.parametrize("view", ["a%0Ab", "%20", "a" * 65, "%F0%9F%98%80"])
async def test_a_view_with_another_name_is_refused(make_parts: MakeParts, make_client: MakeClient, view: str) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.post(f"{PATH}?view={view}", content="v=0", headers=SDP)
        assert response.status_code == 400
        assert not rig.stage.offers


@pytest.mark.parametrize("kind", ["application/sdp; charset=utf-8", "Application/SDP", "application/sdp;"])
async def test_the_types_spelling_is_free(make_parts: MakeParts, make_client: MakeClient, kind: str) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        assert (await client.post(PATH, content="v=0", headers={"content-type": kind})).status_code == 201


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}, {"content-type": "text/plain"}])
async def test_another_type_is_refused(make_parts: MakeParts, make_client: MakeClient, headers: dict[str, str]) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.post(PATH, content="v=0", headers=headers)
        assert response.status_code == 415
        assert response.json()["code"] == "wrong_content_type"
        assert response.headers["accept-post"] == "application/sdp"


async def test_a_huge_offer_is_refused(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.post(PATH, content="v" * 70_000, headers=SDP)
        assert response.status_code == 413
        assert not rig.stage.offers


async def test_an_offer_that_is_not_text_is_refused(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.post(PATH, content=b"\xff\xfe", headers=SDP)
        assert (response.status_code, response.json()["code"]) == (400, "bad_offer")


@pytest.mark.parametrize(
    ("reason", "status", "retry_after"),
    [
        (StageReason.BAD_OFFER, 400, None),
        (StageReason.NO_COMMON_CODEC, 422, None),
        (StageReason.TOO_MANY_VIEWERS, 503, "10"),
        (StageReason.NO_PICTURE, 503, "2"),
    ],
)
async def test_refusals_of_the_stage_become_problems(
    make_parts: MakeParts, make_client: MakeClient, reason: StageReason, status: int, retry_after: str | None
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        rig.stage.refusal = reason
        response = await client.post(PATH, content="v=0", headers=SDP)
        assert (response.status_code, response.json()["code"]) == (status, reason)
        assert response.headers.get("retry-after") == retry_after


async def test_watching_ends_with_a_delete(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        location = (await client.post(PATH, content="v=0", headers=SDP)).headers["location"]
        assert (await client.delete(location)).status_code == 200
        assert not rig.stage.offers
        response = await client.delete(location)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_a_visitor_cannot_end_another_ones_watching(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig:
        app = create_app(make_parts(rig))
        async with (
            make_client(app, rig.open_session().cookie) as ana,
            make_client(app, rig.open_session().cookie) as ben,
        ):
            location = (await ana.post(PATH, content="v=0", headers=SDP)).headers["location"]
            assert (await ben.delete(location)).status_code == 404
            assert rig.stage.offers


@pytest.mark.parametrize("path", [PATH, f"{PATH}/viewer0"])
async def test_a_get_succeeds_without_content(make_parts: MakeParts, make_client: MakeClient, path: str) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.get(path)
        assert (response.status_code, response.content) == (204, b"")


async def test_a_head_shows_the_endpoints_type(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.head(PATH)
        assert (response.status_code, response.headers["content-type"]) == (200, "application/sdp")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("path", [PATH, f"{PATH}/viewer0"])
async def test_methods_of_the_draft_that_are_not_supported_are_405(
    make_parts: MakeParts, make_client: MakeClient, path: str, method: str
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.request(method, path, content="a=ice-ufrag:x")
        assert response.status_code == 405
        assert "OPTIONS" in response.headers["allow"]


async def test_options_says_what_may_be_posted(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        endpoint, resource = await client.options(PATH), await client.options(f"{PATH}/viewer0")
        assert (endpoint.status_code, resource.status_code) == (200, 204)
        assert endpoint.headers["accept-post"] == "application/sdp"
        assert endpoint.headers["allow"] == "GET, HEAD, OPTIONS, POST"
        assert resource.headers["allow"] == "DELETE, GET, OPTIONS"


async def test_ice_servers_are_in_the_answer_and_in_options(make_parts: MakeParts, make_client: MakeClient) -> None:
    servers = (
        IceServer(url="stun:stun.example.org"),
        IceServer(
            url="turn:turn.example.org:3478?transport=udp", username="whoever", credential=Secret('a "b" \\ c, d; e')
        ),
    )
    async with open_rig() as rig:
        rig.stage.ice_servers = servers
        ana, app = rig.open_session(), create_app(make_parts(rig))
        async with make_client(app, ana.cookie) as client:
            answered = await client.post(PATH, content="v=0", headers=SDP)
            described = await client.options(PATH)
        async with make_client(app) as anonymous:
            refused = await anonymous.options(PATH)
    assert answered.headers["link"] == described.headers["link"]
    assert described.headers["link"] == (  # with credentials of her own session
        '<stun:stun.example.org>; rel="ice-server", '
        '<turn:turn.example.org:3478?transport=udp>; rel="ice-server"; '
        f'username="{ana.session.id}"; '
        'credential="a \\"b\\" \\\\ c, d; e"; credential-type="password"'
    )
    assert refused.status_code == 401
    assert "link" not in refused.headers


async def test_without_ice_servers_there_is_no_link_header(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        assert "link" not in (await client.post(PATH, content="v=0", headers=SDP)).headers
        assert "link" not in (await client.options(PATH)).headers


async def test_the_rate_of_a_visitors_offers_is_limited(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        statuses = [(await client.post(PATH, content="v=0", headers=SDP)).status_code for _ in range(12)]
        assert statuses == [201] * 10 + [429] * 2


class SlowStage(FakeStage):
    """A stage that takes a second to answer; the viewer is known before or after it."""

    def __init__(self, *, knows_early: bool) -> None:
        super().__init__()
        self._knows_early = knows_early

    async def answer(self, offer_sdp: str, owner: str, view: str = "") -> Answer:
        if not self._knows_early:
            await asyncio.sleep(1)
            return await super().answer(offer_sdp, owner, view)
        answer = await super().answer(offer_sdp, owner, view)
        await asyncio.sleep(1)
        if answer.id not in self.offers:
            raise StageError(StageReason.NO_PICTURE, "the connection ended before it began")
        return answer


@pytest.mark.parametrize("knows_early", [True, False])
async def test_an_offer_that_is_being_answered_as_the_visit_ends_leaves_no_picture(
    make_parts: MakeParts, make_client: MakeClient, *, knows_early: bool
) -> None:
    async with open_rig() as rig:
        rig.stage = SlowStage(knows_early=knows_early)
        ana = rig.open_session()
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            asking = asyncio.create_task(client.post(PATH, content="v=0", headers=SDP))
            await asyncio.sleep(0.5)
            rig.invitations.end(ana.session.id, EndReason.LEFT)
            response = await asking
        assert (response.status_code, response.json()["code"]) == (401, "no_session")
        assert not rig.stage.offers
