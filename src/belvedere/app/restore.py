"""Puts a backup, or a copy that was kept before an upgrade, back in the place of what is there, which is kept.

Everything is read and checked before anything is replaced, and each file is replaced as a whole. No server may run:
the lock of the state folder is held meanwhile. After it the room's curtain is closed. A backup does not know whom the
house has shut out since, nor what the room has decided since, so the room looks first and then opens it itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from belvedere.app.backup_archive import CHUNK, MAX_STORE_BYTES, SETTINGS, STORE, open_archive, open_regular
from belvedere.app.settings import Settings, StoreSettings, read_config, store_path
from belvedere.app.settings_document import read_settings_table
from belvedere.atomic_files import flush_folder, new_file, written_whole
from belvedere.errors import OwnerError, SettingsError, StoreError
from belvedere.store.bearers import save_bearers
from belvedere.store.copies import check_room
from belvedere.store.instance_lock import state_lock
from belvedere.store.ownership import as_owner_of
from belvedere.store.people import save_links
from belvedere.store.positions import doubt_positions
from belvedere.store.room import close_curtain, silence_microphone
from belvedere.store.sessions import save_sessions
from belvedere.store.sqlite_file import APPLICATION_ID, SqliteFile
from belvedere.store.tokens import delete_all_tokens

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from typing import IO

    from belvedere.app.backup_archive import Archive

BY: Final = "restore"
SQLITE_MARK: Final = b"SQLite format 3\x00"
HEADER_BYTES: Final = 100  # https://sqlite.org/fileformat.html#the_database_header
APPLICATION_ID_AT: Final = slice(68, 72)
SHARED: Final = stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP


class RestoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, for people and programs.

    Attributes:
        store: the path of the store.
        schema: its version now.
        restored: everything that was written.
        kept: where what was replaced is now.
        warnings: what the owner has to know or do.
    """

    store: str
    schema: int
    restored: tuple[str, ...]
    kept: tuple[str, ...]
    warnings: tuple[str, ...]


class Backup(Protocol):
    """What is restored from."""

    def write_store(self, target: Path) -> None:
        """Write the store in it to a new file, of this user only."""
        ...

    def settings(self) -> list[tuple[str, bytes]]:
        """The settings file and what it names: paths relative to its folder, and contents; empty if there are none."""
        ...


def restore(
    file: Path,
    settings: Path,
    *,
    store_only: bool = False,
    end_sessions: bool = False,
    utc: Callable[[], float] = time.time,
) -> RestoreReport:
    """Restore a backup to the house with these settings, which it may bring along. Raises OwnerError.

    After an error while files are replaced, which a full or failing disk may cause, each file is the old or the new
    one, as a whole, and the error says so.
    """
    with open_backup(file) as backup:
        files = [] if store_only else backup.settings()
        target = _store_of(settings, files, file)
        kept: list[str] = []
        now = datetime.fromtimestamp(utc(), UTC)
        with state_lock(target.parent), _explained(file, kept):
            places = [(_place(settings, name), content) for name, content in files]
            with as_owner_of(target.parent), _work_folder(target.parent) as work:
                ready = work / "store"
                schema = _prepare(backup, ready, file, now, end_sessions=end_sessions)
                _replace_store(ready, target, now, kept)
            for place, content in places:
                _replace_file(place, content, target.parent, now, kept)
    restored = (str(target), *(str(place) for place, _ in places))
    return RestoreReport(
        store=str(target), schema=schema, restored=restored, kept=tuple(kept), warnings=_warnings(settings)
    )


@contextlib.contextmanager
def open_backup(path: Path) -> Iterator[Backup]:
    """A backup, all of which was checked, or a store's file as it is. Raises OwnerError for anything else."""
    with open_regular(path) as file:
        if file.read(len(SQLITE_MARK)) == SQLITE_MARK:
            file.seek(0)
            yield PlainStore(path, file)
            return
    with open_archive(path) as archive:
        archive.check()
        yield ArchivedHouse(archive)


class PlainStore:
    """A store's file by itself, such as the copy that is kept before an upgrade."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file

    def write_store(self, target: Path) -> None:
        """Write the store."""
        size = os.fstat(self._file.fileno()).st_size
        if size > MAX_STORE_BYTES:
            raise OwnerError(f"{self._path}: is too long for a store")
        check_room(target.parent, size)
        with new_file(target) as new:
            shutil.copyfileobj(self._file, new, CHUNK)

    def settings(self) -> list[tuple[str, bytes]]:
        """None."""
        return []


class ArchivedHouse:
    """A backup by `belvedere backup`."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def write_store(self, target: Path) -> None:
        """Write the store in it."""
        check_room(target.parent, self._archive.member(STORE).size)
        with new_file(target) as new:
            for chunk in self._archive.chunks(STORE):
                new.write(chunk)

    def settings(self) -> list[tuple[str, bytes]]:
        """The settings file, the profile and the secrets in it."""
        members = [each for each in self._archive.manifest.members if each.name != STORE]
        return [(each.path or SETTINGS, self._archive.content(each.name)) for each in members]


def _store_of(settings: Path, files: list[tuple[str, bytes]], backup: Path) -> Path:
    """Where the store belongs: as the settings say that will be there afterwards. Raises OwnerError."""
    present = _present_store(settings, is_needed=not files)
    if not files:
        store = present
    else:
        text = dict(files)[SETTINGS].decode(errors="replace")
        table = read_settings_table(text, f"{backup}: {SETTINGS}", Settings)
        try:
            named = msgspec.convert(table.get("store", {}), StoreSettings).file
        except msgspec.ValidationError as error:
            raise SettingsError(f"{backup}: {SETTINGS}", "store", str(error)) from error
        store = store_path(named, settings.parent)
    if store is None:
        raise OwnerError('nothing is saved with these settings: give [store] a file, instead of file = ""')
    if store != present and store.exists() and not _is_store(store):
        raise OwnerError(f"{store}: exists and is no store of Belvedere; the settings in {backup} name it")
    return store


