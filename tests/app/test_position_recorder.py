from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from belvedere.app.position_recorder import KEEP_S, REST_S, PositionRecorder
from belvedere.control.core import LeaseStatus
from belvedere.engine.bus import Bus
from belvedere.engine.status import AxisState, EngineStatus
from belvedere.errors import StoreError
from belvedere.link.supervisor import LinkPhase
from belvedere.store.positions import LOST, Position, Positions
from belvedere.store.writer import PositionWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Noted(PositionWriter):
    """A writer whose thread was never begun, and what was put into it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, ("pan", "tilt"))
        self.puts: list[Position] = []

    def put(self, positions: Mapping[str, Position]) -> None:
        super().put(positions)
        self.puts += [positions["pan"]] if "pan" in positions else []


@pytest.fixture
def writer(tmp_path: Path) -> Noted:
    return Noted(tmp_path / "it.sqlite3")


def status(pan_deg: float | None, velocity: float = 0.0, lease: LeaseStatus | None = None) -> EngineStatus:
    pan = AxisState(LinkPhase.READY, None, velocity, pan_deg, 0, None)
    tilt = AxisState(LinkPhase.READY, None, 0.0, None, 0, None)
    return EngineStatus(pan, tilt, lease or LeaseStatus(0, None, 0))


def sure(deg: float) -> Position:
    return Position(deg, is_sure=True)


def unsure(deg: float) -> Position:
    return Position(deg, is_sure=False)


async def test_a_position_is_sure_only_after_a_while_at_rest(writer: Noted) -> None:
    recorder = PositionRecorder(Bus(), writer)
    recorder.receive(status(0))
    await asyncio.sleep(REST_S - 0.1)
    assert writer.puts == [unsure(0)]
    await asyncio.sleep(0.2)
    assert writer.puts == [unsure(0), sure(0)]


async def test_a_move_is_put_as_not_sure_in_the_very_call_that_tells_of_it_and_once(writer: Noted) -> None:
    recorder = PositionRecorder(Bus(), writer)
    recorder.receive(status(0))
    await asyncio.sleep(2 * REST_S)
    writer.puts.clear()
    recorder.receive(status(0, 1))
    assert writer.puts == [unsure(0)]
    for deg in range(1, 20):
        recorder.receive(status(deg, 1))
        await asyncio.sleep(0.1)
    assert writer.puts == [unsure(0)]
    recorder.receive(status(20))
    await asyncio.sleep(2 * REST_S)
    assert writer.puts == [unsure(0), sure(20)]


async def test_in_a_row_of_short_presses_the_file_says_not_sure_throughout(writer: Noted) -> None:
    recorder = PositionRecorder(Bus(), writer)
    for deg in range(10):
        recorder.receive(status(deg, 1))
        await asyncio.sleep(0.5)
        recorder.receive(status(deg + 1))
        await asyncio.sleep(REST_S / 2)
    assert writer.puts == [unsure(0)]


async def test_whoever_becomes_the_driver_makes_it_not_sure_before_the_first_press(writer: Noted) -> None:
    recorder = PositionRecorder(Bus(), writer)
    recorder.receive(status(5))
    await asyncio.sleep(2 * REST_S)
    writer.puts.clear()
    recorder.receive(status(5, lease=LeaseStatus(1, "ann", 0)))
    assert writer.puts == [unsure(5)]


async def test_a_position_at_rest_that_the_core_is_not_sure_of_is_kept_as_such(writer: Noted) -> None:
    state = status(5)
    doubtful = msgspec.structs.replace(state, pan=msgspec.structs.replace(state.pan, is_position_sure=False))
    recorder = PositionRecorder(Bus(), writer)
    recorder.receive(status(1))
    recorder.receive(doubtful)
    await asyncio.sleep(2 * REST_S)
    assert writer.puts == [unsure(1), unsure(5)]


@pytest.mark.parametrize("deg", [math.nan, math.inf, -math.inf, 1e300])
async def test_what_is_no_number_of_degrees_is_kept_as_lost(writer: Noted, deg: float) -> None:
    PositionRecorder(Bus(), writer).receive(status(deg))
    assert writer.puts == [LOST]


async def test_an_axis_without_calibration_has_no_position_to_keep(writer: Noted) -> None:
    recorder = PositionRecorder(Bus(), writer)
    recorder.receive(status(None, 1))
    await asyncio.sleep(2 * REST_S)
    assert writer.puts == []


async def test_it_listens_to_the_bus_until_it_is_ended(writer: Noted) -> None:
    bus = Bus()
    keeping = asyncio.create_task(PositionRecorder(bus, writer).run())
    await asyncio.sleep(0)
    bus.publish("status", status(4))
    await asyncio.sleep(2 * REST_S)
    keeping.cancel()
    await asyncio.wait([keeping])
    bus.publish("status", status(5))
    await asyncio.sleep(2 * REST_S)
    assert writer.puts == [unsure(4), sure(4)]


class Full(Positions):
    """A file on a disk that may be full."""

    is_full = False

    def keep(self, positions: Mapping[str, Position]) -> None:
        if self.is_full:
            raise StoreError("the disk is full")
        super().keep(positions)


def on_disk(path: Path) -> dict[str, Position]:
    positions = Positions(path)
    try:
        return positions.all()
    finally:
        positions.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - a thread writes
            await asyncio.sleep(0.005)


@pytest.mark.realtime
async def test_a_disk_that_was_full_once_never_leaves_an_old_position_that_is_sure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files: list[Full] = []

    def opened(path: Path) -> Full:
        files.append(Full(path))
        return files[-1]

    path = tmp_path / "it.sqlite3"
    writer = PositionWriter(path, ("pan",), opened)
    writer.open(30)
    recorder = PositionRecorder(Bus(), writer)
    recorder.receive(status(0))
    files[0].is_full = True
    recorder.receive(status(0, 1))
    recorder.receive(status(40))
    await until(lambda: not writer.unsaved() or not writer.is_saving)
    assert on_disk(path) == {"pan": unsure(0)}  # what a crash would leave
    files[0].is_full = False
    await recorder.close(status(40))
    assert on_disk(path) == {"pan": sure(40)}
    assert "not saved" not in caplog.text


@pytest.mark.realtime
async def test_what_could_not_be_saved_at_the_end_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def opened(path: Path) -> Full:
        file = Full(path)
        file.is_full = True
        return file

    writer = PositionWriter(tmp_path / "it.sqlite3", ("pan",), opened)
    writer.open(30)
    recorder = PositionRecorder(Bus(), writer)
    recorder.receive(status(3))
    await recorder.close(status(40))
    assert "not saved: the position of pan, 40 degrees: the disk is full" in caplog.text


async def test_a_disk_that_never_answers_does_not_keep_the_program_from_its_end(
    writer: Noted, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = PositionRecorder(Bus(), writer)
    recorder.receive(status(3))
    began, clock = time.monotonic(), asyncio.get_running_loop().time
    began_here = clock()
    await recorder.close(status(40))
    assert clock() - began_here == pytest.approx(KEEP_S)
    assert time.monotonic() - began < 2 * KEEP_S
    assert "not saved: the position of pan, 40 degrees" in caplog.text
