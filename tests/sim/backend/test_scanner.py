from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from bleak import BleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakDBusError

from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bleak.backends.device import BLEDevice

    from belvedere.sim.head import VirtualHead
    from belvedere.sim.unit import VirtualUnit

    Find = Callable[[VirtualUnit], Awaitable[BLEDevice]]


async def test_a_scan_finds_both_units_with_name_address_service_and_strength(head: VirtualHead) -> None:
    async with head:
        async with BleakScanner(backend=head.scanner_backend) as scanner:
            await asyncio.sleep(0.5)
        seen = scanner.discovered_devices_and_advertisement_data
        assert {(device.name, device.address) for device, _ in seen.values()} == {
            (head.unit(axis).name, head.unit(axis).address) for axis in AXES
        }
        assert {(*data.service_uuids, data.rssi) for _, data in seen.values()} == {
            ("0000fff0-0000-1000-8000-00805f9b34fb", -50)
        }


async def test_the_names_are_those_that_the_shipped_profile_looks_for(head: VirtualHead) -> None:
    assert "PONS-PAN" in head.pan.name
    assert "PONS-TILT" in head.tilt.name


async def test_a_unit_is_found_within_two_tenths_of_a_second(head: VirtualHead, find: Find) -> None:
    async with head:
        start = asyncio.get_running_loop().time()
        await find(head.tilt)
        assert asyncio.get_running_loop().time() - start < 0.2


async def test_a_scan_for_a_service_finds_only_units_that_offer_it(head: VirtualHead) -> None:
    async with head:
        assert len(await BleakScanner.discover(1, service_uuids=["fff0"], backend=head.scanner_backend)) == 0
        service = "0000fff0-0000-1000-8000-00805f9b34fb"
        assert len(await BleakScanner.discover(1, service_uuids=[service], backend=head.scanner_backend)) == 2


async def test_a_second_scan_is_refused_until_the_first_ends(head: VirtualHead) -> None:
    async with head:
        async with BleakScanner(backend=head.scanner_backend):
            with pytest.raises(BleakDBusError) as caught:
                await BleakScanner(backend=head.scanner_backend).start()
            assert caught.value.dbus_error == "org.bluez.Error.InProgress"
        assert len(await BleakScanner.discover(0.5, backend=head.scanner_backend)) == 2


async def test_stopping_a_scanner_that_was_refused_does_not_stop_the_other(head: VirtualHead) -> None:
    async with head, BleakScanner(backend=head.scanner_backend) as scanner:
        refused = BleakScanner(backend=head.scanner_backend)
        with pytest.raises(BleakDBusError):
            await refused.start()
        await refused.stop()
        await asyncio.sleep(0.5)
        assert len(scanner.discovered_devices) == 2


async def test_a_powered_off_adapter_does_not_scan(head: VirtualHead) -> None:
    async with head:
        head.faults.switch_adapter(on=False)
        with pytest.raises(BleakBluetoothNotAvailableError) as caught:
            await BleakScanner(backend=head.scanner_backend).start()
        assert caught.value.reason is BleakBluetoothNotAvailableReason.POWERED_OFF


async def test_a_unit_that_vanished_is_not_found_until_it_comes_back(head: VirtualHead) -> None:
    async with head:
        head.faults.vanish(Axis.PAN)
        seen = await BleakScanner.discover(2, backend=head.scanner_backend)
        assert [device.name for device in seen] == [head.tilt.name]
        head.faults.come_back(Axis.PAN)
        assert len(await BleakScanner.discover(0.5, backend=head.scanner_backend)) == 2


async def test_a_scan_ends_early_when_its_task_is_cancelled(head: VirtualHead) -> None:
    async with head:
        scan = asyncio.create_task(BleakScanner.discover(10, backend=head.scanner_backend))
        await asyncio.sleep(1)
        scan.cancel()
        await asyncio.wait({scan})
        assert len(await BleakScanner.discover(0.5, backend=head.scanner_backend)) == 2
