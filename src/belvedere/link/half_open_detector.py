"""Suspects that a unit which no search finds is connected to the radio chip, although BlueZ knows nothing of it. Pure.

When an attempt to connect is given up in the very moment in which it succeeds, Linux's order to cancel it crosses the
chip's word that the connection is there; Linux then drops its side and never ends the chip's. Such a half-open
connection holds the unit: it does not advertise, nobody can connect to it, and one that turns cannot be stopped. It
lasts until the unit hangs up or the chip is reset. Nothing tells of it: a unit that was switched off at that moment
looks the same.
"""

from __future__ import annotations

from collections import OrderedDict

UNSEEN_S = 20.0  # a unit within reach is found in two seconds nineteen times of twenty, and one that restarts in ten
MAX_SUSPECTS = 16  # strangers may go by a unit's name, and a new address every minute
RESET_EVERY_S = 300.0  # they must not have the adapter reset all the time; nobody else needs it so often


class HalfOpenDetector:
    """The units to which connecting failed and which were not seen since, by address; on one clock."""

    def __init__(self) -> None:
        self._suspects: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._resets: dict[str, float] = {}  # by adapter: when it was reset

    def receive_failed(self, address: str, adapter: str, now: float) -> None:
        """An attempt to connect to this unit by this adapter did not succeed, as far as anybody was told."""
        self._suspects[address] = now, adapter
        self._suspects.move_to_end(address)
        if len(self._suspects) > MAX_SUSPECTS:
            self._suspects.popitem(last=False)

    def receive_seen(self, address: str) -> None:
        """The unit advertises, or BlueZ knows of its connection."""
        self._suspects.pop(address, None)

    def receive_reset(self, adapter: str, now: float) -> None:
        """The adapter is reset, or cannot be: whoever failed before is suspected no more."""
        self._resets[adapter] = now
        for address in [address for address, (_since, at) in self._suspects.items() if at == adapter]:
            del self._suspects[address]

    def suspect(self, now: float) -> tuple[str, str] | None:
        """The address and the adapter of a unit that was not seen for too long; None where there is none."""
        for address, (since, adapter) in self._suspects.items():
            is_rested = now - self._resets.get(adapter, -RESET_EVERY_S) >= RESET_EVERY_S
            if is_rested and now - since >= UNSEEN_S:
                return address, adapter
        return None
