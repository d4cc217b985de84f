from __future__ import annotations

import contextlib
import sqlite3
import stat
import zipfile
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from tests.app.house import SECRET, content, make_house, position_in, store_of
from tests.store.small_disk import small_disk

from belvedere.app.backup import BackupReport, back_up
from belvedere.app.backup_archive import open_archive
from belvedere.errors import OwnerError
from belvedere.store.positions import Position, save_positions
from belvedere.store.schema import MIGRATIONS
from belvedere.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from pathlib import Path

PROFILE = (resources.files("belvedere.head") / "profiles/zeapon-pons-pt.toml").read_text(encoding="utf-8")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return make_house(tmp_path / "house", PROFILE, "Ana")


def test_a_backup_has_the_store_the_settings_and_the_profile_and_no_secret(tmp_path: Path, settings: Path) -> None:
    target = tmp_path / "b.zip"
    report = back_up(settings, target, utc=lambda: 1_800_000_000.5)
    assert report == BackupReport(
        file=str(target),
        size=target.stat().st_size,
        schema=len(MIGRATIONS),
        files=("belvedere.toml", "heads/mine.toml"),
        left_out=(str(settings.parent / "keys/turn"),),
    )
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["b.zip"]
    with open_archive(target) as archive:
        assert archive.manifest.created_utc_s == 1_800_000_000
        assert archive.content("belvedere.toml") == settings.read_bytes()
    with zipfile.ZipFile(target) as archive:
        assert not any(SECRET.encode() in archive.read(name) for name in archive.namelist())
        (tmp_path / "store").write_bytes(archive.read("store.sqlite3"))
    assert position_in(tmp_path / "store") == Position(5, is_sure=False)
    assert position_in(store_of(settings)) == Position(5, is_sure=True)


def test_secrets_are_included_if_that_is_wanted_but_those_elsewhere_are_not(tmp_path: Path, settings: Path) -> None:
    report = back_up(settings, tmp_path / "b.zip", with_secrets=True)
    assert (report.files[-1], report.left_out) == ("keys/turn", ())
    with open_archive(tmp_path / "b.zip") as archive:
        assert archive.content("secrets/0") == f"{SECRET}\n".encode()
    elsewhere = tmp_path / "turn"
    elsewhere.write_text(SECRET)
    elsewhere.chmod(0o600)
    settings.write_text(settings.read_text().replace("keys/turn", str(elsewhere)))
    report = back_up(settings, tmp_path / "b.zip", with_secrets=True)
    assert (report.files[-1], report.left_out) == ("heads/mine.toml", (str(elsewhere),))


def test_a_backup_is_made_while_a_server_has_the_store_open_and_holds_the_rest_of_a_killed_ones_write_back(
    tmp_path: Path, settings: Path
) -> None:
    store = store_of(settings)
    with contextlib.closing(SqliteFile(store)) as running:
        with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as writing:
            writing.execute("BEGIN IMMEDIATE")
            writing.execute("UPDATE position SET deg = 77")
            back_up(settings, tmp_path / "b.zip")
            writing.execute("ROLLBACK")
        running.write(lambda connection: save_positions(connection, {"pan": Position(6, is_sure=True)}))
    with open_archive(tmp_path / "b.zip") as archive:
        (tmp_path / "store").write_bytes(archive.content("store.sqlite3"))
    assert position_in(tmp_path / "store").deg == 5


def test_an_earlier_backup_is_replaced_and_nothing_else(tmp_path: Path, settings: Path) -> None:
    back_up(settings, tmp_path / "b.zip")
    back_up(settings, tmp_path / "b.zip")
    before = content(settings.parent)
    for other in (store_of(settings), settings):
        with pytest.raises(OwnerError, match="exists and is no backup of Belvedere: name another file"):
            back_up(settings, other)
    with pytest.raises(OwnerError, match="is a folder"):
        back_up(settings, tmp_path)
    with pytest.raises(OwnerError, match="could not be written: No such file or directory"):
        back_up(settings, tmp_path / "nowhere/b.zip")
    assert content(settings.parent) == before


def test_a_damaged_store_and_a_missing_one_are_not_backed_up(tmp_path: Path, settings: Path) -> None:
    store = store_of(settings)
    whole = store.read_bytes()
    store.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])
    with pytest.raises(OwnerError, match=rf"{store}: is damaged"):
        back_up(settings, tmp_path / "b.zip")
    store.write_bytes(b"no database" * 1000)
    with pytest.raises(OwnerError, match="the store could not be copied: file is not a database"):
        back_up(settings, tmp_path / "b.zip")
    store.unlink()
    with pytest.raises(OwnerError, match="there is no store yet"):
        back_up(settings, tmp_path / "b.zip")
    settings.write_text("[store]\nfile = ''\n")
    with pytest.raises(OwnerError, match="nothing is saved with these settings"):
        back_up(settings, tmp_path / "b.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["house"]


def test_on_a_full_disk_one_line_says_so_and_the_earlier_backup_stays(tmp_path: Path, settings: Path) -> None:
    (tmp_path / "disk").mkdir()
    with small_disk(tmp_path / "disk") as disk:
        (disk.folder / "b.zip").touch()
        disk.fill()
        with pytest.raises(OwnerError, match="the disk is full"):
            back_up(settings, disk.folder / "b.zip")
        assert sorted(path.name for path in disk.folder.iterdir()) == ["b.zip", "filling"]
