"""The Bluetooth link fulfils the link contract: bleak's classes over virtual Bluetooth, in virtual time."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NoReturn

import msgspec
import pytest
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService
from bleak.exc import BleakGATTProtocolError, BleakGATTProtocolErrorCode
from tests.support.link.unit_rig import supervised

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import AXES, Axis
from belvedere.head.checks import Check, Order
from belvedere.head.layout import FrameLayout, Sign, SpeedEncoding, SpeedField
from belvedere.head.profile import HeadProfile, UnitProfile, shipped_profile
from belvedere.link.ble import BleUnit, dbus_target
from belvedere.link.port import DbusTarget
from belvedere.link.radio import Radio
from belvedere.sim.head import ADDRESSES, NAMES, VirtualHead
from belvedere.sim.unit import COMMAND, SERVICE, STATE
from belvedere.testing.link_contract import FRAMES, ClosedLinkContract, LinkContract, LinkRig, ignore, opened, reason_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from belvedere.link.port import UnitLink

PROFILE = shipped_profile("zeapon-pons-pt")


def pan_profile(**changes: object) -> UnitProfile:
    assert PROFILE.pan is not None
    return msgspec.structs.replace(PROFILE.pan, **changes)


class BleRig:
    """The pan unit of a virtual head, and a link to it."""

    def __init__(self, head: VirtualHead, unit: UnitProfile | None = None) -> None:
        self.head = head
        self.radio = Radio(head.client_backend, head.scanner_backend)
        self.unit = BleUnit(unit or pan_profile(), self.radio)

    @property
    def link(self) -> UnitLink:
        return self.unit

    def received(self) -> list[bytes]:
        return [received.frame for received in self.head.pan.frames if received.is_obeyed]

    def drop(self) -> None:
        self.head.faults.drop(Axis.PAN)

    def refuse(self, *, on: bool) -> None:
        self.head.faults.refuse(Axis.PAN, on=on)

    def vanish(self) -> None:
        self.head.faults.vanish(Axis.PAN)

    def come_back(self) -> None:
        self.head.faults.come_back(Axis.PAN)


@asynccontextmanager
async def a_rig(unit: UnitProfile | None = None, head: HeadProfile = PROFILE) -> AsyncIterator[BleRig]:
    async with VirtualHead(head) as virtual_head:
        yield BleRig(virtual_head, unit)


class TestBleUnit(LinkContract):
    @asynccontextmanager
    async def rig(self) -> AsyncIterator[LinkRig]:
        async with a_rig() as rig:
            yield rig


class TestBleUnitBeforeOpening(ClosedLinkContract):
    def closed_link(self) -> BleUnit:
        return BleUnit(pan_profile(), Radio())


@pytest.mark.parametrize(
    "unit",
    [
        UnitProfile(name_patterns=("pons-p?n*",)),
        UnitProfile(address=ADDRESSES[Axis.PAN].lower()),
        UnitProfile(address=ADDRESSES[Axis.PAN], name_patterns=("something else",)),
        pan_profile(service=SERVICE, characteristic=COMMAND, notify=STATE),
    ],
    ids=["by name, upper or lower case", "by address", "by address before name", "with every UUID given"],
)
async def test_a_unit_is_found_by_name_address_or_service(unit: UnitProfile) -> None:
    async with a_rig(unit) as rig:
        details = await opened(rig.link)
        assert details.address == ADDRESSES[Axis.PAN]
        await rig.link.close()


async def test_a_service_finds_either_unit_and_two_links_never_share_one() -> None:
    async with a_rig() as rig:
        links = [BleUnit(UnitProfile(service=SERVICE[4:8]), rig.radio) for _ in AXES]
        found = {(await opened(link)).address for link in links}
        assert found == set(ADDRESSES.values())
        for link in links:
            await link.close()


async def test_a_device_that_matches_both_units_is_used_for_neither_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Otherwise the axes could be swapped, after a lost link even during a drive."""
    caplog.set_level(logging.WARNING, "belvedere.link")  # another test may have lowered it
    async with a_rig() as rig:
        pan, tilt = UnitProfile(name_patterns=("*PONS*",)), UnitProfile(name_patterns=("*P*TILT*",))
        link, doubtful = BleUnit(pan, rig.radio, [tilt]), BleUnit(tilt, rig.radio, [pan])
        for _ in range(2):
            assert await reason_of(opened(doubtful)) is LinkReason.NOT_FOUND
        words = f"{NAMES[Axis.TILT]} at {ADDRESSES[Axis.TILT]} may be either unit"
        assert caplog.text.count(words) == 1
        assert (await opened(link)).address == ADDRESSES[Axis.PAN]
        await link.close()


