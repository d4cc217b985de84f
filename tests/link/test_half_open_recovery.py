"""A unit that only the chip is connected to is freed by a reset, and by nothing that others would miss."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest
from tests.link.backends import UnableToList, scanner_of_bluez
from tests.support.link.unit_rig import supervised

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import Axis
from belvedere.head.profile import shipped_profile
from belvedere.link.half_open_detector import RESET_EVERY_S, UNSEEN_S
from belvedere.link.options import LinkOptions
from belvedere.link.radio import Radio
from belvedere.link.supervisor import LinkPhase
from belvedere.sim.head import ADDRESSES, NAMES, VirtualHead
from belvedere.testing.scripted_link import ScriptedLink, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from belvedere.link.discovery import DiscoveredDevice

PROFILE = shipped_profile("zeapon-pons-pt")
HCI0, HCI1 = "/org/bluez/hci0", "/org/bluez/hci1"


class Chip:
    """A chip that has a half-open connection with the pan unit from the next attempt to connect until it is reset."""

    def __init__(self, head: VirtualHead, may_end_links: Callable[[], bool] | None = None) -> None:
        self.resets: list[tuple[float, set[str]]] = []
        self.resetting = asyncio.Event()
        self.trouble: LinkError | None = None
        self._head = head
        self.radio = Radio(
            head.client_backend,
            head.scanner_backend,
            options=LinkOptions(connect_timeout_s=1, search_s=1),
            reset=self._reset,
            may_end_links=may_end_links,
        )

    async def find(self, axis: Axis) -> DiscoveredDevice:
        return await self.radio.find(lambda _address, name, _services: name == NAMES[axis])

    async def lose_pan(self) -> None:
        """Try to connect to the pan unit, and give up as it succeeds."""
        discovered = await self.find(Axis.PAN)
        self._head.faults.vanish(Axis.PAN)
        with pytest.raises(LinkError):
            await self.radio.connect(discovered, lambda _client: None)

    async def seek_in_vain(self, for_s: float) -> None:
        """Seek the pan unit again and again."""
        loop = asyncio.get_running_loop()
        until = loop.time() + for_s
        while loop.time() < until:
            with pytest.raises(LinkError) as caught:
                await self.find(Axis.PAN)
            assert caught.value.reason is LinkReason.NOT_FOUND

    async def _reset(self, adapter: str, ours: Collection[str], cancel: Callable[[], bool]) -> None:
        assert adapter == ""  # the virtual head has no BlueZ that would name one
        await asyncio.sleep(0.1)
        if self.trouble is not None:
            raise self.trouble
        if cancel():
            self.resets.append((asyncio.get_running_loop().time(), set(ours)))
            self.resetting.set()
            self._head.faults.come_back(Axis.PAN)
            await asyncio.sleep(0.5)


async def test_a_unit_that_no_search_finds_since_connecting_to_it_failed_is_freed_and_found() -> None:
    async with VirtualHead(PROFILE) as head:
        chip = Chip(head)
        await chip.lose_pan()
        failed_s = asyncio.get_running_loop().time()
        await chip.seek_in_vain(for_s=UNSEEN_S - 2)
        assert not chip.resets
        await chip.seek_in_vain(for_s=1.5)
        discovered = await chip.find(Axis.PAN)
        [(reset_s, ours)] = chip.resets
        assert UNSEEN_S <= reset_s - failed_s < UNSEEN_S + 3
        assert ours == set()
        await chip.radio.disconnect(await chip.radio.connect(discovered, lambda _client: None))


async def test_a_unit_that_was_never_tried_or_was_seen_since_needs_no_reset() -> None:
    async with VirtualHead(PROFILE) as head:
        chip = Chip(head)
        head.faults.vanish(Axis.PAN)
        await chip.seek_in_vain(for_s=2 * UNSEEN_S)
        head.faults.come_back(Axis.PAN)
        await chip.lose_pan()
        head.faults.come_back(Axis.PAN)
        await asyncio.sleep(6)
        await chip.find(Axis.PAN)
        chip.radio.release(ADDRESSES[Axis.PAN])
        head.faults.vanish(Axis.PAN)
        await chip.seek_in_vain(for_s=2 * UNSEEN_S)
        assert not chip.resets


async def test_a_reset_that_did_not_help_is_not_tried_again() -> None:
    async with VirtualHead(PROFILE) as head:
        chip = Chip(head)
        chip.trouble = LinkError(LinkReason.REFUSED, "others are connected by it: a loudspeaker")
        await chip.lose_pan()
        await chip.seek_in_vain(for_s=UNSEEN_S + 3)
        chip.trouble = None
        await chip.seek_in_vain(for_s=2 * UNSEEN_S)
        assert not chip.resets


async def test_a_unit_that_was_freed_and_is_lost_again_is_freed_again_but_not_soon() -> None:
    async with VirtualHead(PROFILE) as head:
        chip = Chip(head)
        await chip.lose_pan()
        await chip.seek_in_vain(for_s=UNSEEN_S)
        await chip.find(Axis.PAN)
        chip.radio.release(ADDRESSES[Axis.PAN])
        await chip.lose_pan()
        await chip.seek_in_vain(for_s=UNSEEN_S + 3)
        await asyncio.sleep(RESET_EVERY_S - 2 * UNSEEN_S)
        assert len(chip.resets) == 1
        await chip.seek_in_vain(for_s=chip.resets[0][0] + RESET_EVERY_S - asyncio.get_running_loop().time())
        await chip.find(Axis.PAN)
        (first_s, _), (second_s, _) = chip.resets
        assert RESET_EVERY_S <= second_s - first_s < RESET_EVERY_S + 3


@pytest.mark.skipif(sys.platform != "linux", reason="there is no BlueZ but on Linux")
@pytest.mark.parametrize(
    ("is_bluez", "takes_over"),
    [(True, True), (True, False), (False, True)],
    ids=["the server on BlueZ", "another program on BlueZ", "another backend"],
)
async def test_bluez_is_asked_for_a_reset_exactly_where_bleak_uses_it_and_by_the_server_alone(
    monkeypatch: pytest.MonkeyPatch, *, is_bluez: bool, takes_over: bool
) -> None:
    asked: list[tuple[str, list[str], bool]] = []

    async def reset(adapter: str, ours: Collection[str], cancel: Callable[[], bool]) -> None:
        asked.append((adapter, list(ours), cancel()))

    monkeypatch.setattr("belvedere.link.adapter_reset.reset", reset)
    monkeypatch.setattr("bleak.backends.bluezdbus.version.BlueZFeatures.checked_bluez_version", True)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/at/all")
    async with VirtualHead(PROFILE) as head:
        radio = Radio(
            None if is_bluez else head.client_backend,
            scanner_of_bluez(head, HCI1),
            options=LinkOptions(connect_timeout_s=1, search_s=UNSEEN_S + 1, open_timeout_s=UNSEEN_S + 3),
            adapter_backend=UnableToList,
            takes_over=takes_over,
        )
        discovered = await radio.find(lambda _address, name, _services: name == NAMES[Axis.PAN])
        head.faults.vanish(Axis.PAN)
        with pytest.raises(LinkError):
            await radio.connect(discovered, lambda _client: None)
        with pytest.raises(LinkError, match="was not found"):
            await radio.find(lambda *_seen: False)
        await asyncio.sleep(1)
        assert asked == ([(HCI1, [], True)] if is_bluez and takes_over else [])


async def test_one_reset_is_enough_for_all_who_seek_in_vain() -> None:
    async with VirtualHead(PROFILE) as head:
        chip = Chip(head)
        await chip.lose_pan()
        head.faults.vanish(Axis.TILT)
        await chip.seek_in_vain(for_s=UNSEEN_S - 0.5)
        seeking = [asyncio.create_task(chip.find(axis)) for axis in (Axis.PAN, Axis.TILT, Axis.TILT)]
        await asyncio.wait(seeking)
        assert all(isinstance(each.exception(), LinkError) for each in seeking)
        await asyncio.sleep(3)
        assert len(chip.resets) == 1


async def test_why_an_adapter_is_reset_or_could_not_be_is_told_to_the_owner(caplog: pytest.LogCaptureFixture) -> None:
    async with VirtualHead(PROFILE) as head:
        chip = Chip(head)
        chip.trouble = LinkError(LinkReason.REFUSED, "others are connected by it: a loudspeaker")
        await chip.lose_pan()
        await chip.seek_in_vain(for_s=UNSEEN_S + 3)
        why = "not seen since connecting failed"
        assert f"could not reset the adapter for {ADDRESSES[Axis.PAN]}, {why}: {chip.trouble}" in caplog.text
        caplog.clear()
        head.faults.come_back(Axis.PAN)
        chip.trouble = None
        await asyncio.sleep(RESET_EVERY_S - UNSEEN_S)
        await chip.lose_pan()
        await chip.seek_in_vain(for_s=UNSEEN_S)
        await chip.find(Axis.PAN)
        assert f"resetting the adapter for {ADDRESSES[Axis.PAN]}, {why}" in caplog.text


async def test_the_links_of_other_units_are_ended_with_a_word_and_only_while_they_may_be() -> None:
    async with VirtualHead(PROFILE) as head:
        may_end_links = False
        chip = Chip(head, lambda: may_end_links)
        lost: list[str] = []
        client = await chip.radio.connect(await chip.find(Axis.TILT), lambda lost_one: lost.append(lost_one.address))
        await chip.lose_pan()
        await chip.seek_in_vain(for_s=2 * UNSEEN_S)
        assert (lost, chip.resets) == ([], [])
        may_end_links = True
        await chip.seek_in_vain(for_s=0.5)
        await chip.find(Axis.PAN)
        assert lost == [client.address]
        assert [ours for _at, ours in chip.resets] == [{client.address}]
        await asyncio.sleep(5)


async def test_by_default_no_link_is_ended_for_it() -> None:
    async with VirtualHead(PROFILE) as head:
        chip = Chip(head)
        client = await chip.radio.connect(await chip.find(Axis.TILT), lambda _client: None)
        await chip.lose_pan()
        await chip.seek_in_vain(for_s=2 * UNSEEN_S)
        assert client.is_connected
        await chip.radio.disconnect(client)
        await chip.seek_in_vain(for_s=0.5)
        await chip.find(Axis.PAN)
        assert len(chip.resets) == 1


async def test_a_unit_that_begins_to_move_as_the_adapter_is_about_to_be_reset_keeps_its_link() -> None:
    async with VirtualHead(PROFILE) as head:
        asked = 0

        def may_end_links() -> bool:
            nonlocal asked
            asked += 1
            return asked % 2 == 1  # yes when a reset is thought of, no at the last moment

        chip = Chip(head, may_end_links)
        lost: list[str] = []
        client = await chip.radio.connect(await chip.find(Axis.TILT), lambda lost_one: lost.append(lost_one.address))
        await chip.lose_pan()
        await chip.seek_in_vain(for_s=2 * UNSEEN_S)
        assert asked >= 4
        assert (lost, chip.resets) == ([], [])
        await chip.radio.disconnect(client)


async def test_nobody_connects_while_an_adapter_is_reset() -> None:
    async with VirtualHead(PROFILE) as head:
        chip = Chip(head)
        tilt = await chip.find(Axis.TILT)
        await chip.lose_pan()
        await chip.seek_in_vain(for_s=UNSEEN_S)
        await chip.resetting.wait()
        client = await chip.radio.connect(tilt, lambda _client: None)
        assert asyncio.get_running_loop().time() - chip.resets[0][0] >= 0.5
        await chip.radio.disconnect(client)


# which unit may lose its link for a moment


async def test_a_unit_needs_its_link_from_the_first_word_until_it_has_surely_been_told_to_stop() -> None:
    link = ScriptedLink()
    link.script("open", Step(after_s=1))
    link.script("write", Step(after_s=0.1), Step(after_s=0.1))
    async with supervised(link) as rig:
        assert not rig.supervisor.needs_its_link
        needs = {}
        for phase in (LinkPhase.CONNECTING, LinkPhase.SETTLING, LinkPhase.READY):
            await rig.until(phase)
            needs[phase] = rig.supervisor.needs_its_link
        assert needs == {LinkPhase.CONNECTING: True, LinkPhase.SETTLING: True, LinkPhase.READY: False}
        told = []
        for velocity in (0.5, 0.0):
            rig.put(velocity)
            await asyncio.sleep(0)
            told.append(rig.supervisor.needs_its_link)
            await asyncio.sleep(2)
            told.append(rig.supervisor.needs_its_link)
        assert told == [True, True, True, False]


async def test_a_unit_that_was_lost_while_it_turned_has_no_link_to_need() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        rig.put(0.5)
        await asyncio.sleep(0.1)
        link.script("open", Step(reason=LinkReason.NOT_FOUND))
        link.lose()
        await rig.until(LinkPhase.WAITING)
        assert rig.supervisor.may_be_turning
        assert not rig.supervisor.needs_its_link
