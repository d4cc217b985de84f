"""Where the room's decisions are saved: in the store, or nowhere."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Protocol

import msgspec

from belvedere.privacy.hours import QuietSpan
from belvedere.privacy.state import RoomState
from belvedere.privacy.words import Welcome
from belvedere.store.room import SavedRoom, load_room, save_room

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.store.database import Database

logger = logging.getLogger(__name__)

WHAT = "what the room has decided"


class KeepsRoom(Protocol):
    """Saves the room's decisions."""

    @property
    def survives_restart(self) -> bool:
        """Whether what is saved is known after a restart."""
        ...

    async def load(self) -> RoomState | None:
        """What was saved; None if nothing ever was. Raises StoreError if nobody knows."""
        ...

    async def save(self, state: RoomState) -> None:
        """Return when this is saved, after earlier calls. Raises StoreError if it is not, or nobody knows."""
        ...


class RoomStore:
    """Saves them in the database."""

    survives_restart = True

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path

    async def load(self) -> RoomState | None:
        """What was saved. What is damaged counts as a closed curtain."""
        saved = await self._database.read(functools.partial(load_room, path=self._path), WHAT)
        return None if saved is None else _state(saved)

    async def save(self, state: RoomState) -> None:
        """Return when it is on the disk."""
        await self._database.write(functools.partial(save_room, room=_saved(state)), WHAT)


class NoRoomStore:
    """Saves nothing: there is no store."""

    survives_restart = False

    async def load(self) -> RoomState | None:
        """Nothing."""
        return None

    async def save(self, state: RoomState) -> None:
        """Do nothing."""


def _saved(state: RoomState) -> SavedRoom:
    return SavedRoom(
        is_closed=state.is_closed,
        by=state.by,
        since_utc_s=state.since_utc_s,
        is_muted=state.is_muted,
        guests_hear=state.guests_hear,
        quiet=tuple((span.weekday, span.from_minute, span.until_minute) for span in state.quiet),
        welcomes={person: welcome.value for person, welcome in state.welcomes.items()},
    )


def _state(saved: SavedRoom) -> RoomState:
    try:
        quiet = tuple(
            msgspec.convert({"weekday": day, "from_minute": begin, "until_minute": end}, QuietSpan)
            for day, begin, end in saved.quiet
        )
        welcomes = {person: Welcome(welcome) for person, welcome in saved.welcomes.items()}
    except ValueError as error:  # msgspec's, too
        logger.warning("what the room had decided is damaged, so its curtain is closed: %s", error)
        return RoomState(is_closed=True, is_muted=True)
    return RoomState(
        is_closed=saved.is_closed,
        by=saved.by,
        since_utc_s=saved.since_utc_s,
        is_muted=saved.is_muted,
        guests_hear=saved.guests_hear,
        quiet=quiet,
        welcomes=welcomes,
    )
