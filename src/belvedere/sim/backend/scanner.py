"""bleak's scanner on a `VirtualRadio`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason
from bumble.core import AdvertisingData

from belvedere.sim.backend.bluez_errors import in_progress
from belvedere.sim.backend.services import uuid_text
from belvedere.sim.radio_medium import name_of

if TYPE_CHECKING:
    from bleak.backends.scanner import AdvertisementDataCallback
    from bumble.device import Advertisement

    from belvedere.sim.radio import VirtualRadio


class VirtualScanner(BaseBleakScanner):
    """Finds units on its radio, one scan at a time."""

    radio: ClassVar[VirtualRadio]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str = "active",  # noqa: ARG002 - there is only one mode here
        **_options: object,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._is_running = False

    async def start(self) -> None:
        """Start; raises bleak's errors if the adapter is off or scanning already."""
        if not self.radio.is_powered:
            reason = BleakBluetoothNotAvailableReason.POWERED_OFF
            raise BleakBluetoothNotAvailableError("No powered Bluetooth adapters found.", reason)
        if self.radio.is_scanning:
            raise in_progress()
        self.seen_devices = {}
        self._is_running = True
        await self.radio.start_scan(self._receive)

    async def stop(self) -> None:
        """Stop; does nothing if it is not running."""
        if self._is_running:
            self._is_running = False
            await self.radio.stop_scan(self._receive)

    def _receive(self, advertisement: Advertisement) -> None:
        data = advertisement.data
        # Each once, although both advertisement and scan response contain them.
        uuids = dict.fromkeys(
            uuid
            for kind in (
                AdvertisingData.Type.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
                AdvertisingData.Type.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
            )
            for listed in data.get_all(kind)
            for uuid in listed
        )
        services = [uuid_text(uuid) for uuid in uuids]
        if self.is_allowed_uuid(services):
            name = data.get(AdvertisingData.Type.COMPLETE_LOCAL_NAME)
            seen = AdvertisementData(name, {}, {}, services, None, advertisement.rssi, ())
            address = name_of(advertisement.address)
            device = self.create_or_update_device(address, address, name, {"source": "belvedere.sim"}, seen)
            self.call_detection_callbacks(device, seen)
