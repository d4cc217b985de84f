from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from belvedere.secret import Secret
from belvedere.stage.direct.ice_servers import CoturnCredentials, IceServers, ice_servers
from belvedere.stage.options import IceServer, StageOptions
from belvedere.stage.turn_options import CloudflareTurnOptions, CoturnOptions

if TYPE_CHECKING:
    import pytest

SECRET = "north wind"  # noqa: S105 (of no server)
URLS = ("turn:turn.example.org", "turns:turn.example.org")
OPTIONS = CoturnOptions(urls=URLS, secret=Secret(SECRET), lifetime_s=1200)
STUN = IceServer(url="stun:stun.example.org")


def credentials(now: float = 1_800_000_000.5) -> CoturnCredentials:
    return CoturnCredentials(OPTIONS, lambda: now)


def test_credentials_expire_after_their_lifetime_and_are_signed_with_the_secret() -> None:
    servers = credentials().servers_for("visit")
    assert tuple(server.url for server in servers) == URLS
    for server in servers:
        assert server.username is not None
        assert server.credential is not None
        assert server.username.partition(":")[0] == "1800001200"
        signature = hmac.new(SECRET.encode(), server.username.encode(), hashlib.sha1).digest()
        assert server.credential.reveal() == base64.b64encode(signature).decode()


def test_a_user_has_one_name_that_says_nothing_and_that_no_other_user_has() -> None:
    made = credentials()
    names = [made.servers_for(user)[0].username for user in ("visit-1", "visit-1", "visit-2")]
    assert names[0] == names[1] != names[2]
    assert "visit" not in str(names)
    assert credentials().servers_for("visit-1")[0].username != names[0]


def test_neither_secret_nor_password_is_shown() -> None:
    text = f"{OPTIONS!r} {credentials().servers_for('visit')!r}"
    assert SECRET not in text
    assert "credential=Secret(hidden)" in text


async def test_the_owners_servers_come_first_and_then_those_with_our_credentials() -> None:
    servers = IceServers((STUN,), credentials())
    assert servers.newest("a") == (STUN, *servers.newest("a")[1:])
    assert [server.url for server in await servers.for_page("a")] == [STUN.url, *URLS]


async def test_without_a_turn_server_of_ours_there_are_the_owners() -> None:
    servers = ice_servers(StageOptions(ice_servers=(STUN,)), lambda: 0.0)
    assert servers.newest("a") == (STUN,)
    assert await servers.for_page("a") == (STUN,)


def test_the_settings_choose_who_makes_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("belvedere.stage.direct.ice_servers.CloudflareCredentials", lambda *_: credentials())
    cloudflare = CloudflareTurnOptions(key_id="0123", token=Secret("t"))
    for turn in (OPTIONS, cloudflare):
        assert len(ice_servers(StageOptions(turn=turn), lambda: 0.0).newest("a")) == len(URLS)
