from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest

from belvedere.store.instance_lock import LOCK_NAME, state_lock
from belvedere.store.ownership import as_owner_of
from belvedere.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_in_the_servers_folder_is_the_servers(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    with state_lock(tmp_path):
        file = SqliteFile(tmp_path / "it.sqlite3")
        file.migrate()
        file.close()
    made = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in tmp_path.iterdir()}
    assert made == dict.fromkeys((LOCK_NAME, "it.sqlite3", "it.sqlite3-journal"), (NOBODY, NOBODY))


def test_files_of_other_users_stay_theirs(tmp_path: Path) -> None:
    with state_lock(tmp_path):
        found = (tmp_path / LOCK_NAME).stat()
    assert (found.st_uid, found.st_gid) == (tmp_path.stat().st_uid, tmp_path.stat().st_gid)


def _rights() -> tuple[int, int, list[int]]:
    return os.geteuid(), os.getegid(), os.getgroups()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for others")
def test_root_acts_by_the_rights_of_a_folders_owner_and_is_root_again_after_an_error(tmp_path: Path) -> None:
    before = _rights()
    os.chown(tmp_path, NOBODY, NOBODY)
    with contextlib.suppress(KeyError), as_owner_of(tmp_path):
        assert _rights() == (NOBODY, NOBODY, [])
        raise KeyError
    assert _rights() == before


def test_whoever_owns_a_folder_goes_on_by_the_same_rights(tmp_path: Path) -> None:
    before = _rights()
    with as_owner_of(tmp_path):
        assert _rights() == before