async def test_a_device_whose_address_belongs_to_the_other_unit_is_not_taken_by_its_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_rig() as rig:
        pan, tilt = UnitProfile(address=ADDRESSES[Axis.PAN]), UnitProfile(name_patterns=("*",))
        both = [BleUnit(tilt, rig.radio, [pan]), BleUnit(pan, rig.radio, [tilt])]
        found = [(await opened(link)).address for link in both]
        assert found == [ADDRESSES[Axis.TILT], ADDRESSES[Axis.PAN]]
        for link in both:
            await link.close()
        assert "may be either" not in caplog.text


async def test_both_units_are_opened_at_once_through_one_radio() -> None:
    async with a_rig() as rig:
        assert PROFILE.tilt is not None
        tilt = BleUnit(PROFILE.tilt, rig.radio)
        await asyncio.gather(opened(rig.link), opened(tilt))
        await asyncio.gather(rig.link.close(), tilt.close())


async def test_a_search_for_one_unit_does_not_delay_finding_the_other() -> None:
    async with a_rig() as rig:
        rig.vanish()
        assert PROFILE.tilt is not None
        tilt = BleUnit(PROFILE.tilt, rig.radio)
        search = asyncio.create_task(reason_of(opened(rig.link)))
        await opened(tilt)
        assert await search is LinkReason.NOT_FOUND
        await tilt.write(FRAMES[0], response=True)
        await tilt.close()


async def test_there_is_no_scan_without_a_search() -> None:
    async with a_rig() as rig:
        await opened(rig.link)
        assert not rig.head.radio.is_scanning
        await rig.link.close()


async def test_the_error_for_a_missing_characteristic_lists_the_present_ones() -> None:
    async with a_rig(pan_profile(characteristic="abcd")) as rig:
        with pytest.raises(LinkError, match=COMMAND) as caught:
            await opened(rig.link)
        assert caught.value.reason is LinkReason.NO_CHARACTERISTIC
        await asyncio.sleep(5)
        assert not rig.head.pan.is_connected


async def test_a_unit_without_notifications_can_still_be_driven() -> None:
    async with a_rig(pan_profile(notify="abcd")) as rig:
        await opened(rig.link)
        await rig.link.write(FRAMES[0], response=True)
        assert rig.received() == FRAMES[:1]
        await rig.link.close()


async def test_nothing_is_written_before_the_first_frame() -> None:
    """Stop comes first: subscribing is a write too, and may go unanswered."""
    async with a_rig(pan_profile(notify=STATE)) as rig:
        await opened(rig.link)
        rig.head.faults.hang(Axis.PAN)
        await rig.link.write(FRAMES[0], response=False)
        assert rig.head.pan.is_connected
        rig.head.faults.resume(Axis.PAN)
        await rig.link.write(FRAMES[1], response=True)
        assert rig.received()[-1] == FRAMES[1]
        await rig.link.close()


