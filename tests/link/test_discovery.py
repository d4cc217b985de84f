"""What an adapter sees, by way of its radio; `test_adapters` has the resolution of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.link.backends import LeftConnected, UnableToList, left_nameless, scanner_that_sees

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import Axis
from belvedere.head.profile import shipped_profile
from belvedere.link.radio import Radio
from belvedere.sim.head import ADDRESSES, NAMES, VirtualHead
from belvedere.sim.unit import SERVICE

if TYPE_CHECKING:
    from belvedere.link.discovery import DiscoveredDevice

PROFILE = shipped_profile("zeapon-pons-pt")


async def find(radio: Radio, axis: Axis) -> DiscoveredDevice:
    return await radio.find(lambda _address, name, _services: name == NAMES[axis])


async def test_a_unit_that_a_killed_program_left_connected_is_found_although_it_is_silent() -> None:
    async with VirtualHead(PROFILE) as head:
        head.faults.vanish(Axis.PAN)
        head.faults.vanish(Axis.TILT)
        radio = Radio(head.client_backend, head.scanner_backend, adapter_backend=LeftConnected, takes_over=True)
        assert (await find(radio, Axis.TILT)).device.address == ADDRESSES[Axis.TILT]
        by_service = await radio.find(lambda _address, _name, services: SERVICE in services)
        assert by_service.device.address == ADDRESSES[Axis.PAN]  # the other one is claimed by now
        assert by_service.rssi_dbm is None
        with pytest.raises(LinkError):
            await find(radio, Axis.PAN)


@pytest.mark.parametrize("details", [None, {}, {"props": {}}])
async def test_a_connected_unit_of_which_nothing_is_known_has_no_name_and_no_services(details: object) -> None:
    async with VirtualHead(PROFILE) as head:
        adapter = left_nameless(details)
        radio = Radio(head.client_backend, head.scanner_backend, adapter_backend=adapter, takes_over=True)
        assert (await radio.find(lambda _at, name, services: (name, services) == ("", []))).name == ""


@pytest.mark.parametrize(("on_air", "known", "name"), [("A", "B", "A"), (None, "B", "B"), (None, None, "")])
async def test_the_advertised_name_takes_precedence(on_air: str | None, known: str | None, name: str) -> None:
    async with VirtualHead(PROFILE) as head:
        radio = Radio(head.client_backend, scanner_that_sees(head, on_air, known))
        discovered = await radio.find(lambda _at, *seen: seen == (name, [SERVICE]))
        assert (discovered.name, discovered.rssi_dbm) == (name, -50)


async def test_connected_units_are_not_found_without_takes_over() -> None:
    async with VirtualHead(PROFILE) as head:
        head.faults.vanish(Axis.PAN)
        radio = Radio(head.client_backend, head.scanner_backend, adapter_backend=LeftConnected)
        with pytest.raises(LinkError) as caught:
            await find(radio, Axis.PAN)
        assert caught.value.reason is LinkReason.NOT_FOUND


async def test_an_adapter_that_cannot_list_connected_units_is_scanned_all_the_same() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = Radio(head.client_backend, head.scanner_backend, adapter_backend=UnableToList, takes_over=True)
        assert (await find(radio, Axis.PAN)).name == NAMES[Axis.PAN]
