"""Where each axis was left, in one SQLite file, so that soft limits guard the cables after a restart too.

The journal is kept beside the file and written over in place (`PERSIST`), and so is the file: what was written once can
be written again on a disk that is full, after a restart too. A write-ahead log would need new space at every start.
"""

from __future__ import annotations

import contextlib
import logging
import math
import sqlite3
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

logger = logging.getLogger(__name__)

COLUMNS = ["axis", "deg", "is_sure"]
SCHEMA = "CREATE TABLE IF NOT EXISTS position (axis TEXT PRIMARY KEY, deg REAL NOT NULL, is_sure INTEGER NOT NULL)"
VERSION = 1  # of the tables in this file; a file of a later one is left alone
BUSY_S = 1.5  # somebody may look into the file with another program
MOST_DEG = 1e9  # a year of turning at 40 degrees a second; a number beyond it was never counted
AFRESH = "move it away to count afresh (docs/how-to/limit-travel.md)"
LASTING = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
WORDS = {
    "SQLITE_FULL": "the disk is full: free some space",
    "SQLITE_READONLY": "is read-only: let this user write to it and to its folder",
    "SQLITE_BUSY": "is locked by another program: end that",
    "SQLITE_CORRUPT": f"is damaged: {AFRESH}",
    "SQLITE_NOTADB": f"is no database: {AFRESH}, or name another file in [store]",
    "SQLITE_CANTOPEN": "cannot be opened: is its folder there, and may this user write to it?",
    "SQLITE_IOERR": "cannot be read or written: is the disk full, or failing?",
}


class Position(msgspec.Struct, frozen=True):
    """Degrees from where the axis stood when it was first used; not sure if it moved unheard of."""

    deg: float
    is_sure: bool

    @property
    def doubted(self) -> Position:
        """The same, not sure."""
        return Position(self.deg, is_sure=False)


FIRST = Position(0.0, is_sure=True)
LOST = FIRST.doubted


class Positions:
    """The table of positions; calls block for a disk's moment, come from one thread, and raise StoreError.

    A file that is damaged, of a later version, or none of ours, is refused and left as it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_ours = False
        try:
            is_folder, self._was_there = path.is_dir(), path.exists()
        except OSError as error:
            raise StoreError(f"{path}: cannot be looked at: {error.strerror}") from error
        if is_folder:
            raise StoreError(f"{path}: is a folder: name a file in [store]", is_lasting=True)
        with self._explained():
            self._database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    @property
    def unheard(self) -> Position:
        """Where an axis stands of which nothing was kept: in a new file it is counted from where it stands now."""
        return FIRST if self._is_ours or not self._was_there else LOST

    def all(self) -> dict[str, Position]:
        """Every axis that was ever kept; one whose row makes no sense is told of, and lost."""
        with self._explained():
            rows = self._database.execute("SELECT axis, deg, is_sure FROM position").fetchall() if self._is_ours else []
        return {str(axis): self._position(axis, deg, is_sure) for axis, deg, is_sure in rows}

    def keep(self, positions: Mapping[str, Position]) -> None:
        """Replace the positions of these axes, all or none; on return they are on the disk."""
        values = [(axis, kept.deg, int(kept.is_sure)) for axis, kept in positions.items()]
        with self._explained():
            try:
                self._database.execute("BEGIN IMMEDIATE")
                self._database.execute(SCHEMA)
                self._database.execute(f"PRAGMA user_version = {VERSION}")
                self._database.executemany("INSERT OR REPLACE INTO position VALUES (?, ?, ?)", values)
                self._database.execute("COMMIT")
            finally:
                with contextlib.suppress(sqlite3.Error):  # whatever failed above is what is told
                    if self._database.in_transaction:
                        self._database.execute("ROLLBACK")
        if not self._is_ours:
            self._is_ours = True
            self.keep(
                positions
            )  # now that there are pages to put into it, the journal takes all the space it ever needs

    def close(self) -> None:
        """Give the file back."""
        self._database.close()

    def _prepare(self) -> None:
        self._database.text_factory = lambda text: text.decode(errors="replace")
        with self._explained():
            found = self._database.execute("PRAGMA user_version").fetchone()[0]
            tables = {name for (name,) in self._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            columns = [row[1] for row in self._database.execute("PRAGMA table_info(position)")]
        self._is_ours = columns == COLUMNS
        if tables and not self._is_ours:
            raise StoreError(f"{self._path}: is another program's: name another file in [store]", is_lasting=True)
        if found > VERSION:
            problem = f"is of a later Belvedere than this one (version {found}, not {VERSION}): {AFRESH}"
            raise StoreError(f"{self._path}: {problem}", is_lasting=True)
        with self._explained():
            self._database.execute("PRAGMA synchronous = FULL")  # with PERSIST: what was committed survives a power cut
            self._database.execute("PRAGMA journal_mode = PERSIST")

    def _position(self, axis: object, deg: object, is_sure: object) -> Position:
        if isinstance(deg, int | float) and math.isfinite(deg) and abs(deg) <= MOST_DEG and is_sure in {0, 1}:
            return Position(float(deg), is_sure=bool(is_sure))
        logger.warning("%s: holds no position of %s: %.40r degrees, sure %.40r", self._path, axis, deg, is_sure)
        return LOST

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise a StoreError that says what is wrong and what to do, instead of whatever SQLite raises."""
        try:
            yield
        except (sqlite3.Error, ValueError) as error:  # the latter for a path with a zero in it
            name = getattr(error, "sqlite_errorname", "")
            words = next((words for start, words in WORDS.items() if name.startswith(start)), "cannot be used")
            raise StoreError(f"{self._path}: {words} ({error})", is_lasting=name.startswith(LASTING)) from error
