"""All checks over a virtual head: every check is made, and one that fails hides no other."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from belvedere.head.axes import Axis
from belvedere.head.profile import shipped_profile
from belvedere.lab.adapter import Adapter
from belvedere.lab.doctor.bluez import BluezSnapshot
from belvedere.lab.doctor.check import CheckResult, CheckState, run_checks
from belvedere.lab.doctor.checks import CheckContext, checks
from belvedere.link.adapters import BluezAdapter
from belvedere.sim.head import VirtualHead
from belvedere.stage.options import StageOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

PROFILE = shipped_profile("zeapon-pons-pt")
BLUETOOTH = {"Bluetooth service", "adapter", "units"}


async def answers() -> BluezSnapshot:
    return BluezSnapshot(
        CheckResult("Bluetooth service", CheckState.OK, "answers"),
        (BluezAdapter("hci0", "C0:DE:00:00:00:01", is_powered=True),),
    )


async def hangs() -> BluezSnapshot:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


@asynccontextmanager
async def a_house(
    folder: Path, query: Callable[[], Coroutine[Any, Any, BluezSnapshot]] = answers, *, wants_units: bool = True
) -> AsyncIterator[tuple[VirtualHead, CheckContext]]:
    async with VirtualHead(PROFILE) as head:
        yield (
            head,
            CheckContext(
                profile=PROFILE,
                adapter=Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend),
                stage=StageOptions(width=160, height=96),
                host="127.0.0.1",
                port=0,
                folder=folder,
                query=query,
                wants_units=wants_units,
            ),
        )


async def bluetooth(context: CheckContext) -> dict[str, CheckResult]:
    """The results of the Bluetooth checks, in virtual time; the other checks run in threads."""
    found = await run_checks(check for check in checks(context) if check.name in BLUETOOTH)
    return {result.name: result for result in found}


async def test_both_units_are_seen_and_measured(tmp_path: Path) -> None:
    async with a_house(tmp_path) as (_head, context):
        found = await bluetooth(context)
    assert {"pan unit", "tilt unit", "short intervals", "pan link", "pan interval", "tilt link"} <= found.keys()
    assert found["pan unit"].state is found["tilt link"].state is CheckState.OK


async def test_a_unit_that_is_away_is_reported_and_the_other_is_measured(tmp_path: Path) -> None:
    async with a_house(tmp_path) as (head, context):
        head.faults.vanish(Axis.PAN)
        found = await bluetooth(context)
    assert found["pan unit"].state is CheckState.ERROR
    assert "pan link" not in found
    assert found["tilt link"].state is CheckState.OK


async def test_an_adapter_that_is_off_leaves_the_units_unknown(tmp_path: Path) -> None:
    async with a_house(tmp_path) as (head, context):
        head.faults.switch_adapter(on=False)
        found = await bluetooth(context)
    assert found["pan unit"].state is found["tilt unit"].state is CheckState.UNKNOWN


async def test_without_any_unit_no_link_is_measured(tmp_path: Path) -> None:
    async with a_house(tmp_path) as (head, context):
        for axis in Axis:
            head.faults.vanish(axis)
        found = await bluetooth(context)
    assert "short intervals" not in found
    assert found["pan unit"].state is found["tilt unit"].state is CheckState.ERROR


async def test_a_bluez_that_hangs_keeps_only_those_waiting_who_need_it(tmp_path: Path) -> None:
    async with a_house(tmp_path, hangs, wants_units=False) as (_head, context):
        house_checks = checks(context)
        found = await bluetooth(context)
    assert found["Bluetooth service"].state is CheckState.UNKNOWN
    assert "no answer" in found["Bluetooth service"].message
    assert "units" not in {check.name for check in house_checks}


@pytest.mark.realtime
async def test_everything_else_is_checked_too(tmp_path: Path) -> None:
    async with a_house(tmp_path, wants_units=False) as (_head, context):
        found = await run_checks(checks(context))
    names = [result.name for result in found]
    assert names[0] == "Bluetooth service"
    assert {"BlueZ", "adapter", "encoder", "port 0", "clock", "disk", "memory", "temperature"} <= set(names)
    assert not [result for result in found if "the check failed" in result.message]
