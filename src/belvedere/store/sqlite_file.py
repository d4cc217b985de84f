"""Opens, checks and migrates one SQLite file, and reads and writes it in transactions. Errors say what to do.

The journal stays beside the file and is overwritten in place (`PERSIST`), like the file itself: a value that was
written once can be written again on a full disk, also after a restart. A write-ahead log would need new space at every
start.
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
from belvedere.store.copies import before_migration, copy_database
from belvedere.store.ownership import give_to_owner_of
from belvedere.store.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from belvedere.store.schema import Migration

logger = logging.getLogger(__name__)

T = TypeVar("T")

APPLICATION_ID = 0x42454C56  # "BELV", in the file's header; `file` shows it, too
BUSY_TIMEOUT_S = 1.5  # another program may be reading the file
OTHERS = stat.S_IRWXG | stat.S_IRWXO
MOVE_AWAY = "move it away, and reset the positions (docs/how-to/limit-travel.md)"
LASTING = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
EXPLANATIONS = {
    "SQLITE_FULL": "the disk is full: free some space",
    "SQLITE_READONLY": "is read-only: let this user write to it and to its folder",
    "SQLITE_BUSY": "is locked by another program: stop that program",
    "SQLITE_CORRUPT": f"is damaged: {MOVE_AWAY}",
    "SQLITE_NOTADB": f"is not a database: {MOVE_AWAY}, or name another file in [store]",
    "SQLITE_CANTOPEN": "cannot be opened: let this user write to it and to its folder",
    "SQLITE_IOERR": "cannot be read or written: check whether the disk is full or failing",
}
NAMES = {
    errno.ENOSPC: "SQLITE_FULL",
    errno.EDQUOT: "SQLITE_FULL",
    errno.EROFS: "SQLITE_READONLY",
    errno.EACCES: "SQLITE_CANTOPEN",
}


class SqliteFile:
    """The file. Every call blocks for as long as the disk takes, and must come from one thread.

    Opening raises StoreError, and leaves the file unchanged, if it is damaged, belongs to another program or has a
    later version. A missing folder is created. Only this user may read the file.

    Attributes:
        path: the file's path.
        is_new: whether opening created the file; an empty file that existed is not new.
        version: how many migrations it has.
    """

    def __init__(self, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        self.path = path
        self._migrations = migrations
        self.is_new = self._create()
        with self._explained():
            self._connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            with self._explained():
                self.version = self._pragma("user_version")
                self._is_made_here = self.version == 0
                self._check()
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def keep_copy(self) -> Path | None:
        """Before a migration, copy the file beside itself, so that an earlier Belvedere can be installed again.

        Returns where the copy is; None if the file is of the newest version, or was made by this object. Raises
        StoreError if there is no copy then; one of an earlier time is replaced by a whole one only.
        """
        if self._is_made_here or self.version >= len(self._migrations):
            return None
        copy = before_migration(self.path, self.version + 1)
        try:
            with self._explained():
                copy_database(self._connection, copy)
        except (OSError, StoreError) as error:
            problem = error if isinstance(error, StoreError) else self._error(NAMES.get(error.errno or 0, ""), error)
            raise StoreError(f"could not keep a copy before the upgrade: {problem}") from error
        logger.info("%s: copied to %s before it is upgraded", self.path, copy)
        return copy

    def migrate(self, newest: int | None = None) -> None:
        """Migrate the file to version `newest`, or to the newest there is; a failed migration changes nothing."""
        for version, migration in enumerate(self._migrations[self.version : newest], self.version + 1):
            try:
                with self._explained(), self._transaction("IMMEDIATE"):
                    self._apply(migration, version)
            except StoreError:
                raise
            except Exception as error:
                problem = f"could not be migrated from version {version - 1} to {version}"
                raise StoreError(f"{self.path}: {problem}: {error!r}") from error
            self.version = version
            logger.info("%s: migrated to version %d", self.path, version)

    def write(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """Call `write` in a transaction: on return its changes are on the disk; after an error there are none.

        Its exceptions are passed on; SQLite's errors become StoreError, except those of a constraint.
        """
        with self._explained(), self._transaction("IMMEDIATE"):
            return write(self._connection)

    def read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Call `read` in a transaction that cannot write; it must return values, not a cursor."""
        with self._explained():
            self._connection.execute("PRAGMA query_only = ON")
            try:
                with self._transaction("DEFERRED"):
                    return read(self._connection)
            finally:
                self._connection.execute("PRAGMA query_only = OFF")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _create(self) -> bool:
        """Create the file, readable by this user only, unless it exists; returns whether it was created."""
        try:
            is_folder, is_there = self.path.is_dir(), self.path.exists()
            if not is_there:
                self.path.parent.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
                file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, stat.S_IRUSR | stat.S_IWUSR)
                try:
                    give_to_owner_of(self.path.parent, file)
                finally:
                    os.close(file)
        except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
            raise self._error(NAMES.get(getattr(error, "errno", 0), ""), error) from error
        if is_folder:
            raise StoreError(f"{self.path}: is a folder: name a file in [store]", is_lasting=True)
        return not is_there

    def _check(self) -> None:
        """Refuse a file that is not ours, is damaged, or has a later version, before anything in it is changed."""
        tables = _tables(self._connection)
        if not tables and not self.version:
            return
        has_no_mark_yet = self.version == 1 and _has_tables_of(tables, self._migrations[:1])  # early files have no id
        if self._pragma("application_id") != APPLICATION_ID and not has_no_mark_yet:
            raise StoreError(f"{self.path}: belongs to another program: name another file in [store]", is_lasting=True)
        newest = len(self._migrations)
        if self.version > newest:
            problem = f"was written by a later Belvedere (version {self.version}, this one has {newest})"
            raise StoreError(f"{self.path}: {problem}: install that Belvedere again, or {MOVE_AWAY}", is_lasting=True)
        whole = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if whole != "ok" or not _has_tables_of(tables, self._migrations[: self.version]):
            found = whole if whole != "ok" else "a table is missing"
            raise StoreError(f"{self.path}: is damaged: {MOVE_AWAY} ({' '.join(found.split())})", is_lasting=True)
        triggers = _triggers(self._connection)
        if triggers and not triggers <= _example(self._migrations[: self.version], _triggers):
            # It could undo what the room decides: each closing of the curtain would be saved as an opening.
            raise StoreError(f"{self.path}: has a trigger that is not ours: {MOVE_AWAY}", is_lasting=True)

    def _prepare(self) -> None:
        for path in (self.path, self.path.with_name(f"{self.path.name}-journal")):
            self._hide(path)
        self._connection.text_factory = lambda text: text.decode(errors="replace")
        for setting in (
            "synchronous = FULL",  # with PERSIST: a committed transaction survives a power cut
            "journal_mode = PERSIST",
            "foreign_keys = ON",
            "trusted_schema = OFF",
            "secure_delete = ON",  # deleted data is overwritten in the file
        ):
            self._connection.execute(f"PRAGMA {setting}")

    def _hide(self, path: Path) -> None:
        """Remove other users' permissions: the file may contain sessions."""
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & OTHERS:
                path.chmod(mode & ~OTHERS)
        except FileNotFoundError:
            return
        except OSError as error:
            logger.warning("%s: could not remove other users' permissions: %s", path, error.strerror)

    def _apply(self, migration: Migration, version: int) -> None:
        if self._pragma("user_version") != version - 1:
            raise StoreError(f"{self.path}: another program is changing its tables: stop that program")
        _run(self._connection, migration)
        self._require_transaction()  # otherwise the next statements would be committed one by one
        if version == 1:
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._connection.execute(f"PRAGMA user_version = {version}")

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    def _require_transaction(self) -> None:
        if not self._connection.in_transaction:
            raise InternalError("a function called in a transaction must not end it")

    @contextlib.contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self._connection.execute(f"BEGIN {kind}")
        try:
            yield
            self._require_transaction()
            self._connection.execute("COMMIT")
        finally:
            with contextlib.suppress(sqlite3.Error):  # the first error is the one to raise
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into a StoreError that says what is wrong and what to do."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise self._error(getattr(error, "sqlite_errorname", ""), error) from error

    def _error(self, name: str, error: Exception) -> StoreError:
        explanation = next((text for start, text in EXPLANATIONS.items() if name.startswith(start)), "cannot be used")
        return StoreError(f"{self.path}: {explanation} ({error})", is_lasting=name.startswith(LASTING))


