"""A unit that only the chip is connected to, and a discovery that is stuck, are freed by a reset at a safe moment."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.link.backends import Discovery, UnableToList, scanner_of_bluez, scanner_over
from tests.support.link.unit_rig import ANY, supervised

from belvedere.errors import LinkError, LinkReason
from belvedere.head.axes import AXES, Axis
from belvedere.head.profile import shipped_profile
from belvedere.link.adapter_recovery import ADVICE
from belvedere.link.ble import BleUnit
from belvedere.link.half_open_detector import RESET_EVERY_S, UNSEEN_S
from belvedere.link.options import LinkOptions
from belvedere.link.radio import Radio
from belvedere.link.stuck_discovery_detector import FIRST_WAIT_S, FORGET_S, PASSING_S
from belvedere.link.supervisor import LinkPhase
from belvedere.sim.head import ADDRESSES, NAMES, VirtualHead
from belvedere.testing.scripted_link import ScriptedLink, Step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from tests.support.link.unit_rig import UnitRig

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
        why = f"{ADDRESSES[Axis.PAN]} was not seen since connecting to it failed"
        assert f"could not reset the Bluetooth adapter, although {why}: {chip.trouble}; {ADVICE}" in caplog.text
        caplog.clear()
        head.faults.come_back(Axis.PAN)
        chip.trouble = None
        await asyncio.sleep(RESET_EVERY_S - UNSEEN_S)
        await chip.lose_pan()
        await chip.seek_in_vain(for_s=UNSEEN_S)
        await chip.find(Axis.PAN)
        assert f"resetting the Bluetooth adapter: {why}" in caplog.text


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


# a discovery that is stuck


class StuckChip:
    """A chip that did not end a scan in time, and a computer that drives both units by it."""

    def __init__(self, head: VirtualHead, *, starts_scans: bool = True, adapter: str | None = None) -> None:
        self.discovery = Discovery(starts_scans=starts_scans)
        self.resets: list[tuple[float, str, set[str]]] = []
        self.trouble: LinkError | None = None
        self.helps = True
        self._rigs: list[UnitRig] = []
        self._head = head
        self.radio = Radio(
            head.client_backend,
            scanner_over(head, self.discovery),
            adapter,
            reset=self._reset,
            may_end_links=lambda: not any(rig.supervisor.needs_its_link for rig in self._rigs),
        )

    @asynccontextmanager
    async def drive(self, axis: Axis) -> AsyncIterator[UnitRig]:
        profile = PROFILE.unit(axis)
        async with supervised(BleUnit(profile or ANY, self.radio), profile, axis=axis) as rig:
            self._rigs.append(rig)
            yield rig

    async def get_stuck(self) -> None:
        """Lose the pan unit, and not end the scan for it."""
        self.discovery.is_stuck = True
        self._head.faults.drop(Axis.PAN)
        await asyncio.sleep(0.1)

    async def find_any(self) -> None:
        """Find a unit, and leave it to others."""
        self.radio.release((await self.radio.find(lambda *_seen: True)).device.address)

    async def seek_in_vain(self, for_s: float) -> list[LinkReason]:
        """Seek any unit again and again."""
        loop = asyncio.get_running_loop()
        reasons = []
        until = loop.time() + for_s
        while loop.time() < until:
            with pytest.raises(LinkError) as caught:
                await self.find_any()
            reasons.append(caught.value.reason)
            await asyncio.sleep(0.2)
        return reasons

    @property
    def reset_at_s(self) -> list[float]:
        return [at for at, _adapter, _ours in self.resets]

    async def _reset(self, adapter: str, ours: Collection[str], cancel: Callable[[], bool]) -> None:
        await asyncio.sleep(0.1)
        if self.trouble is not None:
            raise self.trouble
        if cancel():
            self.resets.append((asyncio.get_running_loop().time(), adapter, set(ours)))
            self._head.faults.switch_adapter(on=False)
            self.discovery.is_stuck = self.discovery.is_stuck and not self.helps
            await asyncio.sleep(0.5)
            self._head.faults.switch_adapter(on=True)


@pytest.mark.parametrize("starts_scans", [True, False], ids=["that pretends to scan", "that refuses to scan"])
async def test_a_stuck_discovery_is_freed_and_both_units_are_stopped_first_and_do_not_move(
    caplog: pytest.LogCaptureFixture, *, starts_scans: bool
) -> None:
    caplog.set_level("INFO", "belvedere")
    async with VirtualHead(PROFILE) as head:
        chip = StuckChip(head, starts_scans=starts_scans)
        async with chip.drive(Axis.PAN) as pan, chip.drive(Axis.TILT) as tilt:
            await pan.ready()
            await tilt.ready()
            pan.put(0.5)
            await asyncio.sleep(0.5)
            stuck_s = pan.now
            await chip.get_stuck()
            pan.put(0.5)  # somebody still holds the stick
            await pan.ready()
            await tilt.ready()
            assert pan.now - stuck_s < PASSING_S + 10
            assert LinkReason.DISCOVERY_STUCK in pan.reasons
            assert [ours for _at, _adapter, ours in chip.resets] == [{ADDRESSES[Axis.TILT]}]
            for axis in AXES:
                assert {frame.frame for frame in head.unit(axis).frames if frame.came_s > stuck_s} == {pan.stop}
            assert caplog.text.count("BlueZ's discovery is stuck: it refuses") == 1
            assert caplog.text.count("resetting the Bluetooth adapter: BlueZ's discovery is stuck") == 1
            assert caplog.text.count("BlueZ's discovery works again") == 1


async def test_a_refusal_that_passes_costs_nobody_a_link() -> None:
    async with VirtualHead(PROFILE) as head:
        chip = StuckChip(head)
        chip.discovery.is_stuck = True
        assert set(await chip.seek_in_vain(PASSING_S - 1)) == {LinkReason.NOT_FOUND}
        assert chip.discovery.refusals > 1
        chip.discovery.is_stuck = False
        await chip.find_any()
        await asyncio.sleep(FIRST_WAIT_S)
        assert not chip.resets


async def test_a_unit_that_moves_keeps_its_link_until_it_has_stopped_although_the_other_is_sought_in_vain() -> None:
    async with VirtualHead(PROFILE) as head:
        chip = StuckChip(head)
        async with chip.drive(Axis.PAN) as pan, chip.drive(Axis.TILT) as tilt:
            await pan.ready()
            await tilt.ready()
            tilt.put(0.5)
            await chip.get_stuck()
            await asyncio.sleep(FIRST_WAIT_S)
            assert head.tilt.speed_at(tilt.now) != 0
            assert (chip.resets, tilt.is_ready, pan.reasons[-1]) == ([], True, LinkReason.DISCOVERY_STUCK)
            tilt.put(0.0)
            await pan.ready()
            assert len(chip.resets) == 1


async def test_a_reset_that_does_not_help_is_repeated_ever_more_rarely_and_the_owner_is_told_what_would(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with VirtualHead(PROFILE) as head:
        chip = StuckChip(head)
        chip.helps, chip.discovery.is_stuck = False, True
        assert LinkReason.DISCOVERY_STUCK in await chip.seek_in_vain(8.5 * FIRST_WAIT_S)
        waited = [second - first for first, second in pairwise(chip.reset_at_s)]
        assert waited == [pytest.approx(FIRST_WAIT_S * 2**number, abs=3) for number in range(3)]
        for number in range(3):
            assert f"is reset again in {FIRST_WAIT_S * 2**number:.0f} s at the earliest: {ADVICE}" in caplog.text


async def test_a_discovery_that_is_stuck_again_soon_waits_and_one_that_worked_for_long_does_not() -> None:
    async with VirtualHead(PROFILE) as head:
        chip = StuckChip(head)
        for rest_s in (0.0, 0.0, FORGET_S):
            await asyncio.sleep(rest_s)
            chip.discovery.is_stuck = True
            wanted = len(chip.resets) + 1
            while len(chip.resets) < wanted:
                await chip.seek_in_vain(1)
            await asyncio.sleep(1)
            await chip.find_any()
        first_s, second_s, third_s = chip.reset_at_s
        assert second_s - first_s == pytest.approx(FIRST_WAIT_S, abs=3)
        assert third_s - second_s == pytest.approx(FORGET_S + PASSING_S, abs=5)


async def test_a_reset_that_is_refused_is_tried_again_after_a_while_and_the_log_says_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with VirtualHead(PROFILE) as head:
        chip = StuckChip(head)
        chip.trouble = LinkError(LinkReason.REFUSED, "others are connected by it: a loudspeaker")
        chip.discovery.is_stuck = True
        await chip.seek_in_vain(FIRST_WAIT_S - 5)
        said = f"could not reset the Bluetooth adapter, although BlueZ's discovery is stuck: {chip.trouble}; {ADVICE}"
        assert caplog.text.count(said) == 1
        chip.trouble = None
        await asyncio.sleep(2 * PASSING_S + 5)
        with pytest.raises(LinkError):
            await chip.find_any()
        await asyncio.sleep(1)
        assert len(chip.resets) == 1


@pytest.mark.parametrize(
    ("adapter", "sees", "found"),
    [("hci1", HCI0, HCI1), (None, HCI0, HCI0), (None, "", "")],
    ids=["the configured one", "the one that saw something last", "the only one"],
)
async def test_the_adapter_in_use_is_reset(
    monkeypatch: pytest.MonkeyPatch, adapter: str | None, sees: str, found: str
) -> None:
    async with VirtualHead(PROFILE) as head:
        if sees:
            monkeypatch.setattr(head, "scanner_backend", scanner_of_bluez(head, sees))
        chip = StuckChip(head, adapter=adapter)
        await chip.find_any()
        chip.discovery.is_stuck, chip.helps = True, False
        await chip.seek_in_vain(PASSING_S + 3)
        assert [reset for _at, reset, _ours in chip.resets] == [found]
