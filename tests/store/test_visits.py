"""The visit book's rows: kept in the order of their beginnings, bounded, exported whole, and never trusted blindly."""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import json
import sqlite3
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.store import visits
from belvedere.store.sqlite_file import SqliteFile
from belvedere.store.visits import SavedVisit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

ANA = SavedVisit(
    id="0123456789ab",
    person="aaaaaaaaaaaa",
    name="Ana",
    began_utc_s=1_800_000_000,
    lasted_s=600,
    looked_s=590,
    drove_s=60,
    ways=("WebSocket", "WebRTC"),
    stills=2,
    knocks=1,
)
BEN = msgspec.structs.replace(ANA, id="ba9876543210", person="bbbbbbbbbbbb", name="Ben", began_utc_s=1_700_000_000)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    with contextlib.closing(SqliteFile(tmp_path / "it.sqlite3")) as opened:
        opened.migrate()
        yield opened


def save(file: SqliteFile, *saved: SavedVisit) -> None:
    for each in saved:
        file.write(functools.partial(visits.save_visit, visit=each))


def load(file: SqliteFile, limit: int = 100, before: str | None = None) -> list[SavedVisit]:
    return file.read(lambda db: visits.load_visits(db, limit, before)).visits


def export(file: SqliteFile, encode: Callable[[Sequence[SavedVisit]], bytes]) -> bytes:
    return file.read(lambda db: visits.export_visits(db, encode))


def many(person: str, count: int, first: int = 0) -> list[SavedVisit]:
    numbers = range(first, first + count)
    return [msgspec.structs.replace(ANA, id=f"{number:012x}", person=person) for number in numbers]


def test_a_visit_that_is_saved_again_keeps_its_place_and_has_the_newest_values(file: SqliteFile) -> None:
    save(file, ANA, BEN)
    longer = msgspec.structs.replace(ANA, lasted_s=900, stills=3, ways=("WebSocket",))
    save(file, longer)
    assert load(file) == [BEN, longer]


def test_pages_go_from_the_newest_to_the_oldest_and_say_when_there_is_no_more(file: SqliteFile) -> None:
    saved = many("p", 5)
    save(file, *saved)
    first = file.read(lambda db: visits.load_visits(db, 2))
    assert ([each.id for each in first.visits], first.has_more) == ([saved[4].id, saved[3].id], True)
    last = file.read(lambda db: visits.load_visits(db, 3, saved[3].id))
    assert ([each.id for each in last.visits], last.has_more) == ([saved[2].id, saved[1].id, saved[0].id], False)


def test_one_visit_is_deleted_and_a_second_time_there_is_none(file: SqliteFile) -> None:
    save(file, ANA, BEN)
    assert file.write(lambda db: visits.delete_visit(db, ANA.id))
    assert not file.write(lambda db: visits.delete_visit(db, ANA.id))
    assert not file.read(lambda db: visits.has_visit(db, ANA.id))
    assert file.read(lambda db: visits.has_visit(db, BEN.id))
    assert load(file) == [BEN]


def test_what_began_before_the_given_time_is_pruned(file: SqliteFile) -> None:
    save(file, ANA, BEN)
    assert file.write(lambda db: visits.prune_visits(db, BEN.began_utc_s + 1)) == 1
    assert load(file) == [ANA]


def test_a_person_who_comes_all_the_time_loses_only_own_old_visits(
    file: SqliteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "MOST_VISITS_OF_ONE", 3)
    flood = many("flood", 5)
    save(file, BEN, *flood)
    assert file.write(lambda db: visits.prune_visits(db, 0)) == 2
    assert load(file) == [*reversed(flood[2:]), BEN]


def test_the_oldest_of_all_are_pruned_above_the_limit(file: SqliteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "MOST_VISITS", 2)
    saved = [*many("a", 1), *many("b", 1, first=1), *many("c", 1, first=2)]
    save(file, *saved)
    assert file.write(lambda db: visits.prune_visits(db, 0)) == 1
    assert load(file) == [saved[2], saved[1]]


def test_the_exports_have_every_visit_with_all_its_values(file: SqliteFile) -> None:
    save(file, ANA, BEN)
    exported = json.loads(export(file, visits.encode_json).decode())
    assert [each["name"] for each in exported] == ["Ben", "Ana"]
    assert exported[1]["began"] == "2027-01-15T08:00:00Z"
    assert msgspec.convert(exported[1], SavedVisit) == ANA
    rows = list(csv.DictReader(io.StringIO(export(file, visits.encode_csv).decode("utf-8-sig"))))
    assert (rows[1]["began"], rows[1]["name"], rows[1]["ways"]) == ("2027-01-15T08:00:00Z", "Ana", "WebSocket WebRTC")
    assert rows[1].keys() == exported[1].keys()


@pytest.mark.parametrize("name", ['=HYPERLINK("http://evil")', "+1", "-1", "@SUM(A1)"])
def test_no_name_is_a_formula_in_a_spreadsheet(file: SqliteFile, name: str) -> None:
    save(file, msgspec.structs.replace(ANA, name=name))
    (row,) = csv.DictReader(io.StringIO(export(file, visits.encode_csv).decode("utf-8-sig")))
    assert row["name"] == f"'{name}"


@pytest.mark.parametrize(
    "damage", ["id = 'x'", "name = ''", "began_utc_s = -1", "lasted_s = 9223372036854775807", "ways = 'Wëb'"]
)
def test_a_damaged_row_is_logged_and_left_out(file: SqliteFile, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    save(file, ANA, BEN)
    file.write(lambda db: db.execute(f"UPDATE room_visit SET {damage} WHERE name = 'Ana'"))  # noqa: S608 (see above)
    assert load(file) == [BEN]
    assert "the visit book has 1 invalid rows" in caplog.text


@given(st.tuples(*[st.one_of(st.none(), st.text(max_size=20), st.integers(-(2**63), 2**63 - 1))] * len(visits.FIELDS)))
def test_whatever_a_row_contains_loading_and_exporting_never_fail(values: tuple[object, ...]) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"CREATE TABLE room_visit (place INTEGER PRIMARY KEY, {', '.join(visits.FIELDS)})")
        marks = ", ".join("?" * len(visits.FIELDS))
        database.execute(f"INSERT INTO room_visit VALUES (1, {marks})", ("0123456789ab", *values[1:]))  # noqa: S608 (marks)
        loaded = visits.load_visits(database, 10).visits
        assert len(json.loads(visits.export_visits(database, visits.encode_json))) == len(loaded)
        assert visits.export_visits(database, visits.encode_csv).count(b"\r\n") >= 1 + len(loaded)
