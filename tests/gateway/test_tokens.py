"""Over HTTP: the owner creates tokens, scripts drive with them, and revoking one stops the head within the call."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.rights import ALL_RIGHTS, NO_RIGHTS, Right, Role
from belvedere.gateway.app import create_app
from belvedere.head.axes import Axis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx

    from belvedere.gateway.dependencies import Dependencies

    MakeParts = Callable[..., Dependencies]
    MakeClient = Callable[..., httpx.AsyncClient]

PATH = "/api/v1/tokens"
VELOCITY, STOP, STILLS = "/api/v1/head/velocity", "/api/v1/head/stop", "/api/v1/stage/stills"


class House:
    """The owner's client, and clients with tokens."""

    def __init__(self, rig: EngineRig, app: object, make_client: MakeClient) -> None:
        self.rig = rig
        self._app, self._make_client = app, make_client

    def visitor(self, *rights: Right) -> httpx.AsyncClient:
        cookie = self.rig.open_session("ana", Role.OWNER, frozenset(rights)).cookie
        client = self._make_client(self._app, cookie)
        client.headers["origin"] = str(client.base_url).rstrip("/")
        return client

    def script(self, secret: str) -> httpx.AsyncClient:
        client = self._make_client(self._app)
        client.headers["authorization"] = f"Bearer {secret}"
        return client

    async def create(self, name: str = "robot", scope: str = "drive", **fields: object) -> dict[str, Any]:
        async with self.visitor(Right.MANAGE) as owner:
            response = await owner.post(PATH, json={"name": name, "scope": scope, **fields})
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created


@pytest.fixture
def house(make_parts: MakeParts, make_client: MakeClient) -> Callable[[], Any]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[House]:
        async with open_rig() as rig:
            yield House(rig, create_app(make_parts(rig)), make_client)

    return opened


async def test_a_token_drives_and_stops_and_does_nothing_else(house: Callable[[], Any]) -> None:
    async with house() as there:
        created = await there.create()
        async with there.script(created["secret"]) as script:
            assert (await script.post(VELOCITY, json={"pan": 1})).status_code == 200
            assert there.rig.units[Axis.PAN].velocity > 0
            assert (await script.post(STOP)).status_code == 200
            assert there.rig.units[Axis.PAN].velocity == 0
            for method, path in (("POST", STILLS), ("GET", PATH), ("POST", PATH), ("DELETE", "/api/v1/session")):
                response = await script.request(method, path, json={"name": "other", "scope": "drive"})
                assert response.status_code == 403, path


async def test_a_token_that_looks_does_not_drive(house: Callable[[], Any]) -> None:
    async with house() as there:
        created = await there.create("frame", "look")
        async with there.script(created["secret"]) as script:
            assert (await script.post(VELOCITY, json={"pan": 1})).status_code == 403
            offered = await script.post(
                "/api/v1/stage/whep", content="v=0", headers={"content-type": "application/sdp"}
            )
            assert offered.status_code == 201
        assert there.rig.units[Axis.PAN].velocity == 0


async def test_revoking_stops_what_it_drives_within_the_call_and_frees_the_lease(house: Callable[[], Any]) -> None:
    async with house() as there:
        created = await there.create()
        async with there.script(created["secret"]) as script, there.visitor(Right.MANAGE) as owner:
            await script.post(VELOCITY, json={"pan": 1})
            assert (await owner.delete(f"{PATH}/{created['token']['id']}")).status_code == 204
            assert there.rig.units[Axis.PAN].velocities[-1] == (there.rig.clock(), 0.0)
            assert there.rig.engine.status.lease.session is None
            assert (await owner.delete(f"{PATH}/{created['token']['id']}")).status_code == 404
            await there.create("other")  # as long as there is a token, a wrong one is refused
            assert (await script.post(VELOCITY, json={"pan": 1})).status_code == 401


async def test_the_list_tells_what_there_is_and_no_secret(house: Callable[[], Any]) -> None:
    async with house() as there:
        created = await there.create(lifetime_s=60)
        async with there.visitor(Right.MANAGE) as owner:
            response = await owner.get(PATH)
        assert response.json() == {"tokens": [created["token"]]}
        assert created["token"]["ends_utc_s"] - created["token"]["created_utc_s"] == 60
        assert created["secret"] not in response.text


async def test_what_the_room_withholds_a_script_has_not_either(house: Callable[[], Any]) -> None:
    async with house() as there:
        created = await there.create()
        async with there.script(created["secret"]) as script:
            await script.post(VELOCITY, json={"pan": 1})
            there.rig.invitations.withhold(lambda _: frozenset({Right.LOOK, Right.DRIVE}))
            assert there.rig.units[Axis.PAN].velocity == 0
            assert (await script.post(VELOCITY, json={"pan": 1})).status_code == 403
            assert (await script.post(STOP)).status_code == 200


@pytest.mark.parametrize("rights", [NO_RIGHTS, ALL_RIGHTS - {Right.MANAGE}])
async def test_who_does_not_run_the_house_sees_and_changes_nothing(
    house: Callable[[], Any], rights: frozenset[Right]
) -> None:
    async with house() as there:
        created = await there.create()
        async with there.visitor(*rights) as visitor:
            assert (await visitor.get(PATH)).status_code == 403
            assert (await visitor.post(PATH, json={"name": "mine", "scope": "drive"})).status_code == 403
            assert (await visitor.delete(f"{PATH}/{created['token']['id']}")).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "A B", "scope": "drive"},
        {"name": "robot", "scope": "manage"},
        {"name": "robot", "scope": "drive", "lifetime_s": 0},
        {"name": "robot", "scope": "drive", "rights": ["manage"]},
    ],
)
async def test_another_body_is_refused(house: Callable[[], Any], body: dict[str, object]) -> None:
    async with house() as there, there.visitor(Right.MANAGE) as owner:
        assert (await owner.post(PATH, json=body)).status_code == 400


async def test_a_name_that_is_taken_is_a_conflict(house: Callable[[], Any]) -> None:
    async with house() as there, there.visitor(Right.MANAGE) as owner:
        await there.create()
        assert (await owner.post(PATH, json={"name": "robot", "scope": "look"})).status_code == 409


async def test_only_json_is_read(house: Callable[[], Any]) -> None:
    async with house() as here, here.visitor(Right.MANAGE) as owner:
        assert (await owner.post(PATH, content=b'{"name":"robot","scope":"drive"}')).status_code == 415
