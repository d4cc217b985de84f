"""The saved position of each axis, so that soft limits protect the cables after a restart too.

After a restart a position is trusted only if it was saved as sure, with the axis at rest, and nothing has moved since.
So whenever the file is opened, all positions in it are first marked "not sure"; if that fails, none is trusted.
"""

from __future__ import annotations

import functools
import logging
import math
import threading
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import StoreError
from belvedere.store.database import LatestKey

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from belvedere.store.database import Database
    from belvedere.store.sqlite_file import SqliteFile

logger = logging.getLogger(__name__)

KIND = "positions"
MAX_DEG = 1e9  # almost a year of turning at 40 degrees a second; a larger number is an error


class Position(msgspec.Struct, frozen=True):
    """Degrees from where the axis was when it was first used; not sure if it may have moved since."""

    deg: float
    is_sure: bool

    @property
    def doubted(self) -> Position:
        """The same position, not sure."""
        return Position(self.deg, is_sure=False)


ORIGIN = Position(0.0, is_sure=True)
UNKNOWN = ORIGIN.doubted


class SavedPositions:
    """The positions in a database; create this before the database is opened.

    `counted` are the axes whose position is estimated.

    Attributes:
        at_start: the saved position of each counted axis; none is sure if the file cannot be read and written.
    """

    def __init__(self, database: Database, counted: Sequence[str]) -> None:
        self.at_start = dict.fromkeys(counted, UNKNOWN)
        self._database = database
        self._counted = counted
        self._lock = threading.Lock()  # the thread may open the file late, after positions were put
        self._put: set[str] = set()
        database.on_opened(self._receive_file)

    def put(self, positions: Mapping[str, Position]) -> None:
        """Save these as soon as possible, in place of earlier ones of the same axes. Never blocks."""
        with self._lock:
            self._put.update(positions)
            self._write(positions)

    @property
    def is_saving(self) -> bool:
        """Whether the newest positions are on the disk, or will be within seconds."""
        return self._database.is_saving(KIND)

    def _write(self, positions: Mapping[str, Position]) -> None:
        for axis, position in positions.items():
            what = f"the position of {axis}, {position.deg:g} degrees"
            write = functools.partial(save_positions, positions={axis: position})
            self._database.write_latest(LatestKey(KIND, axis), write, what)

    def _receive_file(self, file: SqliteFile) -> None:
        """Read the positions, in the thread, and mark all of them "not sure" in the file."""
        saved = file.read(functools.partial(load_positions, path=file.path))
        missing = ORIGIN if saved or file.is_new else UNKNOWN  # an old file without positions: the disk was full
        found = {axis: saved.get(axis, missing) for axis in self._counted}
        doubted = {axis: position.doubted for axis, position in {**saved, **found}.items()}
        try:
            file.write(functools.partial(save_positions, positions=doubted))
        except StoreError:  # it is retried and logged like any position
            found = {axis: position.doubted for axis, position in found.items()}
            with self._lock:
                self._write({axis: position for axis, position in doubted.items() if axis not in self._put})
        self.at_start = found


def save_positions(connection: sqlite3.Connection, positions: Mapping[str, Position]) -> None:
    """Replace the positions of these axes."""
    rows = [(axis, position.deg, int(position.is_sure)) for axis, position in positions.items()]
    connection.executemany("INSERT OR REPLACE INTO position (axis, deg, is_sure) VALUES (?, ?, ?)", rows)


def doubt_positions(connection: sqlite3.Connection) -> None:
    """Mark all positions "not sure", as those of a copy are: the head may have moved since."""
    connection.execute("UPDATE position SET is_sure = 0")


def load_positions(connection: sqlite3.Connection, path: Path) -> dict[str, Position]:
    """All saved positions. A row with invalid values is logged, with the file's path, and gives UNKNOWN."""
    rows = connection.execute("SELECT axis, deg, is_sure FROM position").fetchall()
    return {str(axis): _position(path, axis, deg, is_sure) for axis, deg, is_sure in rows}


def _position(path: Path, axis: object, deg: object, is_sure: object) -> Position:
    if isinstance(deg, int | float) and math.isfinite(deg) and abs(deg) <= MAX_DEG and is_sure in {0, 1}:
        return Position(float(deg), is_sure=bool(is_sure))
    logger.warning("%s: contains an invalid position of %s: %.40r degrees, sure %.40r", path, axis, deg, is_sure)
    return UNKNOWN
