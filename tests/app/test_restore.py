from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.app.house import (
    add_people,
    content,
    is_closed,
    links_of,
    make_house,
    people_of,
    position_in,
    store_of,
)
from tests.app.test_backup import PROFILE
from tests.store.small_disk import small_disk

from belvedere.app.backup import back_up
from belvedere.app.backup_archive import STORE, Content, Manifest, write_archive
from belvedere.app.restore import restore
from belvedere.errors import OwnerError, SettingsError, StoreError
from belvedere.store.instance_lock import InUseError, state_lock
from belvedere.store.positions import Position
from belvedere.store.schema import MIGRATIONS
from belvedere.store.sqlite_file import APPLICATION_ID, SqliteFile
from belvedere.store.tokens import SavedToken, load_tokens, save_token

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 28, 10, 15, tzinfo=UTC).timestamp()
STAMP = "before-restore-20261128T101500Z"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return make_house(tmp_path / "house", PROFILE, "Ana")


@pytest.fixture
def backup(tmp_path: Path, settings: Path) -> Path:
    back_up(settings, tmp_path / "b.zip", with_secrets=True)
    return tmp_path / "b.zip"


def tokens_of(settings: Path) -> list[SavedToken]:
    with contextlib.closing(SqliteFile(store_of(settings))) as file:
        return file.read(lambda connection: load_tokens(connection, file.path))


def now() -> float:
    return NOW


def test_a_restored_house_is_as_it_was_and_what_was_there_is_kept(settings: Path, backup: Path) -> None:
    before = content(settings.parent)
    add_people(settings, "Bob")
    settings.write_text(f"# mine\n{settings.read_text()}")
    settings.chmod(0o640)
    (settings.parent / "keys/turn").unlink()
    changed = content(settings.parent)
    report = restore(backup, settings, utc=now)
    store = store_of(settings)
    assert not store.with_name("it.sqlite3-journal").exists()  # the old store's, which went with it
    assert report.kept == (f"{store}.{STAMP}", f"{settings}.{STAMP}")
    assert set(report.restored) == {str(settings.parent / name) for name in before if "journal" not in name}
    after = content(settings.parent)
    assert (after[f"state/it.sqlite3.{STAMP}"], after[f"belvedere.toml.{STAMP}"]) == (
        changed["state/it.sqlite3"],
        changed["belvedere.toml"],
    )
    for name in ("belvedere.toml", "heads/mine.toml", "keys/turn"):
        assert after[name] == before[name]
    assert stat.S_IMODE(settings.stat().st_mode) == 0o640
    assert people_of(settings) == ["Ana"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.parent.iterdir()} == {0o600}
    assert not list(settings.parent.rglob(".*"))


def test_after_a_restore_no_position_is_sure_and_the_curtain_is_closed(settings: Path, backup: Path) -> None:
    report = restore(backup, settings, utc=now)
    assert position_in(store_of(settings)) == Position(5, is_sure=False)
    assert is_closed(store_of(settings))
    assert report.warnings[0].startswith("the curtain is closed")


def test_a_house_is_restored_on_a_new_disk(tmp_path: Path, backup: Path) -> None:
    settings = tmp_path / "new/belvedere.toml"
    settings.parent.mkdir()
    report = restore(backup, settings, utc=now)
    assert (people_of(settings), report.kept) == (["Ana"], ())


def test_a_store_alone_can_be_restored_and_devices_logged_out(settings: Path, backup: Path) -> None:
    settings.write_text(settings.read_text().replace("heads/mine.toml", "zeapon-pons-pt"))
    mine = settings.read_bytes()
    assert restore(backup, settings, store_only=True, utc=now).restored == (str(store_of(settings)),)
    assert (settings.read_bytes(), links_of(settings)) == (mine, 1)
    restore(backup, settings, store_only=True, end_sessions=True)
    assert (people_of(settings), links_of(settings)) == (["Ana"], 0)


def test_a_script_whose_token_may_have_been_revoked_since_is_shut_out_with_everybody(settings: Path) -> None:
    token = SavedToken(id="0123456789ab", name="robot", scope="drive", digest=bytes(32), created_utc_s=1)
    with contextlib.closing(SqliteFile(store_of(settings))) as file:
        file.write(lambda connection: save_token(connection, token))
    back_up(settings, settings.parent / "b.zip")
    restore(settings.parent / "b.zip", settings)
    assert tokens_of(settings) == [token]
    restore(settings.parent / "b.zip", settings, end_sessions=True)
    assert tokens_of(settings) == []


