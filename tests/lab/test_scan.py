"""Scanning: the results by themselves, and bleak's own scanner over virtual Bluetooth."""

from __future__ import annotations

import asyncio

import pytest
from tests.link.backends import Discovery, scanner_over

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import Axis
from belvedere.head.profile import shipped_profile
from belvedere.lab.adapter import Adapter
from belvedere.lab.profiles import UnitMatch
from belvedere.lab.scan import ScannedDevice, ScanResults, scan
from belvedere.sim.head import ADDRESSES, NAMES, VirtualHead

PROFILE = shipped_profile("zeapon-pons-pt")
SERVICES = ["0000fff0-0000-1000-8000-00805f9b34fb"]
ONE, TWO = "C0:DE:00:00:00:01", "C0:DE:00:00:00:02"


def adapter_of(head: VirtualHead) -> Adapter:
    return Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend)


def test_what_a_device_tells_bit_by_bit_is_put_together() -> None:
    around = ScanResults([PROFILE])
    assert around.receive(ONE, "", SERVICES, -60, 1.0)
    assert not around.receive(ONE, "PONS-PAN-1", [], -60, 2.0)
    assert not around.receive(ONE, "", [], -60, 3.0)
    assert around.devices == [
        ScannedDevice(
            address=ONE,
            name="PONS-PAN-1",
            services=tuple(SERVICES),
            rssi_dbm=-60,
            matches=(UnitMatch("ZEAPON PONS PT", Axis.PAN),),
            seen_at_s=3.0,
            count=3,
        )
    ]


def test_a_single_wild_strength_changes_little() -> None:
    around = ScanResults([])
    for now, rssi_dbm in enumerate([-60, -60, -60, -90]):
        around.receive(ONE, "", [], rssi_dbm, now)
    assert around.device(ONE).rssi_dbm == -69


def test_units_of_a_profile_come_first_and_then_the_strongest_signals() -> None:
    around = ScanResults([PROFILE])
    around.receive(ONE, "Lamp", [], -80, 0)
    around.receive(TWO, "Toothbrush", [], -40, 0)
    around.receive("C0:DE:00:00:00:03", "PONS-TILT-1", [], -90, 0)
    assert [device.name for device in around.devices] == ["PONS-TILT-1", "Toothbrush", "Lamp"]


async def test_both_units_are_heard_and_known_and_the_scan_ends_in_time() -> None:
    async with VirtualHead(PROFILE) as head:
        around = ScanResults([PROFILE])
        began = asyncio.get_running_loop().time()
        new: list[str] = []
        await scan(
            around,
            adapter_of(head),
            asyncio.Event(),
            duration_s=3,
            on_advertisement=lambda device, is_new: new.append(device.address) if is_new else None,
        )
        assert asyncio.get_running_loop().time() - began == pytest.approx(3, abs=0.1)
        assert {device.name: device.matches[0].axis for device in around.devices} == {
            name: axis for axis, name in NAMES.items()
        }
        assert sorted(new) == sorted(ADDRESSES.values())
        assert all(device.count > 10 for device in around.devices)
        assert not head.radio.is_scanning


async def test_a_scan_without_an_end_ends_when_asked() -> None:
    async with VirtualHead(PROFILE) as head:
        done = asyncio.Event()
        asyncio.get_running_loop().call_later(100, done.set)
        await scan(ScanResults([]), adapter_of(head), done)
        assert not head.radio.is_scanning


async def test_an_adapter_that_is_off_is_reported_as_such() -> None:
    async with VirtualHead(PROFILE) as head:
        head.faults.switch_adapter(on=False)
        with pytest.raises(LinkError) as caught:
            await scan(ScanResults([]), adapter_of(head), asyncio.Event(), duration_s=1)
        assert caught.value.reason is LinkReason.ADAPTER_OFF


async def test_a_discovery_that_is_stuck_is_reported_as_such() -> None:
    async with VirtualHead(PROFILE) as head:
        discovery = Discovery()
        discovery.is_stuck = True
        with pytest.raises(LinkError) as caught:
            await scan(
                ScanResults([]), Adapter(scanner_backend=scanner_over(head, discovery)), asyncio.Event(), duration_s=1
            )
        assert caught.value.reason is LinkReason.DISCOVERY_STUCK


async def test_an_adapter_that_hangs_is_not_waited_for() -> None:
    async with VirtualHead(PROFILE) as head:

        class Hanging(head.scanner_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def start(self) -> None:
                await asyncio.get_running_loop().create_future()

        with pytest.raises(LinkError) as caught:
            await scan(ScanResults([]), Adapter(scanner_backend=Hanging), asyncio.Event(), duration_s=1)
        assert caught.value.reason is LinkReason.ADAPTER_OFF