def _present_store(settings: Path, *, is_needed: bool) -> Path | None:
    """The store of the settings that are there; where they are not needed, None if they cannot be read."""
    try:
        return read_config(settings).store
    except SettingsError:
        if is_needed:
            raise
        return None


def _is_store(path: Path) -> bool:
    """Whether a file's header is that of a store."""
    with open_regular(path) as file:
        header = file.read(HEADER_BYTES)
    return header.startswith(SQLITE_MARK) and header[APPLICATION_ID_AT] == APPLICATION_ID.to_bytes(4, "big")


@contextlib.contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    """A folder of this user only, on the disk of the store; one that a power cut left is deleted."""
    for left in folder.glob(".belvedere-restore-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".belvedere-restore-", dir=folder) as work:
        yield Path(work)


def _prepare(backup: Backup, ready: Path, file: Path, now: datetime, *, end_sessions: bool) -> int:
    """Write the store that will be there, of the newest version. Returns that. Raises OwnerError."""
    backup.write_store(ready)
    try:
        with contextlib.closing(SqliteFile(ready)) as store:
            if not store.version:
                raise OwnerError(f"{file}: its store is empty")
            store.migrate()
            store.write(doubt_positions)
            store.write(lambda connection: close_curtain(connection, BY, int(now.timestamp())))
            store.write(silence_microphone)
            if end_sessions:
                store.write(_shut_everybody_out)
            version = store.version
    except StoreError as error:
        problem = str(error).removeprefix(f"{ready}: ")
        if error.is_lasting:  # without what to do about a store that is in use
            raise OwnerError(f"{file}: its store {problem.partition(': ')[0]}") from error
        raise OwnerError(f"{file}: could not be restored: {problem}; nothing was replaced") from error
    return version


def _shut_everybody_out(connection: sqlite3.Connection) -> None:
    """Log all devices out, void all links and scripts' tokens; who has a passkey, or is invited again, comes in."""
    delete_all_tokens(connection)
    save_links(connection, [])
    save_sessions(connection, [])
    save_bearers(connection, [])


def _place(settings: Path, name: str) -> Path:
    """Where a file of the backup belongs; never outside of the settings' folder, whatever links are in it."""
    if name == SETTINGS:
        return settings
    place = settings.parent / name
    if not place.parent.resolve().is_relative_to(settings.parent.resolve()) or place.is_dir():
        raise OwnerError(f"{place}: a file of the backup cannot be put there")
    return place


def _replace_store(ready: Path, target: Path, now: datetime, kept: list[str]) -> None:
    """Put the new store in place of the old one, which is kept with its journal.

    A journal that belongs to the old store would damage the new one, so it is gone before the new one is there. Before
    that it takes back what a killed server left half done: between the two a power cut must not damage the old store.
    """
    journal = target.with_name(f"{target.name}-journal")
    if target.exists():
        copy = _keep(target, now)
        kept.append(str(copy))
        if journal.exists():
            _link(journal, copy.with_name(f"{copy.name}-journal"))
        flush_folder(target.parent)
        with contextlib.suppress(StoreError):
            SqliteFile(target).close()
    journal.unlink(missing_ok=True)
    descriptor = os.open(ready, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    ready.replace(target)
    flush_folder(target.parent)


def _replace_file(place: Path, content: bytes, state_folder: Path, now: datetime, kept: list[str]) -> None:
    """Write a file of the settings, with the owner and mode of the one before; else for root and the server's group."""
    is_root = os.geteuid() == 0
    before = place.stat() if place.exists() else None
    if before is not None:
        if place.read_bytes() == content:
            return
        kept.append(str(_keep(place, now)))
    elif not place.parent.exists():
        place.parent.mkdir(mode=0o750, parents=True)
        if is_root:
            os.chown(place.parent, 0, state_folder.stat().st_gid)
    with written_whole(place) as partial:
        partial.write_bytes(content)
        if before is not None:
            partial.chmod(stat.S_IMODE(before.st_mode))
        elif is_root:
            partial.chmod(SHARED)
        if is_root:
            os.chown(partial, before.st_uid if before else 0, before.st_gid if before else state_folder.stat().st_gid)


def _keep(path: Path, now: datetime) -> Path:
    """Give what will be replaced a second name; returns that."""
    base = f"{path.name}.before-restore-{now:%Y%m%dT%H%M%SZ}"
    names = (base, *(f"{base}-{number}" for number in range(2, 100)))
    copy = next((path.with_name(name) for name in names if not os.path.lexists(path.with_name(name))), None)
    if copy is None:
        raise OwnerError(f"{path}: too many restores at the same time")
    _link(path, copy)
    return copy


def _link(path: Path, copy: Path) -> None:
    try:
        copy.hardlink_to(path)
    except OSError:  # a file system without links, such as that of a USB stick
        shutil.copy2(path, copy)


def _warnings(settings: Path) -> tuple[str, ...]:
    """What the owner should know of what is there now."""
    curtain = "the curtain is closed: see who may come in (belvedere people list), then open it in the room"
    try:
        return (curtain, *read_config(settings).warnings)
    except SettingsError as error:
        return (curtain, f"the server will not start with these settings: {error}")


@contextlib.contextmanager
def _explained(file: Path, kept: list[str]) -> Iterator[None]:
    """Turn errors of the disk into one line."""
    try:
        yield
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        done = f"; what was replaced until then is in {', '.join(kept)}" if kept else "; nothing was replaced"
        raise OwnerError(f"{file}: could not be restored: {name}{error.strerror or error}{done}") from error
