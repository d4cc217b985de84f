"""The page's files: which are served, in which encoding, and when a client has them already."""

import gzip
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from tests.support.engine_rig import open_rig

from belvedere.access.rights import Right
from belvedere.gateway.app import create_app
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.page import GZIP, IDENTITY, PageFiles, choose_encoding, names_tag

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
Fetch = Callable[..., Awaitable[httpx.Response]]
SCRIPT_PATH = "/assets/main-abc123.js"
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


def test_large_text_is_compressed_and_small_text_is_not(page: Path) -> None:
    files = PageFiles(page)
    script, icon = files.find("assets/main-abc123.js"), files.find("icon.svg")
    assert script is not None
    assert icon is not None
    assert script.gzipped is not None
    assert gzip.decompress(script.gzipped) == SCRIPT
    assert icon.gzipped is None
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


async def test_the_page_is_revalidated_on_every_use(make_parts: MakeParts, make_client: MakeClient, page: Path) -> None:
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


async def test_a_page_that_watches_through_others_may_reach_them_and_its_policy_is_never_stored(
    make_parts: MakeParts, make_client: MakeClient, page: Path
) -> None:
    reached = ("https://*.whip.example", "wss://*.events.example")
    async with (
        open_rig() as rig,
        make_client(create_app(replace(make_parts(rig, page), page_reaches=reached))) as client,
    ):
        response = await client.get("/")
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        policy = response.headers["content-security-policy"]
        assert " https://*.whip.example wss://*.events.example; " in policy
        assert "default-src 'self'" in policy


async def test_fetching_the_page_prepares_the_stage(make_parts: MakeParts, make_client: MakeClient, page: Path) -> None:
    async with open_rig() as rig:
        app = create_app(make_parts(rig, page))
        async with make_client(app) as anonymous:
            await anonymous.get("/")
        assert not rig.stage.is_warm
        async with make_client(app, rig.open_session().cookie) as client:
            await client.get("/")
        assert rig.stage.is_warm


async def test_hashed_files_are_cached_for_ever(make_parts: MakeParts, make_client: MakeClient, page: Path) -> None:
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


async def test_a_client_without_gzip_gets_it_uncompressed(
    make_parts: MakeParts, make_client: MakeClient, page: Path
) -> None:
    async with (
        open_rig() as rig,
        make_client(create_app(make_parts(rig, page)), rig.open_session().cookie) as client,
    ):
        response = await client.get("/assets/main-abc123.js", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in response.headers
        assert int(response.headers["content-length"]) == len(SCRIPT)


@pytest.fixture
def fetch(make_parts: MakeParts, make_client: MakeClient, page: Path) -> Fetch:
    """Requests one of the page's files with these header fields, which may repeat."""

    async def with_fields(path: str, *fields: tuple[str, str]) -> httpx.Response:
        async with (
            open_rig() as rig,
            make_client(create_app(make_parts(rig, page)), rig.open_session().cookie) as client,
        ):
            client.headers.pop("accept-encoding")  # httpx adds one of its own
            return await client.get(path, headers=[*client.headers.multi_items(), *fields])

    return with_fields


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ([], None),
        ([""], None),
        (["gzip"], "gzip"),
        (["GZip ; Q=0.001"], "gzip"),
        (["x-gzip"], "gzip"),
        (["br;q=1.0, gzip;q=0.8, *;q=0.1"], "gzip"),
        (["br", "gzip"], "gzip"),
        (["*"], "gzip"),
        (["identity;q=0, gzip;q=0.1"], "gzip"),
        (["identity;q=0, *"], "gzip"),
        (["gzip;q=0"], None),
        (["gzip;q=0.000, *"], None),
        (["*;q=0, identity"], None),
        (["br"], None),
        (["gzip;q=0.5, identity;q=0.9"], None),
        (["gzip;q=0.5, *;q=0.9"], None),
        (["gzippy"], None),
        (["gzip;q=2"], None),
        (["gzip;q=0.0001"], None),
        (["gzip;level=9"], None),
    ],
)
async def test_the_encoding_is_the_best_of_those_the_client_accepts(
    fetch: Fetch, accept: list[str], encoding: str | None
) -> None:
    response = await fetch(SCRIPT_PATH, *(("accept-encoding", each) for each in accept))
    assert (response.status_code, response.headers.get("content-encoding")) == (200, encoding)
    assert response.headers["vary"] == "accept-encoding"
    assert response.content == SCRIPT


