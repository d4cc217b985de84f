"""Commands create, list and revoke tokens over the local socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from belvedere.app.local_client import LocalClient
from belvedere.app.settings import Settings, StoreSettings, resolve
from belvedere.app.token_client import TokenClient, token_line, tokens_of
from belvedere.errors import OwnerError
from belvedere.gateway.views import TokenView

ROBOT = TokenView(
    id="0123456789ab", name="robot", scope="drive", created_utc_s=1_800_000_000, ends_utc_s=None, is_valid=True
)
FIELDS = {name: getattr(ROBOT, name) for name in ROBOT.__struct_fields__}


class Server(LocalClient):
    """Answers as a server with one token would."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.requests: list[tuple[str, str, object]] = []

    def request(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - as its base
        self.requests.append((method, path, body))
        return {"GET": {"tokens": [FIELDS]}, "POST": {"token": FIELDS, "secret": "s"}, "DELETE": None}[method]


def test_a_token_is_created_with_its_lifetime_in_seconds() -> None:
    server = Server()
    assert TokenClient(server).create("robot", "drive", 2).token == ROBOT
    assert server.requests == [
        ("POST", "/api/v1/tokens", {"name": "robot", "scope": "drive", "lifetime_s": 2 * 86400.0})
    ]
    TokenClient(server).create("robot", "look", None)
    assert server.requests[-1][2] == {"name": "robot", "scope": "look"}


@pytest.mark.parametrize("token", [ROBOT.id, ROBOT.name])
def test_a_token_is_revoked_by_its_id_or_name(token: str) -> None:
    server = Server()
    assert TokenClient(server).revoke(token) == ROBOT
    assert server.requests[-1] == ("DELETE", f"/api/v1/tokens/{ROBOT.id}", None)


def test_a_token_that_does_not_exist_is_not_revoked() -> None:
    server = Server()
    with pytest.raises(OwnerError, match="no token 'else'"):
        TokenClient(server).revoke("else")
    assert len(server.requests) == 1


def test_without_a_store_there_is_no_server_to_be_asked() -> None:
    with pytest.raises(OwnerError, match="no server"):
        tokens_of(resolve(Settings(store=StoreSettings(file=""))))


def test_a_line_says_what_it_may_do_and_until_when() -> None:
    assert token_line(ROBOT) == "0123456789ab  robot: may drive, until it is revoked"
    ended = TokenView(id="0" * 12, name="old", scope="look", created_utc_s=1, ends_utc_s=1_800_000_000, is_valid=False)
    assert token_line(ended).startswith("000000000000  old: may look, ended 2027-01-15")
