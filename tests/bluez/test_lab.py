"""Scan, inspection, doctor and probe through a real BlueZ."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.bluez.world import PROFILE, STOP, Watch, bluez_world

from belvedere.head.axes import AXES, Axis
from belvedere.lab.adapter import Adapter
from belvedere.lab.doctor.bluez import query_bluez
from belvedere.lab.doctor.check import CheckState, run_checks
from belvedere.lab.doctor.checks import CheckContext, checks
from belvedere.lab.inspect import inspect
from belvedere.lab.probe.core import Limits
from belvedere.lab.probe.observer import AngleObserver
from belvedere.lab.probe.script import ProbeOptions
from belvedere.lab.probe.session import ProbeSession, select_unit
from belvedere.lab.probe.steps import Outcome
from belvedere.lab.scan import ScanResults, scan
from belvedere.sim.head import ADDRESSES, NAMES
from belvedere.sim.unit import COMMAND
from belvedere.stage.options import StageOptions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bluez.world import World

pytestmark = pytest.mark.realtime

BLUETOOTH = {"Bluetooth service", "BlueZ", "adapter", "units"}


async def test_a_scan_recognises_both_units() -> None:
    async with bluez_world():
        around = ScanResults([PROFILE])
        await scan(around, Adapter(), asyncio.Event(), duration_s=8)
        known = {device.name: device.matches[0].axis for device in around.devices if device.matches}
        assert known == {NAMES[axis]: axis for axis in AXES}


@pytest.mark.every_bluez
async def test_an_inspection_reads_a_unit_and_leaves_it_as_it_was() -> None:
    async with bluez_world() as world:
        inspection = await inspect(ADDRESSES[Axis.PAN], Adapter())
        everything = [one for service in inspection.services for one in service.characteristics]
        assert [one.uuid for one in everything if one.may_take_commands] == [COMMAND]
        assert b"PONS PT, virtual" in [one.value for one in everything]
        assert not world.unit(Axis.PAN).frames


async def test_the_doctor_measures_both_links_and_gets_the_interval_that_it_asked_for(tmp_path: Path) -> None:
    async with bluez_world() as world:
        context = CheckContext(
            profile=PROFILE, adapter=Adapter(), stage=StageOptions(), host="127.0.0.1", port=0, folder=tmp_path
        )
        found = await run_checks(check for check in checks(context) if check.name in BLUETOOTH)
        states = {result.name: result.state for result in found}
        assert set(states.values()) == {CheckState.OK}, found
        message = {result.name: result.message for result in found}
        for axis in AXES:
            assert message[f"{axis} interval"].startswith("7.5 ms, supervision timeout 720 ms")
            assert {received.frame for received in world.unit(axis).frames} == {STOP}


@pytest.mark.every_bluez
async def test_the_doctor_says_whether_bluez_hangs_or_does_not_run() -> None:
    async with bluez_world() as world:
        world.daemons.freeze_bluetoothd(on=True)
        assert (await query_bluez()).result.message == "BlueZ does not answer on D-Bus"
        world.daemons.freeze_bluetoothd(on=False)
        world.daemons.kill_bluetoothd()
        assert (await query_bluez()).result.message == "BlueZ is not running"
        await world.daemons.start_bluetoothd()
        assert (await query_bluez()).result.state is CheckState.OK


@pytest.mark.parametrize("is_lost", [False, True], ids=["undisturbed", "with the link lost in the first turn"])
async def test_a_probe_measures_a_unit_and_leaves_it_at_rest(*, is_lost: bool) -> None:
    async with bluez_world() as world:
        unit = world.unit(Axis.PAN)
        loop = asyncio.get_running_loop()
        watch = Watch(unit)
        observer = AngleObserver(lambda: unit.angle_deg, Axis.PAN, loop.time)
        if is_lost:
            loop.call_later(1.0, _drop_when_turning, world, loop.time() + 60)
        session = ProbeSession(
            select_unit(PROFILE, ADDRESSES[Axis.PAN], Axis.PAN),
            Adapter(),
            observer,
            ProbeOptions(wants_drop=False, wants_write_modes=False, calibration_shares=(0.4,), calibration_deg=20),
            Limits(),
        )
        ending = await session.run()
        assert ending.outcome is Outcome.DONE
        assert ending.is_at_rest
        found = {one.key: one.value for one in session.findings.all}
        assert found["invert"] is False
        assert found["full_speed_deg_per_s"] == pytest.approx(40, rel=0.25)
        assert watch.frames[0] == watch.frames[-1] == STOP
        assert unit.speed_at(loop.time() + 1) == 0


def _drop_when_turning(world: World, deadline_at: float) -> None:
    """Poll every 20 ms whether the unit turns, and then drop its link."""
    loop = asyncio.get_running_loop()
    unit = world.unit(Axis.PAN)
    if unit.speed_at(loop.time()) > 0:
        unit.drop()
    elif loop.time() < deadline_at:
        loop.call_later(0.02, _drop_when_turning, world, deadline_at)
