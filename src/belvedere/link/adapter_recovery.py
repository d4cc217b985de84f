"""Has the adapter reset when nothing else helps, at a moment at which no unit could be left turning.

That is for a unit in a half-open connection (`half_open_detector`), and for a discovery that is stuck
(`stuck_discovery_detector`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from belvedere.errors import LinkError, LinkReason
from belvedere.link.half_open_detector import HalfOpenDetector
from belvedere.link.pending_calls import PendingCalls, bluetooth_outcome
from belvedere.link.stuck_discovery_detector import DiscoveryState, StuckDiscoveryDetector

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from belvedere.link.claims import Claims
    from belvedere.link.connect_turns import ConnectTurns
    from belvedere.link.discovery import DiscoveredDevice

logger = logging.getLogger(__name__)

RESET_S = 20.0  # more than BlueZ takes at its slowest; `reset` has shorter timeouts of its own
ADVICE = (
    "run `sudo systemctl restart bluetooth`; if that does not help, unplug the adapter, or switch the computer off and"
    " on again"
)

Reset: TypeAlias = "Callable[[str, Collection[str], Callable[[], bool]], Coroutine[None, None, None]]"


class _Cause(NamedTuple):
    adapter: str  # BlueZ's object; "" for the only adapter that is on
    why: str


class AdapterRecovery:
    """Resets one radio's adapter when one of its detectors asks for it.

    Args:
        claims: those of the radio; at a reset, all its connections count as lost.
        turns: the reset waits for its turn, so that nobody connects meanwhile.
        adapter: returns BlueZ's object of the radio's adapter, "" for the only one that is on.
        reset, may_end_links: see `Radio`; without `reset` nothing is ever done.
    """

    def __init__(
        self,
        claims: Claims[DiscoveredDevice],
        turns: ConnectTurns,
        *,
        adapter: Callable[[], str],
        reset: Reset | None,
        may_end_links: Callable[[], bool],
    ) -> None:
        self.half_open = HalfOpenDetector()
        self.discovery = StuckDiscoveryDetector()
        self._claims = claims
        self._turns = turns
        self._adapter = adapter
        self._reset = reset
        self._may_end_links = may_end_links
        self._calls = PendingCalls()

    @property
    def failure(self) -> LinkError | None:
        """Why no search can find anything before a reset; None where one can."""
        if not self.discovery.is_stuck:
            return None
        return LinkError(LinkReason.DISCOVERY_STUCK, "BlueZ's discovery is stuck: no unit is found before a reset")

    def receive_scan_ended(self, error: LinkError | None) -> None:
        """A scan is over: ended as asked, or `error` is why it did not start or end."""
        before = self.discovery.state
        if error is None:
            self.discovery.receive_ended()
        elif error.reason is LinkReason.DISCOVERY_STUCK:
            self.discovery.receive_refused(asyncio.get_running_loop().time())
        self._report(before, self.discovery.state)

    def receive_not_found(self) -> None:
        """A search has found nothing: the adapter may have to be reset before one can."""
        is_needed = self._cause() is not None
        is_free = not self._turns.is_taken and self._may_end_links()
        if self._reset is not None and is_needed and is_free:
            self._calls.begin(self._reset_adapter(self._reset))

    async def _reset_adapter(self, reset: Reset) -> None:
        """Reset the adapter while no connection attempt runs; once for all that has gone wrong so far."""
        now = asyncio.get_running_loop().time
        async with self._turns.take():
            cause = self._cause()
            if cause is None:
                return

            def cancel() -> bool:
                if self._may_end_links():
                    self.half_open.receive_reset(cause.adapter, now())
                    self.discovery.receive_reset(now())
                    logger.warning("resetting the Bluetooth adapter: %s", cause.why)
                    for claim in self._claims.connected:
                        claim.receive_lost()
                    return True
                return False

            ours = {claim.address for claim in self._claims.connected}
            try:
                await bluetooth_outcome(
                    self._calls.begin(reset(cause.adapter, ours, cancel)), RESET_S, LinkReason.ADAPTER_OFF
                )
            except LinkError as error:
                self.half_open.receive_reset(cause.adapter, now())
                if self.discovery.is_stuck:
                    self.discovery.receive_reset_failed(now())
                logger.warning("could not reset the Bluetooth adapter, although %s: %s; %s", cause.why, error, ADVICE)

    def _cause(self) -> _Cause | None:
        now = asyncio.get_running_loop().time()
        if self.discovery.is_reset_due(now):
            return _Cause(self._adapter(), "BlueZ's discovery is stuck")
        suspect = self.half_open.suspect(now)
        if suspect is None:
            return None
        address, adapter = suspect
        return _Cause(adapter, f"{address} was not seen since connecting to it failed")

    def _report(self, before: DiscoveryState, after: DiscoveryState) -> None:
        """Log that discovery is stuck, once, whether a reset has helped, and what else would."""
        if before is after:
            return
        if after is DiscoveryState.STUCK and before is DiscoveryState.RESET:
            wait_s = self.discovery.wait_s
            logger.warning(
                "BlueZ's discovery is stuck again, and the adapter is reset again in %.0f s at the earliest: %s",
                wait_s,
                ADVICE,
            )
        elif after is DiscoveryState.STUCK:
            logger.warning("BlueZ's discovery is stuck: it refuses to end scans or to start any, and finds no unit")
        elif before in {DiscoveryState.STUCK, DiscoveryState.RESET} and after is DiscoveryState.WORKING:
            logger.info("BlueZ's discovery works again")
