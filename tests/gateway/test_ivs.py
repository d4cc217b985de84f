"""`/api/v1/stage/ivs`: who gets a token, what a page repeats, and what the household is told of the hours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.rights import Right, Role
from belvedere.access.sessions import EndReason
from belvedere.errors import StageError, StageReason
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.rate_limits import IVS_TOKEN
from belvedere.secret import Secret
from belvedere.stage.ivs.participants import BEAT_S, Admission
from belvedere.stage.ivs.token_source import JOIN_S, ParticipantToken
from belvedere.stage.ivs_options import IvsOptions
from belvedere.store.participants import SavedMonth

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
PATH = "/api/v1/stage/ivs"
PARTICIPANTS = f"{PATH}/participants"
STAGE = "arn:aws:ivs:eu-central-1:123456789012:stage/AbCdEfGhIjKl"


class FakeHours:
    """The hours of a month."""

    is_used_up = False
    is_saving = True

    def months(self) -> list[SavedMonth]:
        return [SavedMonth(month="2026-12", participant_s=3600)]


class FakeIvs:
    """Participants without a stage; `delay_s` is how long a token takes."""

    def __init__(self) -> None:
        self.options = IvsOptions(stage_arn=STAGE, monthly_hours=100)
        self.hours = FakeHours()
        self.refusal: StageReason | None = None
        self.delay_s = 0.0
        self.participants: dict[str, tuple[str, str]] = {}
        self.beats: list[str] = []
        self.may_look: Callable[[], bool] = bool
        self.refreshes = 0

    def refresh(self) -> None:
        self.refreshes += 1

    async def admit(
        self, owner: str, view: str, require_permitted: Callable[[], None], may_look: Callable[[], bool]
    ) -> Admission:
        if self.refusal is not None:
            raise StageError(self.refusal)
        await asyncio.sleep(self.delay_s)
        require_permitted()
        self.may_look = may_look
        name = f"p{len(self.participants)}"
        self.participants[name] = (owner, view)
        return Admission(ParticipantToken(name, Secret("a token"), None, 0.0))

    def receive_beat(self, participant: str, owner: str) -> None:
        self._require(participant, owner)
        self.beats.append(participant)

    async def leave(self, participant: str, owner: str) -> None:
        self._require(participant, owner)
        del self.participants[participant]

    def _require(self, participant: str, owner: str) -> None:
        if self.participants.get(participant, ("", ""))[0] != owner:
            raise StageError(StageReason.NOT_FOUND)


def app_with(make_parts: MakeParts, rig: EngineRig, ivs: FakeIvs | None) -> object:
    return create_app(replace(make_parts(rig), ivs=ivs))


async def test_a_page_gets_a_token_repeats_that_it_watches_and_leaves(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    ivs = FakeIvs()
    async with open_rig() as rig:
        ana = rig.open_session("ana")
        async with make_client(app_with(make_parts, rig, ivs), ana.cookie) as client:
            response = await client.post(f"{PARTICIPANTS}?view=a-view")
            assert response.status_code == 201
            assert response.json() == {
                "participant": "p0",
                "token": "a token",
                "join_within_s": JOIN_S,
                "beat_s": BEAT_S,
            }
            assert response.headers["cache-control"] == "no-store"
            assert ivs.participants == {"p0": (ana.session.id, "a-view")}
            assert (await client.put(f"{PARTICIPANTS}/p0")).status_code == 204
            assert ivs.beats == ["p0"]
            assert (await client.delete(f"{PARTICIPANTS}/p0")).status_code == 204
            assert (await client.put(f"{PARTICIPANTS}/p0")).status_code == 404
            assert (await client.delete(f"{PARTICIPANTS}/p0")).status_code == 404


async def test_a_participant_is_that_of_its_session_alone(make_parts: MakeParts, make_client: MakeClient) -> None:
    ivs = FakeIvs()
    async with open_rig() as rig:
        app = app_with(make_parts, rig, ivs)
        async with make_client(app, rig.open_session("ana").cookie) as client:
            await client.post(PARTICIPANTS)
        async with make_client(app, rig.open_session("ben").cookie) as client:
            assert (await client.put(f"{PARTICIPANTS}/p0")).status_code == 404
            assert (await client.delete(f"{PARTICIPANTS}/p0")).status_code == 404


@pytest.mark.parametrize("reason", [StageReason.IVS_UNAVAILABLE, StageReason.IVS_USED_UP, StageReason.TOO_MANY_VIEWERS])
async def test_a_page_is_told_to_take_another_way(
    make_parts: MakeParts, make_client: MakeClient, reason: StageReason
) -> None:
    ivs = FakeIvs()
    ivs.refusal = reason
    async with open_rig() as rig, make_client(app_with(make_parts, rig, ivs), rig.open_session().cookie) as client:
        response = await client.post(PARTICIPANTS)
        assert (response.status_code, response.json()["code"]) == (503, reason)


async def test_a_house_without_ivs_has_nothing_there(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(app_with(make_parts, rig, None), rig.open_session().cookie) as client:
        assert (await client.post(PARTICIPANTS)).status_code == 404
        assert (await client.put(f"{PARTICIPANTS}/p0")).status_code == 404
        assert (await client.delete(f"{PARTICIPANTS}/p0")).status_code == 404


async def test_a_session_that_ends_while_its_token_is_made_does_not_get_it(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    ivs = FakeIvs()
    ivs.delay_s = 1.0
    async with open_rig() as rig:
        ana = rig.open_session("ana")
        async with make_client(app_with(make_parts, rig, ivs), ana.cookie) as client:
            asking = asyncio.create_task(client.post(PARTICIPANTS))
            await asyncio.sleep(0.5)
            rig.invitations.end(ana.session.id, EndReason.REVOKED)
            response = await asking
        assert (response.status_code, ivs.participants) == (401, {})
        assert "a token" not in response.text


async def test_whether_a_session_may_look_is_known_after_it_has_ended(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    ivs = FakeIvs()
    async with open_rig() as rig:
        ana = rig.open_session("ana")
        async with make_client(app_with(make_parts, rig, ivs), ana.cookie) as client:
            await client.post(PARTICIPANTS)
        assert ivs.may_look()
        assert ivs.refreshes == 0
        rig.invitations.end(ana.session.id, EndReason.REVOKED)
        assert not ivs.may_look()
        assert ivs.refreshes == 1  # within the call


async def test_who_may_not_look_gets_no_token(make_parts: MakeParts, make_client: MakeClient) -> None:
    ivs = FakeIvs()
    async with open_rig() as rig:
        session = rig.open_session("ana", rights=frozenset({Right.DRIVE}))
        async with make_client(app_with(make_parts, rig, ivs), session.cookie) as client:
            response = await client.post(PARTICIPANTS)
        assert (response.status_code, response.json()["code"], ivs.participants) == (403, "not_permitted", {})


async def test_tokens_have_a_rate_of_their_own(make_parts: MakeParts, make_client: MakeClient) -> None:
    ivs = FakeIvs()
    async with open_rig() as rig, make_client(app_with(make_parts, rig, ivs), rig.open_session().cookie) as client:
        statuses = [(await client.post(PARTICIPANTS)).status_code for _ in range(100)]
    assert statuses.count(201) == len(ivs.participants) == IVS_TOKEN.burst
    assert set(statuses[int(IVS_TOKEN.burst) :]) == {429}


async def test_a_view_has_a_name_like_any_other(make_parts: MakeParts, make_client: MakeClient) -> None:
    ivs = FakeIvs()
    async with open_rig() as rig, make_client(app_with(make_parts, rig, ivs), rig.open_session().cookie) as client:
        assert (await client.post(f"{PARTICIPANTS}?view=a%20b")).status_code == 400
    assert not ivs.participants


async def test_those_who_run_the_house_see_the_hours(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig:
        app = app_with(make_parts, rig, FakeIvs())
        async with make_client(app, rig.open_session("olga", Role.OWNER).cookie) as client:
            assert (await client.get(f"{PATH}/hours")).json() == {
                "months": [{"month": "2026-12", "participant_s": 3600}],
                "price_usd": 0.072,
                "monthly_hours": 100,
                "is_used_up": False,
                "is_saving": True,
            }
        async with make_client(app, rig.open_session("ana").cookie) as client:
            assert (await client.get(f"{PATH}/hours")).status_code == 403
