"""One scan over an adapter that, like BlueZ, continues calls whose caller was cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from bleak.exc import BleakError

from belvedere.errors import LinkReason
from belvedere.link.scan import HUNG_S, SWITCH_S, Scan
from belvedere.sim.backend.bluez_errors import in_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from belvedere.errors import LinkError


class Adapter:
    """Allows one scan at a time, and completes every call even if its caller was cancelled."""

    def __init__(self) -> None:
        self.on = False
        self.starts = 0
        self.refuses_to_stop = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._works: set[asyncio.Task[None]] = set()

    def scans(self) -> bool:
        return self.on

    async def update(self, *, on: bool) -> None:
        work = asyncio.create_task(self._work(on=on))
        self._works.add(work)
        await asyncio.shield(work)

    async def _work(self, *, on: bool) -> None:
        await self.may_answer.wait()
        if on and self.on:
            raise BleakError("Operation already in progress")
        if self.refuses_to_stop and not on:
            raise in_progress()
        self.on = on
        self.starts += on


class Scanner:
    """A scanner like bleak's."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    async def start(self) -> None:
        await self._adapter.update(on=True)

    async def stop(self) -> None:
        await self._adapter.update(on=False)


class Rig:
    """A scan and whether it is wanted."""

    def __init__(self, wait_until_gone: Callable[[], Coroutine[None, None, None]] | None = None) -> None:
        self.adapter = Adapter()
        self.started = 0
        self.troubles: list[LinkReason] = []
        self.endings: list[LinkReason | None] = []
        self.is_wanted = False
        self.scan = Scan(
            lambda: Scanner(self.adapter),
            lambda: self.is_wanted,
            on_started=self._receive_started,
            on_failure=self._receive_trouble,
            on_ended=lambda error: self.endings.append(None if error is None else error.reason),
            wait_until_gone=wait_until_gone,
        )

    async def want(self, *, scan: bool, for_s: float = 0.1) -> None:
        self.is_wanted = scan
        self.scan.update()
        await asyncio.sleep(for_s)

    def is_in_trouble(self) -> bool:
        return self.scan.failure is not None

    def _receive_trouble(self, error: LinkError) -> None:
        self.troubles.append(error.reason)

    async def _receive_started(self) -> None:
        self.started += 1


async def test_a_scan_is_on_exactly_while_it_is_wanted() -> None:
    rig = Rig()
    await rig.want(scan=True)
    assert rig.adapter.scans()
    await rig.want(scan=False)
    assert not rig.adapter.scans()
    await rig.want(scan=True)
    assert rig.adapter.scans()
    assert (rig.started, rig.troubles) == (2, [])
    await rig.want(scan=False)


async def test_a_scan_that_starts_late_is_used_and_stopped() -> None:
    rig = Rig()
    rig.adapter.may_answer.clear()
    await rig.want(scan=True, for_s=5 * SWITCH_S)
    assert rig.troubles == [LinkReason.ADAPTER_OFF]
    rig.adapter.may_answer.set()
    await rig.want(scan=True)
    assert (rig.adapter.scans(), rig.started) == (True, 1)
    await rig.want(scan=False)
    assert not rig.adapter.scans()
    await rig.want(scan=True)
    assert (rig.adapter.scans(), rig.started) == (True, 2)
    assert rig.troubles == [LinkReason.ADAPTER_OFF]
    await rig.want(scan=False)


async def test_a_scan_that_starts_when_it_is_no_longer_wanted_is_stopped() -> None:
    rig = Rig()
    rig.adapter.may_answer.clear()
    await rig.want(scan=True, for_s=2 * SWITCH_S)
    await rig.want(scan=False)
    rig.adapter.may_answer.set()
    await asyncio.sleep(0.1)
    assert (rig.adapter.scans(), rig.adapter.starts) == (False, 1)


async def test_the_next_scan_waits_for_the_end_of_one_that_ends_late() -> None:
    rig = Rig()
    await rig.want(scan=True)
    rig.adapter.may_answer.clear()
    await rig.want(scan=False, for_s=2 * SWITCH_S)
    await rig.want(scan=True, for_s=2 * SWITCH_S)
    rig.adapter.may_answer.set()
    await asyncio.sleep(0.1)
    assert (rig.adapter.scans(), rig.adapter.starts) == (True, 2)
    await rig.want(scan=False)


