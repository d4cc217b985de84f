"""The curtain by a command: the running server closes it, or the store's file where none runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from belvedere.app.curtain import Curtain, CurtainReport
from belvedere.app.local_client import LocalClient, NoServerError, RefusedError
from belvedere.errors import OwnerError
from belvedere.store.instance_lock import state_lock
from belvedere.store.room import SavedRoom, load_room, save_room
from belvedere.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from pathlib import Path

VIEW = {"closed": True, "saved": False, "by": "Mei", "since": 9000.0}


class Server(LocalClient):
    """A server that answers every request with `answer`, or raises it."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.requests: list[tuple[str, str, object]] = []

    def request(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - as LocalClient has it
        self.requests.append((method, path, body))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def curtain(store: Path, server: Server) -> Curtain:
    return Curtain(store, lambda _folder: server, lambda: 7.9)


def without_server(store: Path) -> Curtain:
    return curtain(store, Server(NoServerError("no server runs here")))


def test_the_running_server_is_asked(tmp_path: Path) -> None:
    server = Server(VIEW)
    report = CurtainReport(closed=True, saved=False, by="Mei", since=9000, running=True)
    assert curtain(tmp_path / "store", server).close() == report
    assert curtain(tmp_path / "store", server).open() == report
    server.answer = {"room": {"curtain": VIEW}}
    assert curtain(tmp_path / "store", server).status() == report
    assert server.requests == [
        ("PUT", "/api/v1/room/curtain", {"closed": True}),
        ("PUT", "/api/v1/room/curtain", {"closed": False}),
        ("GET", "/api/v1/room", None),
    ]
    assert not (tmp_path / "store").exists()


def test_without_a_server_the_store_is_closed_so_that_the_next_one_starts_so(tmp_path: Path) -> None:
    store = tmp_path / "store"
    file = SqliteFile(store)
    file.migrate()
    saved = SavedRoom(is_closed=False, by="", since_utc_s=None, quiet=((0, 1, 2),), welcomes={"ann": "asked"})
    file.write(lambda connection: save_room(connection, saved))
    file.close()
    report = without_server(store).close()
    assert report == CurtainReport(closed=True, saved=True, by="local", since=7000, running=False)
    assert without_server(store).status() == report
    file = SqliteFile(store)
    assert file.read(lambda connection: load_room(connection, store)) == SavedRoom(
        is_closed=True, by="local", since_utc_s=7, quiet=((0, 1, 2),), welcomes={"ann": "asked"}
    )
    file.close()


def test_without_a_server_and_a_store_nothing_is_closed_and_a_look_creates_nothing(tmp_path: Path) -> None:
    assert not without_server(tmp_path / "store").status().closed
    assert list(tmp_path.iterdir()) == []
    assert without_server(tmp_path / "store").close().closed


def test_without_a_server_nothing_is_opened(tmp_path: Path) -> None:
    with pytest.raises(NoServerError):
        without_server(tmp_path / "store").open()


def test_the_store_of_a_server_that_does_not_answer_is_left_alone(tmp_path: Path) -> None:
    with state_lock(tmp_path), pytest.raises(OwnerError, match="does not answer"):
        without_server(tmp_path / "store").close()


def test_a_refusal_of_the_server_is_passed_on(tmp_path: Path) -> None:
    server = Server(RefusedError("not_ready", "the server refused: the curtain stays closed"))
    with pytest.raises(RefusedError, match="stays closed"):
        curtain(tmp_path / "store", server).open()


def test_without_a_store_a_command_says_why_it_cannot_help() -> None:
    with pytest.raises(OwnerError, match=r"\[store\] file"):
        Curtain(None)
