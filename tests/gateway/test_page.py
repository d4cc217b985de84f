"""The page's files: which are served, in which encoding, and when a client has them already."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from tests.support.engine_rig import open_rig

from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.page import PageFiles

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
SCRIPT = b"export const answer = 42;\n" * 100


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("outside")
    directory = tmp_path / "page"
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text("<!doctype html>")
    (directory / "assets" / "main-abc123.js").write_bytes(SCRIPT)
    (directory / "icon.svg").write_text("<svg/>")
    (directory / ".hidden").write_text("hidden")
    (directory / "link.txt").symlink_to(tmp_path / "secret.txt")
    return directory


def test_the_index_is_found(page: Path) -> None:
    index = PageFiles(page).index()
    assert index is not None
    assert index.body == b"<!doctype html>"
    assert index.media_type == "text/html"
    assert not index.is_hashed


def test_hashed_files_are_known_as_such(page: Path) -> None:
    script = PageFiles(page).find("assets/main-abc123.js")
    assert script is not None
    assert script.is_hashed
    assert script.media_type == "text/javascript"


def test_large_text_is_packed_and_small_text_is_not(page: Path) -> None:
    files = PageFiles(page)
    script, icon = files.find("assets/main-abc123.js"), files.find("icon.svg")
    assert script is not None
    assert icon is not None
    assert script.packed is not None
    assert gzip.decompress(script.packed) == SCRIPT
    assert icon.packed is None
    assert icon.media_type == "image/svg+xml"


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "assets/../../secret.txt",
        "/etc/passwd",
        "..",
        "",
        "assets",
        "assets/",
        ".hidden",
        "link.txt",
        "assets//main-abc123.js",
        "INDEX.HTML",
        "index.html\x00",
    ],
)
def test_nothing_else_is_found(page: Path, path: str) -> None:
    assert PageFiles(page).find(path) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["..", ".", "", "assets", "secret.txt", "index.html", "%2e%2e"])))
def test_no_spelling_leads_outside(page: Path, dependencies: list[str]) -> None:
    found = PageFiles(page).find("/".join(dependencies))
    assert found is None or found.body == b"<!doctype html>"


def test_a_page_that_was_never_built_is_none(tmp_path: Path) -> None:
    files = PageFiles(tmp_path / "nowhere")
    assert files.index() is None
    assert files.find("index.html") is None


def test_a_new_build_is_noticed(page: Path) -> None:
    files = PageFiles(page)
    before = files.index()
    (page / "index.html").write_text("<!doctype html><p>new")
    os.utime(page / "index.html", ns=(1, 1))
    after = files.index()
    assert before is not None
    assert after is not None
    assert after.body.endswith(b"new")
    assert before.etag != after.etag


def test_a_build_that_comes_late_is_noticed(page: Path) -> None:
    (page / "index.html").rename(page / "later.html")
    files = PageFiles(page)
    assert files.index() is None
    (page / "later.html").rename(page / "index.html")
    assert files.index() is not None


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
