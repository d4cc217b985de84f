"""The doctor's whole round over a virtual head: everything is looked at, and nothing that fails hides the rest."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from belvedere.head.axes import Axis
from belvedere.head.profile import shipped_profile
from belvedere.lab.adapter import Adapter
from belvedere.lab.doctor.bluez import Bluez
from belvedere.lab.doctor.check import Finding, State, examine
from belvedere.lab.doctor.rounds import House, checks
from belvedere.link.adapters import BluezAdapter
from belvedere.sim.head import VirtualHead
from belvedere.stage.options import StageOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

PROFILE = shipped_profile("zeapon-pons-pt")
BLUETOOTH = {"Bluetooth service", "adapter", "units"}


async def answers() -> Bluez:
    return Bluez(
        Finding("Bluetooth service", State.OK, "answers"), (BluezAdapter("hci0", "C0:DE:00:00:00:01", is_powered=True),)
    )


async def hangs() -> Bluez:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


@asynccontextmanager
async def a_house(
    folder: Path, ask: Callable[[], Coroutine[Any, Any, Bluez]] = answers, *, wants_units: bool = True
) -> AsyncIterator[tuple[VirtualHead, House]]:
    async with VirtualHead(PROFILE) as head:
        yield (
            head,
            House(
                profile=PROFILE,
                adapter=Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend),
                stage=StageOptions(width=160, height=96),
                host="127.0.0.1",
                port=0,
                folder=folder,
                ask=ask,
                wants_units=wants_units,
            ),
        )


async def bluetooth(house: House) -> dict[str, Finding]:
    """What is found about Bluetooth, in virtual time; the other checks work in threads."""
    found = await examine(check for check in checks(house) if check.name in BLUETOOTH)
    return {finding.name: finding for finding in found}


async def test_both_units_are_seen_and_measured(tmp_path: Path) -> None:
    async with a_house(tmp_path) as (_head, house):
        found = await bluetooth(house)
    assert {"pan unit", "tilt unit", "quick links", "pan link", "pan interval", "tilt link"} <= found.keys()
    assert found["pan unit"].state is found["tilt link"].state is State.OK


async def test_a_unit_that_is_away_is_told_and_the_other_is_measured(tmp_path: Path) -> None:
    async with a_house(tmp_path) as (head, house):
        head.faults.vanish(Axis.PAN)
        found = await bluetooth(house)
    assert found["pan unit"].state is State.BAD
    assert "pan link" not in found
    assert found["tilt link"].state is State.OK


async def test_an_adapter_that_is_off_leaves_the_units_unknown(tmp_path: Path) -> None:
    async with a_house(tmp_path) as (head, house):
        head.faults.switch_adapter(on=False)
        found = await bluetooth(house)
    assert found["pan unit"].state is found["tilt unit"].state is State.UNKNOWN


async def test_without_any_unit_no_link_is_measured(tmp_path: Path) -> None:
    async with a_house(tmp_path) as (head, house):
        for axis in Axis:
            head.faults.vanish(axis)
        found = await bluetooth(house)
    assert "quick links" not in found
    assert found["pan unit"].state is found["tilt unit"].state is State.BAD


async def test_a_bluez_that_hangs_keeps_only_those_waiting_who_need_it(tmp_path: Path) -> None:
    async with a_house(tmp_path, hangs, wants_units=False) as (_head, house):
        house_checks = checks(house)
        found = await bluetooth(house)
    assert found["Bluetooth service"].state is State.UNKNOWN
    assert "no answer" in found["Bluetooth service"].says
    assert "units" not in {check.name for check in house_checks}


@pytest.mark.realtime
async def test_everything_else_is_looked_at_too(tmp_path: Path) -> None:
    async with a_house(tmp_path, wants_units=False) as (_head, house):
        found = await examine(checks(house))
    names = [finding.name for finding in found]
    assert names[0] == "Bluetooth service"
    assert {"BlueZ", "adapter", "encoder", "port 0", "clock", "disk", "memory", "temperature"} <= set(names)
    assert not [finding for finding in found if "could not be looked at" in finding.says]
