from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.store.failing_disk import Disks, virtual
from tests.store.saved import saved

from belvedere.app.position_recorder import REST_S, PositionRecorder
from belvedere.control.lease import LeaseStatus
from belvedere.engine.bus import Bus
from belvedere.engine.status import AxisState, EngineStatus
from belvedere.link.supervisor import LinkPhase
from belvedere.store.database import Database
from belvedere.store.positions import UNKNOWN, Position, SavedPositions
from belvedere.store.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Noted(SavedPositions):
    """The positions of a database that was never opened, and those put for pan."""

    def __init__(self, path: Path) -> None:
        super().__init__(Database(path), ("pan", "tilt"))
        self.puts: list[Position] = []

    def put(self, positions: Mapping[str, Position]) -> None:
        super().put(positions)
        self.puts += [positions["pan"]] if "pan" in positions else []


@pytest.fixture
def noted(tmp_path: Path) -> Noted:
    return Noted(tmp_path / "it.sqlite3")


def status(pan_deg: float | None, velocity: float = 0.0, lease: LeaseStatus | None = None) -> EngineStatus:
    pan = AxisState(LinkPhase.READY, None, velocity, pan_deg, 0, None)
    tilt = AxisState(LinkPhase.READY, None, 0.0, None, 0, None)
    return EngineStatus(pan, tilt, lease or LeaseStatus(0, None, 0))


def sure(deg: float) -> Position:
    return Position(deg, is_sure=True)


def unsure(deg: float) -> Position:
    return Position(deg, is_sure=False)


async def test_a_position_is_sure_only_after_a_while_at_rest(noted: Noted) -> None:
    recorder = PositionRecorder(Bus(), noted)
    recorder.receive(status(0))
    await asyncio.sleep(REST_S - 0.1)
    assert noted.puts == [unsure(0)]
    await asyncio.sleep(0.2)
    assert noted.puts == [unsure(0), sure(0)]


async def test_a_move_is_saved_as_not_sure_at_once_and_only_once(noted: Noted) -> None:
    recorder = PositionRecorder(Bus(), noted)
    recorder.receive(status(0))
    await asyncio.sleep(2 * REST_S)
    noted.puts.clear()
    recorder.receive(status(0, 1))
    assert noted.puts == [unsure(0)]
    for deg in range(1, 20):
        recorder.receive(status(deg, 1))
        await asyncio.sleep(0.1)
    assert noted.puts == [unsure(0)]
    recorder.receive(status(20))
    await asyncio.sleep(2 * REST_S)
    assert noted.puts == [unsure(0), sure(20)]


async def test_during_a_series_of_short_presses_the_file_says_not_sure(noted: Noted) -> None:
    recorder = PositionRecorder(Bus(), noted)
    for deg in range(10):
        recorder.receive(status(deg, 1))
        await asyncio.sleep(0.5)
        recorder.receive(status(deg + 1))
        await asyncio.sleep(REST_S / 2)
    assert noted.puts == [unsure(0)]


async def test_a_new_driver_makes_the_position_not_sure_before_the_first_press(noted: Noted) -> None:
    recorder = PositionRecorder(Bus(), noted)
    recorder.receive(status(5))
    await asyncio.sleep(2 * REST_S)
    noted.puts.clear()
    recorder.receive(status(5, lease=LeaseStatus(1, "ann", 0)))
    assert noted.puts == [unsure(5)]


async def test_a_position_that_the_core_is_not_sure_of_is_saved_as_not_sure(noted: Noted) -> None:
    state = status(5)
    doubtful = msgspec.structs.replace(state, pan=msgspec.structs.replace(state.pan, is_position_sure=False))
    recorder = PositionRecorder(Bus(), noted)
    recorder.receive(status(1))
    recorder.receive(doubtful)
    await asyncio.sleep(2 * REST_S)
    assert noted.puts == [unsure(1), unsure(5)]


@pytest.mark.parametrize("deg", [math.nan, math.inf, -math.inf, 1e300])
async def test_a_position_that_is_not_a_valid_number_is_saved_as_unknown(noted: Noted, deg: float) -> None:
    PositionRecorder(Bus(), noted).receive(status(deg))
    assert noted.puts == [UNKNOWN]


async def test_no_position_is_saved_for_an_axis_without_calibration(noted: Noted) -> None:
    recorder = PositionRecorder(Bus(), noted)
    recorder.receive(status(None, 1))
    await asyncio.sleep(2 * REST_S)
    assert noted.puts == []


async def test_it_listens_to_the_bus_until_it_is_ended(noted: Noted) -> None:
    bus = Bus()
    recording = asyncio.create_task(PositionRecorder(bus, noted).run())
    await asyncio.sleep(0)
    bus.publish("status", status(4))
    await asyncio.sleep(2 * REST_S)
    recording.cancel()
    await asyncio.wait([recording])
    bus.publish("status", status(5))
    await asyncio.sleep(2 * REST_S)
    assert noted.puts == [unsure(4), sure(4)]


async def test_the_final_position_is_saved_at_once_if_it_has_changed(noted: Noted) -> None:
    recorder = PositionRecorder(Bus(), noted)
    recorder.receive(status(3))
    recorder.receive_end(status(40))
    recorder.receive_end(status(40))
    await asyncio.sleep(2 * REST_S)
    assert noted.puts == [unsure(3), sure(40)]


async def test_after_a_full_disk_no_outdated_position_is_sure(tmp_path: Path) -> None:
    disks, path = Disks(), tmp_path / "it.sqlite3"
    database = virtual(path, disks, MIGRATIONS)
    recorder = PositionRecorder(Bus(), SavedPositions(database, ("pan",)))
    database.open()
    recorder.receive(status(0))
    await asyncio.sleep(2 * REST_S)
    assert saved(path) == {"pan": sure(0)}
    recorder.receive(status(0, 1))
    await asyncio.sleep(0)
    disks.newest.is_full = True
    recorder.receive(status(40))
    await asyncio.sleep(2 * REST_S)
    assert saved(path) == {"pan": unsure(0)}  # what a crash would leave
    disks.newest.is_full = False
    recorder.receive_end(status(40))
    await database.close()
    assert saved(path) == {"pan": sure(40)}
