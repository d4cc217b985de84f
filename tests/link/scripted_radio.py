"""A radio on which one unit is found at once, with whatever characteristics a test gives it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService
from bleak.uuids import normalize_uuid_str

from belvedere.link.discovery import DiscoveredDevice
from belvedere.link.radio import Radio

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS, NAME = "C0:FF:EE:00:00:01", "PONS PAN"
DEVICE_PATH = "/org/bluez/hci0/dev_C0_FF_EE_00_00_01"


class ScriptedClient:
    """A connected unit, which takes every call until `failure` is set, and answers reads while `answers` is set."""

    def __init__(self) -> None:
        self.address = ADDRESS
        self.is_connected = True
        self.services: list[BleakGATTService] = []
        self.calls: list[tuple[str, str]] = []
        self.failure: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    def add(self, service: str, uuid: str, *properties: Any) -> BleakGATTCharacteristic:  # noqa: ANN401 - bleak's words
        """Give the unit one more characteristic, of one more service."""
        handle = 10 * (len(self.services) + 1)
        owner = BleakGATTService(None, handle, normalize_uuid_str(service))
        path = f"{DEVICE_PATH}/service{handle:04x}/char{handle + 1:04x}"
        found = BleakGATTCharacteristic(
            (path, {}), handle + 1, normalize_uuid_str(uuid), list(properties), lambda: 20, owner
        )
        owner.add_characteristic(found)
        self.services.append(owner)
        return found

    async def write_gatt_char(self, to: BleakGATTCharacteristic, _data: bytes, *, response: bool) -> None:
        self._call("write with response" if response else "write", to.uuid)

    async def read_gatt_char(self, of: BleakGATTCharacteristic) -> bytearray:
        await self.answers.wait()
        self._call("read", of.uuid)
        return bytearray()

    async def start_notify(self, uuid: str, _receive: Callable[[BleakGATTCharacteristic, bytearray], None]) -> None:
        self._call("subscribe", uuid)

    def _call(self, name: str, uuid: str) -> None:
        self.calls.append((name, uuid))
        if self.failure is not None:
            raise self.failure


class ScriptedRadio(Radio):
    """The radio; it says what it was asked to release and to disconnect."""

    def __init__(self, client: ScriptedClient) -> None:
        super().__init__()
        self.client: Any = client
        self.released: list[str] = []
        self.disconnected: list[object] = []
        self.lose: Callable[[], None] = lambda: None

    async def find(self, is_wanted: Callable[[str, str, list[str]], bool]) -> DiscoveredDevice:
        assert is_wanted(ADDRESS, NAME, [])
        return DiscoveredDevice(BLEDevice(ADDRESS, NAME, {"path": DEVICE_PATH}), NAME, -50)

    async def connect(self, discovered: DiscoveredDevice, on_disconnect: Callable[[Any], None]) -> Any:  # noqa: ANN401 - bleak's client
        assert discovered.device.address == ADDRESS
        self.lose = lambda: on_disconnect(self.client)
        return self.client

    async def disconnect(self, client: object) -> None:
        self.disconnected.append(client)

    def release(self, address: str) -> None:
        self.released.append(address)
