"""The room's decisions in the database, and without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from belvedere.errors import StoreError
from belvedere.privacy.hours import QuietSpan
from belvedere.privacy.state import RoomState
from belvedere.privacy.words import Welcome
from belvedere.room.room_store import NoRoomStore, RoomStore
from belvedere.store.database import Database

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

pytestmark = pytest.mark.realtime  # the database has a thread of its own

STATE = RoomState(
    is_closed=True,
    by="mei",
    since_utc_s=9,
    is_muted=True,
    guests_hear=True,
    quiet=(QuietSpan(0, 1320, 420),),
    welcomes={"ann": Welcome.ASKED},
)


async def test_what_is_saved_is_loaded_and_what_is_damaged_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "store"
    database = Database(path)
    database.open()
    store = RoomStore(database, path)
    assert store.survives_restart
    assert await store.load() is None
    await store.save(STATE)
    assert await store.load() == STATE
    for damage in ("UPDATE room SET quiet = '[[9,0,0]]'", "UPDATE room_welcome SET welcome = 'perhaps'"):
        await store.save(RoomState(welcomes={"ann": Welcome.ASKED}))

        def spoil(connection: sqlite3.Connection, damage: str = damage) -> None:
            connection.execute(damage)

        await database.write(spoil, "damage")
        assert await store.load() == RoomState(is_closed=True, is_muted=True)
    await database.close()
    with pytest.raises(StoreError):
        await store.load()


async def test_without_a_store_nothing_is_kept() -> None:
    store = NoRoomStore()
    assert not store.survives_restart
    await store.save(STATE)
    assert await store.load() is None
