"""How long to wait before a unit is tried again. Pure policy: chance is passed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.errors import LinkReason

if TYPE_CHECKING:
    from belvedere.link.options import LinkOptions

MAX_DOUBLINGS = 16  # beyond that any first wait is longer than the longest
JITTER = 0.5  # the share of a wait that is left to chance, so that two units never keep meeting on the radio


class Backoff:
    """The waits of one unit.

    A unit that is not there is looked for again after a rest of at most `rest_s`, however long it has been away: an
    hour may have passed, but it comes back at an instant, and must be found within two seconds of that. The radio is
    spared by searching in spells, not by searching seldom. The same goes for an adapter that is off: asking it again
    costs the radio nothing.

    A unit that is there and fails has a reason to, and each attempt takes the radio from the other unit: its waits
    double, up to `retry_longest_s`, until a link has held for `stable_s`.
    """

    def __init__(self, options: LinkOptions) -> None:
        self._options = options
        self._failures = 0

    def wait_s(self, reason: LinkReason, ready_for_s: float, chance: float) -> float:
        """The wait after an attempt that ended for this reason; called once for each.

        `ready_for_s` is how long the link had been good before, 0 if it never was; `chance` lies in [0, 1).
        """
        if ready_for_s > 0 and ready_for_s >= self._options.stable_s:
            self._failures = 0
        shortened = 1 - JITTER * chance
        if reason in {LinkReason.NOT_FOUND, LinkReason.NO_ADAPTER, LinkReason.ADAPTER_OFF}:
            return self._options.rest_s * shortened
        wait_s = min(self._options.retry_first_s * 2.0**self._failures, self._options.retry_longest_s)
        self._failures = min(self._failures + 1, MAX_DOUBLINGS)
        return wait_s * shortened
