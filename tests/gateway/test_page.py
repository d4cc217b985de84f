"""The page and its files over HTTP."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
SCRIPT = b"export const answer = 42;\n" * 100


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("outside")
    directory = tmp_path / "page"
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text("<!doctype html><title>Belvedere</title>")
    (directory / "assets" / "main-abc123.js").write_bytes(SCRIPT)
    return directory


async def test_the_page_is_asked_for_each_time(make_parts: MakeParts, make_client: MakeClient, page: Path) -> None:
    async with (
        open_rig() as rig,
        make_client(create_app(make_parts(rig, page)), rig.open_session().cookie) as client,
    ):
        response = await client.get("/")
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["cache-control"] == "no-cache"
        again = await client.get("/", headers={"if-none-match": response.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_fetching_the_page_warms_the_stage(make_parts: MakeParts, make_client: MakeClient, page: Path) -> None:
    async with open_rig() as rig:
        app = create_app(make_parts(rig, page))
        async with make_client(app) as stranger:
            await stranger.get("/")
        assert not rig.stage.is_warm
        async with make_client(app, rig.open_session().cookie) as client:
            await client.get("/")
        assert rig.stage.is_warm


async def test_hashed_files_are_kept_forever(make_parts: MakeParts, make_client: MakeClient, page: Path) -> None:
    async with (
        open_rig() as rig,
        make_client(create_app(make_parts(rig, page)), rig.open_session().cookie) as client,
    ):
        response = await client.get("/assets/main-abc123.js")
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["content-type"] == "text/javascript; charset=utf-8"
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["vary"] == "accept-encoding"
        assert response.content == SCRIPT


async def test_whoever_cannot_unpack_gets_it_plain(make_parts: MakeParts, make_client: MakeClient, page: Path) -> None:
    async with (
        open_rig() as rig,
        make_client(create_app(make_parts(rig, page)), rig.open_session().cookie) as client,
    ):
        response = await client.get("/assets/main-abc123.js", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in response.headers
        assert int(response.headers["content-length"]) == len(SCRIPT)


@pytest.mark.parametrize("path", ["/", "/assets/main-abc123.js"])
async def test_head_tells_without_sending(
    make_parts: MakeParts, make_client: MakeClient, page: Path, path: str
) -> None:
    async with (
        open_rig() as rig,
        make_client(create_app(make_parts(rig, page)), rig.open_session().cookie) as client,
    ):
        response = await client.head(path)
        assert response.status_code == 200
        assert response.content == b""
        assert int(response.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/..%5c..%5csecret.txt",
        "//etc/passwd",
        "/assets",
        "/assets/",
        "/nowhere",
        "/index.html%00",
    ],
)
async def test_nothing_else_is_served(make_parts: MakeParts, make_client: MakeClient, page: Path, path: str) -> None:
    async with (
        open_rig() as rig,
        make_client(create_app(make_parts(rig, page)), rig.open_session().cookie) as client,
    ):
        response = await client.get(httpx.URL("http://127.0.0.1:8080").copy_with(raw_path=path.encode()))
        assert response.status_code == 404
        assert "There is nothing here" in response.text


async def test_a_missing_page_says_how_to_build_it(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        response = await client.get("/")
        assert response.status_code == 503
        assert "make page" in response.text


async def test_the_page_is_not_for_strangers(make_parts: MakeParts, make_client: MakeClient, page: Path) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig, page))) as client:
        for path in ("/", "/assets/main-abc123.js", "/nowhere"):
            assert (await client.get(path)).status_code == 401
