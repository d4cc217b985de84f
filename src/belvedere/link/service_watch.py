"""Watches for the exit of the Bluetooth service: every link ends with it, and bleak does not report that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from belvedere.link.pending_calls import PendingCalls

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

logger = logging.getLogger(__name__)


class ServiceWatch:
    """Calls `on_gone` when `wait_until_gone` has returned; does nothing where that is None."""

    def __init__(
        self, wait_until_gone: Callable[[], Coroutine[None, None, None]] | None, on_gone: Callable[[], None]
    ) -> None:
        self._wait_until_gone = wait_until_gone
        self._on_gone = on_gone
        self._calls = PendingCalls()
        self._watching: asyncio.Task[None] | None = None

    def ensure(self) -> None:
        """Start to watch, unless that is being done already; to be called with each new link."""
        if self._wait_until_gone is not None and (self._watching is None or self._watching.done()):
            self._watching = self._calls.begin(self._watch(self._wait_until_gone))

    async def _watch(self, wait_until_gone: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await wait_until_gone()
        except Exception as error:  # noqa: BLE001 - dbus-fast raises many types; failing calls will show the same
            logger.debug("cannot watch for the exit of the Bluetooth service: %r", error)
        else:
            self._on_gone()
