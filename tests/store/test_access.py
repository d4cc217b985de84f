"""People, invitations and sessions are saved and loaded as one."""

import contextlib
from pathlib import Path

from tests.store.test_ended_logins import FIRST
from tests.store.test_people import ANA, UNUSED
from tests.store.test_sessions import ANA as ANAS_SESSION

from belvedere.store.access import SavedAccess, load_access, save_access
from belvedere.store.sqlite_file import SqliteFile

ALL = SavedAccess(people=[ANA], links=[UNUSED], sessions=[ANAS_SESSION], ended_logins=[FIRST])


def test_all_is_saved_and_loaded_and_what_belongs_to_nobody_is_left_out(tmp_path: Path) -> None:
    with contextlib.closing(SqliteFile(tmp_path / "it.sqlite3")) as file:
        file.migrate()
        file.write(lambda db: save_access(db, ALL))
        assert file.read(lambda db: load_access(db, file.path)) == ALL
        file.write(lambda db: save_access(db, SavedAccess(links=ALL.links, sessions=ALL.sessions)))
        assert file.read(lambda db: load_access(db, file.path)) == SavedAccess()
