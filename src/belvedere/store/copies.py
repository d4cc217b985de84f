"""Copies of the store: consistent while somebody writes; and those that are kept before the whole file is changed.

A copy is made in small steps between which the file is free, so whoever writes waits for milliseconds. SQLite begins
anew when something was written meanwhile. Copies that were kept expire: they contain what people have deleted since.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from typing import TYPE_CHECKING, Final

from belvedere.atomic_files import written_whole
from belvedere.errors import StoreError
from belvedere.store.ownership import give_to_owner_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

logger = logging.getLogger(__name__)

PAGES_PER_STEP: Final = 256  # 1 MiB: a few milliseconds from an SD card
PAUSE_S: Final = 0.005  # in which a writer that waits finds the file free
BUSY_S: Final = 0.05
TIMEOUT_S: Final = 30.0
KEPT_S: Final = 30 * 86400.0
LOOK_EVERY_S: Final = 86400.0  # for those that have been kept for so long
MEBI: Final = 1024 * 1024


def copy_database(
    source: sqlite3.Connection,
    target: Path,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Write a consistent copy to `target`, readable by this user only, whole or not at all. Replaces what is there.

    Blocks for TIMEOUT_S at most, and for as long as the disk takes. Raises StoreError, sqlite3.Error, and OSError.
    """
    check_room(target.parent, _pragma(source, "page_count") * _pragma(source, "page_size"))
    until_s = clock() + TIMEOUT_S

    def between_steps(_status: int, left: int, _total: int) -> None:
        if clock() > until_s:
            raise StoreError(f"{target}: could not be written within {TIMEOUT_S:g} s: too much is written to the store")
        if left:
            pause(PAUSE_S)

    with written_whole(target) as partial:
        with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = OFF")  # a copy that fails is deleted
            copy.execute("PRAGMA synchronous = OFF")  # it is flushed as a whole, below
            source.backup(copy, pages=PAGES_PER_STEP, progress=between_steps, sleep=BUSY_S)
        give_to_owner_of(target.parent, partial)


def check_room(folder: Path, size: int) -> None:
    """Raise StoreError if the disk has no room for a file of this size."""
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if free < size:
        wanted = f"{size / MEBI:.0f} MiB are needed for a copy of the store, and {free / MEBI:.0f} MiB are free"
        raise StoreError(f"{folder}: the disk is full: {wanted}: free some space")


def before_migration(path: Path, version: int) -> Path:
    """Where the copy is kept that was made before the store at `path` was migrated to this version."""
    return path.with_name(f"{path.name}.before-v{version}")


def delete_expired_copies(path: Path, now_utc_s: float) -> None:
    """Delete copies of the store at `path` that were kept for longer than KEPT_S; what cannot be deleted is logged."""
    try:
        copies = [each for each in path.parent.iterdir() if each.name.startswith(f"{path.name}.before-")]
    except OSError as error:
        logger.warning("%s: could not be looked through for old copies: %s", path.parent, error.strerror)
        return
    for copy in copies:
        try:
            if now_utc_s - copy.lstat().st_ctime > KEPT_S:  # since it has this name
                copy.unlink()
                logger.info("%s: deleted, because it was kept for %d days", copy, KEPT_S / 86400)
        except OSError as error:
            logger.warning("%s: could not be deleted: %s", copy, error.strerror)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
