from __future__ import annotations

import contextlib
import functools
import logging
import sqlite3
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.store.small_disk import small_disk

from belvedere.errors import InternalError, StoreError
from belvedere.store.copies import before_migration
from belvedere.store.schema import POSITIONS
from belvedere.store.sqlite_file import APPLICATION_ID, SqliteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from belvedere.store.schema import Migration

NOTES = "CREATE TABLE note (text TEXT PRIMARY KEY, weight INTEGER NOT NULL DEFAULT 1) STRICT"
STEPS: tuple[Migration, ...] = (NOTES,)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.sqlite3"


@contextlib.contextmanager
def opened(path: Path, migrations: Sequence[Migration] = STEPS) -> Iterator[SqliteFile]:
    """A file that is migrated to the newest version."""
    with contextlib.closing(SqliteFile(path, migrations)) as file:
        file.migrate()
        yield file


def note(file: SqliteFile, text: str | float) -> None:
    file.write(lambda connection: connection.execute("INSERT INTO note (text) VALUES (?)", (text,)))


def notes(file: SqliteFile) -> list[str]:
    return file.read(lambda connection: [text for (text,) in connection.execute("SELECT text FROM note")])


def run(path: Path, statement: str) -> None:
    """A change of the file by another program."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def version_of(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_written_is_there_after_a_restart(path: Path) -> None:
    with opened(path) as file:
        note(file, "a")
    with opened(path) as file:
        assert (notes(file), file.version, file.is_new) == (["a"], 1, False)


def test_what_was_written_is_there_even_if_nobody_closed_the_file(path: Path) -> None:
    with opened(path) as crashed:
        note(crashed, "a")
        with opened(path) as file:
            assert notes(file) == ["a"]


def test_a_new_file_and_its_folder_are_made_and_only_this_user_may_read_them(tmp_path: Path) -> None:
    path = tmp_path / "state" / "it.sqlite3"
    with opened(path) as file:
        assert file.is_new
        note(file, "a")
        journal = path.with_name("it.sqlite3-journal")
        assert (permissions(path), permissions(journal), permissions(path.parent)) == (0o600, 0o600, 0o700)


def test_a_file_that_others_could_read_is_hidden_from_them_with_its_journal(path: Path) -> None:
    with opened(path) as file:
        note(file, "a")
    journal = path.with_name("it.sqlite3-journal")
    for each in (path, journal):
        each.chmod(0o664)
    with opened(path):
        assert (permissions(path), permissions(journal)) == (0o600, 0o600)


def test_an_empty_file_that_was_there_is_used_and_is_not_new(path: Path) -> None:
    path.touch()
    with opened(path) as file:
        assert not file.is_new
        note(file, "a")
        assert notes(file) == ["a"]


def test_the_file_has_our_application_id(path: Path) -> None:
    with opened(path), contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


def add_colour(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE note ADD COLUMN colour TEXT")
    connection.execute("UPDATE note SET colour = text || '-ish'")


def test_a_file_is_migrated_step_by_step_by_sql_and_by_functions(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with opened(path) as file:
        note(file, "red")
    lists = "CREATE TABLE list (name TEXT); -- with a semicolon; in it\nINSERT INTO list VALUES ('a;b')"
    with opened(path, (NOTES, add_colour, lists)) as file:
        assert file.version == version_of(path) == 3
        assert file.read(lambda db: db.execute("SELECT text, colour FROM note").fetchall()) == [("red", "red-ish")]
        assert file.read(lambda db: db.execute("SELECT name FROM list").fetchall()) == [("a;b",)]
    assert caplog.messages == [f"{path}: migrated to version {version}" for version in (1, 2, 3)]


def fails(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE note SET text = 'half done'")
    if connection.execute("SELECT count(*) FROM note").fetchone()[0]:
        raise KeyError("no such colour")


def ends_its_transaction(connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT count(*) FROM note").fetchone()[0]:
        connection.commit()


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (fails, "could not be migrated from version 2 to 3: KeyError"),
        (ends_its_transaction, "could not be migrated from version 2 to 3: InternalError"),
        ("UPDATE note SET text = 'half done'; UPDATE note SET weight = NULL", "from version 2 to 3: IntegrityError"),
        ("UPDATE note SET text = 'half done'; DELETE FROM nowhere", "no such table: nowhere"),
        ("UPDATE note SET text = 'half", "unrecognized token"),
    ],
)
def test_a_failed_migration_leaves_the_file_as_it_was_before_it(path: Path, step: Migration, problem: str) -> None:
    with opened(path) as file:
        note(file, "whole")
    with contextlib.closing(SqliteFile(path, (NOTES, add_colour, step))) as file:
        with pytest.raises(StoreError, match=problem):
            file.migrate()
        assert (notes(file), file.version, version_of(path)) == (["whole"], 2, 2)
    with opened(path, (NOTES, add_colour, "CREATE TABLE mended (a)")) as file:
        assert (notes(file), file.version) == (["whole"], 3)


def test_two_programs_that_migrate_one_file_at_once_run_every_migration_once(path: Path) -> None:
    with opened(path) as first:
        note(first, "red")
        with contextlib.closing(SqliteFile(path, (NOTES, add_colour))) as second:
            with opened(path, (NOTES, add_colour)):
                pass
            with pytest.raises(StoreError, match="another program is changing its tables") as caught:
                second.migrate()
            assert not caught.value.is_lasting
    with opened(path, (NOTES, add_colour)) as file:
        assert file.version == 2


def test_an_earlier_file_with_a_write_ahead_log_is_read_and_converted(path: Path) -> None:
    with opened(path) as file:
        note(file, "a")
    run(path, "PRAGMA journal_mode = WAL")
    with opened(path) as file:
        note(file, "b")
        assert notes(file) == ["a", "b"]
    assert sorted(each.name for each in path.parent.iterdir()) == ["it.sqlite3", "it.sqlite3-journal"]


def test_an_early_file_without_an_application_id_is_accepted(path: Path) -> None:
    run(path, POSITIONS.replace("CREATE TABLE position", "CREATE TABLE IF NOT EXISTS position"))
    run(path, "PRAGMA user_version = 1")
    with opened(path, (POSITIONS, NOTES)) as file:
        assert file.version == 2


def another_programs(path: Path) -> None:
    run(path, "CREATE TABLE songs (name TEXT)")
    run(path, "PRAGMA user_version = 1")


def of_another_shape(path: Path) -> None:
    run(path, "CREATE TABLE note (latitude REAL)")


def no_database(path: Path) -> None:
    path.write_text("this is not a database, and long enough for that to show" * 20, encoding="utf-8")


def ours(path: Path) -> None:
    with opened(path) as file:
        rows = [(f"note {number}",) for number in range(1000)]
        file.write(lambda connection: connection.executemany("INSERT INTO note (text) VALUES (?)", rows))


def ours_after(statement: str, path: Path) -> None:
    ours(path)
    run(path, statement)


of_later = functools.partial(ours_after, "PRAGMA user_version = 99")
without_a_table = functools.partial(ours_after, "DROP TABLE note")
with_a_trigger = functools.partial(ours_after, "CREATE TRIGGER x AFTER INSERT ON note BEGIN DELETE FROM note; END")


def cut_short(path: Path) -> None:
    ours(path)
    path.write_bytes(path.read_bytes()[:5000])


def scribbled_over(path: Path) -> None:
    ours(path)
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * (len(data) - 100))


def scribbled_over_far_in(path: Path) -> None:
    ours(path)
    data = path.read_bytes()
    path.write_bytes(data[:-4096] + b"\xff" * 4096)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (another_programs, "belongs to another program"),
        (of_another_shape, "belongs to another program"),
        (no_database, "is not a database"),
        (of_later, r"later.*version 99, this one has 1.*: install"),
        (without_a_table, "damaged"),
        (with_a_trigger, "trigger"),
        (cut_short, "damaged"),
        (scribbled_over, "damaged"),
        (scribbled_over_far_in, "damaged"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_with_advice_and_left_unchanged(
    path: Path, make: Callable[[Path], None], problem: str
) -> None:
    make(path)
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=rf"it\.sqlite3: .*{problem}.*(move|name)") as caught:
        SqliteFile(path, STEPS)
    assert caught.value.is_lasting
    assert "\n" not in str(caught.value)
    assert (path.read_bytes(), permissions(path)) == (before, 0o644)


def test_a_folder_instead_of_a_file_is_named_as_the_error(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match=r"it\.sqlite3: is a folder: name a file"):
        SqliteFile(path)


@pytest.mark.parametrize("name", ["file/it.sqlite3", "n" * 300, "it\0.sqlite3"], ids=["no folder", "long", "zero"])
def test_an_impossible_path_is_named_as_the_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be used"):
        SqliteFile(tmp_path / name)


def test_a_file_that_another_program_has_locked_gives_an_error_and_is_used_later(path: Path) -> None:
    with opened(path) as file:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(StoreError, match="locked by another program") as caught:
                note(file, "a")
            assert not caught.value.is_lasting
        note(file, "b")
        assert notes(file) == ["b"]


def test_a_write_is_done_all_or_not_at_all_and_its_error_is_passed_on(path: Path) -> None:
    def write(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO note (text) VALUES ('b')")
        raise LookupError("too heavy")

    with opened(path) as file:
        note(file, "a")
        with pytest.raises(LookupError, match="too heavy"):
            file.write(write)
        with pytest.raises(sqlite3.IntegrityError):
            note(file, "a")
        assert notes(file) == ["a"]


def test_a_function_called_in_a_transaction_may_not_end_it(path: Path) -> None:
    with opened(path) as file:
        with pytest.raises(InternalError, match="must not end it"):
            file.write(sqlite3.Connection.commit)
        note(file, "a")


def test_what_was_deleted_is_not_in_the_file_any_more(path: Path) -> None:
    with opened(path) as file:
        note(file, "who came on Friday")
        assert b"who came on Friday" in path.read_bytes()
        file.write(lambda connection: connection.execute("DELETE FROM note"))
        assert b"who came on Friday" not in path.read_bytes()


def test_the_settings_of_the_file_make_commits_survive_a_power_cut_and_a_full_disk(path: Path) -> None:
    def settings(connection: sqlite3.Connection) -> list[object]:
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]

    with opened(path) as file:
        assert file.read(settings) == [2, "persist"]


def test_a_row_with_a_dangling_reference_is_refused(path: Path) -> None:
    refer = "CREATE TABLE link (text TEXT REFERENCES note (text)) STRICT"
    with opened(path, (NOTES, refer)) as file, pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        file.write(lambda connection: connection.execute("INSERT INTO link VALUES ('nothing')"))


def test_a_read_cannot_write_and_the_next_write_can(path: Path) -> None:
    with opened(path) as file:
        with pytest.raises(StoreError, match="is read-only"):
            file.read(lambda connection: connection.execute("DELETE FROM note"))
        note(file, "a")
        assert notes(file) == ["a"]


def weights(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    return connection.execute("SELECT text, weight FROM note").fetchall()


def make_heavier(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE note SET weight = weight + 1")


def test_what_was_written_once_can_be_written_again_on_a_full_disk_after_a_restart_too(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        with opened(path) as file:
            note(file, "a")
        disk.fill()
        for weight in range(2, 50):
            with opened(path) as file:
                file.write(make_heavier)
                assert file.read(weights) == [("a", weight)]


def test_a_migration_that_fails_on_a_full_disk_leaves_a_writable_file(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        with opened(path) as file:
            note(file, "a")
        disk.fill()
        with contextlib.closing(SqliteFile(path, (NOTES, "CREATE TABLE list (name TEXT PRIMARY KEY)"))) as file:
            with pytest.raises(StoreError, match="the disk is full: free some space"):
                file.migrate()
            file.write(make_heavier)
            assert (notes(file), version_of(path)) == (["a"], 1)
            disk.free()
            file.migrate()
            assert (notes(file), version_of(path)) == (["a"], 2)


def test_a_full_disk_is_named_as_the_error_when_nothing_was_written_yet(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        disk.fill()
        with pytest.raises(StoreError, match=r"disk.*full"), opened(disk.folder / "it.sqlite3"):
            pass


def test_a_read_only_disk_is_read_and_named_as_the_error_of_writes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        with opened(path) as file:
            note(file, "a")
        path.chmod(0o640)
        disk.remount("ro")
        with opened(path) as file:
            assert notes(file) == ["a"]
            with pytest.raises(StoreError, match="read-only: let this user write"):
                note(file, "b")
        assert f"{path}: could not remove other users' permissions" in caplog.text
        with pytest.raises(StoreError, match="read-only"):
            SqliteFile(disk.folder / "another.sqlite3")


# the copy before an upgrade


def test_before_an_upgrade_a_copy_is_kept_that_the_earlier_version_reads(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(path) as file:
        note(file, "red")
    caplog.set_level(logging.INFO)
    with contextlib.closing(SqliteFile(path, (NOTES, add_colour))) as file:
        assert file.keep_copy() == before_migration(path, 2)
        file.migrate()
    assert caplog.messages[0] == f"{path}: copied to {before_migration(path, 2)} before it is upgraded"
    assert permissions(before_migration(path, 2)) == 0o600
    with opened(before_migration(path, 2)) as earlier:
        assert (notes(earlier), earlier.version) == (["red"], 1)


def test_a_new_file_and_one_of_the_newest_version_need_no_copy(path: Path) -> None:
    with contextlib.closing(SqliteFile(path, STEPS)) as file:
        assert file.keep_copy() is None
        file.migrate(1)
        assert file.keep_copy() is None
    with contextlib.closing(SqliteFile(path, STEPS)) as file:
        assert file.keep_copy() is None


def test_an_upgrade_that_stops_half_way_keeps_the_copy_of_the_first_version(path: Path) -> None:
    with opened(path) as file:
        note(file, "red")
    for _start in range(2):
        with contextlib.closing(SqliteFile(path, (NOTES, add_colour, fails))) as file:
            file.keep_copy()
            with pytest.raises(StoreError, match="from version 2 to 3"):
                file.migrate()
    assert [version_of(before_migration(path, version)) for version in (2, 3)] == [1, 2]


def test_without_room_for_the_copy_the_file_is_not_upgraded_and_a_line_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path = disk.folder / "it.sqlite3"
        with opened(path) as file:
            note(file, "red")
        disk.fill()
        with contextlib.closing(SqliteFile(path, (NOTES, add_colour))) as file:
            with pytest.raises(StoreError, match=r"^could not keep a copy before the upgrade: .*: the disk is full: "):
                file.keep_copy()
            assert (notes(file), file.version) == (["red"], 1)
        assert not before_migration(path, 2).exists()


KILLED_AT_EACH_CALL = """
import os, sys
from pathlib import Path
from belvedere.store.sqlite_file import SqliteFile

