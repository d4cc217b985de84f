"""The rows of Amazon IVS: who was handed a token and may still be on its stage, and what each month has used.

The participants are kept so that a restart can put out whoever joined before it, and whom nobody would count.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

logger = logging.getLogger(__name__)

MOST_MONTHS: Final = 120
MAX_S: Final = 10**12

ParticipantId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Month = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}\Z")]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_S)]


class SavedParticipant(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may be on the stage.

    Attributes:
        id: the participant's id at AWS; no secret.
        join_by_utc_s: until when its token can be used to join.
    """

    id: ParticipantId
    join_by_utc_s: Seconds


class SavedMonth(msgspec.Struct, frozen=True, kw_only=True):
    """What a month has used.

    Attributes:
        month: such as `2026-11`, in UTC.
        participant_s: for how many seconds participants were on the stage, all of them together.
    """

    month: Month
    participant_s: Seconds


_Row = TypeVar("_Row", SavedParticipant, SavedMonth)


def save_participant(connection: sqlite3.Connection, participant: SavedParticipant) -> None:
    """Add a participant, or replace what was saved of it."""
    values = (participant.id, participant.join_by_utc_s)
    connection.execute("INSERT OR REPLACE INTO ivs_participant (id, join_by_utc_s) VALUES (?, ?)", values)


def delete_participant(connection: sqlite3.Connection, participant_id: str) -> None:
    """A participant is out for good."""
    connection.execute("DELETE FROM ivs_participant WHERE id = ?", (participant_id,))


def load_participants(connection: sqlite3.Connection) -> list[SavedParticipant]:
    """All who may be on the stage. A row with invalid values is logged and left out."""
    rows = connection.execute("SELECT id, join_by_utc_s FROM ivs_participant").fetchall()
    found = [each for row in rows if (each := _converted(row, SavedParticipant)) is not None]
    if len(found) < len(rows):
        logger.warning("the store contains %d invalid participants of Amazon IVS", len(rows) - len(found))
    return found


def save_month(connection: sqlite3.Connection, month: SavedMonth) -> None:
    """Replace what was saved of a month; of the oldest months, all above MOST_MONTHS are deleted."""
    values = (month.month, month.participant_s)
    connection.execute("INSERT OR REPLACE INTO ivs_month (month, participant_s) VALUES (?, ?)", values)
    old = "DELETE FROM ivs_month WHERE month IN (SELECT month FROM ivs_month ORDER BY month DESC LIMIT -1 OFFSET ?)"
    connection.execute(old, (MOST_MONTHS,))


def load_months(connection: sqlite3.Connection) -> list[SavedMonth]:
    """The months, newest first. A row with invalid values is logged and left out."""
    rows = connection.execute("SELECT month, participant_s FROM ivs_month ORDER BY month DESC").fetchall()
    found = [each for row in rows if (each := _converted(row, SavedMonth)) is not None]
    if len(found) < len(rows):
        logger.warning("the store contains %d invalid months of Amazon IVS", len(rows) - len(found))
    return found


def _converted(row: Sequence[object], kind: type[_Row]) -> _Row | None:
    try:
        return msgspec.convert(dict(zip(kind.__struct_fields__, row, strict=True)), kind)
    except msgspec.ValidationError:
        return None
