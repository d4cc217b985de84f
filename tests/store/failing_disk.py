"""A database whose disk can be full or stuck, and operations for its tests."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import threading
from typing import TYPE_CHECKING, TypeVar

from tests.store.examples import TABLES, add_session, sessions, use_session

from belvedere.errors import StoreError
from belvedere.store.database import Database, LatestKey
from belvedere.store.sqlite_file import SqliteFile
from belvedere.testing.loop_worker import LoopWorker

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pytest

    from belvedere.store.schema import Migration

T = TypeVar("T")
WAIT_TIMEOUT_S = 30


class Disk(SqliteFile):
    """A file whose disk can be full, or stuck before a write or during a commit, for as long as the test wants."""

    is_full = False

    def __init__(self, path: Path, migrations: Sequence[Migration]) -> None:
        super().__init__(path, migrations)
        self.answers, self.commits = threading.Event(), threading.Event()
        self.answers.set()
        self.commits.set()
        self.is_stuck = threading.Event()
        self.writes = 0

    def write(self, write: Callable[[sqlite3.Connection], T]) -> T:
        def then_commit(connection: sqlite3.Connection) -> T:
            result = write(connection)
            if not self.commits.is_set():
                self.is_stuck.set()
                self.commits.wait()
            return result

        if not self.answers.is_set():
            self.is_stuck.set()
            self.answers.wait()
        if self.is_full:
            raise StoreError("the disk is full")
        self.writes += 1
        return super().write(then_commit)


class Disks:
    """Opens files, and stores the newest one."""

    def __init__(self) -> None:
        self.opened: list[Disk] = []

    def __call__(self, path: Path, migrations: Sequence[Migration]) -> Disk:
        self.opened.append(Disk(path, migrations))
        return self.opened[-1]

    def release(self) -> None:
        """Unblock every thread that waits for a disk."""
        for disk in self.opened:
            disk.answers.set()
            disk.commits.set()

    @property
    def newest(self) -> Disk:
        return self.opened[-1]


def virtual(
    path: Path, disks: Callable[..., SqliteFile] = SqliteFile, migrations: Sequence[Migration] = TABLES
) -> Database:
    """A database in virtual time, opened if it has no positions."""
    database = Database(path, migrations, open_file=disks, worker=LoopWorker, clock=asyncio.get_running_loop().time)
    if migrations is TABLES:
        database.open()
    return database


def threaded(path: Path, disks: Callable[..., SqliteFile] = SqliteFile) -> Database:
    database = Database(path, TABLES, open_file=disks)
    database.open(WAIT_TIMEOUT_S)
    return database


def put_use(database: Database, now_utc_s: int, session_id: int = 1) -> None:
    write = functools.partial(use_session, session_id=session_id, now_utc_s=now_utc_s)
    database.write_latest(LatestKey("use", str(session_id)), write, f"use at {now_utc_s}")


async def add(database: Database, person: str) -> int:
    return await database.write(lambda db: add_session(db, person, person.encode()), f"the session of {person}")


async def people(database: Database) -> list[str]:
    return [person for person, _ in await database.read(sessions, "the sessions")]


def on_disk(path: Path) -> list[tuple[str, int]]:
    with contextlib.closing(SqliteFile(path, TABLES)) as file:
        file.migrate()
        return file.read(sessions)


def errors(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= level]