def test_the_copy_that_was_kept_before_an_upgrade_is_restored_for_the_earlier_version(settings: Path) -> None:
    store = store_of(settings)
    with contextlib.closing(SqliteFile(store, (*MIGRATIONS, "CREATE TABLE new (id INTEGER PRIMARY KEY)"))) as file:
        copy = file.keep_copy()
        file.migrate()
    assert copy is not None
    with pytest.raises(OwnerError, match="later Belvedere"):
        people_of(settings)
    report = restore(copy, settings, utc=now)
    assert position_in(copy) == Position(5, is_sure=True)
    assert position_in(store) == Position(5, is_sure=False)
    assert (report.schema, people_of(settings)) == (len(MIGRATIONS), ["Ana"])


def test_a_damaged_store_is_replaced_with_its_journal_and_both_are_kept(settings: Path, backup: Path) -> None:
    store = store_of(settings)
    journal = store.with_name("it.sqlite3-journal")
    store.write_bytes(b"damaged" * 1000)
    journal.write_bytes(b"of it" * 1000)
    restore(backup, settings, utc=now)
    kept = store.with_name(f"it.sqlite3.{STAMP}")
    assert kept.read_bytes() == b"damaged" * 1000
    assert kept.with_name(f"{kept.name}-journal").read_bytes() == b"of it" * 1000
    assert people_of(settings) == ["Ana"]


def test_nothing_is_restored_while_a_server_runs(settings: Path, backup: Path) -> None:
    before = content(settings.parent)
    with state_lock(store_of(settings).parent), pytest.raises(InUseError, match="another Belvedere runs"):
        restore(backup, settings)
    assert content(settings.parent) == before


