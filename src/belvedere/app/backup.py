"""Writes all that must survive a lost disk into one file, while the server runs or while none does.

That is the store, the settings, and a profile that they name by its path. Secrets whose files the settings name are
included only if that is wanted; of those outside of the settings' folder nobody could say where to restore them.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from belvedere import __version__
from belvedere.app.backup_archive import (
    FORMAT,
    FORMAT_VERSION,
    MAX_FILE_BYTES,
    MAX_MEMBERS,
    MAX_STORE_BYTES,
    PROFILE,
    SETTINGS,
    STORE,
    Content,
    Manifest,
    open_archive,
    write_archive,
)
from belvedere.app.secret_files import secret_files_for
from belvedere.app.settings import parse_settings, read_config
from belvedere.atomic_files import flush_folder, new_file
from belvedere.errors import OwnerError, StoreError
from belvedere.profile_files import read_text
from belvedere.store.copies import copy_database
from belvedere.store.ownership import as_owner_of
from belvedere.store.positions import doubt_positions
from belvedere.store.sqlite_file import BUSY_TIMEOUT_S, SqliteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from belvedere.app.settings import Config

MAX_SECRETS: Final = MAX_MEMBERS - 3


class BackupReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was written, for people and programs.

    Attributes:
        file: the backup.
        size: its bytes.
        schema: the version of the store in it.
        files: what else is in it, by the paths relative to the settings' folder.
        left_out: what the settings name and is not in it: secrets, and files outside of the settings' folder.
    """

    file: str
    size: int
    schema: int
    files: tuple[str, ...]
    left_out: tuple[str, ...]


def back_up(
    settings: Path, target: Path, *, with_secrets: bool = False, utc: Callable[[], float] = time.time
) -> BackupReport:
    """Write a backup of the house with these settings to a file of this user only, whole or not at all.

    An earlier backup of this name is replaced, and no other file. Raises OwnerError.
    """
    config = read_config(settings)
    if config.store is None:
        raise OwnerError('nothing is saved with these settings: give [store] a file, instead of file = ""')
    _check_target(target)
    with _explained(target), tempfile.TemporaryDirectory(prefix=".belvedere-backup-", dir=target.parent) as work:
        contents, left_out = _settings_files(settings, config, with_secrets=with_secrets)
        copy, archive = Path(work, "store"), Path(work, "archive")
        schema = _copy_store(config.store, copy)
        manifest = Manifest(FORMAT, FORMAT_VERSION, __version__, schema, int(utc()), socket.gethostname(), ())
        with new_file(archive) as file:
            write_archive(file, [Content(STORE, copy), *contents], manifest)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        archive.replace(target)
        flush_folder(target.parent)
    files = tuple(content.path or content.name for content in contents)
    return BackupReport(file=str(target), size=size, schema=schema, files=files, left_out=left_out)


def _check_target(target: Path) -> None:
    """Refuse to replace anything but a backup: a slip must not cost the store itself."""
    if target.is_dir():
        raise OwnerError(f"{target}: is a folder: name a file in it")
    if target.exists() and target.stat().st_size:
        try:
            with open_archive(target):
                return
        except OwnerError as error:
            raise OwnerError(f"{target}: exists and is no backup of Belvedere: name another file") from error


def _settings_files(settings: Path, config: Config, *, with_secrets: bool) -> tuple[list[Content], tuple[str, ...]]:
    """The settings and what they name; and what of that is left out."""
    folder = settings.parent
    profile = config.settings.head.profile
    named = [(PROFILE, folder / profile)] if profile.endswith(".toml") else []
    secrets = _secrets_of(settings)
    if with_secrets:
        named += [(f"secrets/{number}", path) for number, path in enumerate(secrets[:MAX_SECRETS])]
    contents = [Content(SETTINGS, _content_of(settings))]
    left_out = list(map(str, secrets[MAX_SECRETS:] if with_secrets else secrets))
    for name, path in named:
        try:
            contents.append(Content(name, _content_of(path), _inside(path, folder)))
        except ValueError:
            left_out.append(str(path))
    return contents, tuple(left_out)


def _secrets_of(settings: Path) -> list[Path]:
    """The files of secrets that the settings name, without repetitions."""
    secrets = secret_files_for(settings)
    parse_settings(read_text(settings), str(settings), secrets)
    return list(dict.fromkeys(secrets.paths))


def _inside(path: Path, folder: Path) -> str:
    """The path relative to the folder. Raises ValueError if it is outside of it."""
    return str(Path(os.path.normpath(path.absolute())).relative_to(Path(os.path.normpath(folder.absolute()))))


def _content_of(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise OwnerError(f"{path}: is too long for a backup")
    return content


def _copy_store(store: Path, copy: Path) -> int:
    """Copy the store, as of which no position is sure: the head may move after it. Returns its version."""
    if not store.exists():
        raise StoreError(f"{store}: there is no store yet: `belvedere serve` makes it")
    address = f"file:{quote(str(store.absolute()))}?mode=rw"  # rw: what a killed server left half done is taken back
    with as_owner_of(store.parent):
        source = sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    with contextlib.closing(source):
        with as_owner_of(store.parent):
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes it back
        source.execute("PRAGMA query_only = ON")
        copy_database(source, copy)
    try:
        with contextlib.closing(SqliteFile(copy)) as file:
            if file.version:
                file.write(doubt_positions)
            version = file.version
    except StoreError as error:
        raise StoreError(str(error).replace(str(copy), str(store))) from error
    if copy.stat().st_size > MAX_STORE_BYTES:
        raise StoreError(f"{store}: is too long for a backup")
    return version


@contextlib.contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Turn errors of the disk into one line."""
    try:
        yield
    except OSError as error:
        raise OwnerError(f"{target}: the backup could not be written: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise StoreError(f"the store could not be copied: {error}") from error
