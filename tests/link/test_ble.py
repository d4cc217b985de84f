"""The Bluetooth link keeps the contract of all links: bleak's own classes over virtual Bluetooth, in virtual time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import AXES, Axis
from belvedere.head.profile import HeadProfile, UnitProfile, shipped_profile
from belvedere.link.ble import BleUnit
from belvedere.link.radio import Radio
from belvedere.sim.head import ADDRESSES, VirtualHead
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
async def test_a_unit_is_found_by_what_its_profile_knows(unit: UnitProfile) -> None:
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


async def test_both_units_are_opened_at_once_through_one_radio() -> None:
    async with a_rig() as rig:
        assert PROFILE.tilt is not None
        tilt = BleUnit(PROFILE.tilt, rig.radio)
        await asyncio.gather(opened(rig.link), opened(tilt))
        await asyncio.gather(rig.link.close(), tilt.close())


async def test_a_unit_that_is_sought_does_not_keep_the_other_from_being_found() -> None:
    async with a_rig() as rig:
        rig.vanish()
        assert PROFILE.tilt is not None
        tilt = BleUnit(PROFILE.tilt, rig.radio)
        seeking = asyncio.create_task(reason_of(opened(rig.link)))
        await opened(tilt)
        assert await seeking is LinkReason.NOT_FOUND
        await tilt.write(FRAMES[0], response=True)
        await tilt.close()


async def test_nothing_scans_while_nobody_seeks() -> None:
    async with a_rig() as rig:
        await opened(rig.link)
        assert not rig.head.radio.is_scanning
        await rig.link.close()


async def test_a_characteristic_that_is_not_there_is_told_with_those_that_are() -> None:
    async with a_rig(pan_profile(characteristic="abcd")) as rig:
        with pytest.raises(LinkError, match=COMMAND) as caught:
            await opened(rig.link)
        assert caught.value.reason is LinkReason.NO_CHARACTERISTIC
        await asyncio.sleep(5)
        assert not rig.head.pan.is_connected


async def test_a_unit_that_tells_nothing_can_still_be_driven() -> None:
    async with a_rig(pan_profile(notify="abcd")) as rig:
        await opened(rig.link)
        await rig.link.write(FRAMES[0], response=True)
        assert rig.received() == FRAMES[:1]
        await rig.link.close()


async def test_an_adapter_that_is_off_is_told_as_such() -> None:
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


async def test_a_zombie_link_shows_by_what_its_writes_do() -> None:
    """A hung unit: the link stays up, and every request goes unanswered until BlueZ gives up after 30 s."""
    async with a_rig() as rig:
        await opened(rig.link)
        rig.head.faults.silence(Axis.PAN, on=True)
        assert await reason_of(rig.link.write(FRAMES[0], response=True)) is LinkReason.LOST
        assert await reason_of(rig.link.write(FRAMES[0], response=False)) is LinkReason.LOST
        await rig.link.close()
