"""Where each axis was left, so that soft limits guard the cables after a restart too."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import msgspec

from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SCHEMA = "CREATE TABLE IF NOT EXISTS position (axis TEXT PRIMARY KEY, deg REAL NOT NULL, is_sure INTEGER NOT NULL)"
VERSION = 1  # of the tables in this file; a file of a later one is left alone
BUSY_S = 2.0  # somebody may look into the file with another program


class Position(msgspec.Struct, frozen=True):
    """Degrees from where the axis stood when it was first used; not sure if it moved unheard of."""

    deg: float
    is_sure: bool


class Positions:
    """The table of positions; calls block for a disk's moment, may come from any thread, and raise OwnerError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        try:
            self._database = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
            self._prepare()
        except sqlite3.Error as error:
            raise OwnerError(f"{path}: cannot be used as the store: {error}") from error

    def all(self) -> dict[str, Position]:
        """Every axis that was ever kept."""
        with self._turn:
            rows = self._run("SELECT axis, deg, is_sure FROM position", [()])
        return {str(axis): Position(deg, bool(is_sure)) for axis, deg, is_sure in rows}

    def keep(self, positions: Mapping[str, Position]) -> None:
        """Replace the positions of these axes."""
        values = [(axis, kept.deg, kept.is_sure) for axis, kept in positions.items()]
        with self._turn:
            self._run("INSERT OR REPLACE INTO position VALUES (?, ?, ?)", values)

    def close(self) -> None:
        """Give the file back."""
        with self._turn:
            self._database.close()

    def _prepare(self) -> None:
        found = self._database.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise OwnerError(f"{self._path}: is of a later Belvedere than this one (version {found}, not {VERSION})")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(SCHEMA)
        self._database.execute(f"PRAGMA user_version = {VERSION}")

    def _run(self, statement: str, values: Sequence[tuple[object, ...]]) -> list[tuple[Any, ...]]:
        try:
            rows: list[tuple[Any, ...]] = []
            for value in values:
                rows += self._database.execute(statement, value).fetchall()
        except sqlite3.Error as error:
            raise OwnerError(f"{self._path}: {error}") from error
        return rows
