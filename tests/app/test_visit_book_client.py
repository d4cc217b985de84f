"""Commands read the whole visit book page by page, and print each visit as one line."""

from __future__ import annotations

import json
import urllib.parse
from pathlib import Path
from typing import Any

import msgspec
import pytest

from belvedere.app.local_client import LocalClient
from belvedere.app.settings import Settings, StoreSettings, resolve
from belvedere.app.visit_book_client import PAGE, VisitBookClient, visit_book_of, visit_line
from belvedere.errors import OwnerError
from belvedere.store.visits import SavedVisit

ANA = SavedVisit(id="0123456789ab", person="ana", name="Ana", began_utc_s=1_800_000_000, lasted_s=59)


class Server(LocalClient):
    """Answers as a server with so many visits would."""

    def __init__(self, count: int) -> None:
        super().__init__(Path("nowhere"))
        self.left = [msgspec.structs.replace(ANA, id=f"{number:012x}") for number in range(count)]
        self.requests: list[tuple[str, str]] = []

    def request(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - as its base
        assert body is None
        self.requests.append((method, path))
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        first = int(query["before"], 16) + 1 if "before" in query else 0
        part = self.left[first : first + int(query.get("limit", "0"))]
        visits = json.loads(msgspec.json.encode(part))
        return {"visits": visits, "more": first + len(part) < len(self.left), "kept": True}


def test_a_long_book_is_read_whole() -> None:
    server = Server(2 * PAGE + 1)
    assert VisitBookClient(server).visits() == server.left
    assert len(server.requests) == 3


def test_an_empty_book_is_one_request() -> None:
    server = Server(0)
    assert VisitBookClient(server).visits() == []
    assert len(server.requests) == 1


def test_a_visit_is_deleted_by_its_id() -> None:
    server = Server(0)
    VisitBookClient(server).delete(ANA.id)
    assert server.requests == [("DELETE", f"/api/v1/room/visits/{ANA.id}")]


def test_a_server_of_another_version_is_said_in_one_line() -> None:
    server = Server(1)
    server.left = [msgspec.structs.replace(ANA, name="")]
    with pytest.raises(OwnerError, match="another version"):
        VisitBookClient(server).visits()


def test_without_a_store_there_is_no_book() -> None:
    with pytest.raises(OwnerError, match="no visit book"):
        visit_book_of(resolve(Settings(store=StoreSettings(file=""))))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "59 s  Ana: came"),
        (
            {"lasted_s": 600, "looked_s": 540, "ways": ("WebSocket", "WebRTC"), "drove_s": 60, "stills": 1},
            "10 min  Ana: looked 9 min by WebSocket and WebRTC, drove 1 min, 1 still",
        ),
        ({"lasted_s": 0, "knocks": 2, "refusals": 2}, "0 s  Ana: 2 knocks, 2 refusals"),
    ],
)
def test_a_visit_is_one_line(changes: dict[str, object], words: str) -> None:
    line = visit_line(msgspec.structs.replace(ANA, **changes))
    assert line.startswith("0123456789ab  2027-01-")
    assert line.endswith(words)
