"""The radio by itself; `test_ble` tests it below a link."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from tests.link.backends import (
    failing_after,
    hanging_once,
    scanner_like_bluez,
    slow_scanner,
    stubborn,
    stubborn_scanner,
)

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import AXES, Axis
from belvedere.head.profile import shipped_profile
from belvedere.link.bleak_client import DISCONNECT_S
from belvedere.link.options import LinkOptions
from belvedere.link.radio import Radio
from belvedere.link.scan import SWITCH_S
from belvedere.sim.head import ADDRESSES, NAMES, VirtualHead

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from belvedere.link.discovery import DiscoveredDevice

PROFILE = shipped_profile("zeapon-pons-pt")


def a_radio(head: VirtualHead, options: LinkOptions | None = None) -> Radio:
    return Radio(head.client_backend, head.scanner_backend, options=options)


async def find(radio: Radio, axis: Axis) -> DiscoveredDevice:
    return await radio.find(lambda _address, name, _services: name == NAMES[axis])


async def test_one_scan_serves_all_searches_and_ends_with_the_last() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head)
        pan, tilt = await asyncio.gather(find(radio, Axis.PAN), find(radio, Axis.TILT))
        assert {pan.name, tilt.name} == set(NAMES.values())
        assert not head.radio.is_scanning


async def test_two_searches_for_the_same_kind_of_unit_find_one_each() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head)
        found = await asyncio.gather(*(radio.find(lambda *_seen: True) for _ in range(2)))
        assert {discovered.name for discovered in found} == set(NAMES.values())


async def test_a_cancelled_search_leaves_the_unit_to_others() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head)
        for delay_s in (0.0, 0.05, 0.1):
            search = asyncio.create_task(find(radio, Axis.PAN))
            await asyncio.sleep(delay_s)
            search.cancel()
            await asyncio.wait({search})
            if not search.cancelled():
                radio.release(search.result().device.address)
        assert (await find(radio, Axis.PAN)).name == NAMES[Axis.PAN]


async def test_a_search_that_is_cancelled_once_it_has_found_its_unit_leaves_it_to_others() -> None:
    async with VirtualHead(PROFILE) as head:
        radio, seen = Radio(head.client_backend, slow_scanner(head)), asyncio.Event()

        def is_wanted(_address: str, name: str, _services: list[str]) -> bool:
            if name == NAMES[Axis.PAN]:
                seen.set()
            return seen.is_set()

        search = asyncio.create_task(radio.find(is_wanted))
        await seen.wait()
        await asyncio.sleep(0.1)  # the scan is about to stop
        search.cancel()
        await asyncio.wait({search})
        assert search.cancelled()
        assert (await find(radio, Axis.PAN)).name == NAMES[Axis.PAN]


async def test_a_search_ends_after_its_time_and_the_scan_with_it() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head, LinkOptions(search_s=0.7))
        head.faults.vanish(Axis.PAN)
        at = asyncio.get_running_loop().time()
        with pytest.raises(LinkError) as caught:
            await find(radio, Axis.PAN)
        assert caught.value.reason is LinkReason.NOT_FOUND
        assert asyncio.get_running_loop().time() - at == pytest.approx(0.7, abs=0.1)
        assert not head.radio.is_scanning


@pytest.mark.parametrize("is_released", [False, True], ids=["connected once found", "released before"])
async def test_a_unit_in_use_is_not_found_until_it_is_released(*, is_released: bool) -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head)
        discovered = await find(radio, Axis.PAN)
        if is_released:
            radio.release(ADDRESSES[Axis.PAN])
        client = await radio.connect(discovered, lambda _client: None)
        await client.disconnect()
        with pytest.raises(LinkError):
            await find(radio, Axis.PAN)
        radio.release(ADDRESSES[Axis.PAN])
        assert (await find(radio, Axis.PAN)).device.address == ADDRESSES[Axis.PAN]


async def test_a_unit_that_was_released_while_it_was_connected_is_disconnected_all_the_same() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head)
        client = await radio.connect(await find(radio, Axis.PAN), lambda _client: None)
        radio.release(ADDRESSES[Axis.PAN])
        await radio.disconnect(client)
        assert not client.is_connected
        await asyncio.sleep(1)
        assert not head.pan.is_connected


async def test_a_late_disconnect_of_a_lost_client_does_not_end_the_newer_claim_on_its_unit() -> None:
    async with VirtualHead(PROFILE) as head:
        left = asyncio.Event()
        radio = Radio(head.client_backend, head.scanner_backend, wait_until_gone=until(left))
        old = await radio.connect(await find(radio, Axis.PAN), lambda client: radio.release(client.address))
        head.faults.drop(Axis.PAN)
        await asyncio.sleep(1)
        lost: list[str] = []
        await radio.connect(await find(radio, Axis.PAN), lambda client: lost.append(client.address))
        await radio.disconnect(old)
        assert not lost
        left.set()
        await asyncio.sleep(1)
        assert lost == [ADDRESSES[Axis.PAN]]


async def test_a_connect_that_fails_is_reported_and_the_next_one_can_start() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head, LinkOptions(connect_timeout_s=1, search_s=1))
        discovered = await find(radio, Axis.PAN)
        head.faults.vanish(Axis.PAN)
        with pytest.raises(LinkError) as caught:
            await radio.connect(discovered, lambda _client: None)
        assert caught.value.reason in {LinkReason.CONNECT_FAILED, LinkReason.NOT_FOUND}
        client = await radio.connect(await find(radio, Axis.TILT), lambda _client: None)
        assert client.is_connected
        await client.disconnect()


async def test_a_unit_that_connected_quickly_before_gets_a_short_timeout_that_grows_with_each_late_attempt() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head)
        await radio.disconnect(await radio.connect(await find(radio, Axis.PAN), lambda _client: None))
        head.radio.forget(ADDRESSES[Axis.PAN])  # BlueZ forgets its services, which it would not discover again
        waited: list[float] = []
        for axis in (Axis.TILT, Axis.PAN, Axis.PAN, Axis.PAN):
            discovered = await find(radio, axis)
            head.faults.hang(axis)
            began = now()
            with pytest.raises(LinkError):
                await radio.connect(discovered, lambda _client: None)
            waited.append(now() - began)
            head.faults.resume(axis)
            await asyncio.sleep(3)
        assert waited == [pytest.approx(limit_s, abs=0.2) for limit_s in (5, 2, 4, 5)]  # tilt has never connected


async def test_the_scan_pauses_while_a_unit_connects_and_resumes_for_the_remaining_searches() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = a_radio(head, LinkOptions(search_s=5))
        discovered = await find(radio, Axis.TILT)
        head.faults.vanish(Axis.PAN)
        search = asyncio.create_task(find(radio, Axis.PAN))
        await asyncio.sleep(0.1)
        connecting = asyncio.create_task(radio.connect(discovered, lambda _client: None))
        await asyncio.sleep(0.01)
        is_scanning_while_connecting = head.radio.is_scanning
        client = await connecting
        head.faults.come_back(Axis.PAN)
        assert (await search).name == NAMES[Axis.PAN]
        assert not is_scanning_while_connecting
        await client.disconnect()


async def test_connecting_waits_until_a_slow_scan_has_stopped() -> None:
    async with VirtualHead(PROFILE) as head:
        scanning: list[bool] = []

        class Watched(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def connect(self, *arguments: object, **options: object) -> None:
                scanning.append(head.radio.is_scanning)
                await super().connect(*arguments, **options)

        radio = Radio(Watched, slow_scanner(head), options=LinkOptions(search_s=5))
        discovered = await find(radio, Axis.TILT)
        head.faults.vanish(Axis.PAN)
        search = asyncio.create_task(find(radio, Axis.PAN))
        await asyncio.sleep(0.5)
        assert head.radio.is_scanning
        client = await radio.connect(discovered, lambda _client: None)
        assert scanning == [False]
        await client.disconnect()
        await asyncio.wait({search})
        assert isinstance(search.exception(), LinkError)


async def test_a_search_that_has_failed_claims_no_unit_seen_later() -> None:
    """A unit claimed by a failed search would never be released."""
    async with VirtualHead(PROFILE) as head:
        delays_s = [SWITCH_S, 0.0]

        class Late(head.scanner_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def start(self) -> None:
                await asyncio.sleep(delays_s.pop(0))
                seen = AdvertisementData(NAMES[Axis.PAN], {}, {}, [], None, -50, ())
                self.call_detection_callbacks(BLEDevice(ADDRESSES[Axis.PAN], NAMES[Axis.PAN], None), seen)
                await super().start()

        radio = Radio(head.client_backend, Late, options=LinkOptions(search_s=10, open_timeout_s=30))
        with pytest.raises(LinkError) as caught:
            await find(radio, Axis.PAN)
        assert caught.value.reason is LinkReason.ADAPTER_OFF
        assert (await find(radio, Axis.PAN)).device.address == ADDRESSES[Axis.PAN]


async def test_a_connect_that_ignores_cancellation_does_not_block_the_radio() -> None:
    async with VirtualHead(PROFILE) as head:
        released = asyncio.Event()
        radio = Radio(stubborn(head, "connect", released, ADDRESSES[Axis.PAN]), head.scanner_backend)
        pan, tilt = await find(radio, Axis.PAN), await find(radio, Axis.TILT)
        hanging = asyncio.create_task(radio.connect(pan, lambda _client: None))
        await asyncio.sleep(0)
        began = now()
        client = await radio.connect(tilt, lambda _client: None)
        assert now() - began < 2 * LinkOptions().connect_timeout_s
        with pytest.raises(LinkError) as caught:
            await hanging
        assert caught.value.reason is LinkReason.CONNECT_FAILED
        released.set()
        await client.disconnect()
        await asyncio.sleep(10)
        assert not head.pan.is_connected


async def test_a_cancelled_connect_leaves_no_connection_behind() -> None:
    for delay_s in (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0, 1.1, 1.2):
        async with VirtualHead(PROFILE) as head:
            radio = Radio(head.client_backend, slow_scanner(head))
            discovered = await find(radio, Axis.PAN)
            head.faults.vanish(Axis.TILT)
            search = asyncio.create_task(find(radio, Axis.TILT))  # the scan has to be switched on again for this one
            connecting = asyncio.create_task(radio.connect(discovered, lambda _client: None))
            await asyncio.sleep(delay_s)
            connecting.cancel()
            await asyncio.wait({connecting, search})
            if not connecting.cancelled():
                await radio.disconnect(connecting.result())
            assert isinstance(search.exception(), LinkError)
            await asyncio.sleep(10)
            assert not head.pan.is_connected
            assert (await find(radio, Axis.PAN)).name == NAMES[Axis.PAN]


async def test_a_scan_that_cannot_go_on_does_not_harm_a_connect() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = Radio(head.client_backend, failing_after(head, starts=2))
        discovered = await find(radio, Axis.PAN)
        head.faults.vanish(Axis.TILT)
        search = asyncio.create_task(find(radio, Axis.TILT))
        await asyncio.sleep(0.1)
        client = await radio.connect(discovered, lambda _client: None)
        assert client.is_connected
        with pytest.raises(LinkError):
            await search
        await client.disconnect()


@pytest.mark.parametrize("call", ["start", "stop"])
async def test_a_scan_whose_calls_ignore_cancellation_does_not_block_the_radio(call: str) -> None:
    async with VirtualHead(PROFILE) as head:
        released = asyncio.Event()
        radio = Radio(head.client_backend, stubborn_scanner(head, call, released))
        began = now()
        for _ in range(2):
            with contextlib.suppress(LinkError):
                radio.release((await find(radio, Axis.PAN)).device.address)
        assert now() - began < 12
        released.set()
        await asyncio.sleep(1)


async def test_a_scan_that_was_slow_to_begin_spoils_no_later_search() -> None:
    async with VirtualHead(PROFILE) as head:
        radio = Radio(head.client_backend, scanner_like_bluez(head, delays_s=[3.0]))
        with pytest.raises(LinkError) as caught:
            await find(radio, Axis.PAN)
        assert caught.value.reason is LinkReason.NOT_FOUND
        await asyncio.sleep(5)
        assert (await find(radio, Axis.PAN)).name == NAMES[Axis.PAN]
        assert not head.radio.is_scanning


def now() -> float:
    return asyncio.get_running_loop().time()


def until(left: asyncio.Event) -> Callable[[], Coroutine[None, None, None]]:
    async def wait() -> None:
        await left.wait()

    return wait


async def test_when_the_bluetooth_service_exits_every_link_is_lost_at_once() -> None:
    async with VirtualHead(PROFILE) as head:
        left = asyncio.Event()
        asked = 0

        async def wait_until_gone() -> None:
            nonlocal asked
            asked += 1
            await left.wait()
            left.clear()

        radio = Radio(head.client_backend, head.scanner_backend, wait_until_gone=wait_until_gone)
        lost: list[str] = []
        for expected in (1, 2):  # and again after Bluetooth has come back
            clients = [
                await radio.connect(await find(radio, axis), lambda client: lost.append(client.address))
                for axis in AXES
            ]
            await asyncio.sleep(0)
            assert asked == expected
            left.set()
            await asyncio.sleep(1)
            assert sorted(lost) == sorted(ADDRESSES.values())
            await asyncio.gather(*(radio.disconnect(client) for client in clients))
            lost.clear()


async def test_a_scan_that_hangs_is_abandoned_once_the_bluetooth_service_has_exited() -> None:
    async with VirtualHead(PROFILE) as head:
        left, options = asyncio.Event(), LinkOptions(search_s=SWITCH_S + 1)
        radio = Radio(head.client_backend, hanging_once(head), options=options, wait_until_gone=until(left))
        with pytest.raises(LinkError, match="did not answer"):
            await find(radio, Axis.PAN)
        left.set()
        await asyncio.sleep(0.1)
        assert (await find(radio, Axis.PAN)).name == NAMES[Axis.PAN]


async def test_a_link_that_was_lost_by_itself_is_not_lost_twice() -> None:
    async with VirtualHead(PROFILE) as head:
        left = asyncio.Event()
        radio = Radio(head.client_backend, head.scanner_backend, wait_until_gone=until(left))
        lost: list[str] = []
        await radio.connect(await find(radio, Axis.PAN), lambda client: lost.append(client.address))
        head.faults.drop(Axis.PAN)
        await asyncio.sleep(1)
        left.set()
        await asyncio.sleep(1)
        assert lost == [ADDRESSES[Axis.PAN]]


async def test_links_stay_open_where_the_exit_of_the_bluetooth_service_cannot_be_detected() -> None:
    async with VirtualHead(PROFILE) as head:

        async def wait_until_gone() -> None:
            raise ConnectionError("no D-Bus")

        radio = Radio(head.client_backend, head.scanner_backend, wait_until_gone=wait_until_gone)
        lost: list[str] = []
        client = await radio.connect(await find(radio, Axis.PAN), lambda client: lost.append(client.address))
        await asyncio.sleep(1)
        assert not lost
        assert client.is_connected
        await radio.disconnect(client)


@pytest.mark.parametrize("loses", ["one link", "all of Bluetooth"])
async def test_a_client_whose_link_was_lost_is_closed_to_free_its_d_bus_connection(loses: str) -> None:
    closed: list[str] = []
    async with VirtualHead(PROFILE) as head:

        class Counted(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def disconnect(self) -> None:
                closed.append(self.address)
                await super().disconnect()

        left, lost = asyncio.Event(), asyncio.Event()
        radio = Radio(Counted, head.scanner_backend, wait_until_gone=until(left))
        await radio.connect(await find(radio, Axis.PAN), lambda _client: lost.set())
        if loses == "one link":
            head.faults.drop(Axis.PAN)
        else:
            left.set()
        await lost.wait()
        await asyncio.sleep(1)
        assert closed == [ADDRESSES[Axis.PAN]]
        left.set()
        await asyncio.sleep(1)


async def test_a_disconnect_that_hangs_releases_the_unit_before_the_final_search_ends() -> None:
    released = asyncio.Event()
    async with VirtualHead(PROFILE) as head:
        options = LinkOptions(search_s=LinkOptions().final_search_s, open_timeout_s=20)
        radio = Radio(stubborn(head, "disconnect", released, ADDRESSES[Axis.PAN]), head.scanner_backend, None, options)
        client = await radio.connect(await find(radio, Axis.PAN), lambda _client: None)
        leaving = asyncio.create_task(radio.disconnect(client))
        await asyncio.sleep(0)
        head.faults.drop(Axis.PAN)
        assert (await find(radio, Axis.PAN)).device.address == ADDRESSES[Axis.PAN]
        released.set()
        await leaving
        await asyncio.sleep(5)


async def after_a_late_attempt(head: VirtualHead, released: asyncio.Event, search_s: float) -> Radio:
    """A radio that has just given up connecting to the pan unit, by an attempt that goes on once it is released."""
    backend = stubborn(head, "connect", released, ADDRESSES[Axis.PAN])
    radio = Radio(backend, head.scanner_backend, options=LinkOptions(connect_timeout_s=1, search_s=search_s))
    discovered = await find(radio, Axis.PAN)
    with pytest.raises(LinkError, match="did not answer"):
        await radio.connect(discovered, lambda _client: None)
    return radio


async def test_a_unit_is_found_again_only_after_an_abandoned_attempt_has_ended() -> None:
    released = asyncio.Event()
    async with VirtualHead(PROFILE) as head:
        radio = await after_a_late_attempt(head, released, search_s=0.5)
        with pytest.raises(LinkError) as caught:
            await find(radio, Axis.PAN)
        assert caught.value.reason is LinkReason.NOT_FOUND
        released.set()
        await asyncio.sleep(5)
        assert (await find(radio, Axis.PAN)).device.address == ADDRESSES[Axis.PAN]


async def test_a_unit_is_found_again_as_soon_as_an_abandoned_attempt_that_succeeded_is_disconnected() -> None:
    released = asyncio.Event()
    async with VirtualHead(PROFILE) as head:
        radio = await after_a_late_attempt(head, released, search_s=10)
        began = now()
        released.set()
        await find(radio, Axis.PAN)
        assert not head.pan.is_connected
        assert now() - began < DISCONNECT_S - 1


async def test_a_unit_whose_abandoned_attempt_never_ends_is_found_again_all_the_same() -> None:
    released = asyncio.Event()
    async with VirtualHead(PROFILE) as head:
        radio = await after_a_late_attempt(head, released, search_s=10)
        began = now()
        await find(radio, Axis.PAN)
        assert DISCONNECT_S <= now() - began < DISCONNECT_S + 2
        released.set()
        await asyncio.sleep(10)
        assert not head.pan.is_connected


async def test_connecting_again_before_bluez_has_finished_with_the_last_attempt_fails_and_spoils_nothing() -> None:
    released = asyncio.Event()
    async with VirtualHead(PROFILE) as head:
        backend = stubborn(head, "connect", released, ADDRESSES[Axis.PAN])
        radio = Radio(backend, head.scanner_backend, options=LinkOptions(connect_timeout_s=1, search_s=10))
        discovered = await find(radio, Axis.PAN)
        hanging, queued = (asyncio.create_task(radio.connect(discovered, lambda _client: None)) for _ in range(2))
        with pytest.raises(LinkError, match="did not answer"):
            await hanging
        began = now()
        for again in (queued, radio.connect(discovered, lambda _client: None)):
            with pytest.raises(LinkError, match="not done with") as caught:
                await again
            assert caught.value.reason is LinkReason.CONNECT_FAILED
        assert now() == began
        released.set()
        client = await radio.connect(await find(radio, Axis.PAN), lambda _client: None)
        assert client.is_connected
        await radio.disconnect(client)