async def test_a_connection_subscribes_once_however_much_is_written() -> None:
    """Each subscription is a write that can delay the next command."""
    async with VirtualHead(PROFILE) as head:
        asked: list[str] = []

        class Counted(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def start_notify(
                self, characteristic: BleakGATTCharacteristic, *arguments: object, **options: object
            ) -> None:
                asked.append(characteristic.uuid)
                await super().start_notify(characteristic, *arguments, **options)

        unit = BleUnit(pan_profile(notify=STATE), Radio(Counted, head.scanner_backend))
        for connections in (1, 2):
            await opened(unit)
            for _ in range(20):
                await unit.write(FRAMES[0], response=False)
                await asyncio.sleep(0.05)
            assert asked == connections * [STATE]
            await unit.close()
            await asyncio.sleep(5)


async def test_opening_does_not_wait_for_a_unit_that_does_not_answer_a_subscription() -> None:
    async with a_rig(pan_profile(notify=STATE)) as rig:
        await opened(rig.link)
        rig.head.faults.hang(Axis.PAN)
        began = asyncio.get_running_loop().time()
        await rig.link.write(FRAMES[0], response=False)
        assert asyncio.get_running_loop().time() - began < 0.1
        await rig.link.close()
        await asyncio.sleep(60)


async def test_notifications_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "belvedere.link.ble")
    async with a_rig(pan_profile(notify=STATE)) as rig:
        await opened(rig.link)
        await rig.link.write(FRAMES[0], response=True)
        await asyncio.sleep(1)
        await rig.link.write(FRAMES[1], response=True)
        await asyncio.sleep(1)
        await rig.link.close()
    assert [record for record in caplog.records if record.message.startswith("notification: 82")]


async def test_a_refused_keep_alive_is_an_answer_and_the_next_reads_another_characteristic() -> None:
    async with VirtualHead(PROFILE) as head:
        asked: list[str] = []

        class Refusing(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **options: object) -> bytearray:
                asked.append(characteristic.uuid)
                if len(asked) == 1:
                    raise BleakGATTProtocolError(BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION)
                return bytearray(await super().read_gatt_char(characteristic, **options))

        unit = BleUnit(pan_profile(), Radio(Refusing, head.scanner_backend))
        await opened(unit)
        assert await unit.keep_alive()
        assert await unit.keep_alive()
        assert asked[0] != asked[1]
        await unit.close()


