"""A house below a path: requests with and without it are served alike, and all that goes out begins with it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.access.rights import Role
from belvedere.errors import SettingsError
from belvedere.gateway.app import create_app
from belvedere.gateway.base_path import OURS, path_below
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.options import GatewayOptions
from belvedere.head.document import read_document

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
KITCHEN = GatewayOptions(base_path="/kitchen", names=("home.example.org",))
SDP = {"content-type": "application/sdp"}
INDEX = (
    '<meta name="belvedere-base-path" content="" /><link href="./manifest.webmanifest">'
    '<script src="./assets/index-abc.js"></script>'
)


@pytest.mark.parametrize(
    ("path", "below"),
    [
        ("/kitchen", "/"),
        ("/kitchen/", "/"),
        ("/kitchen/room", "/room"),
        ("/kitchen/kitchen/room", "/kitchen/room"),  # once
        ("/kitchen//api/v1/session", "//api/v1/session"),
        ("/kitchens/room", "/kitchens/room"),
        ("/room", "/room"),
        ("//kitchen/room", "//kitchen/room"),
        ("/", "/"),
    ],
)
def test_the_base_path_is_taken_off_where_a_path_has_it(path: str, below: str) -> None:
    assert path_below("/kitchen", path) == below
    assert path_below("", path) == path


@pytest.mark.parametrize("path", ["", "/kitchen", "/flat-2/kitchen", "/k.1_~"])
def test_a_path_of_plain_segments_may_be_set(path: str) -> None:
    assert read_document(f'base_path = "{path}"', GatewayOptions, "x.toml").base_path == path


@pytest.mark.parametrize(
    "path",
    ["/", "kitchen", "/kitchen/", "//kitchen", "/a/../b", "/.", "/a b", '/a\\"b', "/a?b", "/a%2fb", "/a/b/c/d/e"],
)
def test_any_other_path_is_refused(path: str) -> None:
    with pytest.raises(SettingsError, match=r"base_path.*/kitchen"):
        read_document(f'base_path = "{path}"', GatewayOptions, "x.toml")


@pytest.mark.parametrize("path", ["/api", "/api/kitchen", "/room", "/rooms", "/readyz", "/schema", "/assets"])
def test_a_path_of_our_own_is_refused(path: str) -> None:
    with pytest.raises(SettingsError, match=f"base_path may not begin with /{path.split('/')[1]}"):
        read_document(f'base_path = "{path}"', GatewayOptions, "x.toml")


@pytest.mark.parametrize("base", ["/kitchen", ""])
async def test_a_session_is_served_with_the_path_and_by_a_proxy_that_takes_it_off(
    make_parts: MakeParts, make_client: MakeClient, base: str
) -> None:
    async with open_rig() as rig:
        app = create_app(make_parts(rig, options=GatewayOptions(base_path="/kitchen")))
        async with make_client(app, rig.open_session("Ana").cookie) as client:
            assert (await client.get(f"{base}/api/v1/session")).json()["name"] == "Ana"
            assert (await client.get(f"{base}/healthz")).json() == {"status": "alive"}
        async with make_client(app) as client:
            assert (await client.get(f"{base}/api/v1/session")).status_code == 401
            assert (await client.get(f"{base}/api//v1/session")).status_code == 401
            assert (await client.get(f"{base}/study/api/v1/session")).status_code == 404


async def test_the_cookies_of_a_house_below_a_path_are_sent_to_that_path_alone(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        app = create_app(make_parts(rig, options=KITCHEN))
        https = "https://home.example.org/kitchen"
        async with make_client(app, base_url=https) as client:
            secret = {"secret": rig.invite()}
            entry = (await client.post("/api/v1/login/invitation/peek", json=secret)).headers["set-cookie"]
            assert entry.startswith("belvedere-entry=")
            assert "; Path=/kitchen/api/v1/login; " in entry
            came_in = (await client.post("/api/v1/login/invitation", json=secret)).headers["set-cookie"]
            assert came_in.startswith("__Secure-belvedere=")
            assert came_in.endswith("; Path=/kitchen; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure")
            value = came_in.partition(";")[0].partition("=")[2]
            of_another = await client.get("/api/v1/session", headers={"cookie": f"__Host-belvedere={value}"})
            assert of_another.status_code == 401
            assert 'cookie-name="__Secure-belvedere"' in of_another.headers["www-authenticate"]
            left = await client.delete("/api/v1/session", headers={"cookie": f"__Secure-belvedere={value}"})
            gone = "__Secure-belvedere=; Path=/kitchen; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
            assert (left.status_code, left.headers["set-cookie"]) == (204, gone)
            assert "clear-site-data" not in left.headers  # what is stored may be another room's


async def test_addresses_that_go_out_begin_with_the_path(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig:
        app = create_app(make_parts(rig, options=GatewayOptions(base_path="/kitchen")))
        owner = rig.open_session("Olga", Role.OWNER)
        async with make_client(app, owner.cookie) as client:
            offered = await client.post("/kitchen/api/v1/stage/whep", content="v=0", headers=SDP)
            assert offered.headers["location"] == "/kitchen/api/v1/stage/whep/viewer0"
            assert (await client.delete(offered.headers["location"])).status_code == 200
            person = rig.person("Ana").id
            invited = (await client.post(f"/kitchen/api/v1/people/{person}/invitations")).json()
            assert invited["link"] == f"http://127.0.0.1:8080/kitchen/join#{invited['secret']}"
            described = (await client.get("/kitchen/schema/openapi.json")).json()
            assert described["servers"] == [{"url": "/kitchen"}]


@pytest.mark.parametrize("base", ["/kitchen", ""])
async def test_the_page_is_told_where_it_lives(
    make_parts: MakeParts, make_client: MakeClient, tmp_path: Path, base: str
) -> None:
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-abc.js").write_text('const meta = "./";')
    async with open_rig() as rig:
        app = create_app(make_parts(rig, tmp_path, GatewayOptions(base_path=base)))
        async with make_client(app) as client:
            for path in (f"{base}/", f"{base}/join", f"{base}/room"):
                index = (await client.get(path)).text
                assert f'content="{base}"' in index
                assert f'href="{base}/manifest.webmanifest"' in index
                assert f'src="{base}/assets/index-abc.js"' in index
            assert (await client.get(f"{base}/assets/index-abc.js")).text == 'const meta = "./";'


def test_the_built_page_has_what_the_server_completes() -> None:
    source = (Path(__file__).parents[2] / "web" / "index.html").read_text(encoding="utf-8")
    assert '<meta name="belvedere-base-path" content="" />' in source
    manifest = json.loads((Path(__file__).parents[2] / "web/public/manifest.webmanifest").read_text(encoding="utf-8"))
    addresses = [manifest["start_url"], manifest["scope"], *(icon["src"] for icon in manifest["icons"])]
    assert not [each for each in addresses if each.startswith("/")]


async def test_the_first_part_of_each_of_our_paths_is_one_that_a_base_path_may_not_begin_with(
    make_parts: MakeParts,
) -> None:
    async with open_rig() as rig:
        app: Any = create_app(make_parts(rig, options=KITCHEN)).routes
    first = {route.path.split("/")[1] for route in app.routes}
    assert first - {"", "{path:path}"} | {"assets"} == OURS  # what no route has is a file of the page
