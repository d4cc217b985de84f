"""Participants and months are saved one by one, and rows that are damaged are left out."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

import pytest

from belvedere.store.participants import (
    MOST_MONTHS,
    SavedMonth,
    SavedParticipant,
    delete_participant,
    load_months,
    load_participants,
    save_month,
    save_participant,
)
from belvedere.store.schema import MIGRATIONS
from belvedere.store.sqlite_file import SqliteFile
from belvedere.store.visits import load_visits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANN = SavedParticipant(id="Ab-_9", join_by_utc_s=1_800_000_000)
BEN = SavedParticipant(id="ben", join_by_utc_s=1_800_000_001)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    with contextlib.closing(SqliteFile(tmp_path / "it.sqlite3")) as opened:
        opened.migrate()
        yield opened


def save(file: SqliteFile, *saved: SavedParticipant | SavedMonth) -> None:
    for each in saved:
        if isinstance(each, SavedMonth):
            file.write(functools.partial(save_month, month=each))
        else:
            file.write(functools.partial(save_participant, participant=each))


def damage(file: SqliteFile, change: str) -> None:
    file.write(lambda connection: connection.execute(change))


def test_participants_are_saved_until_they_are_deleted(file: SqliteFile) -> None:
    save(file, ANN, BEN, ANN)
    assert file.read(load_participants) == [ANN, BEN] or file.read(load_participants) == [BEN, ANN]
    file.write(functools.partial(delete_participant, participant_id="ben"))
    file.write(functools.partial(delete_participant, participant_id="nobody"))
    assert file.read(load_participants) == [ANN]


def test_a_months_newest_value_counts_and_the_newest_month_comes_first(file: SqliteFile) -> None:
    save(file, SavedMonth(month="2026-11", participant_s=7), SavedMonth(month="2026-12", participant_s=1))
    save(file, SavedMonth(month="2026-11", participant_s=8))
    assert [(each.month, each.participant_s) for each in file.read(load_months)] == [("2026-12", 1), ("2026-11", 8)]


def test_very_old_months_are_deleted(file: SqliteFile) -> None:
    months = [SavedMonth(month=f"{2000 + n // 12}-{n % 12 + 1:02}", participant_s=n) for n in range(MOST_MONTHS + 5)]
    save(file, *months)
    assert file.read(load_months) == months[:4:-1]


@pytest.mark.parametrize("change", ["id = 'a b'", "id = ''", "join_by_utc_s = -1"])
def test_a_participant_that_is_damaged_is_left_out(
    file: SqliteFile, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    save(file, ANN, BEN)
    damage(file, f"UPDATE ivs_participant SET {change} WHERE id = 'ben'")  # noqa: S608 - of this test
    assert file.read(load_participants) == [ANN]
    assert "1 invalid participants" in caplog.text


@pytest.mark.parametrize("change", ["month = 'May'", "participant_s = -1"])
def test_a_month_that_is_damaged_is_left_out(file: SqliteFile, change: str, caplog: pytest.LogCaptureFixture) -> None:
    save(file, SavedMonth(month="2026-11", participant_s=7))
    damage(file, f"UPDATE ivs_month SET {change}")  # noqa: S608 - of this test
    assert file.read(load_months) == []
    assert "1 invalid months" in caplog.text


def test_visits_of_an_older_version_have_no_participant_hours(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    with contextlib.closing(SqliteFile(path, MIGRATIONS[:9])) as old:
        old.migrate()
        values = "(1, '0123456789ab', 'ana', 'Ana', 1, 2, 3, 4, 'WebRTC', 0, 0, 0)"
        damage(old, f"INSERT INTO room_visit VALUES {values}")  # noqa: S608 - of this test
    with contextlib.closing(SqliteFile(path)) as new:
        new.migrate()
        ((visit,), _) = new.read(lambda connection: load_visits(connection, 10))
    assert (visit.name, visit.looked_s, visit.participant_s) == ("Ana", 3, 0)