def upgrade(path, calls_left):
    def count(frame, event, argument):
        nonlocal calls_left
        calls_left -= event in {"call", "c_call"} and "/store/" in frame.f_code.co_filename
        if calls_left < 0:
            os._exit(9)

    file = SqliteFile(path, (sys.argv[2], "ALTER TABLE note ADD COLUMN colour TEXT"))
    sys.setprofile(count)
    file.keep_copy()
    file.migrate()
    os._exit(0)

for calls in range(1000):
    path = Path(sys.argv[1], str(calls))
    path.write_bytes(Path(sys.argv[1], "it.sqlite3").read_bytes())
    child = os.fork()
    if child == 0:
        upgrade(path, calls)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        print(calls)
        break
"""


@pytest.mark.realtime
def test_an_upgrade_that_is_killed_at_any_call_leaves_a_file_that_works_and_a_whole_copy_or_none(path: Path) -> None:
    with opened(path) as file:
        note(file, "red")
    command = [sys.executable, "-c", KILLED_AT_EACH_CALL, str(path.parent), NOTES]
    calls = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert calls > 30
    for killed in (path.with_name(str(number)) for number in range(calls)):
        if before_migration(killed, 2).exists():
            with opened(before_migration(killed, 2)) as earlier:
                assert (notes(earlier), earlier.version) == (["red"], 1)
        with contextlib.closing(SqliteFile(killed, (NOTES, add_colour))) as file:
            file.keep_copy()
            file.migrate()
            assert (notes(file), file.version) == (["red"], 2)
