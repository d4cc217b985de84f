"""Closes, opens and shows the room's curtain for a command: by the running server, else in the store's file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.app.local_client import LocalClient, NoServerError
from belvedere.errors import OwnerError
from belvedere.store.instance_lock import InUseError, state_lock
from belvedere.store.ownership import as_owner_of
from belvedere.store.room import close_curtain, load_room
from belvedere.store.sqlite_file import open_migrated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from belvedere.store.room import SavedRoom
    from belvedere.store.sqlite_file import SqliteFile

PATH: Final = "/api/v1/room"
BY: Final = "local"  # as the server calls its local socket


class CurtainReport(msgspec.Struct, frozen=True, kw_only=True):
    """The curtain, for people and programs.

    Attributes:
        closed: whether it is closed, or will be at the next start.
        saved: whether a restart knows that.
        by: the name of who closed or opened it last, or "".
        since: when that was, in milliseconds since 1970, UTC; null if never.
        running: whether a server runs.
    """

    closed: bool
    saved: bool
    by: str
    since: float | None
    running: bool


class Curtain:
    """The curtain of the house whose store is this file; None where there is no store.

    Every method raises OwnerError if it cannot say what is true now.
    """

    def __init__(
        self,
        store: Path | None,
        connect: Callable[[Path], LocalClient] = LocalClient,
        utc: Callable[[], float] = time.time,
    ) -> None:
        if store is None:
            raise OwnerError("without a store ([store] file) a command cannot reach the server: use the room's page")
        self._store = store
        self._client = connect(store.parent)
        self._utc = utc

    def close(self) -> CurtainReport:
        """Close it. Where no server runs, the next one starts with it closed."""
        try:
            return self._put(is_closed=True)
        except NoServerError as error:
            return self._in_store(error, self._close_in)

    def open(self) -> CurtainReport:
        """Open it, where a server runs."""
        return self._put(is_closed=False)

    def status(self) -> CurtainReport:
        """Whether it is closed; where no server runs, whether it would be."""
        try:
            view = self._client.request("GET", PATH)["room"]["curtain"]
        except NoServerError as error:
            if not self._store.exists():
                return _report(None)
            return self._in_store(error, lambda _file: None)
        return msgspec.convert({**view, "running": True}, CurtainReport)

    def _put(self, *, is_closed: bool) -> CurtainReport:
        view = self._client.request("PUT", f"{PATH}/curtain", {"closed": is_closed})
        return msgspec.convert({**view, "running": True}, CurtainReport)

    def _in_store(self, no_server: NoServerError, change: Callable[[SqliteFile], object]) -> CurtainReport:
        """Change the file, and read it; the lock makes sure that no server starts or runs meanwhile."""
        try:
            folder = self._store.parent
            with state_lock(folder), as_owner_of(folder), open_migrated(self._store) as file:
                change(file)
                saved = file.read(lambda connection: load_room(connection, self._store))
        except InUseError as error:
            raise OwnerError(f"a server runs, but does not answer; stop it ({no_server})") from error
        return _report(saved)

    def _close_in(self, file: SqliteFile) -> None:
        file.write(lambda connection: close_curtain(connection, BY, int(self._utc())))


def _report(saved: SavedRoom | None) -> CurtainReport:
    if saved is None:
        return CurtainReport(closed=False, saved=True, by="", since=None, running=False)
    since = None if saved.since_utc_s is None else saved.since_utc_s * 1000
    return CurtainReport(closed=saved.is_closed, saved=True, by=saved.by, since=since, running=False)
