"""The adapter's single scan: on while it is wanted, started and stopped by calls that are never cancelled.

BlueZ continues a StartDiscovery whose caller was cancelled. bleak does not know of such a scan and cannot stop it, and
BlueZ refuses any other one until the process ends, so no unit could be found until a restart.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from belvedere.errors import LinkError, LinkReason
from belvedere.link.bleak_errors import scan_errors
from belvedere.link.pending_calls import PendingCalls, result

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

logger = logging.getLogger(__name__)

SWITCH_S = 2.0  # starting or stopping a scan takes milliseconds; a call that hangs must not block the units for longer
HUNG_S = 30.0  # where the exit of the Bluetooth service cannot be detected, a call is abandoned after this time


class Scanner(Protocol):
    """What is used of bleak's BleakScanner."""

    async def start(self) -> None:
        """Start scanning."""

    async def stop(self) -> None:
        """Stop scanning."""


class Scan:
    """One scan at a time.

    Args:
        new_scanner: makes the scanner for the next scan.
        is_wanted: whether there should be a scan; call `update` when this may have changed.
        on_started: awaited each time a scan has started.
        on_failure: called with the error if a scan cannot start, or does not start or stop in time (ADAPTER_OFF).
        on_ended: called when a scan is over: with None if it was started and stopped as asked, else with the error.
        wait_until_gone: returns when the Bluetooth service has exited, after which it answers no outstanding call.
    """

    def __init__(
        self,
        new_scanner: Callable[[], Scanner],
        is_wanted: Callable[[], bool],
        *,
        on_started: Callable[[], Coroutine[None, None, None]],
        on_failure: Callable[[LinkError], None],
        on_ended: Callable[[LinkError | None], None] = lambda _error: None,
        wait_until_gone: Callable[[], Coroutine[None, None, None]] | None = None,
    ) -> None:
        self._new_scanner = new_scanner
        self._is_wanted = is_wanted
        self._on_started = on_started
        self._on_failure = on_failure
        self._on_ended = on_ended
        self._wait_until_gone = wait_until_gone
        self._calls = PendingCalls()
        self._scanning: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._late: LinkError | None = None

    @property
    def failure(self) -> LinkError | None:
        """The reason why a wanted scan is not on, while a start or stop is still unanswered; else None."""
        return self._late

    def update(self) -> None:
        """Start or stop as wanted, in a task of its own, which a cancelled caller does not cancel."""
        self._changed.set()
        if self._is_wanted() and (self._scanning is None or self._scanning.done()):
            self._scanning = self._calls.begin(self._scan())

    async def wait_until_stopped(self) -> None:
        """Wait until the scan has stopped, for at most two SWITCH_S; return at once if the scan is wanted."""
        if not self._is_wanted() and self._scanning is not None:
            await asyncio.wait({self._scanning}, timeout=2 * SWITCH_S)

    async def _scan(self) -> None:
        while self._is_wanted():
            scanner = self._new_scanner()
            try:
                await self._wait_for_answer(_call(scanner.start))
            except LinkError as error:
                self._on_failure(error)
                self._on_ended(error)
                return
            await self._on_started()
            while self._is_wanted():
                self._changed.clear()
                await self._changed.wait()
            try:
                await self._wait_for_answer(_call(scanner.stop))
            except LinkError as error:
                logger.debug("could not stop the scan: %s", error)
                self._on_ended(error)
            else:
                self._on_ended(None)

    async def _wait_for_answer(self, call: Coroutine[None, None, None]) -> None:
        """Wait for the call as long as an answer is possible. Raises what it raises, or LinkError (ADAPTER_OFF)."""
        answering = self._calls.begin(call)
        await asyncio.wait({answering}, timeout=SWITCH_S)
        if not answering.done():
            await self._wait_for_late_answer(answering)
        result(answering)

    async def _wait_for_late_answer(self, answering: asyncio.Task[None]) -> None:
        self._late = LinkError(LinkReason.ADAPTER_OFF, "Bluetooth did not answer in time")  # searches fail now
        self._on_failure(self._late)
        abandoning = self._calls.begin(self._wait_until_unanswerable())
        await asyncio.wait({answering, abandoning}, return_when=asyncio.FIRST_COMPLETED)
        abandoning.cancel()
        late, self._late = self._late, None
        if not answering.done():
            answering.cancel()
            raise late

    async def _wait_until_unanswerable(self) -> None:
        """Wait until the Bluetooth service has exited; if that is not detectable, until the call is HUNG_S old."""
        if self._wait_until_gone is not None:
            try:
                await self._wait_until_gone()
            except Exception as error:  # noqa: BLE001 - dbus-fast raises many types
                logger.debug("cannot watch for the exit of the Bluetooth service: %r", error)
            else:
                return
        await asyncio.sleep(HUNG_S - SWITCH_S)


async def _call(call: Callable[[], Coroutine[None, None, None]]) -> None:
    with scan_errors(LinkReason.CONNECT_FAILED):
        await call()
