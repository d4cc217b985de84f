"""The database over real files: in virtual time with its worker on the loop, on the real clock with its thread."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.store.examples import (
    TABLES,
    SessionUse,
    add_session,
    add_visit,
    delete_visits,
    invite,
    redeem,
    sessions,
    use_session,
    visits,
)
from tests.store.failing_disk import WAIT_TIMEOUT_S, Disks, add, errors, on_disk, people, put_use, threaded, virtual
from tests.store.small_disk import small_disk

from belvedere.errors import StoreError
from belvedere.store.database import CLOSE_TIMEOUT_S, Database, LatestKey
from belvedere.store.latest import LATE_S, MAX_WAITING, RETRY_FIRST_S, RETRY_LONGEST_S
from belvedere.store.sqlite_file import SqliteFile
from belvedere.testing.clock import StalledError, run_in_virtual_time
from belvedere.testing.loop_worker import LoopWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.sqlite3"


@pytest.fixture
def disks() -> Iterator[Disks]:
    disks = Disks()
    yield disks
    disks.release()


# what survives a restart: sessions


async def test_a_session_survives_a_restart_and_was_on_the_disk_when_its_write_returned(path: Path) -> None:
    database = virtual(path)
    assert await add(database, "Ann") == 1
    assert on_disk(path) == [("Ann", 0)]
    await database.close()
    again = virtual(path)
    assert await people(again) == ["Ann"]
    await again.close()


async def test_the_last_use_of_a_session_is_written_once_a_minute_at_most(path: Path, disks: Disks) -> None:
    database = virtual(path, disks)
    await add(database, "Ann")
    use, before = SessionUse(database), disks.newest.writes
    for now_utc_s in range(1000, 1600):
        use.receive_use(1, now_utc_s)
        await asyncio.sleep(1)
    assert disks.newest.writes - before == 10
    await database.close()
    assert on_disk(path) == [("Ann", 1540)]


async def test_of_latest_writes_only_the_newest_is_written_in_one_transaction(path: Path, disks: Disks) -> None:
    database = virtual(path, disks)
    for person in ("Ann", "Bob"):
        await add(database, person)
    before = disks.newest.writes
    for now_utc_s in range(1, 100):
        put_use(database, now_utc_s)
        put_use(database, 2 * now_utc_s, session_id=2)
    await asyncio.sleep(0)
    assert disks.newest.writes - before == 1
    assert on_disk(path) == [("Ann", 99), ("Bob", 198)]
    await database.close()


async def test_latest_writes_come_before_waiting_requests(path: Path) -> None:
    done: list[str] = []
    database = virtual(path)
    writing = [
        asyncio.create_task(database.write(lambda _db: done.append("first"), "first")),
        asyncio.create_task(database.write(lambda _db: done.append("second"), "second")),
    ]
    await asyncio.sleep(0)
    database.write_latest(LatestKey("positions", "pan"), lambda _db: done.append("newest"), "newest")
    await asyncio.gather(*writing)
    assert done == ["newest", "first", "second"]
    await database.close()


# done once: invitations


@pytest.mark.realtime
async def test_of_many_who_redeem_an_invitation_at_once_one_gets_a_session(path: Path) -> None:
    database = threaded(path)
    await database.write(lambda db: invite(db, b"token"), "an invitation")
    tries = [
        database.write(functools.partial(redeem, token=b"token", browser=bytes([n])), f"try {n}") for n in range(100)
    ]
    results = await asyncio.gather(*tries)
    assert [result for result in results if result is not None] == [1]
    await database.close()
    assert len(on_disk(path)) == 1


async def test_an_expired_invitation_gives_no_session(path: Path) -> None:
    database = virtual(path)
    await database.write(lambda db: invite(db, b"token", ends_utc_s=1000), "an invitation")
    assert await database.write(lambda db: redeem(db, b"token", b"ann", 1000), "a try") is None
    assert await database.write(lambda db: redeem(db, b"token", b"ann", 999), "a try") == 1
    await database.close()


# what is deleted when its time is over: a visit book


async def test_visits_are_deleted_when_they_expire(path: Path) -> None:
    database = virtual(path)
    for at in range(0, 1000, 100):
        await database.write(functools.partial(add_visit, person=f"at {at}", began_utc_s=at), "a visit")
    assert await database.write(lambda db: delete_visits(db, 750), "deleting visits") == 8
    assert await database.read(visits, "the visits") == ["at 800", "at 900"]
    await database.close()


async def test_a_write_that_a_full_disk_did_not_take_can_be_done_again(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        database = virtual(path)
        await add(database, "Ann")
        disk.fill()
        for _ in range(2):
            with pytest.raises(StoreError, match="the disk is full: free some space") as caught:
                await database.write(functools.partial(add_visit, person="B" * 100_000, began_utc_s=7), "a visit")
            assert not caught.value.may_be_done
        assert await database.read(visits, "the visits") == []
        disk.free()
        await database.write(lambda db: add_visit(db, "Bob", 7), "a visit")
        assert await database.read(visits, "the visits") == ["Bob"]
        await database.close()


# a disk that fails


async def test_a_latest_write_is_retried_less_and_less_often_and_logged_once(
    path: Path, disks: Disks, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    database = virtual(path, disks)
    await add(database, "Ann")
    caplog.clear()
    disks.newest.is_full = True
    put_use(database, 1)
    await asyncio.sleep(0)
    assert (database.is_saving("use"), on_disk(path)) == (False, [("Ann", 0)])
    await asyncio.sleep(3600)
    put_use(database, 2)
    disks.newest.is_full = False
    await asyncio.sleep(RETRY_LONGEST_S)
    assert (database.is_saving("use"), on_disk(path)) == (True, [("Ann", 2)])
    assert caplog.messages == [
        "could not save use: the disk is full",
        f"{path}: saving use works again",
    ]
    await database.close()


async def test_the_first_retry_comes_soon(path: Path, disks: Disks) -> None:
    database = virtual(path, disks)
    await add(database, "Ann")
    disks.newest.is_full = True
    put_use(database, 1)
    await asyncio.sleep(0)
    disks.newest.is_full = False
    await asyncio.sleep(RETRY_FIRST_S / 2)
    assert on_disk(path) == [("Ann", 0)]
    await asyncio.sleep(RETRY_FIRST_S)
    assert on_disk(path) == [("Ann", 1)]
    await database.close()


def half_wrong(connection: sqlite3.Connection) -> None:
    add_session(connection, "Bob", b"Bob")
    add_session(connection, "Ann", b"Ann")


async def test_a_latest_write_that_can_never_succeed_is_dropped_and_does_not_block_others(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = virtual(path)
    await add(database, "Ann")
    database.write_latest(LatestKey("use", "0"), half_wrong, "what is there already")
    put_use(database, 5)
    await asyncio.sleep(0)
    assert on_disk(path) == [("Ann", 5)]
    assert database.is_saving("use")
    assert errors(caplog) == ["could not save what is there already; it is not retried"]
    await database.close()


async def test_a_wrong_statement_is_dropped_too(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = virtual(path)
    database.write_latest(LatestKey("use", "0"), lambda db: db.execute("UPDATE nowhere SET a = 1"), "nonsense")
    await asyncio.sleep(0)
    assert database.is_saving("use")
    assert errors(caplog) == ["could not save nonsense; it is not retried"]
    await database.close()


async def test_a_kind_for_which_a_full_disk_has_no_room_does_not_block_other_kinds(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        database = virtual(path)
        await add(database, "Ann")
        put_use(database, 1)
        await asyncio.sleep(0)
        disk.fill()
        long = functools.partial(add_visit, person="B" * 100_000, began_utc_s=7)
        for now_utc_s in range(2, 10):
            database.write_latest(LatestKey("visits", "7"), long, "a long visit")
            put_use(database, now_utc_s)
            await asyncio.sleep(0)
            assert on_disk(path) == [("Ann", now_utc_s)]
        assert (database.is_saving("use"), database.is_saving("visits")) == (True, False)
        await database.close()


async def test_waiting_latest_writes_are_bounded_for_each_kind(path: Path, disks: Disks) -> None:
    database = virtual(path, disks)
    await add(database, "Ann")
    disks.newest.is_full = True
    written: list[int] = []

    def note(_connection: sqlite3.Connection, number: int) -> None:
        written.append(number)

    database.write_latest(LatestKey("positions", "pan"), functools.partial(note, number=-1), "a position")
    for number in range(2 * MAX_WAITING):
        database.write_latest(LatestKey("use", str(number)), functools.partial(note, number=number), "use")
    disks.newest.is_full = False
    await asyncio.sleep(RETRY_LONGEST_S)
    assert written == [-1, *range(MAX_WAITING, 2 * MAX_WAITING)]
    await database.close()


async def test_a_write_that_waits_too_long_counts_as_not_saved_although_nothing_failed(
    path: Path, disks: Disks
) -> None:
    loop = asyncio.get_running_loop()
    database = Database(path, TABLES, open_file=disks, clock=loop.time)
    database.open(WAIT_TIMEOUT_S)
    disks.newest.answers.clear()
    put_use(database, 1)
    is_saving = [database.is_saving("use")]
    await asyncio.sleep(LATE_S + 1)
    assert [*is_saving, database.is_saving("use")] == [True, False]
    await database.close()


def a_folder(path: Path) -> None:
    path.mkdir()


def no_database(path: Path) -> None:
    path.write_text("no database " * 1000, encoding="utf-8")


def of_later(path: Path) -> None:
    with contextlib.closing(SqliteFile(path, TABLES)) as file:
        file.migrate()
        file.write(lambda db: db.execute("PRAGMA user_version = 99"))


def content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


@pytest.mark.parametrize("make", [a_folder, no_database, of_later])
async def test_an_unusable_file_is_logged_once_refuses_every_call_and_is_left_unchanged(
    path: Path, make: Callable[[Path], None], disks: Disks, caplog: pytest.LogCaptureFixture
) -> None:
    make(path)
    before = content(path)
    database = virtual(path, disks)
    put_use(database, 1)
    for call in (add(database, "Ann"), people(database)):
        with pytest.raises(StoreError, match=str(path)) as caught:
            await call
        assert caught.value.is_lasting
    await asyncio.sleep(3600)
    assert not database.is_saving("use")
    assert len(errors(caplog)) == 1
    assert (content(path)) == before
    await database.close()
    assert errors(caplog)[1].startswith("could not save use at 1: ")


async def test_opening_a_file_is_retried_on_a_timer_and_for_every_request(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.touch()
    asked, unasked = virtual(folder / "it.sqlite3"), virtual(folder / "other.sqlite3")
    with pytest.raises(StoreError, match="the session of Ann: was not done") as caught:
        await add(asked, "Ann")
    assert not caught.value.is_lasting
    folder.unlink()
    await add(asked, "Ann")
    assert asked.is_saving("use")
    await asyncio.sleep(RETRY_LONGEST_S)
    assert unasked.is_saving("use")
    for database in (asked, unasked):
        await database.close()


@pytest.mark.realtime
async def test_a_file_that_another_program_locks_for_a_second_costs_only_that_second(path: Path) -> None:
    database = threaded(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    threading.Timer(1, other.close).start()
    assert await add(database, "Ann") == 1
    await database.close()


async def test_work_on_opening_is_done_before_later_migrations_and_remains_if_they_fail(
    tmp_path: Path,
) -> None:
    seen: list[int] = []

    def use(file: SqliteFile) -> None:
        seen.append(file.version)
        file.write(lambda db: use_session(db, 1, 77))

    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        with contextlib.closing(SqliteFile(path, TABLES[:1])) as file:
            file.migrate()
            file.write(lambda db: add_session(db, "Ann", b"ann"))
        disk.fill()
        database = Database(path, TABLES, worker=LoopWorker, clock=asyncio.get_running_loop().time)
        database.on_opened(use)
        database.open()
        assert (seen, database.is_saving("use")) == ([1], False)
        with contextlib.closing(SqliteFile(path, TABLES)) as file:
            assert (file.read(sessions), file.version) == ([("Ann", 77)], 1)
        disk.free()
        await asyncio.sleep(RETRY_LONGEST_S)
        assert (seen, database.is_saving("use")) == ([1, 1], True)
        assert await people(database) == ["Ann"]
        await database.close()


async def test_an_upgrade_that_fails_for_each_request_is_copied_for_once(path: Path) -> None:
    with contextlib.closing(SqliteFile(path, TABLES)) as file:
        file.migrate()
    copy = path.with_name(f"{path.name}.before-v{len(TABLES) + 1}")

    def fails(_connection: sqlite3.Connection) -> None:
        copies.append(copy.stat().st_ino)
        raise KeyError("never")

    copies: list[int] = []
    database = virtual(path, migrations=(*TABLES, fails))
    database.open()
    for _request in range(3):
        with pytest.raises(StoreError, match="KeyError"):
            await people(database)
    assert (len(copies), len(set(copies))) == (4, 1)
    await database.close()


# the end


async def test_closing_writes_everything_that_waits_and_logs_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = virtual(path)
    adding = [asyncio.create_task(add(database, person)) for person in ("Ann", "Bob")]
    await asyncio.sleep(0)
    put_use(database, 9)
    await database.close()
    assert await asyncio.gather(*adding) == [1, 2]
    assert errors(caplog) == []
    assert [person for person, _ in on_disk(path)] == ["Ann", "Bob"]


async def test_closing_tries_writes_that_wait_for_a_retry_once_more(path: Path, disks: Disks) -> None:
    database = virtual(path, disks)
    await add(database, "Ann")
    disks.newest.is_full = True
    put_use(database, 9)
    await asyncio.sleep(3600)
    disks.newest.is_full = False
    await database.close()
    assert on_disk(path) == [("Ann", 9)]


async def test_closing_logs_what_was_not_saved_and_why(
    path: Path, disks: Disks, caplog: pytest.LogCaptureFixture
) -> None:
    database = virtual(path, disks)
    disks.newest.is_full = True
    put_use(database, 9)
    await database.close()
    assert errors(caplog, logging.ERROR) == ["could not save use at 9: the disk is full"]
    with pytest.raises(StoreError, match="is closed"):
        await add(database, "Ann")
    put_use(database, 10)
    assert errors(caplog, logging.ERROR)[1:] == [f"could not save use at 10: {path} is closed"]
    await database.close()


async def test_a_stuck_disk_does_not_block_closing_and_everything_lost_is_logged(
    path: Path, disks: Disks, caplog: pytest.LogCaptureFixture
) -> None:
    database = threaded(path, disks)
    disks.newest.answers.clear()
    adding = [asyncio.create_task(add(database, person)) for person in ("Ann", "Bob")]
    await asyncio.sleep(0)
    disks.newest.is_stuck.wait(WAIT_TIMEOUT_S)
    put_use(database, 9)
    reading = asyncio.create_task(people(database))
    await asyncio.sleep(0)
    began = asyncio.get_running_loop().time()
    await database.close()
    assert asyncio.get_running_loop().time() - began == pytest.approx(CLOSE_TIMEOUT_S)
    lost = ["use at 9", "the session of Ann", "the session of Bob"]
    assert errors(caplog) == [f"could not save {what}: {path}: the disk does not answer" for what in lost]
    first, *rest = await asyncio.gather(*adding, reading, return_exceptions=True)
    assert "did not answer within" in str(first)  # the outcome of this one is not known
    at_once = f"was not done: {path}: the disk does not answer"
    assert [str(error) for error in rest] == [f"the session of Bob: {at_once}", f"the sessions: {at_once}"]


@pytest.mark.realtime
async def test_a_thread_whose_disk_answers_after_closing_writes_the_rest_and_ends(path: Path, disks: Disks) -> None:
    before = set(threading.enumerate())
    database = threaded(path, disks)
    (thread,) = set(threading.enumerate()) - before
    await add(database, "Ann")
    disks.newest.answers.clear()
    put_use(database, 9)
    await database.close(0.05)
    disks.newest.answers.set()
    await asyncio.to_thread(thread.join, WAIT_TIMEOUT_S)
    assert (thread.is_alive(), on_disk(path)) == (False, [("Ann", 9)])


def test_a_process_ends_although_its_disk_was_stuck_from_the_start(path: Path) -> None:
    script = f"""
import threading
from pathlib import Path
from belvedere.store.database import Database
Database(Path({str(path)!r}), open_file=lambda *_: threading.Event().wait()).open(0.1)
print("ended", flush=True)
"""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", script]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (0, "ended\n")
    assert "could not open the store within 0.1 s" in ran.stderr


def test_a_database_that_has_nothing_to_do_sets_no_timer(path: Path) -> None:
    async def idle() -> None:
        database = virtual(path)
        await add(database, "Ann")
        put_use(database, 9)
        await asyncio.sleep(60)
        await asyncio.Event().wait()

    with pytest.raises(StalledError):
        run_in_virtual_time(idle())
