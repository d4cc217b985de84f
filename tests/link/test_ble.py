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
from bleak.uuids import normalize_uuid_str
from tests.link.scripted_radio import ADDRESS, DEVICE_PATH, NAME, ScriptedClient, ScriptedRadio
from tests.support.link.unit_rig import supervised

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import AXES, Axis
from belvedere.head.checks import Check, Order
from belvedere.head.layout import FrameLayout, Sign, SpeedEncoding, SpeedField
from belvedere.head.profile import HeadProfile, UnitProfile, shipped_profile
from belvedere.link.ble import MAX_AMBIGUOUS, BleUnit, dbus_target, is_unit
from belvedere.link.port import DbusTarget, LinkDetails
from belvedere.link.radio import Radio
from belvedere.sim.head import ADDRESSES, NAMES, VirtualHead
from belvedere.sim.unit import COMMAND, SERVICE, STATE
from belvedere.testing.link_contract import FRAMES, ClosedLinkContract, LinkContract, LinkRig, ignore, opened, reason_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from belvedere.link.discovery import DiscoveredDevice
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


def test_a_service_finds_a_unit_only_where_its_profile_has_no_name_pattern() -> None:
    unnamed = UnitProfile(service=SERVICE)
    named = UnitProfile(service=SERVICE, name_patterns=("PONS*",))
    assert [is_unit(unit, ADDRESS, "", [normalize_uuid_str(SERVICE)]) for unit in (named, unnamed)] == [False, True]
    assert not is_unit(unnamed, ADDRESS, "", [])


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


VENDOR, OTHER_VENDOR, MANUFACTURER = "fff1", "fff2", "2a29"


def a_client(*characteristics: tuple[str, ...]) -> ScriptedClient:
    """A client of a unit with these characteristics: each is its service, its UUID and its properties."""
    client = ScriptedClient()
    for characteristic in characteristics:
        client.add(*characteristic)
    return client


def driven(client: ScriptedClient, **profile: object) -> tuple[BleUnit, ScriptedRadio]:
    radio = ScriptedRadio(client)
    return BleUnit(pan_profile(**{"service": None, "characteristic": None, "notify": None, **profile}), radio), radio


@pytest.mark.parametrize("properties", [("write",), ("write-without-response",), ("read", "write", "notify")])
async def test_the_details_are_those_of_the_unit_and_its_characteristics(properties: tuple[str, ...]) -> None:
    unit, _ = driven(a_client(("fff0", VENDOR, *properties), ("1800", "2a00", "write")))
    assert await opened(unit) == LinkDetails(
        name=NAME,
        address=ADDRESS,
        can_write_without_response="write-without-response" in properties,
        can_write_with_response="write" in properties,
        can_keep_alive=False,
        rssi_dbm=-50,
        dbus=DbusTarget(DEVICE_PATH, f"{DEVICE_PATH}/service000a/char000b"),
    )


async def test_a_keep_alive_reads_a_standard_characteristic_if_there_is_one_and_never_the_commands() -> None:
    client = a_client(("fff0", VENDOR, "read", "write"), ("fff0", OTHER_VENDOR, "read"), ("180a", MANUFACTURER, "read"))
    unit, _ = driven(client)
    assert (await opened(unit)).can_keep_alive
    client.failure = BleakGATTProtocolError(BleakGATTProtocolErrorCode.READ_NOT_PERMITTED)
    assert [await unit.keep_alive() for _ in range(3)] == [True, True, False]
    assert client.calls == [("read", normalize_uuid_str(uuid)) for uuid in (MANUFACTURER, OTHER_VENDOR)]


async def test_two_refused_keep_alives_at_a_time_are_both_answers() -> None:
    client = a_client(("fff0", VENDOR, "write"), ("180a", MANUFACTURER, "read"))
    unit, _ = driven(client)
    await opened(unit)
    client.failure = BleakGATTProtocolError(BleakGATTProtocolErrorCode.READ_NOT_PERMITTED)
    client.answers.clear()
    asking = [asyncio.create_task(unit.keep_alive()) for _ in range(2)]
    await asyncio.sleep(0)
    client.answers.set()
    assert [await task for task in asking] == [True, True]
    assert not await unit.keep_alive()


@pytest.mark.parametrize(
    ("profile", "uuid"),
    [
        ({}, VENDOR),
        ({"characteristic": OTHER_VENDOR}, OTHER_VENDOR),
        ({"characteristic": "2a00"}, "2a00"),
        ({"service": "ffe0", "characteristic": OTHER_VENDOR}, OTHER_VENDOR),
        ({"service": "fff0"}, VENDOR),
    ],
)
async def test_the_command_characteristic_is_the_profiles_or_the_only_writable_one_of_a_vendor(
    profile: dict[str, str], uuid: str
) -> None:
    others = [("ffe0", OTHER_VENDOR, "write")] if profile else [("ffe0", OTHER_VENDOR, "read")]
    client = a_client(("1800", "2a00", "write"), ("fff0", VENDOR, "write"), *others)
    unit, _ = driven(client, **profile)
    await opened(unit)
    await unit.write(FRAMES[0], response=True)
    assert client.calls == [("write with response", normalize_uuid_str(uuid))]