async def test_a_unit_that_refuses_every_read_gets_no_more_keep_alives() -> None:
    async with VirtualHead(PROFILE) as head:

        class Refusing(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def read_gatt_char(self, *_arguments: object, **_options: object) -> bytearray:
                raise BleakGATTProtocolError(BleakGATTProtocolErrorCode.READ_NOT_PERMITTED)

        unit = BleUnit(pan_profile(), Radio(Refusing, head.scanner_backend))
        await opened(unit)
        answers = [await unit.keep_alive() for _ in range(20)]
        assert answers[0]
        assert not answers[-1]
        await unit.close()


async def test_a_disconnect_continues_when_its_caller_is_cancelled() -> None:
    async with a_rig() as rig:
        await opened(rig.link)
        closing = asyncio.create_task(rig.link.close())
        await asyncio.sleep(0.1)
        closing.cancel()
        await asyncio.sleep(5)
        assert not rig.head.pan.is_connected
        await opened(rig.link)
        await rig.link.close()


@pytest.mark.parametrize("call", ["write", "keep_alive"])
async def test_a_call_in_flight_when_the_link_is_lost_fails_as_lost_whatever_d_bus_raises(call: str) -> None:
    async with VirtualHead(PROFILE) as head:

        class CutOff(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def write_gatt_char(self, *_arguments: object, **_options: object) -> None:
                await self._end()

            async def read_gatt_char(self, *_arguments: object, **_options: object) -> bytearray:
                return await self._end()

            async def _end(self) -> NoReturn:
                await asyncio.sleep(1)
                raise EOFError  # what bleak raises for a call in flight when its D-Bus connection closes

        unit = BleUnit(pan_profile(), Radio(CutOff, head.scanner_backend))
        lost = asyncio.Event()
        await unit.open(lost.set, ignore)
        calling = asyncio.create_task(
            reason_of(unit.keep_alive() if call == "keep_alive" else unit.write(FRAMES[0], response=True))
        )
        await asyncio.sleep(0.1)
        head.faults.drop(Axis.PAN)
        assert await calling is LinkReason.LOST
        assert lost.is_set()
        await unit.close()


async def test_an_opening_that_fails_leaves_the_unit_to_the_next() -> None:
    async with a_rig(pan_profile(characteristic="abcd")) as rig:
        for _ in range(3):
            assert await reason_of(opened(rig.link)) is LinkReason.NO_CHARACTERISTIC
            await asyncio.sleep(5)
        unit = BleUnit(pan_profile(), rig.radio)
        await opened(unit)
        await unit.close()


async def test_an_adapter_that_is_off_is_reported_as_off() -> None:
    async with a_rig() as rig:
        rig.head.faults.switch_adapter(on=False)
        assert await reason_of(opened(rig.link)) is LinkReason.ADAPTER_OFF


async def test_an_adapter_that_is_switched_off_ends_the_link_and_comes_back() -> None:
    async with a_rig() as rig:
        lost = asyncio.Event()
        await rig.link.open(lost.set, ignore)
        rig.head.faults.switch_adapter(on=False)
        async with asyncio.timeout(5):
            await lost.wait()
        rig.head.faults.switch_adapter(on=True)
        await opened(rig.link)
        await rig.link.close()


async def test_a_dead_link_that_looks_connected_is_detected_by_its_writes() -> None:
    """A hung unit: the link stays up, and every request goes unanswered until BlueZ times out after 30 s."""
    async with a_rig() as rig:
        await opened(rig.link)
        rig.head.faults.hang(Axis.PAN)
        assert await reason_of(rig.link.write(FRAMES[0], response=True)) is LinkReason.LOST
        assert await reason_of(rig.link.write(FRAMES[0], response=False)) is LinkReason.LOST
        await rig.link.close()


async def test_a_head_with_another_frame_layout_is_driven_by_its_profile_alone() -> None:
    speed = SpeedField(4, 1000, encoding=SpeedEncoding.HEX, order=Order.LOW_FIRST, sign=Sign.TWOS_COMPLEMENT)
    layout = FrameLayout("a5 {speed} {check}", speed, check=Check("CRC-8/MAXIM"))
    async with (
        a_rig(head=msgspec.structs.replace(PROFILE, frame=layout)) as rig,
        supervised(rig.link, pan_profile(), layout=layout) as supervisor,
    ):
        await supervisor.ready()
        supervisor.put(-0.5)
        await asyncio.sleep(1)
        assert rig.received()[-1].hex() == "a50cfe" + Check("CRC-8/MAXIM").of(bytes.fromhex("a50cfe")).hex()
        assert rig.head.pan.speed_at(asyncio.get_running_loop().time()) < 0
        supervisor.put(0)
        await asyncio.sleep(1)
        assert rig.head.pan.speed_at(asyncio.get_running_loop().time()) == 0


def test_the_bluez_paths_are_taken_from_bleaks_details() -> None:
    device = BLEDevice("C0:FF:EE:00:00:01", "PAN", {"path": "/org/bluez/hci0/dev_C0", "props": {}})
    command = a_command(("/org/bluez/hci0/dev_C0/service0001/char0002", {}))
    assert dbus_target(device, command) == DbusTarget(
        "/org/bluez/hci0/dev_C0", "/org/bluez/hci0/dev_C0/service0001/char0002"
    )


@pytest.mark.parametrize(
    ("details", "obj"),
    [
        (None, ("/org/bluez/hci0/dev_C0/char", {})),
        ({"path": 5}, ("/org/bluez/hci0/dev_C0/char", {})),
        ({}, ("/org/bluez/hci0/dev_C0/char", {})),
        ({"path": "/org/bluez/hci0/dev_C0"}, ()),
        ({"path": "/org/bluez/hci0/dev_C0"}, None),
        ({"path": "/org/bluez/hci0/dev_C0"}, ("Windows", {})),
    ],
)
def test_details_of_other_backends_yield_no_bluez_paths(details: object, obj: object) -> None:
    assert dbus_target(BLEDevice("C0:FF:EE:00:00:01", "PAN", details), a_command(obj)) is None


def a_command(obj: object) -> BleakGATTCharacteristic:
    service = BleakGATTService(None, 1, SERVICE)
    return BleakGATTCharacteristic(obj, 2, COMMAND, ["write"], lambda: 20, service)
