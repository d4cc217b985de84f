"""The tables of the store, in the one place where they are described, and the steps that lead to them.

`MIGRATIONS[0]` makes version 1 out of an empty file, and so on. A step that was released is never edited: a change is a
new step at the end, either SQL or a function of the connection. Each runs in a transaction of its own, so none may
begin or end one, and each must work on empty tables too: that is how the store learns what a version looks like.

Rules for new tables:
- `STRICT`, with a primary key.
- A time is the wall clock's, in whole seconds since 1970 in UTC, in a column that ends in `_utc_s`. A Raspberry Pi has
  no clock while it is off, so such a time may be hours behind after a power cut until the network has set it.
- Of a secret only a hash is kept.
- The positions are read and marked as "not sure" in every file before later steps are tried, whichever of them it has
  behind it: a step that changes the table `position` must leave the statements of `positions.py` valid before it, too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Migration = str | Callable[[sqlite3.Connection], None]

POSITIONS = """
CREATE TABLE position (
    axis TEXT PRIMARY KEY,
    deg REAL NOT NULL,
    is_sure INTEGER NOT NULL
)
"""
"""Where each axis stands: degrees from where it stood at first, and whether it surely has not moved since (0 or 1)."""

MIGRATIONS: tuple[Migration, ...] = (POSITIONS,)
