"""People are updated in place, invitations replaced; a row that is damaged in any way counts for nothing."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from belvedere.store.people import SavedLink, SavedPerson, load_links, load_people, save_links, save_people
from belvedere.store.sqlite_file import SqliteFile

ANA = SavedPerson(id="0123456789ab", name="Ana", role="visitor", email="ana@example.org", has_joined=True)
BEN = SavedPerson(id="ba9876543210", name="Ben", role="owner", email="", has_joined=False)
UNUSED = SavedLink(digest=b"a" * 32, person=ANA.id, ends_utc_s=1_800_000_000, left_s=40_000)
USED = msgspec.structs.replace(UNUSED, digest=b"b" * 32, session="0123456789cd", browser=b"c" * 32)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    with contextlib.closing(SqliteFile(tmp_path / "it.sqlite3")) as opened:
        opened.migrate()
        yield opened


def test_people_are_loaded_in_their_order_and_rows_that_refer_to_them_end_with_them(file: SqliteFile) -> None:
    file.write(lambda db: save_people(db, [ANA, BEN]))
    file.write(lambda db: db.execute("CREATE TABLE key (person TEXT REFERENCES person (id) ON DELETE CASCADE)"))
    file.write(lambda db: db.executemany("INSERT INTO key VALUES (?)", [(ANA.id,), (BEN.id,)]))
    renamed = msgspec.structs.replace(ANA, name="Anna", role="guest")
    file.write(lambda db: save_people(db, [renamed, BEN]))
    assert file.read(lambda db: load_people(db, file.path)) == [renamed, BEN]
    assert file.read(lambda db: db.execute("SELECT count(*) FROM key").fetchone()) == (2,)
    file.write(lambda db: save_people(db, [BEN]))
    assert file.read(lambda db: db.execute("SELECT person FROM key").fetchall()) == [(BEN.id,)]


def test_invitations_are_replaced(file: SqliteFile) -> None:
    file.write(lambda db: save_links(db, [UNUSED, USED]))
    assert file.read(lambda db: load_links(db, file.path)) == [UNUSED, USED]
    file.write(lambda db: save_links(db, []))
    assert file.read(lambda db: load_links(db, file.path)) == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE person SET id = 'x' WHERE name = 'Ana'",
        "UPDATE person SET role = 'Owner!' WHERE name = 'Ana'",
        "UPDATE person SET name = '' WHERE name = 'Ana'",
        "UPDATE invitation SET digest = x'61' WHERE session = ''",
        "UPDATE invitation SET left_s = 0 WHERE session = ''",
        "UPDATE invitation SET person = 'ana' WHERE session = ''",
        "UPDATE invitation SET browser = x'61' WHERE session = ''",
        "UPDATE invitation SET session = 'x' WHERE session = ''",
    ],
)
def test_a_damaged_row_is_logged_and_left_out(file: SqliteFile, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    file.write(lambda db: save_people(db, [ANA, BEN]))
    file.write(lambda db: save_links(db, [UNUSED, USED]))
    file.write(lambda db: db.execute(damage))
    people = file.read(lambda db: load_people(db, file.path))
    links = file.read(lambda db: load_links(db, file.path))
    assert (people, links) in (([BEN], [UNUSED, USED]), ([ANA, BEN], [USED]))
    assert "contains 1 invalid" in caplog.text
