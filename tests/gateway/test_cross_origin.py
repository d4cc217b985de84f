"""Listed pages of other origins are let in; from other sites cookies never count, and nobody else gets anything."""

import dataclasses
from collections.abc import Callable

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.access.programs import Player, Programs, player_session
from belvedere.gateway.app import create_app
from belvedere.gateway.cross_origin import Frontend, Frontends, is_preflight
from belvedere.gateway.dependencies import Dependencies
from belvedere.secret import Secret

MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
PATH = "/api/v1/stage/whep"
SITE = "https://player.example.org"
TOKEN = Secret("a-token-of-the-settings")
SDP = {"content-type": "application/sdp"}
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


def having_a_player(rig: object, make_parts: MakeParts) -> object:
    parts = dataclasses.replace(make_parts(rig), frontends=(SITE,))
    parts.invitations.programs = Programs([(player_session(Player(name="tv", token=TOKEN)), TOKEN)])
    return create_app(parts)


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [PATH, f"{PATH}/viewer0", "/api/v1/session", "/api/v1/tickets", "/embed.js"])
async def test_a_preflight_of_a_listed_page_is_answered_without_a_token(
    make_parts: MakeParts, make_client: MakeClient, path: str, method: str
) -> None:
    async with open_rig() as rig, make_client(having_a_player(rig, make_parts)) as client:
        asked = {"origin": SITE, "access-control-request-method": method}
        response = await client.options(path, headers=asked)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == SITE
    assert method in response.headers["access-control-allow-methods"].split(", ")
    assert "Authorization" in response.headers["access-control-allow-headers"]
    assert response.headers["vary"] == "Origin, Sec-Fetch-Site"
    assert "access-control-allow-credentials" not in response.headers
    assert "link" not in response.headers


async def test_a_listed_page_watches_with_its_token(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(having_a_player(rig, make_parts)) as client:
        headers = {"origin": SITE, "authorization": f"Bearer {TOKEN.reveal()}"}
        response = await client.post(PATH, content="v=0", headers=headers | SDP)
        assert response.status_code == 201
        assert response.headers["access-control-allow-origin"] == SITE
        assert "Location" in response.headers["access-control-expose-headers"]
        assert rig.stage.offers["viewer0"][0] == "player-tv"
        assert (await client.delete(response.headers["location"], headers=headers)).status_code == 200
        assert not rig.stage.offers


async def test_a_cookie_does_not_count_from_another_site(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(having_a_player(rig, make_parts), rig.open_session().cookie) as client:
        refused = await client.post(PATH, content="v=0", headers={"origin": SITE} | SDP)
        assert (refused.status_code, refused.json()["code"]) == (401, "no_session")
        assert refused.headers["access-control-allow-origin"] == SITE
        assert not rig.stage.offers
        assert (await client.post(PATH, content="v=0", headers=SDP)).status_code == 201


@pytest.mark.parametrize(
    ("origin", "path"),
    [
        ("https://other.example.org", PATH),
        ("null", PATH),
        ("https://player.example.org:444", PATH),
        ("https://player.example.org.evil.example", PATH),
        ("https://other.example.org", "/api/v1/session"),
        ("https://other.example.org", "/api/v1/tickets"),
    ],
)
async def test_other_pages_stay_closed(make_parts: MakeParts, make_client: MakeClient, origin: str, path: str) -> None:
    async with open_rig() as rig, make_client(having_a_player(rig, make_parts)) as client:
        headers = {"origin": origin, "authorization": f"Bearer {TOKEN.reveal()}"}
        asked = await client.options(path, headers={"origin": origin} | PREFLIGHT)
        sent = await client.post(path, content="v=0", headers=headers | SDP)
    for response in (asked, sent):
        assert "access-control-allow-origin" not in response.headers
    assert asked.status_code == 401
    assert (sent.status_code, sent.json()["code"]) == (403, "foreign_origin")


def test_our_own_page_is_no_foreign_page_even_if_it_is_listed() -> None:
    headers = {b"origin": SITE, b"host": "player.example.org"}
    elsewhere = headers | {b"host": "home.example.org"}
    assert Frontends([SITE]).sender_of(headers) is None
    assert Frontends([SITE]).sender_of(elsewhere) == Frontend(origin=SITE, is_same_site=False)
    assert Frontends().sender_of(elsewhere) is None
    assert Frontends([SITE]).sender_of({b"host": "home.example.org"}) is None


@pytest.mark.parametrize(
    ("said", "is_same_site"), [("same-site", True), ("cross-site", False), ("same-origin", False), ("none", False)]
)
def test_whether_a_page_is_of_the_same_site_is_for_the_browser_to_say(said: str, is_same_site: bool) -> None:  # noqa: FBT001 - a parameter
    headers = {b"origin": SITE, b"host": "home.example.org", b"sec-fetch-site": said}
    assert Frontends([SITE]).sender_of(headers) == Frontend(origin=SITE, is_same_site=is_same_site)


async def test_a_page_of_the_same_site_uses_the_cookie_and_may_read_the_answer(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig, make_client(having_a_player(rig, make_parts), rig.open_session().cookie) as client:
        headers = {"origin": SITE, "sec-fetch-site": "same-site"}
        asked = await client.options(PATH, headers=headers | PREFLIGHT)
        assert asked.headers["access-control-allow-credentials"] == "true"
        watching = await client.post(PATH, content="v=0", headers=headers | SDP)
        assert watching.status_code == 201
        assert watching.headers["access-control-allow-credentials"] == "true"
        assert watching.headers["access-control-allow-origin"] == SITE


async def test_a_listed_page_may_have_ours_in_a_frame_and_caches_keep_its_answers_apart(
    make_parts: MakeParts, make_client: MakeClient
) -> None:
    async with open_rig() as rig:
        async with make_client(having_a_player(rig, make_parts)) as client:
            listed = await client.get("/healthz")
        async with make_client(create_app(make_parts(rig))) as client:
            alone = await client.get("/healthz")
    assert listed.headers["content-security-policy"].endswith(f"frame-ancestors {SITE}")
    assert "x-frame-options" not in listed.headers
    assert listed.headers["vary"] == "Origin, Sec-Fetch-Site"
    assert alone.headers["content-security-policy"].endswith("frame-ancestors 'none'")
    assert alone.headers["x-frame-options"] == "DENY"
    assert "vary" not in alone.headers
    for response in (listed, alone):
        assert response.headers["cross-origin-resource-policy"] == "same-origin"


def test_options_without_a_question_of_a_browser_is_no_preflight() -> None:
    assert is_preflight("OPTIONS", {b"access-control-request-method": "POST"})
    assert not is_preflight("OPTIONS", {})
    assert not is_preflight("POST", {b"access-control-request-method": "POST"})
