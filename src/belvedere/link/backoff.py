"""How long to wait before trying a unit again. Pure policy: randomness is passed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.errors import LinkReason

if TYPE_CHECKING:
    from belvedere.link.options import LinkOptions

MAX_DOUBLINGS = 16  # more would exceed any allowed maximum wait
NOTHING_FOUND = frozenset(
    {LinkReason.NOT_FOUND, LinkReason.NO_ADAPTER, LinkReason.ADAPTER_OFF, LinkReason.DISCOVERY_STUCK}
)
JITTER = 0.5  # random share of a wait, so that two units do not keep competing for the radio at the same moments


class Backoff:
    """The waits between the attempts to reach one unit.

    A unit that was not found is searched for again after at most `rest_s`, no matter how long it has been away: it must
    be found within two seconds of coming back, so this wait never grows. Pauses between searches are what spares the
    radio. An adapter that is missing, off or stuck is tried at the same rate: trying it costs the radio nothing.

    A unit that was found but failed is tried less and less often, because each attempt blocks the radio for the other
    unit: the wait doubles, up to `retry_longest_s`, until a link has been ready for `stable_s`.
    """

    def __init__(self, options: LinkOptions) -> None:
        self._options = options
        self._failures = 0

    def wait_s(self, reason: LinkReason, ready_for_s: float, chance: float) -> float:
        """Return the wait after an attempt that failed for this reason. Call it once per attempt: it counts failures.

        `ready_for_s` is how long the link had been READY before, 0 if it never was; `chance` is random in [0, 1).
        """
        if ready_for_s > 0 and ready_for_s >= self._options.stable_s:
            self._failures = 0
        shortened = 1 - JITTER * chance
        if reason in NOTHING_FOUND:
            return self._options.rest_s * shortened
        wait_s = min(self._options.retry_first_s * 2.0**self._failures, self._options.retry_longest_s)
        self._failures = min(self._failures + 1, MAX_DOUBLINGS)
        return wait_s * shortened