@contextlib.contextmanager
def open_migrated(path: Path) -> Iterator[SqliteFile]:
    """The file, of the newest version; a copy is kept if that is not what it was. Closed at the end."""
    with contextlib.closing(SqliteFile(path)) as file:
        file.keep_copy()
        file.migrate()
        yield file


def _tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of each table."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    columns = "SELECT name FROM pragma_table_info(?)"
    return {name: [column for (column,) in connection.execute(columns, (name,))] for (name,) in names}


def _triggers(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    return set(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))


def _has_tables_of(tables: dict[str, list[str]], migrations: Sequence[Migration]) -> bool:
    """Whether the tables that these migrations create exist; others may exist too."""
    return _example(migrations, _tables).items() <= tables.items()


def _example(migrations: Sequence[Migration], look: Callable[[sqlite3.Connection], T]) -> T:
    """What is seen in a file that only these migrations have made."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as example:
        for migration in migrations:
            _run(example, migration)
        return look(example)


def _run(connection: sqlite3.Connection, migration: Migration) -> None:
    if callable(migration):
        migration(connection)
        return
    statement = ""
    for part in migration.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):  # not at a semicolon inside a string, comment or trigger
            connection.execute(statement)
            statement = ""
    connection.execute(statement)  # empty or a comment; an incomplete statement is an error
