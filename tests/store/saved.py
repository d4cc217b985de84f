"""Reads and writes the positions in a store's file, for tests."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

from belvedere.store.positions import load_positions, save_positions
from belvedere.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.store.positions import Position


def saved(path: Path) -> dict[str, Position]:
    """The positions in the file now."""
    with contextlib.closing(SqliteFile(path)) as file:
        file.migrate()
        return file.read(functools.partial(load_positions, path=path))


def save(path: Path, **positions: Position) -> None:
    """Write these into the file."""
    with contextlib.closing(SqliteFile(path)) as file:
        file.migrate()
        file.write(functools.partial(save_positions, positions=positions))
