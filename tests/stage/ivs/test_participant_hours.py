"""What is billed is counted by months, over restarts, and a month may have so much."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from belvedere.stage.ivs.participant_hours import SAVE_EVERY_S, ParticipantHours, month_of
from belvedere.store.database import Database
from belvedere.store.participants import SavedMonth, load_months
from belvedere.store.sqlite_file import SqliteFile
from belvedere.testing.loop_worker import LoopWorker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

UTC_S = 1_796_083_200.0  # 1 December 2026


class Run:
    """A run of the program; its wall clock is `utc_s` ahead of the loop's."""

    def __init__(self, path: Path, monthly_hours: float = 0.0, utc_s: float = UTC_S) -> None:
        clock = asyncio.get_running_loop().time
        self.utc_s = utc_s - clock()
        self.database = Database(path, worker=LoopWorker, clock=clock)
        self.database.open()
        self.hours = ParticipantHours(
            self.database, monthly_hours, clock=clock, utc=lambda: self.utc_s + asyncio.get_running_loop().time()
        )
        self.told = 0
        self.hours.on_used_up(self._count)

    def _count(self) -> None:
        self.told += 1


@contextlib.asynccontextmanager
async def running(path: Path, monthly_hours: float = 0.0, utc_s: float = UTC_S) -> AsyncIterator[Run]:
    run = Run(path, monthly_hours, utc_s)
    await run.hours.load()
    counting = asyncio.create_task(run.hours.run())
    try:
        yield run
    finally:
        counting.cancel()
        await asyncio.wait({counting})
        await run.database.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.sqlite3"


def on_disk(path: Path) -> list[SavedMonth]:
    with contextlib.closing(SqliteFile(path)) as file:
        file.migrate()
        return file.read(load_months)


async def test_each_participant_is_counted_and_so_is_the_camera(path: Path) -> None:
    async with running(path) as run:
        await asyncio.sleep(1000)
        assert run.hours.participant_s == 0
        run.hours.receive_participants(2)
        await asyncio.sleep(10)
        run.hours.receive_publishing(True)
        await asyncio.sleep(10)
        run.hours.receive_participants(0)
        await asyncio.sleep(10)
        run.hours.receive_publishing(False)
        await asyncio.sleep(1000)
        assert run.hours.participant_s == pytest.approx(2 * 20 + 20)


async def test_a_restart_goes_on_with_what_was_saved_and_loses_a_minute_at_most(path: Path) -> None:
    async with running(path) as run:
        run.hours.receive_participants(1)
        await asyncio.sleep(10 * SAVE_EVERY_S + 30)
    ((month),) = on_disk(path)
    assert month.month == "2026-12"
    assert 10 * SAVE_EVERY_S <= month.participant_s <= 10 * SAVE_EVERY_S + 30
    async with running(path) as run:
        await run.hours.load()  # again: it is added once
        assert run.hours.participant_s == month.participant_s
        run.hours.receive_participants(1)
        await asyncio.sleep(SAVE_EVERY_S)
        run.hours.receive_participants(0)
        await asyncio.sleep(1)
    ((later),) = on_disk(path)
    assert later.participant_s == month.participant_s + SAVE_EVERY_S


async def test_months_are_counted_apart_newest_first(path: Path) -> None:
    async with running(path, utc_s=UTC_S - 100) as run:
        run.hours.receive_participants(1)
        await asyncio.sleep(300)
        assert [month.month for month in run.hours.months()] == ["2026-12", "2026-11"]
        assert sum(month.participant_s for month in run.hours.months()) == pytest.approx(300, abs=2)
        assert run.hours.participant_s == pytest.approx(200, abs=SAVE_EVERY_S)


async def test_a_wall_clock_that_jumps_counts_nothing_twice(path: Path) -> None:
    async with running(path) as run:
        run.hours.receive_participants(1)
        await asyncio.sleep(50)
        run.utc_s -= 7200
        await asyncio.sleep(50)
        assert sum(month.participant_s for month in run.hours.months()) == pytest.approx(100, abs=2)


async def test_the_month_is_used_up_at_the_second_and_that_is_told_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(path, monthly_hours=1.0) as run:
        run.hours.receive_participants(4)
        await asyncio.sleep(899)
        assert (run.hours.is_used_up, run.told) == (False, 0)
        await asyncio.sleep(1.1)
        assert (run.hours.is_used_up, run.told) == (True, 1)
        await asyncio.sleep(3600)
        assert run.told == 1
    assert "monthly_hours" in caplog.text


async def test_what_an_earlier_run_has_used_counts(path: Path) -> None:
    async with running(path) as run:
        run.hours.receive_participants(1)
        await asyncio.sleep(3600)
        run.hours.receive_participants(0)
        await asyncio.sleep(1)
    async with running(path, monthly_hours=0.5) as run:
        await asyncio.sleep(0.1)
        assert (run.hours.is_used_up, run.told) == (True, 1)


async def test_without_a_limit_nothing_is_ever_used_up(path: Path) -> None:
    async with running(path) as run:
        run.hours.receive_participants(1000)
        await asyncio.sleep(7200)
        assert (run.hours.is_used_up, run.told) == (False, 0)


async def test_it_is_known_whether_it_is_saved(path: Path) -> None:
    async with running(path) as run:
        assert run.hours.is_saving


def test_a_month_is_that_of_utc() -> None:
    assert (month_of(UTC_S - 1), month_of(UTC_S)) == ("2026-11", "2026-12")
