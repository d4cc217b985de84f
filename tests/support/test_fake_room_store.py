import asyncio

import pytest
from tests.support.fake_room_store import FakeRoomStore

from belvedere.errors import StoreError
from belvedere.privacy.state import RoomState

CLOSED = RoomState(is_closed=True)


async def test_it_keeps_what_is_saved() -> None:
    store = FakeRoomStore()
    assert await store.load() is None
    await store.save(CLOSED)
    assert await store.load() == CLOSED


async def test_it_fails_when_told() -> None:
    store = FakeRoomStore(CLOSED)
    store.failure = "the disk is full"
    with pytest.raises(StoreError, match="full"):
        await store.save(RoomState())
    with pytest.raises(StoreError, match="full"):
        await store.load()
    assert store.saved == CLOSED


async def test_it_takes_its_time_when_told() -> None:
    store = FakeRoomStore()
    store.is_fast.clear()
    saving = asyncio.create_task(store.save(CLOSED))
    await asyncio.sleep(1)
    assert store.saved is None
    store.is_fast.set()
    await saving
    assert store.saved == CLOSED
