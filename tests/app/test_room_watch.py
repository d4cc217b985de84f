"""The room is told of a visitor in every way there is, and the book and the light are right after the end too."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from belvedere.app.room_watch import RoomWatch
from belvedere.app.settings import RoomSettings
from belvedere.events import SessionOpened, ViewerJoined, ViewerLeft
from belvedere.room.signal_outputs import CommandOutput
from belvedere.store.database import Database
from belvedere.store.sqlite_file import SqliteFile
from belvedere.store.visits import load_visits
from belvedere.testing.loop_worker import LoopWorker

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_visitor_is_in_the_book_and_signals_that_fail_are_faults_and_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "it.sqlite3"
    clock = asyncio.get_running_loop().time
    database = Database(path, worker=LoopWorker, clock=clock)
    database.open()
    missing = CommandOutput(command=str(tmp_path / "missing"))
    changed = asyncio.Event()
    settings = RoomSettings(chime=missing, light=missing)
    watch = RoomWatch(settings, database, name_of=str.title, clock=clock)
    watch.signals.watch(changed.set)
    running = asyncio.create_task(watch.run())
    watch.receive(SessionOpened("tab", "ana"))
    watch.receive(ViewerJoined("v1", "tab", "webrtc"))
    while watch.faults() != {"chime", "light"}:
        await changed.wait()
        changed.clear()
    running.cancel()
    await asyncio.wait([running])
    watch.receive(ViewerLeft("v1", "tab", 1.0))
    await watch.close()
    await database.close()
    with contextlib.closing(SqliteFile(path)) as file:
        assert [each.name for each in file.read(lambda db: load_visits(db, 10)).visits] == ["Ana"]
