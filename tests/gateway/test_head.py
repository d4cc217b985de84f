"""`/api/v1/head` over HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.control.options import ControlOptions
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.head.axes import Axis

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
VELOCITY = "/api/v1/head/velocity"
JSON = {"content-type": "application/json"}


async def test_a_script_turns_the_head(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.post(VELOCITY, json={"pan": -0.5, "for_ms": 200})
        assert (response.status_code, response.json()) == (200, {"for_ms": 200.0, "server": rig.clock() * 1000})
        assert rig.units[Axis.PAN].velocity < 0
        assert rig.units[Axis.TILT].velocity == 0


async def test_without_a_duration_it_is_the_dead_man_time(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        assert (await client.post(VELOCITY, json={"tilt": 1})).json()["for_ms"] == 500.0


async def trickled(*dependencies: bytes, every_s: float) -> AsyncIterator[bytes]:
    """A body whose parts come one by one, the first at once."""
    for part in dependencies:
        yield part
        await asyncio.sleep(every_s)


async def test_a_body_whose_last_byte_arrives_late_moves_nothing(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        began = rig.clock()
        response = await client.post(VELOCITY, content=trickled(b'{"pan":', b"1}", every_s=8), headers=JSON)
        assert (response.status_code, response.json()["code"]) == (409, "too_late")  # a client may repeat a 408
        assert rig.clock() - began == pytest.approx(0.5)
        assert not any(velocity for _, velocity in rig.units[Axis.PAN].velocities)


async def test_the_time_that_a_body_took_shortens_the_motion(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        began = rig.clock()
        dependencies = b'{"pan":1,', b'"for_ms":400', b"}"
        assert (
            await client.post(VELOCITY, content=trickled(*dependencies, every_s=0.1), headers=JSON)
        ).status_code == 200
        assert rig.units[Axis.PAN].velocity > 0
        await rig.units[Axis.PAN].stands_still()
        assert rig.clock() - began == pytest.approx(0.4, abs=0.005)


async def test_a_body_that_took_longer_than_the_head_was_to_turn_moves_nothing(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        body = trickled(b'{"pan":1,', b'"for_ms":150}', every_s=0.2)
        response = await client.post(VELOCITY, content=body, headers=JSON)
        assert (response.status_code, response.json()["code"]) == (409, "too_late")
        assert not any(velocity for _, velocity in rig.units[Axis.PAN].velocities)


async def test_a_request_that_the_server_first_saw_long_ago_moves_nothing(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        app = create_app(make_parts(rig))

        async def late(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's
            scope["state"] = {"request_began_at": time.monotonic() - 0.6}
            await app(scope, receive, send)

        async with make_client(late, rig.open_session().cookie) as client:
            response = await client.post(VELOCITY, json={"pan": 1})
            assert (response.status_code, response.json()["code"]) == (409, "too_late")
            assert not any(velocity for _, velocity in rig.units[Axis.PAN].velocities)


@pytest.mark.parametrize(("ahead_ms", "status"), [(1, 200), (-1, 409)])
async def test_a_deadline_on_the_servers_clock_is_kept(
    make_parts: MakeParts, make_client: MakeClient, ahead_ms: float, status: int
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        server = (await client.post("/api/v1/head/stop")).json()["server"]
        await asyncio.sleep(0.7)
        response = await client.post(VELOCITY, json={"pan": 1, "not_after": server + 700 + ahead_ms})
        assert response.status_code == status
        assert (rig.units[Axis.PAN].velocity > 0) is (status == 200)


async def test_a_stop_is_for_everyone(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig:
        app = create_app(make_parts(rig))
        async with (
            make_client(app, rig.open_session().cookie) as ana,
            make_client(app, rig.open_session().cookie) as ben,
        ):
            await ana.post(VELOCITY, json={"pan": 1})
            response = await ben.post("/api/v1/head/stop")
            assert (response.status_code, response.json()) == (200, {"stopped": True, "server": rig.clock() * 1000})
            assert rig.units[Axis.PAN].velocity == 0


async def test_a_second_driver_is_refused(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig:
        app = create_app(make_parts(rig))
        async with (
            make_client(app, rig.open_session().cookie) as ana,
            make_client(app, rig.open_session().cookie) as ben,
        ):
            await ana.post(VELOCITY, json={"pan": 1})
            response = await ben.post(VELOCITY, json={"pan": -1})
            assert response.status_code == 409
            assert response.json() == {"code": "someone_else_drives", "message": "someone else is driving"}
            assert rig.units[Axis.PAN].velocity > 0


@pytest.mark.parametrize(
    "body",
    [
        {"pan": 1.01},
        {"tilt": -2},
        {"pan": "1"},
        {"pan": None},
        {"pan": True},
        {"speed": 1},
        {"for_ms": 0},
        {"for_ms": -1},
        {"for_ms": 500.1},
        {"for_ms": 1e9},
        {"not_after": -1},
        {"not_after": "soon"},
        {"not_after": 1e16},
        [],
        "right",
        7,
    ],
)
async def test_an_invalid_velocity_is_refused(make_parts: MakeParts, make_client: MakeClient, body: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.post(VELOCITY, json=body)
        assert response.status_code == 400
        assert response.json()["code"] == "bad_message"
        assert not any(velocity for _, velocity in rig.units[Axis.PAN].velocities)


@pytest.mark.parametrize(
    "text", ["", "{", '{"pan":NaN}', '{"pan":1e999}', "[" * 20_000, '{"pan":' * 3_000, '{"pan":"' + "x" * 20_000 + '"}']
)
async def test_invalid_json_is_refused(make_parts: MakeParts, make_client: MakeClient, text: str) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.post(VELOCITY, content=text, headers=JSON)
        assert response.status_code == 400
        assert response.json()["code"] == "bad_message"
        assert len(response.text) < 300


async def test_a_huge_body_is_refused(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.post(VELOCITY, content=b" " * 100_000, headers=JSON)
        assert response.status_code == 413
        assert response.json()["code"] == "too_large"


async def test_a_shorter_dead_man_time_bounds_the_duration(make_parts: MakeParts, make_client: MakeClient) -> None:
    options = ControlOptions(dead_man_s=0.2)
    async with (
        open_rig(options) as rig,
        make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client,
    ):
        assert (await client.post(VELOCITY, json={"for_ms": 201})).status_code == 400
        assert (await client.post(VELOCITY, json={"for_ms": 200})).status_code == 200


@pytest.mark.parametrize("path", [VELOCITY, "/api/v1/head/stop"])
async def test_only_post_is_allowed(make_parts: MakeParts, make_client: MakeClient, path: str) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.get(path)
        assert response.status_code == 405
        assert response.json()["code"] == "method_not_allowed"
        assert "POST" in response.headers["allow"]


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}, {"content-type": "multipart/form-data"}])
async def test_only_json_is_accepted(make_parts: MakeParts, make_client: MakeClient, headers: dict[str, str]) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.post(VELOCITY, content='{"pan":1}', headers=headers)
        assert response.status_code == 415
        assert response.json()["code"] == "wrong_content_type"
        assert rig.units[Axis.PAN].velocity == 0


async def test_a_loop_that_goes_on_while_the_curtain_is_closed_does_not_turn_the_head_once_it_opens(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:

        async def ask(for_s: float) -> str:
            """The answer to the last of a loop of requests."""
            until, answer = rig.clock() + for_s, {}
            while rig.clock() < until:
                answer = (await client.post(VELOCITY, json={"pan": 1})).json()
                await asyncio.sleep(0.2)
            return str(answer.get("code", "moved"))

        assert await ask(1) == "moved"
        rig.room.receive_curtain("rosa", is_closed=True)
        assert await ask(10) == "curtain_closed"
        await rig.room.saved(rig.room.receive_curtain("rosa", is_closed=False))
        assert await ask(5) == "hold_ended"
        assert rig.units[Axis.PAN].velocity == 0
        await asyncio.sleep(0.5)
        assert await ask(1) == "moved"