def damaged(backup: Path) -> Iterator[str]:
    whole = backup.read_bytes()
    backup.write_bytes(whole[: len(whole) // 2])
    yield "truncated"
    backup.write_bytes(whole[:200] + b"x" + whole[201:])
    yield "is damaged"
    backup.write_bytes(b"")
    yield "truncated"
    for store, problem in (
        (b"no store", "its store is not a database"),
        (b"", "its store is empty"),
        (store_file(backup.parent, "PRAGMA application_id = 1; CREATE TABLE a (b)"), "belongs to another program"),
        (
            store_file(
                backup.parent,
                f"PRAGMA application_id = {APPLICATION_ID}; CREATE TABLE a (b); PRAGMA user_version = 99",
            ),
            r"its store was written by a later Belvedere \(version 99, this one has \d+\)$",
        ),
        (
            store_file(
                backup.parent, f"PRAGMA application_id = {APPLICATION_ID}; CREATE TABLE a (b); PRAGMA user_version = 8"
            ),
            "its store is damaged",
        ),
    ):
        with backup.open("wb") as file:
            write_archive(file, [Content(STORE, store)], Manifest("belvedere backup", 1, "1", 8, 0, "", ()))
        yield problem


def store_file(folder: Path, script: str) -> bytes:
    path = folder / "made.sqlite3"
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(script)
    return path.read_bytes()


def test_whatever_is_wrong_with_a_backup_is_one_line_and_changes_nothing(settings: Path, backup: Path) -> None:
    before = content(settings.parent)
    for problem in damaged(backup):
        with pytest.raises(OwnerError, match=problem) as caught:
            restore(backup, settings)
        assert str(caught.value).startswith(f"{backup}: ")
        assert "\n" not in str(caught.value)
        assert content(settings.parent) == before


def test_settings_of_a_later_version_are_refused(tmp_path: Path, settings: Path) -> None:
    store = store_of(settings).read_bytes()
    contents = [Content(STORE, store), Content("belvedere.toml", b"version = 99\n")]
    with (tmp_path / "b.zip").open("wb") as file:
        write_archive(file, contents, Manifest("belvedere backup", 1, "1", 8, 0, "", ()))
    with pytest.raises(SettingsError, match="newer Belvedere"):
        restore(tmp_path / "b.zip", settings)


def test_settings_of_a_stranger_do_not_have_another_file_replaced(tmp_path: Path, settings: Path) -> None:
    other = tmp_path / "precious"
    other.write_text("precious")
    contents = [Content(STORE, store_of(settings).read_bytes())]
    contents.append(Content("belvedere.toml", f"[store]\nfile = '{other}'\n".encode()))
    with (tmp_path / "b.zip").open("wb") as file:
        write_archive(file, contents, Manifest("belvedere backup", 1, "1", 8, 0, "", ()))
    with pytest.raises(OwnerError, match="precious: exists and is no store of Belvedere"):
        restore(tmp_path / "b.zip", settings)
    assert other.read_text() == "precious"


def test_a_link_in_the_settings_folder_leads_no_file_out_of_it(tmp_path: Path, settings: Path, backup: Path) -> None:
    (settings.parent / "keys/turn").unlink()
    (settings.parent / "keys").rmdir()
    (tmp_path / "outside").mkdir()
    (settings.parent / "keys").symlink_to(tmp_path / "outside")
    with pytest.raises(OwnerError, match="cannot be put there"):
        restore(backup, settings)
    assert [*(tmp_path / "outside").iterdir()] == []
    assert people_of_store(settings) == ["Ana"]


def people_of_store(settings: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(store_of(settings))) as database:
        return [name for (name,) in database.execute("SELECT name FROM person")]


def test_without_settings_a_copy_says_nothing_of_where_it_belongs(tmp_path: Path, settings: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        restore(store_of(settings), tmp_path / "nowhere.toml")


def test_settings_that_cannot_be_used_here_are_restored_with_a_warning(tmp_path: Path, settings: Path) -> None:
    back_up(settings, tmp_path / "b.zip")
    new = tmp_path / "new/belvedere.toml"
    new.parent.mkdir()
    _curtain, warning = restore(tmp_path / "b.zip", new).warnings
    assert warning.startswith("the server will not start with these settings: ")
    assert "keys/turn cannot be read" in warning


def test_on_a_full_disk_nothing_is_replaced(tmp_path: Path, settings: Path, backup: Path) -> None:
    (tmp_path / "disk").mkdir()
    with small_disk(tmp_path / "disk") as disk:
        text = settings.read_text().replace("state/it.sqlite3", str(disk.folder / "it.sqlite3"))
        settings.write_text(text)
        disk.fill()
        with pytest.raises(OwnerError, match="the disk is full"):
            restore(backup, settings, store_only=True)
        assert [path.name for path in disk.folder.iterdir() if path.name.startswith(".")] == []


def test_a_store_that_would_open_the_curtain_again_by_itself_is_refused(settings: Path, tmp_path: Path) -> None:
    store = tmp_path / "from-elsewhere.sqlite3"
    store.write_bytes(store_of(settings).read_bytes())
    with contextlib.closing(sqlite3.connect(store)) as database, database:
        database.execute("CREATE TRIGGER one AFTER INSERT ON room BEGIN UPDATE room SET is_closed = 0; END")
        database.execute("CREATE TRIGGER two AFTER UPDATE ON room BEGIN UPDATE room SET is_closed = 0; END")
    before = content(settings.parent)
    with pytest.raises(OwnerError, match="its store has a trigger that is not ours"):
        restore(store, settings)
    assert content(settings.parent) == before


@pytest.fixture
def servers_house() -> Iterator[Path]:
    """The settings of a house that root installed, and whose state is the server's."""
    with tempfile.TemporaryDirectory() as folder:  # where another user may go, other than in `tmp_path`
        Path(folder).chmod(0o755)
        settings = make_house(Path(folder), PROFILE, "Ana")
        state = store_of(settings).parent
        for path in (state, *state.iterdir()):
            os.chown(path, 65534, 65534)
        yield settings


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_restores_is_the_servers(servers_house: Path, backup: Path) -> None:
    state = store_of(servers_house).parent
    (servers_house.parent / "keys/turn").unlink()
    restore(backup, servers_house)
    assert {path.stat().st_uid for path in (state, *state.iterdir())} == {65534}
    key = (servers_house.parent / "keys/turn").stat()
    assert (key.st_uid, key.st_gid, stat.S_IMODE(key.st_mode)) == (0, 65534, 0o640)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be led to where the server may not go")
def test_a_link_that_the_server_left_leads_root_nowhere(servers_house: Path, backup: Path) -> None:
    store, elsewhere = store_of(servers_house), servers_house.parent / "ld.so.preload"
    store.unlink()
    store.symlink_to(elsewhere)
    for command in (lambda: people_of(servers_house), lambda: restore(backup, servers_house)):
        with contextlib.suppress(OwnerError, StoreError):
            command()
        assert not elsewhere.exists()
    assert os.geteuid() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be led to where the server may not go")
def test_a_backup_by_root_follows_no_link_of_the_servers_to_what_is_roots(servers_house: Path, tmp_path: Path) -> None:
    store, elsewhere = store_of(servers_house), servers_house.parent / "roots.sqlite3"
    store.rename(elsewhere)
    os.chown(elsewhere, 0, 0)
    store.symlink_to(elsewhere)
    with pytest.raises(StoreError, match="could not be copied"):
        back_up(servers_house, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()
