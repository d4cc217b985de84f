"""The only place where a command waits to be written: a slot for the newest one, in which a stop has priority."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A command as it is written to the unit.

    Attributes:
        frame: the bytes.
        velocity: the unit's velocity after rounding to what the frame can express, as a share of full speed.
        is_stop: whether the frame stops the unit.
        stamp: returned to the sender, unchanged, when the frame was written.
    """

    frame: bytes
    velocity: float
    is_stop: bool
    stamp: object | None = None


class LatestWrite:
    """Holds the newest write until it is taken; a replaced one is discarded.

    A stop replaces a waiting move. A move does not replace a waiting stop: it is taken after it.
    """

    def __init__(self) -> None:
        self._stop: PendingWrite | None = None
        self._move: PendingWrite | None = None

    @property
    def pending(self) -> PendingWrite | None:
        """The write that `take` would return."""
        return self._stop or self._move

    def put(self, pending: PendingWrite) -> None:
        """Replace whatever waits; only a move does not replace a stop."""
        if pending.is_stop:
            self._stop, self._move = pending, None
        else:
            self._move = pending

    def take(self) -> PendingWrite | None:
        """Remove and return the write that is next, None if nothing waits."""
        pending = self.pending
        if pending is not None and pending.is_stop:
            self._stop = None
        else:
            self._move = None
        return pending

    def drop_stop(self) -> None:
        """Discard a waiting stop: the unit was sent one already."""
        self._stop = None

    def clear(self) -> None:
        """Discard whatever waits."""
        self._stop = self._move = None