@pytest.mark.parametrize("accept", ["identity;q=0", "*;q=0", "gzip;q=0, identity;q=0", "gzip;q=0, *;q=0", "br, *;q=0"])
async def test_a_client_that_accepts_no_encoding_of_ours_is_refused(fetch: Fetch, accept: str) -> None:
    response = await fetch(SCRIPT_PATH, ("accept-encoding", accept))
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")
    assert response.headers["vary"] == "accept-encoding"


async def test_a_file_without_a_gzip_form_is_sent_as_it_is_or_not_at_all(fetch: Fetch) -> None:
    plain = await fetch("/icon.svg", ("accept-encoding", "gzip"))
    assert (plain.status_code, plain.content) == (200, b"<svg/>")
    assert "content-encoding" not in plain.headers
    refused = await fetch("/icon.svg", ("accept-encoding", "gzip, identity;q=0"))
    assert refused.status_code == 406


@pytest.mark.parametrize(
    "known",
    [
        ["{}"],
        ["W/{}"],
        ['"other", {}'],
        [' ,, "a,b" ,W/{} , '],
        ['"other"', "{}"],
        ["*"],
    ],
)
async def test_what_a_client_has_already_is_not_sent_again(fetch: Fetch, known: list[str]) -> None:
    tag = (await fetch(SCRIPT_PATH)).headers["etag"].removeprefix("W/")
    response = await fetch(SCRIPT_PATH, *(("if-none-match", each.format(tag)) for each in known))
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"].removeprefix("W/") == tag
    assert response.headers["vary"] == "accept-encoding"
    assert "content-length" not in response.headers


@pytest.mark.parametrize("known", ["", '"other"', 'W/"other"', "w/{}", '"a{}', '"x" {}', '"*"', "*, {}", "W/*", "{}x"])
async def test_what_a_client_does_not_have_is_sent(fetch: Fetch, known: str) -> None:
    tag = (await fetch(SCRIPT_PATH)).headers["etag"].removeprefix("W/")
    response = await fetch(SCRIPT_PATH, ("if-none-match", known.format(tag)))
    assert (response.status_code, response.content) == (200, SCRIPT)


async def test_both_encodings_have_a_weak_tag_because_their_bytes_differ(fetch: Fetch) -> None:
    plain, packed = await fetch(SCRIPT_PATH), await fetch(SCRIPT_PATH, ("accept-encoding", "gzip"))
    assert plain.headers["etag"] == packed.headers["etag"]
    assert plain.headers["etag"].startswith('W/"')


@given(st.text(alphabet="gzip;q=01.*, \tidentity", max_size=60))
def test_whatever_is_accepted_the_choice_is_among_what_is_offered(accepted: str) -> None:
    assert choose_encoding(accepted, (GZIP, IDENTITY)) in {GZIP, IDENTITY, None}
    assert choose_encoding(accepted, (IDENTITY,)) in {IDENTITY, None}


@given(st.text(alphabet='W/"ab*, \t', max_size=60))
def test_only_a_field_that_holds_the_tag_names_it(known: str) -> None:
    assert not names_tag(known, 'W/"ab"') or '"ab"' in known or known.strip() == "*"


@pytest.mark.parametrize("path", ["/", "/assets/main-abc123.js"])
async def test_head_has_the_headers_without_the_body(
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


async def test_the_page_is_served_to_strangers_for_whom_no_camera_is_turned_on(
    make_parts: MakeParts, make_client: MakeClient, page: Path
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig, page))) as client:
        for path in ("/", "/join", "/room", "/assets/main-abc123.js"):
            assert (await client.get(path)).status_code == 200
        assert (await client.get("/nowhere")).status_code == 404
        assert not rig.stage.is_warm


async def test_for_whom_may_not_look_now_no_camera_is_turned_on(
    make_parts: MakeParts, make_client: MakeClient, page: Path
) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig, page)), rig.open_session().cookie) as client:
        rig.invitations.withhold(lambda _: frozenset({Right.LOOK}))
        await client.get("/")
        assert not rig.stage.is_warm
