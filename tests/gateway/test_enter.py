"""A one-time link becomes a session, once."""

from collections.abc import Callable

import httpx
import pytest

from belvedere.gateway.app import create_app
from belvedere.gateway.parts import Parts
from belvedere.testing.house import open_house

MakeParts = Callable[..., Parts]
MakeClient = Callable[..., httpx.AsyncClient]


async def test_a_link_opens_the_door(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house))) as client:
        assert (await client.get("/")).status_code == 401
        response = await client.get(f"/enter/{house.door.invite()}")
        assert (response.status_code, response.headers["location"]) == (303, "/")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        cookie = response.headers["set-cookie"]
        assert cookie.startswith("belvedere-8080=")
        assert cookie.endswith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax")
        assert (await client.get("/")).status_code == 503  # let in, to a page that is not built


async def test_behind_https_the_cookie_is_for_https(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house:
        async with make_client(create_app(make_parts(house)), base_url="https://localhost") as client:
            response = await client.get(f"/enter/{house.door.invite()}")
        assert response.headers["set-cookie"].startswith("belvedere=")
        assert response.headers["set-cookie"].endswith("; Secure")


async def test_a_used_link_says_so(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_house() as house:
        app, token = create_app(make_parts(house)), house.door.invite()
        async with make_client(app) as ana, make_client(app) as ben:
            await ana.get(f"/enter/{token}")
            response = await ben.get(f"/enter/{token}")
            assert response.status_code == 403
            assert "does not work any more" in response.text
            assert "set-cookie" not in response.headers
            again = await ana.get(f"/enter/{token}")
            assert (again.status_code, again.headers["location"]) == (303, "/")
            assert "set-cookie" not in again.headers


@pytest.mark.parametrize("token", ["unknown-token", "%E2%98%83", "%00", "a" * 5000, "<script>"])
async def test_an_unknown_link_opens_nothing(make_parts: MakeParts, make_client: MakeClient, token: str) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house))) as client:
        response = await client.get(f"/enter/{token}")
        assert response.status_code == 403
        assert token not in response.text


async def test_whoever_is_in_already_leaves_the_link_for_another(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_house() as house:
        app, token = create_app(make_parts(house)), house.door.invite()
        async with make_client(app, house.let_in().cookie) as ana, make_client(app) as ben:
            assert (await ana.get(f"/enter/{token}")).status_code == 303
            assert "set-cookie" in (await ben.get(f"/enter/{token}")).headers


@pytest.mark.parametrize("method", ["HEAD", "POST"])
async def test_only_opening_a_link_uses_it_up(make_parts: MakeParts, make_client: MakeClient, method: str) -> None:
    async with open_house() as house, make_client(create_app(make_parts(house))) as client:
        token = house.door.invite()
        assert (await client.request(method, f"/enter/{token}")).status_code == 405
        assert (await client.get(f"/enter/{token}")).status_code == 303
