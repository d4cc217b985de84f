"""bleak backends over a virtual head, each with one fault that real Bluetooth stacks show."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError
from bleak.uuids import normalize_uuid_str

from belvedere.head.axes import AXES
from belvedere.sim.backend.bluez_errors import in_progress
from belvedere.sim.head import ADDRESSES, NAMES
from belvedere.sim.unit import SERVICE

if TYPE_CHECKING:
    from typing import Self

    from bleak.backends.client import BaseBleakClient
    from bleak.backends.scanner import BaseBleakScanner

    from belvedere.sim.head import VirtualHead


class LeftConnected(BaseBleakAdapter):
    """An adapter on which a killed process has left both units connected."""

    @classmethod
    async def get(cls, **_options: object) -> Self:
        return cls()

    async def get_connected_devices(self, service_uuids: frozenset[str]) -> list[BLEDevice]:
        assert normalize_uuid_str("1800") in service_uuids
        details = {"props": {"UUIDs": [SERVICE]}}
        return [BLEDevice(ADDRESSES[axis], NAMES[axis], details) for axis in AXES]


class UnableToList(LeftConnected):
    """An adapter that cannot list connected devices."""

    async def get_connected_devices(self, service_uuids: frozenset[str]) -> list[BLEDevice]:
        raise BleakError(f"could not list devices with {service_uuids}")


def left_nameless(details: object) -> type[BaseBleakAdapter]:
    """An adapter on which a unit without a name was left connected, with these backend details."""

    class LeftNameless(LeftConnected):
        async def get_connected_devices(self, service_uuids: frozenset[str]) -> list[BLEDevice]:  # noqa: ARG002 - bleak's own
            return [BLEDevice(ADDRESSES[axis], None, details) for axis in AXES[:1]]

    return LeftNameless


def scanner_that_sees(head: VirtualHead, on_air: str | None, known: str | None) -> type[BaseBleakScanner]:
    """The head's scanner, which at once reports one unit, with these advertised and cached names."""

    class SeeingScanner(head.scanner_backend):  # type: ignore[name-defined,misc]  # a class made at run time
        async def start(self) -> None:
            seen = AdvertisementData(on_air, {}, {}, [SERVICE], None, -50, ())
            self.call_detection_callbacks(BLEDevice(ADDRESSES[AXES[0]], known, None), seen)

    return SeeingScanner


def scanner_of_bluez(head: VirtualHead, adapter: str) -> type[BaseBleakScanner]:
    """The head's scanner; like BlueZ's, it tells the path of each device, below the adapter that has seen it."""

    class ScannerOfBluez(head.scanner_backend):  # type: ignore[name-defined,misc]  # a class made at run time
        def create_or_update_device(
            self, key: str, address: str, name: str, _details: object, seen: AdvertisementData
        ) -> BLEDevice:
            path = f"{adapter}/dev_{address.replace(':', '_')}"
            device: BLEDevice = super().create_or_update_device(key, address, name, {"path": path}, seen)
            return device

    return ScannerOfBluez


async def hang(released: asyncio.Event) -> None:
    """Wait until released, ignoring cancellation."""
    while not released.is_set():
        try:
            await released.wait()
        except asyncio.CancelledError:
            continue


def stubborn(head: VirtualHead, call: str, released: asyncio.Event, address: str) -> type[BaseBleakClient]:
    """The head's client, with a call that hangs for this address until released, ignoring cancellation."""
    original = getattr(head.client_backend, call)

    async def hanging(self: BaseBleakClient, *arguments: object, **options: object) -> object:
        if self.address == address:
            await hang(released)
        return await original(self, *arguments, **options)

    return type("StubbornClient", (head.client_backend,), {call: hanging})


def stubborn_scanner(head: VirtualHead, call: str, released: asyncio.Event) -> type[BaseBleakScanner]:
    """The head's scanner, with a call that hangs until released, ignoring cancellation."""
    original = getattr(head.scanner_backend, call)

    async def hanging(self: BaseBleakScanner) -> None:
        await hang(released)
        await original(self)

    return type("StubbornScanner", (head.scanner_backend,), {call: hanging})


def hanging_once(head: VirtualHead) -> type[BaseBleakScanner]:
    """The head's scanner, whose first start hangs until it is cancelled."""

    class HangingScanner(head.scanner_backend):  # type: ignore[name-defined,misc]  # a class made at run time
        starts = 0

        async def start(self) -> None:
            type(self).starts += 1
            if self.starts == 1:
                await asyncio.Event().wait()
            await super().start()

    return HangingScanner


def scanner_like_bluez(head: VirtualHead, delays_s: list[float]) -> type[BaseBleakScanner]:
    """The head's scanner; like BlueZ, it continues a start whose caller was cancelled and refuses another."""

    class LikeBluez(head.scanner_backend):  # type: ignore[name-defined,misc]  # a class made at run time
        works: ClassVar[list[asyncio.Task[None]]] = []

        async def start(self) -> None:
            if any(not work.done() for work in self.works) or head.radio.is_scanning:
                raise BleakError("Operation already in progress")
            delay_s = delays_s.pop(0) if delays_s else 0.0
            self.works.append(asyncio.create_task(self._start(delay_s)))
            await asyncio.shield(self.works[-1])

        async def _start(self, delay_s: float) -> None:
            await asyncio.sleep(delay_s)
            await super().start()

    return LikeBluez


def slow_scanner(head: VirtualHead) -> type[BaseBleakScanner]:
    """The head's scanner, which takes 0.2 s to start and to stop."""

    class SlowScanner(head.scanner_backend):  # type: ignore[name-defined,misc]  # a class made at run time
        async def start(self) -> None:
            await asyncio.sleep(0.2)
            await super().start()

        async def stop(self) -> None:
            await asyncio.sleep(0.2)
            await super().stop()

    return SlowScanner


def failing_after(head: VirtualHead, starts: int) -> type[BaseBleakScanner]:
    """The head's scanner, which fails after this number of starts."""

    class FailingScanner(head.scanner_backend):  # type: ignore[name-defined,misc]  # a class made at run time
        count = 0

        async def start(self) -> None:
            type(self).count += 1
            if self.count > starts:
                raise BleakError("scanning failed")
            await super().start()

    return FailingScanner


class Discovery:
    """BlueZ's discovery. While it is stuck, nothing is seen and no scan ends; some of BlueZ's versions start none."""

    def __init__(self, *, starts_scans: bool = True) -> None:
        self.is_stuck = False
        self.starts_scans = starts_scans
        self.refusals = 0

    def refuse(self) -> None:
        """Answer as BlueZ does."""
        self.refusals += 1
        raise in_progress()


def scanner_over(head: VirtualHead, discovery: Discovery) -> type[BaseBleakScanner]:
    """The head's scanner, over a discovery that may be stuck."""

    class ScannerOver(head.scanner_backend):  # type: ignore[name-defined,misc]  # a class made at run time
        async def start(self) -> None:
            if not discovery.is_stuck:
                await super().start()
            elif not discovery.starts_scans:
                discovery.refuse()

        async def stop(self) -> None:
            await super().stop()
            if discovery.is_stuck:
                discovery.refuse()

    return ScannerOver
