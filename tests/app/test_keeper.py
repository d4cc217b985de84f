from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from belvedere.app.keeper import Keeper
from belvedere.control.core import LeaseStatus
from belvedere.engine.bus import Bus
from belvedere.engine.status import AxisState, EngineStatus
from belvedere.errors import OwnerError
from belvedere.link.supervisor import LinkPhase
from belvedere.store.positions import Position, Positions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.realtime  # a thread writes


class Written(Positions):
    """A store that counts what it is given, and fails when told."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.writes: list[Mapping[str, Position]] = []
        self.is_broken = False

    def keep(self, positions: Mapping[str, Position]) -> None:
        if self.is_broken:
            raise OwnerError("the disk is full")
        self.writes.append(positions)
        super().keep(positions)


def status(pan_deg: float | None, velocity: float) -> EngineStatus:
    pan = AxisState(LinkPhase.READY, None, velocity, pan_deg, 0, None)
    tilt = AxisState(LinkPhase.READY, None, 0.0, None, 0, None)
    return EngineStatus(pan, tilt, LeaseStatus(0, None, 0))


async def test_a_move_is_written_twice_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    positions = Written(tmp_path / "it.sqlite3")
    keeper = Keeper(Bus(), positions)
    for state in (status(0, 0), status(0, 1), status(5, 1), status(9, 0.5), status(10, 0), status(10, 0)):
        await keeper.keep(state)
    assert [(write["pan"].deg, write["pan"].is_sure) for write in positions.writes] == [
        (0, True),
        (0, False),
        (10, True),
    ]
    positions.close()


async def test_a_position_at_rest_that_the_core_is_not_sure_of_is_kept_as_such(tmp_path: Path) -> None:
    positions = Written(tmp_path / "it.sqlite3")
    state = status(5, 0)
    doubtful = msgspec.structs.replace(state, pan=msgspec.structs.replace(state.pan, is_position_sure=False))
    await Keeper(Bus(), positions).keep(doubtful)
    assert positions.all() == {"pan": Position(5, is_sure=False)}
    positions.close()


async def test_an_axis_without_calibration_has_no_position_to_keep(tmp_path: Path) -> None:
    positions = Written(tmp_path / "it.sqlite3")
    await Keeper(Bus(), positions).keep(status(None, 1))
    assert positions.writes == []
    positions.close()


async def test_a_store_that_fails_is_told_and_nothing_else_happens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    positions = Written(tmp_path / "it.sqlite3")
    positions.is_broken = True
    await Keeper(Bus(), positions).keep(status(1, 0))
    assert "the disk is full" in caplog.text
    positions.close()


async def test_it_listens_to_the_bus_until_it_is_ended(tmp_path: Path) -> None:
    bus, positions = Bus(), Written(tmp_path / "it.sqlite3")
    keeping = asyncio.create_task(Keeper(bus, positions).run())
    await asyncio.sleep(0)
    bus.publish("status", status(4, 0))
    while not positions.writes:  # noqa: ASYNC110 - a thread writes
        await asyncio.sleep(0.001)
    keeping.cancel()
    await asyncio.wait([keeping])
    assert positions.all() == {"pan": Position(4, is_sure=True)}
    positions.close()
