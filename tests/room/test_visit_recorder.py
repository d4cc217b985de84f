"""The visit book on the disk: what a kill costs, what deletion and retention leave, and a disk that is full."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import pytest
from tests.store.failing_disk import Disks

from belvedere.errors import StoreError
from belvedere.events import Event, SessionOpened, ViewerJoined, ViewerLeft
from belvedere.room.visit_recorder import DAY_S, PRUNE_EVERY_S, SAVE_EVERY_S, ExportFormat, VisitRecorder
from belvedere.stage.direct.webrtc_way import WebRtc
from belvedere.stage.stream.stream_way import Stream
from belvedere.store.database import Database
from belvedere.store.schema import MIGRATIONS
from belvedere.store.sqlite_file import SqliteFile
from belvedere.store.visits import load_visits
from belvedere.testing.loop_worker import LoopWorker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from belvedere.store.visits import SavedVisit

UTC_S = 1_800_000_000.0
JOINED, LEFT = ViewerJoined("v1", "tab", "webrtc"), ViewerLeft("v1", "tab", 1.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.sqlite3"


class Run:
    """A recorder on a store in virtual time. Its wall clock is `utc` seconds ahead of the loop's."""

    def __init__(self, path: Path, keep_days: int = 30) -> None:
        self.clock = asyncio.get_running_loop().time
        self.utc = UTC_S - self.clock()
        self.disks = Disks()
        self.database = Database(path, MIGRATIONS, open_file=self.disks, worker=LoopWorker, clock=self.clock)
        self.database.open()
        self.arrivals = 0
        self.recorder = VisitRecorder(
            self.database,
            keep_days,
            name_of=str.title,
            clock=self.clock,
            utc=lambda: self.utc + self.clock(),
            on_arrival=self._count,
        )
        self.recorder.receive(SessionOpened("tab", "ana"))

    def _count(self) -> None:
        self.arrivals += 1

    async def receive(self, *events: Event) -> None:
        for event in events:
            self.recorder.receive(event)
        await asyncio.sleep(0.001)

    async def visits(self) -> list[SavedVisit]:
        return (await self.recorder.page(100)).visits

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.recorder.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


def on_disk(path: Path) -> list[SavedVisit]:
    with contextlib.closing(SqliteFile(path)) as file:
        return file.read(lambda db: load_visits(db, 100)).visits


async def test_a_visit_is_on_the_disk_when_it_begins_and_a_kill_costs_less_than_a_minute_of_it(path: Path) -> None:
    run = Run(path)
    async with run.running():
        await run.receive(JOINED)
        assert [(each.name, each.lasted_s) for each in on_disk(path)] == [("Ana", 0)]
        await asyncio.sleep(1.9 * SAVE_EVERY_S)
    assert [(each.name, each.lasted_s) for each in on_disk(path)] == [("Ana", SAVE_EVERY_S)]
    await run.receive(LEFT)
    assert [each.lasted_s for each in on_disk(path)] == [pytest.approx(1.9 * SAVE_EVERY_S, abs=1)]
    assert run.arrivals == 1
    await run.database.close()


@pytest.mark.parametrize("way", [WebRtc.name, Stream.name])
async def test_every_way_of_the_picture_can_be_saved_and_read(path: Path, way: str) -> None:
    run = Run(path)
    await run.receive(ViewerJoined("v1", "tab", way), LEFT)
    assert [each.ways for each in await run.visits()] == [(way,)]
    await run.database.close()


async def test_the_newest_visits_come_first_and_one_that_goes_on_is_as_long_as_it_is_now(path: Path) -> None:
    run = Run(path)
    await run.receive(ViewerJoined("v0", "ben", "webrtc"), ViewerLeft("v0", "ben", 0), JOINED)
    await asyncio.sleep(10)
    assert [(each.name, each.lasted_s) for each in await run.visits()] == [("Ana", 10), ("Ben", 0)]
    first = await run.recorder.page(1)
    assert first.has_more
    assert [each.name for each in (await run.recorder.page(1, first.visits[0].id)).visits] == ["Ben"]
    await run.database.close()


async def test_a_deleted_visit_stays_deleted_although_it_goes_on(path: Path) -> None:
    run = Run(path)
    async with run.running():
        await run.receive(JOINED)
        (visit,) = await run.visits()
        assert await run.recorder.delete(visit.id)
        await asyncio.sleep(3 * SAVE_EVERY_S)
        await run.receive(LEFT)
    assert on_disk(path) == await run.visits() == []
    assert not await run.recorder.delete(visit.id)
    await run.database.close()


async def test_a_row_that_waits_for_a_full_disk_does_not_undo_its_deletion(path: Path) -> None:
    run = Run(path)
    await run.receive(JOINED)
    run.disks.newest.is_full = True
    await run.receive(LEFT)  # waits
    visit_id = on_disk(path)[0].id
    with pytest.raises(StoreError):
        await run.recorder.delete(visit_id)
    run.disks.newest.is_full = False
    await asyncio.sleep(60)
    assert on_disk(path) == []
    await run.database.close()


async def test_a_full_disk_loses_no_visit_and_is_reported(path: Path) -> None:
    run = Run(path)
    run.disks.newest.is_full = True
    await run.receive(JOINED)
    await asyncio.sleep(10)
    assert ([each.name for each in await run.visits()], run.recorder.is_saving) == (["Ana"], False)
    run.disks.newest.is_full = False
    await asyncio.sleep(60)
    assert ([each.name for each in on_disk(path)], run.recorder.is_saving) == (["Ana"], True)
    await run.database.close()


async def test_visits_are_deleted_when_their_time_is_over(path: Path) -> None:
    run = Run(path, keep_days=2)
    async with run.running():
        await run.receive(JOINED, LEFT)
        await asyncio.sleep(2 * DAY_S - 1)
        assert len(on_disk(path)) == 1
        await asyncio.sleep(PRUNE_EVERY_S + SAVE_EVERY_S + 1)
        assert on_disk(path) == []
    await run.database.close()


async def test_a_book_of_no_days_writes_nothing_and_deletes_what_there_was(path: Path) -> None:
    run = Run(path)
    await run.receive(JOINED, LEFT)
    await run.database.close()
    run = Run(path, keep_days=0)
    async with run.running():
        await run.receive(JOINED)
        assert on_disk(path) == []
        (visit,) = await run.visits()
        assert json.loads(await run.recorder.export(ExportFormat.JSON))[0]["name"] == "Ana"
        assert await run.recorder.delete(visit.id)
        assert await run.visits() == []
    await run.database.close()


async def test_the_export_has_all_visits_as_they_are_now(path: Path) -> None:
    run = Run(path)
    await run.receive(JOINED)
    await asyncio.sleep(10)
    (exported,) = json.loads(await run.recorder.export(ExportFormat.JSON))
    assert (exported["name"], exported["lasted_s"]) == ("Ana", 10)
    assert b"Ana" in await run.recorder.export(ExportFormat.CSV)
    await run.database.close()
