"""Has the adapter reset for a unit in a half-open connection, at a moment at which no unit could be left turning."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeAlias

from belvedere.errors import LinkError, LinkReason
from belvedere.link.half_open_detector import HalfOpenDetector
from belvedere.link.pending_calls import PendingCalls, bluetooth_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from belvedere.link.claims import Claims
    from belvedere.link.connect_turns import ConnectTurns
    from belvedere.link.discovery import DiscoveredDevice

logger = logging.getLogger(__name__)

RESET_S = 20.0  # more than BlueZ takes at its slowest; `reset` has shorter timeouts of its own

Reset: TypeAlias = "Callable[[str, Collection[str], Callable[[], bool]], Coroutine[None, None, None]]"


class HalfOpenRecovery:
    """Resets one radio's adapter when its detector suspects a unit.

    Args:
        claims: those of the radio; at a reset, all its connections count as lost.
        turns: the reset waits for its turn, so that nobody connects meanwhile.
        reset, may_end_links: see `Radio`; without `reset` nothing is ever done.
    """

    def __init__(
        self,
        claims: Claims[DiscoveredDevice],
        turns: ConnectTurns,
        *,
        reset: Reset | None,
        may_end_links: Callable[[], bool],
    ) -> None:
        self.detector = HalfOpenDetector()
        self._claims = claims
        self._turns = turns
        self._reset = reset
        self._may_end_links = may_end_links
        self._calls = PendingCalls()

    def receive_not_found(self) -> None:
        """A search found nothing: the unit may be in a half-open connection, which only a reset ends."""
        is_suspected = self.detector.suspect(asyncio.get_running_loop().time()) is not None
        is_free = not self._turns.is_taken and self._may_end_links()
        if self._reset is not None and is_suspected and is_free:
            self._calls.begin(self._reset_adapter(self._reset))

    async def _reset_adapter(self, reset: Reset) -> None:
        """Reset the adapter while no connection attempt runs; once for all attempts that have failed so far."""
        now = asyncio.get_running_loop().time
        async with self._turns.take():
            suspect = self.detector.suspect(now())
            if suspect is None:
                return
            address, adapter = suspect

            def cancel() -> bool:
                if self._may_end_links():
                    self.detector.receive_reset(adapter, now())
                    logger.warning("resetting the adapter for %s, not seen since connecting failed", address)
                    for claim in self._claims.connected:
                        claim.receive_lost()
                    return True
                return False

            ours = {claim.address for claim in self._claims.connected}
            try:
                await bluetooth_outcome(
                    self._calls.begin(reset(adapter, ours, cancel)), RESET_S, LinkReason.ADAPTER_OFF
                )
            except LinkError as error:
                self.detector.receive_reset(adapter, now())
                logger.warning(
                    "could not reset the adapter for %s, not seen since connecting failed: %s", address, error
                )
