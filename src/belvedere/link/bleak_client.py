"""Makes and closes bleak's clients, each call with the errors of a link and a single try."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from bleak.exc import BleakDeviceNotFoundError
from bleak_retry_connector import BleakClientWithServiceCache, establish_connection

from belvedere.errors import LinkError, LinkReason
from belvedere.link.bleak_errors import link_errors, reason_of
from belvedere.link.pending_calls import PendingCalls, outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from bleak.backends.client import BaseBleakClient

    from belvedere.link.discovery import DiscoveredDevice

logger = logging.getLogger(__name__)

DISCONNECT_S = 5.0  # BlueZ takes two; shorter than `final_search_s`, so that the final search can still find the unit


class _Client(BleakClientWithServiceCache):
    """bleak's client. Converts errors that need a new search, which bleak_retry_connector would retry nine times."""

    async def connect(self, **options: Any) -> None:  # noqa: ANN401 - bleak's own
        try:
            await super().connect(**options)
        except (BleakDeviceNotFoundError, EOFError, BrokenPipeError) as error:
            reason = reason_of(error, LinkReason.CONNECT_FAILED)
            raise LinkError(reason, f"{type(error).__name__}: {error}") from error


class BleakClients:
    """The clients of one adapter. `backend` is a class for bleak to use instead of the platform's own."""

    def __init__(self, backend: type[BaseBleakClient] | None, *, is_bluez: bool) -> None:
        self._backend = backend
        self._is_bluez = is_bluez
        self._calls = PendingCalls()

    async def establish(
        self,
        discovered: DiscoveredDevice,
        adapter: str | None,
        on_disconnect: Callable[[BleakClientWithServiceCache], None],
    ) -> BleakClientWithServiceCache:
        """Connect by the adapter of this BlueZ name, and discover the services. Raises LinkError.

        Makes one attempt: the supervisor decides about retries, and after a failure BlueZ needs a new scan anyway.
        """
        with link_errors(LinkReason.CONNECT_FAILED):
            if self._is_bluez:
                await detect_bluez_version(self._calls)
            return await establish_connection(
                _Client,
                discovered.device,
                discovered.name,
                disconnected_callback=on_disconnect,
                max_attempts=1,
                backend=self._backend,
                bluez={} if adapter is None else {"adapter": adapter},
            )

    async def close(self, client: BleakClientWithServiceCache) -> None:
        """Disconnect, even a lost link: only that closes bleak's D-Bus connection, of which a user may have 256.

        Returns after DISCONNECT_S at the latest. Raises no LinkError.
        """
        try:
            await outcome(self._calls.begin(_disconnect(client)), DISCONNECT_S)
        except LinkError as error:
            logger.debug("could not disconnect from %s: %s", client.address, error)


async def detect_bluez_version(calls: PendingCalls) -> None:
    """Let bleak detect BlueZ's version if it has not; a cancelled caller leaves the detection running in `calls`.

    bleak does this once per process. If it were cancelled, bleak would not start it again, and every later connection
    attempt would wait for it.
    """
    from bleak.backends.bluezdbus.version import BlueZFeatures  # noqa: PLC0415 - exists on Linux only

    if not BlueZFeatures.checked_bluez_version:
        await asyncio.shield(calls.begin(BlueZFeatures.check_bluez_version()))


async def _disconnect(client: BleakClientWithServiceCache) -> None:
    with link_errors(LinkReason.LOST):
        await client.disconnect()
