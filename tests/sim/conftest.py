"""A virtual head for each test, connecting as production does, and a check for warnings of bumble."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest
from bleak import BleakScanner
from bleak_retry_connector import BleakClientWithServiceCache, establish_connection

from belvedere.head.profile import shipped_profile
from belvedere.sim.head import HeadOptions, VirtualHead

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from bleak import BleakClient
    from bleak.backends.device import BLEDevice

    from belvedere.sim.unit import VirtualUnit

    Find = Callable[[VirtualUnit], Awaitable[BLEDevice]]
    Open = Callable[[VirtualUnit], Awaitable[BleakClient]]


INTRODUCTION_S = 1.0  # five or seven requests, each of two intervals


@pytest.fixture
def head() -> VirtualHead:
    return VirtualHead(shipped_profile("zeapon-pons-pt"), HeadOptions(interval_s=0.030))


@pytest.fixture
def find(head: VirtualHead) -> Find:
    """Scan for a unit by its name."""

    async def found(unit: VirtualUnit) -> BLEDevice:
        device = await BleakScanner.find_device_by_name(unit.name, timeout=5, backend=head.scanner_backend)
        assert device is not None
        return device

    return found


@pytest.fixture
def open_unit(head: VirtualHead, find: Find) -> Open:
    """Scan for a unit and connect to it, as production does, and wait for BlueZ's own requests."""

    async def opened(unit: VirtualUnit) -> BleakClient:
        device = await find(unit)
        client = await establish_connection(BleakClientWithServiceCache, device, unit.name, backend=head.client_backend)
        await asyncio.sleep(INTRODUCTION_S)
        return client

    return opened


@pytest.fixture(autouse=True)
def _bumble_does_not_complain(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A warning of bumble is a defect of the simulation."""
    yield
    records = [record for record in caplog.get_records("call") if record.name.startswith("bumble")]
    assert not [record.getMessage() for record in records if record.levelno >= logging.WARNING]
