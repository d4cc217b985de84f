"""Detects that BlueZ's discovery is stuck: no scan finds anything any more until the adapter is reset. Pure.

Linux gives the radio chip two seconds to end a scan. If no answer comes in that time, Linux keeps the discovery as one
that is being stopped, for good: it refuses to stop it once more and to start another. BlueZ reports each refusal as
InProgress, or, as it believes that a scan is on, accepts a start and does nothing. bleak has asked again by then, which
helps where only BlueZ was mistaken, so a refusal is rarely a passing one; two with no scan between them that ended are
not. (A reset for another reason clears a doubt.)

            refused            refused again            reset
    WORKING ───────> DOUBTFUL ─────────────> STUCK ───────────────> RESET
       ^                │                     │ ^      refused        │
       │                │                     │ └─────────────────────┤
       └────────────────┴─ a scan has ended ──┴───────────────────────┘
"""

from __future__ import annotations

import enum

PASSING_S = 3.0  # longer than Linux waits for a chip, as it may be doing for a scan of another program
FIRST_WAIT_S = 60.0  # from a reset to the next; each one costs the links of the units at rest
MAX_DOUBLINGS = 5  # enough to get from there to the longest
LONGEST_WAIT_S = 1800.0  # the waits double up to this: a chip that needs to be unplugged is not helped by haste
FORGET_S = 2 * LONGEST_WAIT_S  # a reset this long ago has helped, whatever has happened since


class DiscoveryState(enum.Enum):
    """What is known of BlueZ's discovery."""

    WORKING = enum.auto()
    DOUBTFUL = enum.auto()
    STUCK = enum.auto()
    RESET = enum.auto()


class DiscoveryEvent(enum.Enum):
    """What happened to a scan, or to the adapter."""

    ENDED = enum.auto()
    REFUSED = enum.auto()
    RESET = enum.auto()


_S, _E = DiscoveryState, DiscoveryEvent
TRANSITIONS: dict[tuple[DiscoveryState, DiscoveryEvent], DiscoveryState] = {
    (_S.WORKING, _E.ENDED): _S.WORKING,
    (_S.WORKING, _E.REFUSED): _S.DOUBTFUL,
    (_S.WORKING, _E.RESET): _S.WORKING,
    (_S.DOUBTFUL, _E.ENDED): _S.WORKING,
    (_S.DOUBTFUL, _E.REFUSED): _S.STUCK,
    (_S.DOUBTFUL, _E.RESET): _S.WORKING,
    (_S.STUCK, _E.ENDED): _S.WORKING,
    (_S.STUCK, _E.REFUSED): _S.STUCK,
    (_S.STUCK, _E.RESET): _S.RESET,
    (_S.RESET, _E.ENDED): _S.WORKING,
    (_S.RESET, _E.REFUSED): _S.STUCK,
    (_S.RESET, _E.RESET): _S.RESET,
}


class StuckDiscoveryDetector:
    """The discovery of one adapter, on one clock."""

    def __init__(self) -> None:
        self.state = DiscoveryState.WORKING
        self._refused_at = 0.0  # when it became DOUBTFUL
        self._resets = 0  # tried in a row, of which none is older than FORGET_S
        self._reset_at = 0.0

    @property
    def is_stuck(self) -> bool:
        """Whether nothing can be found before a reset."""
        return self.state is DiscoveryState.STUCK

    @property
    def wait_s(self) -> float:
        """How long after the last reset the next one may come; 0 before the first."""
        if self._resets == 0:
            return 0.0
        return min(FIRST_WAIT_S * 2.0 ** min(self._resets - 1, MAX_DOUBLINGS), LONGEST_WAIT_S)

    def receive_ended(self) -> None:
        """A scan was started and stopped as asked."""
        self._follow(DiscoveryEvent.ENDED)

    def receive_refused(self, now: float) -> None:
        """BlueZ refused to start or to stop a scan, because it believes that one is in progress."""
        if self.state is DiscoveryState.WORKING:
            self._refused_at = now
        elif self.state is DiscoveryState.DOUBTFUL and now - self._refused_at < PASSING_S:
            return
        self._follow(DiscoveryEvent.REFUSED)

    def receive_reset(self, now: float) -> None:
        """The adapter is being reset."""
        self.receive_reset_failed(now)
        self._follow(DiscoveryEvent.RESET)

    def receive_reset_failed(self, now: float) -> None:
        """The adapter was to be reset, and that was refused: the next try has to wait as after a reset."""
        if now - self._reset_at >= FORGET_S:
            self._resets = 0
        self._resets += 1
        self._reset_at = now

    def is_reset_due(self, now: float) -> bool:
        """Whether to reset the adapter now."""
        return self.is_stuck and now - self._reset_at >= self.wait_s

    def _follow(self, event: DiscoveryEvent) -> None:
        self.state = TRANSITIONS[self.state, event]
