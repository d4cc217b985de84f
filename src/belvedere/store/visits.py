"""The visit book's rows: who was here, when, and what they did. Who writes them, and when, is `room.visit_recorder`.

Rows are in the order in which their visits began, whatever the clock said then: that of `place`.
"""

from __future__ import annotations

import csv
import io
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)

MAX_NAME_CHARS: Final = 200
MAX_S: Final = 253_402_300_799  # the end of the year 9999, which `datetime` has as its last
MOST_VISITS: Final = 20_000  # of all people, a few megabytes
MOST_VISITS_OF_ONE: Final = 2_000  # nobody pushes other people's visits out of the book by coming again and again

VisitId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{12}\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME_CHARS)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_S)]
WayName = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,32}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


class SavedVisit(msgspec.Struct, frozen=True, kw_only=True):
    """One visit: a person's continuous presence.

    Attributes:
        id: names it; not a secret.
        person: the person's id.
        name: the person's name at that time.
        began_utc_s: when it began, in wall-clock time.
        lasted_s: how long it lasted, or has lasted until now, measured by a clock that does not jump.
        looked_s: how long of it the person had a picture.
        drove_s: how long of it the person was the driver.
        ways: the transports of the picture.
        stills: how many stills the person took.
        knocks: how often the person asked to be let in.
        refusals: how often the answer was no.
        participant_s: how long of it the person was a participant of Amazon IVS, all devices together: it is billed.
        talked_s: how long of it the room heard the person.
        talked_utc_s: when that was last; 0 for never.
    """

    id: VisitId
    person: Text
    name: Text
    began_utc_s: Seconds
    lasted_s: Seconds
    looked_s: Seconds = 0
    drove_s: Seconds = 0
    ways: tuple[WayName, ...] = ()
    stills: Count = 0
    knocks: Count = 0
    refusals: Count = 0
    participant_s: Seconds = 0
    talked_s: Seconds = 0
    talked_utc_s: Seconds = 0


FIELDS: Final = SavedVisit.__struct_fields__
_COLUMNS: Final = ", ".join(FIELDS)
_SAVE: Final = f"""
INSERT INTO room_visit ({_COLUMNS}) VALUES ({", ".join("?" * len(FIELDS))})
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in FIELDS[1:])}
"""  # noqa: S608 (nothing that is put in comes from outside)
_LOAD: Final = f"""
SELECT {_COLUMNS} FROM room_visit
WHERE place < coalesce((SELECT place FROM room_visit WHERE id = ?), 1 << 62) ORDER BY place DESC LIMIT ?
"""  # noqa: S608 (likewise)
_PRUNE_OF_ONE: Final = """
DELETE FROM room_visit WHERE place IN (
    SELECT place FROM (SELECT place, row_number() OVER (PARTITION BY person ORDER BY place DESC) AS nth FROM room_visit)
    WHERE nth > ?
)
"""
_PRUNE_OF_ALL: Final = """
DELETE FROM room_visit WHERE place IN (SELECT place FROM room_visit ORDER BY place DESC LIMIT -1 OFFSET ?)
"""


def save_visit(connection: sqlite3.Connection, visit: SavedVisit) -> None:
    """Add this visit, or replace what was saved of it."""
    values = {**msgspec.structs.asdict(visit), "ways": " ".join(visit.ways)}
    connection.execute(_SAVE, tuple(values[name] for name in FIELDS))


def delete_visit(connection: sqlite3.Connection, visit_id: str) -> bool:
    """Delete one visit; returns whether there was one."""
    return connection.execute("DELETE FROM room_visit WHERE id = ?", (visit_id,)).rowcount > 0


def has_visit(connection: sqlite3.Connection, visit_id: str) -> bool:
    """Whether there is this visit."""
    return connection.execute("SELECT 1 FROM room_visit WHERE id = ?", (visit_id,)).fetchone() is not None


def prune_visits(connection: sqlite3.Connection, before_utc_s: int) -> int:
    """Delete what began before this time, and the oldest above the limits; returns how many were deleted."""
    old = connection.execute("DELETE FROM room_visit WHERE began_utc_s < ?", (before_utc_s,)).rowcount
    of_one = connection.execute(_PRUNE_OF_ONE, (MOST_VISITS_OF_ONE,)).rowcount
    return old + of_one + connection.execute(_PRUNE_OF_ALL, (MOST_VISITS,)).rowcount


class VisitPage(NamedTuple):
    """Some visits, newest first, and whether there are older ones."""

    visits: list[SavedVisit]
    has_more: bool


def load_visits(connection: sqlite3.Connection, limit: int, before: str | None = None) -> VisitPage:
    """The newest visits, or the newest of those that began before the visit `before`; all if that does not exist.

    A row with invalid values is logged and left out.
    """
    rows = connection.execute(_LOAD, (before, limit + 1)).fetchall()
    visits = [visit for row in rows[:limit] if (visit := _visit(row)) is not None]
    if len(visits) < len(rows[:limit]):
        logger.warning("the visit book has %d invalid rows", len(rows[:limit]) - len(visits))
    return VisitPage(visits, has_more=len(rows) > limit)


def export_visits(connection: sqlite3.Connection, encode: Callable[[Sequence[SavedVisit]], bytes]) -> bytes:
    """All visits, newest first, as `encode_json` or `encode_csv` writes them."""
    return encode(load_visits(connection, MOST_VISITS).visits)


def encode_json(visits: Sequence[SavedVisit]) -> bytes:
    """A JSON list of objects with the fields of `SavedVisit`, and `began` as a text."""
    return msgspec.json.encode([{"began": moment(each), **msgspec.structs.asdict(each)} for each in visits])


def encode_csv(visits: Sequence[SavedVisit]) -> bytes:
    """The same as a table for spreadsheets, in UTF-8 with a byte order mark, without which Excel guesses wrongly."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(("began", *FIELDS))
    for each in visits:
        values = {**msgspec.structs.asdict(each), "ways": " ".join(each.ways)}
        table.writerow([moment(each), *(_cell(str(values[name])) for name in FIELDS)])
    return text.getvalue().encode("utf-8-sig")


def moment(visit: SavedVisit) -> str:
    """When a visit began, such as `2026-11-28T04:56:27Z`."""
    return datetime.fromtimestamp(visit.began_utc_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula, whatever name a person has chosen."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _visit(row: Sequence[object]) -> SavedVisit | None:
    values = dict(zip(FIELDS, row, strict=True))
    try:
        return msgspec.convert({**values, "ways": str(values["ways"]).split()}, SavedVisit)
    except msgspec.ValidationError:
        return None
