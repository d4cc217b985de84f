"""The link of an axis without a unit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.support.link.unit_rig import LAYOUT

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import Axis
from belvedere.link.disabled import DisabledUnit
from belvedere.link.options import LinkOptions
from belvedere.link.phases import LinkPhase
from belvedere.link.supervisor import UnitSupervisor
from belvedere.testing.link_contract import ClosedLinkContract

if TYPE_CHECKING:
    from belvedere.link.phases import UnitStatus


class TestDisabledUnit(ClosedLinkContract):
    def closed_link(self) -> DisabledUnit:
        return DisabledUnit()

    async def test_opening_says_that_there_is_no_unit(self) -> None:
        with pytest.raises(LinkError) as caught:
            await DisabledUnit().open(lambda: None, lambda: None)
        assert caught.value.reason is LinkReason.DISABLED


class Listener:
    """Records the reported axes and phases."""

    def __init__(self) -> None:
        self.reported: list[tuple[Axis, LinkPhase]] = []

    def receive_unit_status(self, axis: Axis, status: UnitStatus) -> None:
        self.reported.append((axis, status.state))

    def receive_unit_written(self, _axis: Axis, _velocity: float, _stamp: object | None, _now: float) -> None:
        raise AssertionError("nothing must be written")

    def receive_unit_attempted(self, _axis: Axis, _velocity: float, _now: float) -> None:
        raise AssertionError("nothing must be written")


async def test_an_axis_without_a_unit_needs_no_profile_of_one() -> None:
    listener, loop = Listener(), asyncio.get_running_loop()
    supervisor = UnitSupervisor(
        Axis.TILT, DisabledUnit(), LAYOUT, None, clock=loop.time, options=LinkOptions(), listener=listener
    )
    running = asyncio.create_task(supervisor.run())
    await asyncio.sleep(1)
    supervisor.put(0.5)
    await asyncio.sleep(1)
    running.cancel()
    await asyncio.wait({running})
    phases = (LinkPhase.SEARCHING, LinkPhase.DISABLED, LinkPhase.CLOSED)
    assert listener.reported == [(Axis.TILT, phase) for phase in phases]