async def test_there_is_a_failure_only_while_an_answer_is_late() -> None:
    rig = Rig()
    rig.adapter.may_answer.clear()
    await rig.want(scan=True, for_s=SWITCH_S - 0.1)
    assert not rig.is_in_trouble()
    await asyncio.sleep(0.2)
    assert rig.is_in_trouble()
    rig.adapter.may_answer.set()
    await asyncio.sleep(0.1)
    assert not rig.is_in_trouble()
    await rig.want(scan=False)


async def test_waiting_for_the_scan_to_stop_takes_as_long_as_that() -> None:
    rig = Rig()
    await rig.want(scan=True)
    rig.adapter.may_answer.clear()
    await rig.want(scan=False)
    waiting = asyncio.create_task(rig.scan.wait_until_stopped())
    await asyncio.sleep(0.5)
    assert not waiting.done()
    rig.adapter.may_answer.set()
    await waiting
    assert not rig.adapter.scans()


async def test_waiting_for_a_stop_returns_at_once_while_a_scan_is_wanted_or_before_the_first() -> None:
    rig = Rig()
    began = asyncio.get_running_loop().time()
    await rig.scan.wait_until_stopped()
    rig.is_wanted = True
    rig.scan.update()
    await rig.scan.wait_until_stopped()
    assert asyncio.get_running_loop().time() == began
    await rig.want(scan=False)


async def test_waiting_for_the_scan_to_stop_has_a_timeout() -> None:
    rig = Rig()
    await rig.want(scan=True)
    rig.adapter.may_answer.clear()
    await rig.want(scan=False)
    began = asyncio.get_running_loop().time()
    await rig.scan.wait_until_stopped()
    assert asyncio.get_running_loop().time() - began == pytest.approx(2 * SWITCH_S)
    rig.adapter.may_answer.set()


async def test_a_refused_scan_is_reported_and_tried_when_it_is_wanted_again() -> None:
    rig = Rig()
    rig.adapter.on = True  # by another program
    await rig.want(scan=True)
    assert rig.troubles == [LinkReason.CONNECT_FAILED]
    rig.adapter.on = False
    await rig.want(scan=True)
    assert (rig.adapter.scans(), rig.started) == (True, 1)
    await rig.want(scan=False)
    assert rig.endings == [LinkReason.CONNECT_FAILED, None]


async def test_a_scan_that_cannot_be_stopped_has_ended_with_the_reason_and_another_can_start() -> None:
    rig = Rig()
    await rig.want(scan=True)
    rig.adapter.refuses_to_stop = True
    await rig.want(scan=False)
    assert (rig.endings, rig.troubles) == ([LinkReason.DISCOVERY_STUCK], [])
    rig.adapter.refuses_to_stop, rig.adapter.on = False, False
    await rig.want(scan=True)
    await rig.want(scan=False)
    assert rig.endings == [LinkReason.DISCOVERY_STUCK, None]


async def test_when_the_bluetooth_service_exits_outstanding_calls_are_abandoned() -> None:
    left = asyncio.Event()

    async def wait_until_gone() -> None:
        await left.wait()

    rig = Rig(wait_until_gone)
    dead = rig.adapter
    dead.may_answer.clear()
    await rig.want(scan=True, for_s=10 * HUNG_S)
    assert (dead.starts, rig.troubles) == (0, [LinkReason.ADAPTER_OFF])
    rig.adapter = Adapter()  # started again
    left.set()
    await asyncio.sleep(0.1)
    await rig.want(scan=True)
    assert rig.adapter.scans()
    await rig.want(scan=False)
    dead.may_answer.set()


async def _cannot_watch() -> None:
    raise ConnectionError("there is no D-Bus")


@pytest.mark.parametrize("wait_until_gone", [None, _cannot_watch])
async def test_where_that_exit_cannot_be_detected_a_call_is_abandoned_after_a_timeout(
    wait_until_gone: Callable[[], Coroutine[None, None, None]] | None,
) -> None:
    rig = Rig(wait_until_gone)
    dead = rig.adapter
    dead.may_answer.clear()
    await rig.want(scan=True, for_s=HUNG_S - 0.5)
    assert rig.is_in_trouble()
    rig.adapter = Adapter()
    await asyncio.sleep(1)
    assert not rig.is_in_trouble()
    await rig.want(scan=True)
    assert rig.adapter.scans()
    await rig.want(scan=False)
    dead.may_answer.set()
