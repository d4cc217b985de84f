"""`/api/v1/head` over HTTP."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from belvedere.control.options import ControlOptions
from belvedere.gateway.app import create_app
from belvedere.gateway.parts import Parts
from belvedere.head.axes import Axis
from belvedere.testing.house import open_house

MakeParts = Callable[..., Parts]
MakeClient = Callable[..., httpx.AsyncClient]
VELOCITY = "/api/v1/head/velocity"
JSON = {"content-type": "application/json"}


async def test_a_script_turns_the_head(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house)), house.let_in().cookie) as client:
        response = await client.post(VELOCITY, json={"pan": -0.5, "for_ms": 200})
        assert (response.status_code, response.json()) == (200, {"for_ms": 200.0})
        assert house.units[Axis.PAN].velocity < 0
        assert house.units[Axis.TILT].velocity == 0


async def test_without_a_time_it_is_the_dead_mans(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house)), house.let_in().cookie) as client:
        assert (await client.post(VELOCITY, json={"tilt": 1})).json() == {"for_ms": 500.0}


async def test_a_stop_is_for_everyone(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house:
        app = create_app(make_parts(house))
        async with make_client(app, house.let_in().cookie) as ana, make_client(app, house.let_in().cookie) as ben:
            await ana.post(VELOCITY, json={"pan": 1})
            response = await ben.post("/api/v1/head/stop")
            assert (response.status_code, response.json()) == (200, {"stopped": True})
            assert house.units[Axis.PAN].velocity == 0


async def test_two_drivers_at_once_are_one_too_many(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house:
        app = create_app(make_parts(house))
        async with make_client(app, house.let_in().cookie) as ana, make_client(app, house.let_in().cookie) as ben:
            await ana.post(VELOCITY, json={"pan": 1})
            response = await ben.post(VELOCITY, json={"pan": -1})
            assert response.status_code == 409
            assert response.json() == {"code": "someone_else_drives", "message": "someone else is driving"}
            assert house.units[Axis.PAN].velocity > 0


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
        [],
        "right",
        7,
    ],
)
async def test_what_makes_no_sense_is_refused(make_parts: MakeParts, make_client: MakeClient, body: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    async with open_house() as house, make_client(create_app(make_parts(house)), house.let_in().cookie) as client:
        response = await client.post(VELOCITY, json=body)
        assert response.status_code == 400
        assert response.json()["code"] == "bad_message"
        assert not any(velocity for _, velocity in house.units[Axis.PAN].velocities)


@pytest.mark.parametrize(
    "text", ["", "{", '{"pan":NaN}', '{"pan":1e999}', "[" * 60_000, '{"pan":' * 5_000, '{"pan":"' + "x" * 50_000 + '"}']
)
async def test_what_is_no_json_is_refused(make_parts: MakeParts, make_client: MakeClient, text: str) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house)), house.let_in().cookie) as client:
        response = await client.post(VELOCITY, content=text, headers=JSON)
        assert response.status_code == 400
        assert response.json()["code"] == "bad_message"
        assert len(response.text) < 300


async def test_a_huge_body_is_refused(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house)), house.let_in().cookie) as client:
        response = await client.post(VELOCITY, content=b" " * 100_000, headers=JSON)
        assert response.status_code == 413
        assert response.json()["code"] == "too_large"


async def test_a_shorter_dead_man_bounds_it(make_parts: MakeParts, make_client: MakeClient) -> None:
    options = ControlOptions(dead_man_s=0.2)
    async with (
        open_house(options) as house,
        make_client(create_app(make_parts(house)), house.let_in().cookie) as client,
    ):
        assert (await client.post(VELOCITY, json={"for_ms": 201})).status_code == 400
        assert (await client.post(VELOCITY, json={"for_ms": 200})).status_code == 200


@pytest.mark.parametrize("path", [VELOCITY, "/api/v1/head/stop"])
async def test_it_wants_a_post(make_parts: MakeParts, make_client: MakeClient, path: str) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house)), house.let_in().cookie) as client:
        response = await client.get(path)
        assert response.status_code == 405
        assert response.json()["code"] == "method_not_allowed"
        assert "POST" in response.headers["allow"]


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}, {"content-type": "multipart/form-data"}])
async def test_it_wants_json(make_parts: MakeParts, make_client: MakeClient, headers: dict[str, str]) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house)), house.let_in().cookie) as client:
        response = await client.post(VELOCITY, content='{"pan":1}', headers=headers)
        assert response.status_code == 415
        assert response.json()["code"] == "wrong_content_type"
        assert house.units[Axis.PAN].velocity == 0
