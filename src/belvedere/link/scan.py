"""The adapter's one scan: on while somebody wants it, and begun and ended by calls that are never cut short.

BlueZ goes on with a start that nobody waits for any more. Such a scan cannot be ended by anybody, and BlueZ then
refuses every other one for as long as the program runs: units would be out of reach until it is started again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from belvedere.errors import LinkError, LinkReason
from belvedere.link.bleak_errors import link_errors
from belvedere.link.pending_calls import PendingCalls, result

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

logger = logging.getLogger(__name__)

SWITCH_S = 2.0  # starting or ending a scan takes milliseconds; one that hangs must not keep the other unit waiting
HUNG_S = 30.0  # where nobody tells that the system's Bluetooth has left, a call this old is taken for dead


class Scanner(Protocol):
    """What is needed of bleak's."""

    async def start(self) -> None:
        """Begin one scan."""

    async def stop(self) -> None:
        """End it."""


class Scan:
    """One scan at a time.

    Args:
        new_scanner: makes the scanner for the next scan.
        is_wanted: whether there is to be a scan; `update` says that this may have changed.
        on_started: awaited each time a scan has begun.
        on_trouble: called when one does not begin (LinkError), or neither begins nor ends in time (ADAPTER_OFF).
        until_gone: returns when the system's Bluetooth has left, and with it whatever it still owes an answer.
    """

    def __init__(
        self,
        new_scanner: Callable[[], Scanner],
        is_wanted: Callable[[], bool],
        *,
        on_started: Callable[[], Coroutine[None, None, None]],
        on_failure: Callable[[LinkError], None],
        wait_until_gone: Callable[[], Coroutine[None, None, None]] | None = None,
    ) -> None:
        self._new_scanner = new_scanner
        self._is_wanted = is_wanted
        self._on_started = on_started
        self._on_failure = on_failure
        self._wait_until_gone = wait_until_gone
        self._calls = PendingCalls()
        self._scanning: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._late: LinkError | None = None

    @property
    def failure(self) -> LinkError | None:
        """Why there is no scan although one is wanted, while Bluetooth owes the answer to a start or an end."""
        return self._late

    def update(self) -> None:
        """Begin or end as wanted, in a task of its own: whoever gives up must not cut the calls short."""
        self._changed.set()
        if self._is_wanted() and (self._scanning is None or self._scanning.done()):
            self._scanning = self._calls.begin(self._scan())

    async def wait_until_stopped(self) -> None:
        """Wait until the scan has ended, unless it is wanted; not for ever."""
        if not self._is_wanted() and self._scanning is not None:
            await asyncio.wait({self._scanning}, timeout=2 * SWITCH_S)

    async def _scan(self) -> None:
        while self._is_wanted():
            scanner = self._new_scanner()
            try:
                await self._wait_for_answer(_call(scanner.start))
            except LinkError as error:
                self._on_failure(error)
                return
            await self._on_started()
            while self._is_wanted():
                self._changed.clear()
                await self._changed.wait()
            try:
                await self._wait_for_answer(_call(scanner.stop))
            except LinkError as error:
                logger.debug("ending the scan: %s", error)

    async def _wait_for_answer(self, call: Coroutine[None, None, None]) -> None:
        """Wait for the call for as long as it can still be answered. Raises what it raises; LinkError ADAPTER_OFF."""
        answering = self._calls.begin(call)
        await asyncio.wait({answering}, timeout=SWITCH_S)
        if not answering.done():
            await self._wait_for_late_answer(answering)
        result(answering)

    async def _wait_for_late_answer(self, answering: asyncio.Task[None]) -> None:
        self._late = LinkError(LinkReason.ADAPTER_OFF, "Bluetooth did not answer in time")
        self._on_failure(self._late)
        leaving = self._calls.begin(self._wait_until_unanswerable())
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        late, self._late = self._late, None
        if not answering.done():
            answering.cancel()
            raise late

    async def _wait_until_unanswerable(self) -> None:
        """Wait until Bluetooth has left; where that cannot be known, for as long as a call may be waited for."""
        if self._wait_until_gone is not None:
            try:
                await self._wait_until_gone()
            except Exception as error:  # noqa: BLE001 - whatever D-Bus raises
                logger.debug("nobody tells when Bluetooth leaves: %r", error)
            else:
                return
        await asyncio.sleep(HUNG_S - SWITCH_S)


async def _call(call: Callable[[], Coroutine[None, None, None]]) -> None:
    with link_errors(LinkReason.CONNECT_FAILED):
        await call()
