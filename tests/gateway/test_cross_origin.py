"""Listed pages of other sites may watch with a token: what a browser asks is answered, and cookies never count."""

import dataclasses
from collections.abc import Callable

import httpx
import pytest
from tests.support.engine_rig import open_rig

from belvedere.access.programs import Player, Programs, player_session
from belvedere.gateway.app import create_app
from belvedere.gateway.cross_origin import Frontends, is_preflight
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
@pytest.mark.parametrize("path", [PATH, f"{PATH}/viewer0"])
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
    assert response.headers["vary"] == "Origin"
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
        (SITE, "/api/v1/head/stop"),
        (SITE, "/api/v1/session"),
    ],
)
async def test_other_pages_and_other_paths_stay_closed(
    make_parts: MakeParts, make_client: MakeClient, origin: str, path: str
) -> None:
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
    assert Frontends([SITE]).origin_of(PATH, headers) is None
    assert Frontends([SITE]).origin_of(PATH, headers | {b"host": "home.example.org"}) == SITE
    assert Frontends().origin_of(PATH, headers) is None


def test_options_without_a_question_of_a_browser_is_no_preflight() -> None:
    assert is_preflight("OPTIONS", {b"access-control-request-method": "POST"})
    assert not is_preflight("OPTIONS", {})
    assert not is_preflight("POST", {b"access-control-request-method": "POST"})