@pytest.mark.parametrize(
    ("characteristics", "profile", "words"),
    [
        ([("fff0", VENDOR, "write"), ("fff0", OTHER_VENDOR, "write")], {}, f"vendor's UUID.*{VENDOR}.*{OTHER_VENDOR}"),
        ([("fff0", VENDOR, "write")], {"service": "ffe0"}, "writable ones: none"),
        ([("fff0", VENDOR, "read")], {"characteristic": VENDOR}, f"wanted {VENDOR}; writable ones: none"),
        ([("1800", "2a00", "write")], {}, "2a00"),
    ],
)  # fmt: skip
async def test_a_unit_without_the_one_command_characteristic_is_disconnected_and_its_writable_ones_are_named(
    characteristics: list[tuple[str, ...]], profile: dict[str, str], words: str
) -> None:
    client = a_client(*characteristics)
    unit, radio = driven(client, **profile)
    with pytest.raises(LinkError, match=words) as caught:
        await opened(unit)
    assert caught.value.reason is LinkReason.NO_CHARACTERISTIC
    assert radio.disconnected == [client]
    assert await reason_of(unit.write(FRAMES[0], response=False)) is LinkReason.CLOSED


async def test_a_unit_that_was_lost_while_it_was_being_opened_failed_to_connect() -> None:
    client = a_client(("fff0", VENDOR, "write"))
    unit, radio = driven(client)
    client.is_connected = False
    assert await reason_of(opened(unit)) is LinkReason.CONNECT_FAILED
    client.is_connected = True
    del client.services  # bleak raises AttributeError as well
    assert await reason_of(opened(unit)) is LinkReason.CONNECT_FAILED
    assert radio.disconnected == [client, client]


async def test_a_lost_unit_is_released_once_and_is_closed_to_every_call() -> None:
    client = a_client(("fff0", VENDOR, "write"), ("180a", MANUFACTURER, "read"))
    unit, radio = driven(client)
    lost: list[int] = []
    await unit.open(lambda: lost.append(1), ignore)
    for _ in range(2):
        radio.lose()
    assert (lost, radio.released) == ([1], [ADDRESS])
    assert await reason_of(unit.write(FRAMES[0], response=False)) is LinkReason.CLOSED
    assert await reason_of(unit.keep_alive()) is LinkReason.CLOSED
    await unit.close()
    assert (client.calls, radio.disconnected) == ([], [])


async def test_each_connection_subscribes_once_even_if_the_unit_refuses(caplog: pytest.LogCaptureFixture) -> None:
    """Each subscription is a write that can delay the next command."""
    caplog.set_level(logging.INFO, "belvedere.link.ble")
    client = a_client(("fff0", VENDOR, "write"))
    unit, _ = driven(client, notify=OTHER_VENDOR)
    for failure in (None, ValueError("no descriptor")):
        await opened(unit)
        await unit.write(FRAMES[0], response=False)
        client.failure = failure
        await asyncio.sleep(1)
        client.failure = None
        for _ in range(20):
            await unit.write(FRAMES[0], response=False)
            await asyncio.sleep(1)
        await unit.close()
    command, notify = ("write", normalize_uuid_str(VENDOR)), ("subscribe", normalize_uuid_str(OTHER_VENDOR))
    assert client.calls == 2 * [command, notify, *20 * [command]]
    assert caplog.text.count(f"could not subscribe to notifications of {ADDRESS}: ValueError: no descriptor") == 1


async def test_no_more_ambiguous_devices_are_logged_than_a_crowd_needs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "belvedere.link")
    unit = BleUnit(UnitProfile(name_patterns=("*",)), Crowd(ScriptedClient()), [UnitProfile(service=SERVICE)])
    assert await reason_of(opened(unit)) is LinkReason.NOT_FOUND
    assert len(caplog.records) == MAX_AMBIGUOUS


class Crowd(ScriptedRadio):
    """Many devices of one name, none of which is wanted, and each of which is seen twice."""

    async def find(self, is_wanted: Callable[[str, str, list[str]], bool]) -> DiscoveredDevice:
        for number in (*range(100), *range(100)):
            assert not is_wanted(f"C0:FF:EE:00:01:{number:02X}", NAME, [normalize_uuid_str(SERVICE)])
        raise LinkError(LinkReason.NOT_FOUND)
