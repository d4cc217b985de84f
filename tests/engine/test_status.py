"""The engine's status on the bus: published when anything in it changed, and at rest only where that is certain."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.engine_rig import open_rig
from tests.support.subscriptions import drain

from belvedere.control.lease import LeaseStatus, LeaseVerb
from belvedere.control.setpoint import Setpoint
from belvedere.engine.status import AxisState, EngineStatus
from belvedere.errors import LinkReason
from belvedere.head.axes import Axis
from belvedere.link.supervisor import LinkPhase

AXIS = AxisState(LinkPhase.READY, None, 0.5, 1.5, 0, 0.03)
STATUS = EngineStatus(AXIS, AXIS, LeaseStatus(1, "ann", 0))
OTHER = {
    "phase": LinkPhase.SEARCHING,
    "reason": LinkReason.LOST,
    "velocity": 0.25,
    "position_deg": None,
    "limit": -1,
    "interval_s": None,
    "written": 0.5,
    "is_position_sure": False,
}


@pytest.mark.parametrize("axis", ["pan", "tilt"])
@pytest.mark.parametrize("field", AxisState.__struct_fields__)
def test_a_change_in_anything_is_another_status(axis: str, field: str) -> None:
    changed = msgspec.structs.replace(AXIS, **{field: OTHER[field]})
    assert msgspec.structs.replace(STATUS, **{axis: changed}) != STATUS


@pytest.mark.parametrize("lease", [LeaseStatus(2, "ann", 0), LeaseStatus(1, "bob", 0), LeaseStatus(1, "ann", 1)])
def test_another_lease_is_another_status(lease: LeaseStatus) -> None:
    assert msgspec.structs.replace(STATUS, lease=lease) != STATUS


@example(0.0, -0.5)
@example(0.0, 0.5)
@example(-0.5, 0.0)
@example(0.0, 0.0)
@given(st.floats(-1, 1), st.floats(-1, 1))
def test_an_axis_is_at_rest_only_if_a_stop_was_commanded_and_written(velocity: float, written: float) -> None:
    state = msgspec.structs.replace(AXIS, velocity=velocity, written=written)
    assert state.is_at_rest is (velocity == 0 and written == 0)


def test_before_the_first_write_an_axis_is_at_rest_and_sure() -> None:
    state = msgspec.structs.replace(AXIS, velocity=0.0)
    assert (state.is_at_rest, state.is_position_sure) == (True, True)


async def test_an_axis_is_at_rest_again_once_the_stop_was_written_and_not_before() -> None:
    async with open_rig() as rig:
        rig.engine.receive_session_opened("ann", "ann")
        rig.engine.receive_lease("ann", LeaseVerb.ACQUIRE)
        now = rig.clock()
        rig.engine.receive_drive("ann", Setpoint(epoch=1, hold=1, seq=1, pan=1.0, tilt=0.0, sent_at_s=now, heard_s=now))
        assert not rig.engine.status.pan.is_at_rest
        assert rig.engine.status.tilt.is_at_rest
        rig.units[Axis.PAN].is_silent = True
        rig.engine.receive_stop("ann")
        assert rig.engine.status.pan.velocity == 0
        assert not rig.engine.status.pan.is_at_rest
        rig.units[Axis.PAN].is_silent = False
        rig.engine.receive_unit_written(Axis.PAN, 0.0, None, rig.clock())
        assert rig.engine.status.pan.is_at_rest


async def test_the_same_status_is_published_once() -> None:
    async with open_rig() as rig:
        statuses = rig.bus.subscribe("status")
        rig.find(Axis.PAN)  # it was in reach
        assert drain(statuses) == []
        rig.lose(Axis.PAN)
        assert drain(statuses) == [("status", rig.engine.status)]
