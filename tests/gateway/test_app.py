"""The application as a whole: what it says of itself is what it does."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import belvedere
from belvedere.gateway.app import create_app
from belvedere.gateway.parts import Parts
from belvedere.testing.house import open_house

MakeParts = Callable[..., Parts]
MakeClient = Callable[..., httpx.AsyncClient]


async def test_the_api_describes_itself_to_visitors(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house)), house.let_in().cookie) as client:
        document = (await client.get("/schema")).json()
        assert (await client.get("/schema/openapi.json")).json() == document
        assert document["info"]["version"] == belvedere.__version__
        assert set(document["paths"]) == {
            "/api/v1/head/velocity",
            "/api/v1/head/stop",
            "/api/v1/stage/whep",
            "/api/v1/stage/whep/{viewer}",
            "/healthz",
            "/readyz",
        }
        answered = document["paths"]["/api/v1/stage/whep"]["post"]
        assert set(answered["responses"]["201"]["headers"]) == {"Location", "Belvedere-Capture-Clock"}
        assert set(answered["responses"]["201"]["content"]) == {"application/sdp"}


async def test_the_description_is_not_for_strangers(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house))) as client:
        assert (await client.get("/schema")).status_code == 401


@pytest.mark.parametrize("path", ["/schema/swagger", "/schema/redoc", "/schema/elements", "/schema/rapidoc"])
async def test_no_page_of_somebody_elses_is_served(make_parts: MakeParts, make_client: MakeClient, path: str) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house)), house.let_in().cookie) as client:
        response = await client.get(path)
        assert response.status_code == 404
        assert "<script" not in response.text


async def test_its_life_begins_and_ends_cleanly(make_parts: MakeParts) -> None:
    sent: list[str] = []
    to_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI
        sent.append(message["type"])

    async with open_house() as house:
        app: Any = create_app(make_parts(house))
        living = asyncio.create_task(app({"type": "lifespan", "state": {}}, to_app.get, send))
        to_app.put_nowait({"type": "lifespan.startup"})
        await asyncio.sleep(30)
        assert sent == ["lifespan.startup.complete"]
        to_app.put_nowait({"type": "lifespan.shutdown"})
        await living
        assert sent[1:] == ["lifespan.shutdown.complete"]
