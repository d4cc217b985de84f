"""Inspecting a virtual unit with bleak's own client: everything is read, and nothing is written."""

from __future__ import annotations

import asyncio

import pytest
from bleak.exc import BleakGATTProtocolError, BleakGATTProtocolErrorCode

from belvedere.errors import LinkError, LinkReason, OwnerError
from belvedere.head.axes import Axis
from belvedere.head.profile import shipped_profile
from belvedere.lab.adapter import Adapter
from belvedere.lab.inspect import Characteristic, Inspection, inspect, parse_address
from belvedere.sim.head import ADDRESSES, VirtualHead
from belvedere.sim.unit import COMMAND, SERVICE, STATE

PAN = ADDRESSES[Axis.PAN]
PROFILE = shipped_profile("zeapon-pons-pt")


def adapter_of(head: VirtualHead, client_backend: type | None = None) -> Adapter:
    return Adapter(client_backend=client_backend or head.client_backend, scanner_backend=head.scanner_backend)


def found(inspection: Inspection, short: str) -> Characteristic:
    everything = (one for service in inspection.services for one in service.characteristics)
    return next(one for one in everything if one.uuid[4:8] == short)


async def test_a_unit_shows_all_that_it_has_in_order() -> None:
    async with VirtualHead(PROFILE) as head:
        steps: list[str] = []
        inspection = await inspect(PAN.lower(), adapter_of(head), on_step=steps.append)
        assert inspection.address == PAN
        assert inspection.name == head.pan.name
        assert [service.handle for service in inspection.services] == sorted(
            service.handle for service in inspection.services
        )
        home = next(service for service in inspection.services if service.uuid == SERVICE)
        assert [one.uuid for one in home.characteristics] == [COMMAND, STATE]
        assert found(inspection, "2a24").value == b"PONS PT, virtual"
        assert steps[:2] == ["searching", "connecting"]


async def test_the_one_that_takes_commands_is_told_from_all_others() -> None:
    async with VirtualHead(PROFILE) as head:
        inspection = await inspect(PAN, adapter_of(head))
        everything = [one for service in inspection.services for one in service.characteristics]
        assert [one.uuid for one in everything if one.may_take_commands] == [COMMAND]


async def test_the_unit_is_left_alone_and_as_it_was() -> None:
    async with VirtualHead(PROFILE) as head:
        await inspect(PAN, adapter_of(head))
        await asyncio.sleep(1)  # the disconnection is under way
        assert not head.pan.frames
        assert not head.pan.is_connected
        assert not head.radio.is_scanning


async def test_a_value_that_is_refused_does_not_keep_the_others_from_being_read() -> None:
    async with VirtualHead(PROFILE) as head:

        class Refusing(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def read_gatt_char(self, characteristic: Characteristic, **options: object) -> bytearray:
                if characteristic.uuid.startswith("00002a29"):
                    raise BleakGATTProtocolError(BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION)
                return bytearray(await super().read_gatt_char(characteristic, **options))

        inspection = await inspect(PAN, adapter_of(head, Refusing))
        assert found(inspection, "2a29").read_error is LinkReason.REFUSED
        assert found(inspection, "2a24").value == b"PONS PT, virtual"


async def test_a_unit_that_answers_no_question_is_left_within_a_minute() -> None:
    async with VirtualHead(PROFILE) as head:

        class Mute(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def read_gatt_char(self, *_arguments: object, **_options: object) -> bytearray:
                await asyncio.get_running_loop().create_future()
                raise AssertionError

        began = asyncio.get_running_loop().time()
        inspection = await inspect(PAN, adapter_of(head, Mute))
        assert asyncio.get_running_loop().time() - began < 60
        assert found(inspection, "2a24").read_error is LinkReason.UNANSWERED
        assert found(inspection, "2a24").value is None


async def test_a_link_that_is_lost_meanwhile_leaves_what_was_read() -> None:
    async with VirtualHead(PROFILE) as head:

        class Losing(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def read_gatt_char(self, characteristic: Characteristic, **options: object) -> bytearray:
                value = bytearray(await super().read_gatt_char(characteristic, **options))
                if characteristic.uuid.startswith("00002a29"):
                    head.faults.drop(Axis.PAN)
                    await asyncio.sleep(1)
                return value

        inspection = await inspect(PAN, adapter_of(head, Losing))
        assert found(inspection, "2a29").value == b"Belvedere"
        assert found(inspection, "2a19").read_error is LinkReason.LOST


async def test_a_read_in_flight_when_the_link_is_lost_tells_just_that() -> None:
    async with VirtualHead(PROFILE) as head:

        class CutOff(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def read_gatt_char(self, *_arguments: object, **_options: object) -> bytearray:
                head.faults.drop(Axis.PAN)
                await asyncio.sleep(1)
                raise EOFError  # what a closed connection to D-Bus makes of every call that waits for its answer

        inspection = await inspect(PAN, adapter_of(head, CutOff))
        assert found(inspection, "2a29").read_error is LinkReason.LOST


async def test_a_device_that_is_not_there_is_reported_as_such() -> None:
    async with VirtualHead(PROFILE) as head:
        with pytest.raises(LinkError) as caught:
            await inspect("C0:DE:00:00:00:99", adapter_of(head))
        assert caught.value.reason is LinkReason.NOT_FOUND


@pytest.mark.parametrize("address", ["C0:DE", "PONS-PAN", "", "C0:DE:00:00:00:9G"])
def test_what_is_no_address_is_refused_before_anybody_is_sought(address: str) -> None:
    with pytest.raises(OwnerError, match="belvedere scan"):
        parse_address(address)


@pytest.mark.parametrize("address", [PAN, PAN.lower(), "12345678-1234-1234-1234-123456789abc"])
def test_an_address_is_taken_as_systems_write_it(address: str) -> None:
    assert parse_address(address) == address


@pytest.mark.parametrize(
    ("uuid", "properties", "may"),
    [
        ("0000fff1-0000-1000-8000-00805f9b34fb", ("write",), True),
        ("6f1a0001-77aa-4e0c-9f6b-000000000001", ("write-without-response",), True),
        ("0000fff2-0000-1000-8000-00805f9b34fb", ("notify", "read"), False),
        ("00002b29-0000-1000-8000-00805f9b34fb", ("read", "write"), False),
    ],
)
def test_what_may_take_commands_can_be_written_and_is_the_makers_own(
    uuid: str, properties: tuple[str, ...], *, may: bool
) -> None:
    assert Characteristic(uuid=uuid, handle=1, properties=properties).may_take_commands is may
