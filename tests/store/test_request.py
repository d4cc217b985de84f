"""A caller of the store gets one answer, in time, and nothing is half done afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest
from tests.store.examples import (
    add_session,
    invite,
    redeem,
)
from tests.store.failing_disk import WAIT_TIMEOUT_S, Disks, add, errors, people, put_use, threaded, virtual

from belvedere.errors import StoreError
from belvedere.store.database import MAX_REQUESTS, TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.sqlite3"


@pytest.fixture
def disks() -> Iterator[Disks]:
    disks = Disks()
    yield disks
    disks.release()


@pytest.mark.realtime
async def test_after_an_unknown_outcome_the_same_browser_gets_in_on_a_second_try_and_no_other(
    path: Path, disks: Disks, caplog: pytest.LogCaptureFixture
) -> None:
    database = threaded(path, disks)
    await database.write(lambda db: invite(db, b"token"), "an invitation")
    disks.newest.commits.clear()
    asking = asyncio.create_task(database.write(lambda db: redeem(db, b"token", b"ann"), "Ann's entry", timeout_s=0.05))
    await asyncio.to_thread(disks.newest.is_stuck.wait)
    with pytest.raises(StoreError, match="Ann's entry: may have been done, or not: the disk did not answer") as caught:
        await asking
    assert caught.value.may_be_done
    disks.newest.commits.set()
    assert await database.write(lambda db: redeem(db, b"token", b"bob"), "Bob's entry") is None
    assert await database.write(lambda db: redeem(db, b"token", b"ann"), "Ann's entry") == 1
    assert errors(caplog) == ["Ann's entry: was done after its caller had stopped waiting"]
    await database.close()


@pytest.mark.realtime
async def test_a_write_whose_caller_is_gone_before_the_commit_is_not_done(path: Path, disks: Disks) -> None:
    database = threaded(path, disks)
    await database.write(lambda db: invite(db, b"token"), "an invitation")
    disks.newest.answers.clear()
    leaving = asyncio.create_task(database.write(lambda db: redeem(db, b"token", b"ann"), "Ann's entry"))
    waiting = asyncio.create_task(database.write(lambda db: redeem(db, b"token", b"eve"), "Eve's entry"))
    await asyncio.to_thread(disks.newest.is_stuck.wait)
    for task in (leaving, waiting):
        task.cancel()
    await asyncio.wait([leaving, waiting])
    disks.newest.answers.set()
    assert await database.write(lambda db: redeem(db, b"token", b"bob"), "Bob's entry") == 1
    await database.close()


async def test_a_write_that_raises_changes_nothing_and_the_error_is_passed_on(path: Path) -> None:
    def half(connection: sqlite3.Connection) -> None:
        add_session(connection, "Ann", b"ann")
        raise LookupError("no such room")

    database = virtual(path)
    with pytest.raises(LookupError, match="no such room"):
        await database.write(half, "half a session")
    await add(database, "Bob")
    with pytest.raises(sqlite3.IntegrityError):
        await add(database, "Bob")
    assert await people(database) == ["Bob"]
    await database.close()


async def test_on_a_stuck_disk_the_loop_runs_on_and_every_caller_gets_an_error_in_time(
    path: Path, disks: Disks
) -> None:
    database = threaded(path, disks)
    disks.newest.answers.clear()
    clock = asyncio.get_running_loop().time
    began = clock()
    put_use(database, 1)
    calls = [add(database, f"{number}") for number in range(MAX_REQUESTS)]
    results = await asyncio.gather(*calls, people(database), return_exceptions=True)
    assert clock() - began == pytest.approx(TIMEOUT_S)
    texts = {str(result).partition(": ")[2] for result in results}
    late = f"was not done: the disk did not answer within {TIMEOUT_S:g} s"
    assert late in texts
    assert texts - {late} <= {f"was not done: {MAX_REQUESTS} others wait for {path}"}
    assert not any(isinstance(result, StoreError) and result.may_be_done for result in results)
    with pytest.raises(StoreError, match="did not answer"):  # and there is room again for the next
        await add(database, "Zoe")
    await database.close()


async def test_requests_beyond_the_limit_are_refused_at_once(path: Path, disks: Disks) -> None:
    database = threaded(path, disks)
    disks.newest.answers.clear()
    first = asyncio.create_task(add(database, "first"))
    await asyncio.sleep(0)
    disks.newest.is_stuck.wait(WAIT_TIMEOUT_S)
    waiting = [asyncio.create_task(add(database, f"{number}")) for number in range(MAX_REQUESTS)]
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match=r"Zoe: was not done: \d+ others wait for"):
        await add(database, "Zoe")
    await asyncio.wait([first, *waiting])
    await database.close()


async def test_a_read_cannot_write(path: Path) -> None:
    database = virtual(path)
    with pytest.raises(StoreError):
        await database.read(lambda db: add_session(db, "Ann", b"ann"), "a wrong read")
    await database.close()


ENDLESS = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number) SELECT count(*) FROM number"


@pytest.mark.realtime
async def test_an_endless_statement_is_interrupted_when_its_caller_stops_waiting(path: Path) -> None:
    database = threaded(path)
    with pytest.raises(StoreError, match="an endless list: was not done"):
        await database.read(lambda db: db.execute(ENDLESS).fetchone(), "an endless list", timeout_s=0.05)
    with pytest.raises(StoreError, match="an endless write: was not done"):
        await database.write(lambda db: db.execute(ENDLESS).fetchone(), "an endless write", timeout_s=0.05)
    assert await add(database, "Ann") == 1
    await database.close()
