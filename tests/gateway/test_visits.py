"""`/api/v1/room/visits`: the visit book is read, exported and deleted by the room, and by nobody else."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.store.failing_disk import Disks
from tests.support.engine_rig import open_rig

from belvedere.access.rights import ALL_RIGHTS, NO_RIGHTS, Right, Rights, Role, rights_of_role
from belvedere.events import ViewerJoined, ViewerLeft
from belvedere.gateway.app import create_app
from belvedere.room.visit_recorder import VisitRecorder
from belvedere.store.database import Database
from belvedere.store.schema import MIGRATIONS
from belvedere.testing.loop_worker import LoopWorker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import httpx

    from belvedere.gateway.dependencies import Dependencies

    MakeParts = Callable[..., Dependencies]
    MakeClient = Callable[..., httpx.AsyncClient]
    OpenBook = Callable[..., AbstractAsyncContextManager["Book"]]

PATH = "/api/v1/room/visits"
ROOM = frozenset({Right.ROOM})


class Book:
    """An application with a visit book on a disk that can fail."""

    def __init__(self, client: httpx.AsyncClient, recorder: VisitRecorder, disks: Disks) -> None:
        self.client, self.recorder, self.disks = client, recorder, disks

    async def visit(self, *people: str) -> None:
        for person in people:
            self.recorder.receive(ViewerJoined("v", person, "webrtc"))
            self.recorder.receive(ViewerLeft("v", person, 0.0))
        await asyncio.sleep(0.001)


@pytest.fixture
def open_book(tmp_path: Path, make_parts: MakeParts, make_client: MakeClient) -> OpenBook:
    @asynccontextmanager
    async def opened(rights: Rights = ROOM, keep_days: int = 30) -> AsyncIterator[Book]:
        async with open_rig() as rig:
            clock, disks = asyncio.get_running_loop().time, Disks()
            database = Database(tmp_path / "it.sqlite3", MIGRATIONS, open_file=disks, worker=LoopWorker, clock=clock)
            database.open()
            recorder = VisitRecorder(database, keep_days, name_of=str.title, clock=clock)
            app = create_app(replace(make_parts(rig), visits=recorder))
            cookie = rig.open_session("rosa", Role.RESIDENT, rights).cookie
            async with make_client(app, cookie) as client:
                yield Book(client, recorder, disks)
            await database.close()

    return opened


async def test_the_room_reads_its_visits_page_by_page(open_book: OpenBook) -> None:
    async with open_book() as book:
        await book.visit("ana", "ben", "cem")
        first = (await book.client.get(PATH, params={"limit": 2})).json()
        assert ([each["name"] for each in first["visits"]], first["more"], first["kept"]) == (
            ["Cem", "Ben"],
            True,
            True,
        )
        assert first["visits"][0].keys() >= {"began_utc_s", "lasted_s", "looked_s", "drove_s", "ways", "stills"}
        rest = (await book.client.get(PATH, params={"before": first["visits"][1]["id"]})).json()
        assert ([each["name"] for each in rest["visits"]], rest["more"]) == (["Ana"], False)


async def test_a_line_is_deleted_once(open_book: OpenBook) -> None:
    async with open_book() as book:
        await book.visit("ana", "ben")
        visit = (await book.client.get(PATH)).json()["visits"][0]["id"]
        assert (await book.client.delete(f"{PATH}/{visit}")).status_code == 204
        assert (await book.client.delete(f"{PATH}/{visit}")).status_code == 404
        assert (await book.client.delete(f"{PATH}/no-such-id")).status_code == 404
        assert [each["name"] for each in (await book.client.get(PATH)).json()["visits"]] == ["Ana"]


@pytest.mark.parametrize(
    ("query", "kind", "name"),
    [
        ("", "application/json", "belvedere-visits.json"),
        ("?format=csv", "text/csv; charset=utf-8", "belvedere-visits.csv"),
    ],
)
async def test_the_book_is_exported_as_a_file(open_book: OpenBook, query: str, kind: str, name: str) -> None:
    async with open_book() as book:
        await book.visit("ana")
        answer = await book.client.get(f"{PATH}/export{query}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert "Ana" in answer.text


@pytest.mark.parametrize("query", ["?limit=0", "?limit=501", "?limit=x", "?before=1", "/export?format=xml"])
async def test_what_makes_no_sense_is_refused(open_book: OpenBook, query: str) -> None:
    async with open_book() as book:
        answer = await book.client.get(f"{PATH}{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")


@pytest.mark.parametrize("rights", [ALL_RIGHTS - ROOM, rights_of_role(Role.OWNER), NO_RIGHTS])
async def test_nobody_else_may_read_or_delete_the_book_the_owner_neither(open_book: OpenBook, rights: Rights) -> None:
    async with open_book(rights) as book:
        await book.visit("ana")
        (row,) = (await book.recorder.page(10)).visits
        for answer in (
            await book.client.get(PATH),
            await book.client.get(f"{PATH}/export"),
            await book.client.delete(f"{PATH}/{row.id}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
        assert len((await book.recorder.page(10)).visits) == 1


async def test_a_disk_that_fails_is_said_and_a_book_that_is_not_kept_too(open_book: OpenBook) -> None:
    async with open_book() as book:
        await book.visit("ana")
        visit = (await book.client.get(PATH)).json()["visits"][0]["id"]
        book.disks.newest.is_full = True
        answer = await book.client.delete(f"{PATH}/{visit}")
        assert (answer.status_code, answer.json()["code"]) == (503, "store_failed")
        book.disks.newest.is_full = False
    async with open_book(keep_days=0) as book:
        assert (await book.client.get(PATH)).json() == {"visits": [], "more": False, "kept": False}
