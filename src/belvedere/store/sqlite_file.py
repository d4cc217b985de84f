"""One SQLite file: opened, checked, migrated, then read and written in transactions; its errors in words for the owner.

The journal is kept beside the file and written over in place (`PERSIST`), and so is the file: what was written once can
be written again on a disk that is full, after a restart too. A write-ahead log would need new space at every start.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sqlite3
import stat
from typing import TYPE_CHECKING, TypeVar

from belvedere.errors import InternalError, StoreError
from belvedere.store.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from belvedere.store.schema import Migration

logger = logging.getLogger(__name__)

T = TypeVar("T")

APPLICATION_ID = 0x42454C56  # "BELV", in the file's header; `file` shows it, too
BUSY_S = 1.5  # somebody may look into the file with another program
OTHERS = stat.S_IRWXG | stat.S_IRWXO
MOVE_AWAY = "move it away, and count positions afresh (docs/how-to/limit-travel.md)"
LASTING = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
EXPLANATIONS = {
    "SQLITE_FULL": "the disk is full: free some space",
    "SQLITE_READONLY": "is read-only: let this user write to it and to its folder",
    "SQLITE_BUSY": "is locked by another program: end that",
    "SQLITE_CORRUPT": f"is damaged: {MOVE_AWAY}",
    "SQLITE_NOTADB": f"is no database: {MOVE_AWAY}, or name another file in [store]",
    "SQLITE_CANTOPEN": "cannot be opened: may this user write to it and to its folder?",
    "SQLITE_IOERR": "cannot be read or written: is the disk full, or failing?",
}
NAMES = {
    errno.ENOSPC: "SQLITE_FULL",
    errno.EDQUOT: "SQLITE_FULL",
    errno.EROFS: "SQLITE_READONLY",
    errno.EACCES: "SQLITE_CANTOPEN",
}


class SqliteFile:
    """The file; every call blocks for as long as the disk takes, and comes from one thread.

    Opening raises StoreError and leaves the file as it is where it is damaged, another program's or of a later version.
    The folder is made if it is missing; nobody but this user may read the file.

    Attributes:
        path: where it is.
        is_new: whether opening made the file; an empty one that was there before is not new.
        version: how many of the migrations it has behind it.
    """

    def __init__(self, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        self.path = path
        self._migrations = migrations
        self.is_new = self._create()
        with self._explained():
            self._connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        try:
            with self._explained():
                self.version = self._pragma("user_version")
                self._check()
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def migrate(self, newest: int | None = None) -> None:
        """Bring the file to this version or the newest; a step that fails leaves it as the step before did."""
        for version, migration in enumerate(self._migrations[self.version : newest], self.version + 1):
            try:
                with self._explained(), self._transaction("IMMEDIATE"):
                    self._apply(migration, version)
            except StoreError:
                raise
            except Exception as error:
                problem = f"could not be brought from version {version - 1} to {version}"
                raise StoreError(f"{self.path}: {problem}: {error!r}") from error
            self.version = version
            logger.info("%s: has version %d of the tables now", self.path, version)

    def write(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """Have `write` change the file, all or nothing: on return it is on the disk, and on any error nothing changed.

        What it raises comes through; SQLite's errors become StoreError, except those of a constraint.
        """
        with self._explained(), self._transaction("IMMEDIATE"):
            return write(self._connection)

    def read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """What `read` finds in the file at one moment; it must return values, not a cursor, and cannot write."""
        with self._explained():
            self._connection.execute("PRAGMA query_only = ON")
            try:
                with self._transaction("DEFERRED"):
                    return read(self._connection)
            finally:
                self._connection.execute("PRAGMA query_only = OFF")

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def _create(self) -> bool:
        """Make the file, readable by this user only, unless something is there; whether it did."""
        try:
            is_folder, is_there = self.path.is_dir(), self.path.exists()
            if not is_there:
                self.path.parent.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, stat.S_IRUSR | stat.S_IWUSR))
        except (OSError, ValueError) as error:  # the latter for a path with a zero in it
            raise self._error(NAMES.get(getattr(error, "errno", 0), ""), error) from error
        if is_folder:
            raise StoreError(f"{self.path}: is a folder: name a file in [store]", is_lasting=True)
        return not is_there

    def _check(self) -> None:
        """Refuse what is not ours, not whole, or of a later version, before anything in it is changed."""
        tables = _tables(self._connection)
        if not tables and not self.version:
            return
        has_no_mark_yet = self.version == 1 and _holds(tables, self._migrations[:1])  # the first ones had none
        if self._pragma("application_id") != APPLICATION_ID and not has_no_mark_yet:
            raise StoreError(f"{self.path}: is another program's: name another file in [store]", is_lasting=True)
        newest = len(self._migrations)
        if self.version > newest:
            problem = f"is of a later Belvedere than this one (version {self.version}, not {newest})"
            raise StoreError(f"{self.path}: {problem}: install that one again, or {MOVE_AWAY}", is_lasting=True)
        whole = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if whole != "ok" or not _holds(tables, self._migrations[: self.version]):
            found = whole if whole != "ok" else "a table is missing"
            raise StoreError(f"{self.path}: is damaged: {MOVE_AWAY} ({' '.join(found.split())})", is_lasting=True)

    def _prepare(self) -> None:
        for path in (self.path, self.path.with_name(f"{self.path.name}-journal")):
            self._hide(path)
        self._connection.text_factory = lambda text: text.decode(errors="replace")
        for setting in (
            "synchronous = FULL",  # with PERSIST: what was committed survives a power cut
            "journal_mode = PERSIST",
            "foreign_keys = ON",
            "trusted_schema = OFF",
            "secure_delete = ON",  # of a visit whose time is over nothing stays
        ):
            self._connection.execute(f"PRAGMA {setting}")

    def _hide(self, path: Path) -> None:
        """Let nobody but this user read it: sessions may be in it."""
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & OTHERS:
                path.chmod(mode & ~OTHERS)
        except FileNotFoundError:
            return
        except OSError as error:
            logger.warning("%s: other users may read it, and that could not be changed: %s", path, error.strerror)

    def _apply(self, migration: Migration, version: int) -> None:
        if self._pragma("user_version") != version - 1:
            raise StoreError(f"{self.path}: another program is changing its tables: end that")
        _run(self._connection, migration)
        self._require_transaction()  # or what follows would be there at once, whatever fails later
        if version == 1:
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._connection.execute(f"PRAGMA user_version = {version}")

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    def _require_transaction(self) -> None:
        if not self._connection.in_transaction:
            raise InternalError("what runs in a transaction must not end it")

    @contextlib.contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self._connection.execute(f"BEGIN {kind}")
        try:
            yield
            self._require_transaction()
            self._connection.execute("COMMIT")
        finally:
            with contextlib.suppress(sqlite3.Error):  # whatever failed above is what is told
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise a StoreError that says what is wrong and what to do, instead of what SQLite raises."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise self._error(getattr(error, "sqlite_errorname", ""), error) from error

    def _error(self, name: str, error: Exception) -> StoreError:
        words = next((words for start, words in EXPLANATIONS.items() if name.startswith(start)), "cannot be used")
        return StoreError(f"{self.path}: {words} ({error})", is_lasting=name.startswith(LASTING))


def _tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Every table's columns."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    columns = "SELECT name FROM pragma_table_info(?)"
    return {name: [column for (column,) in connection.execute(columns, (name,))] for (name,) in names}


def _holds(tables: dict[str, list[str]], migrations: Sequence[Migration]) -> bool:
    """Whether these tables are there that the migrations make; more are allowed."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as example:
        for migration in migrations:
            _run(example, migration)
        return _tables(example).items() <= tables.items()


def _run(connection: sqlite3.Connection, migration: Migration) -> None:
    if callable(migration):
        migration(connection)
        return
    statement = ""
    for part in migration.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):  # a semicolon in a text, a comment or a trigger does not end it
            connection.execute(statement)
            statement = ""
    connection.execute(statement)  # nothing, or a comment; or half a statement, which is an error
