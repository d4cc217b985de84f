"""The one place where a command may wait: only the newest, and never in the way of a stop."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A frame on its way to the unit.

    Attributes:
        frame: the bytes.
        velocity: what the frame makes the axis do, as a share of full speed.
        is_stop: whether it ends all motion.
        stamp: whatever the sender wants handed back when the frame was written.
    """

    frame: bytes
    velocity: float
    is_stop: bool
    stamp: object | None = None


class LatestCommand:
    """Holds the newest letter until it is taken; what is replaced is gone.

    Stop beats: it replaces a move that waits, and a move that comes after it waits behind it.
    """

    def __init__(self) -> None:
        self._stop: PendingWrite | None = None
        self._move: PendingWrite | None = None

    @property
    def pending(self) -> PendingWrite | None:
        """The letter that is taken next."""
        return self._stop or self._move

    def put(self, pending: PendingWrite) -> None:
        """Replace whatever waits, but for a stop by a move."""
        if pending.is_stop:
            self._stop, self._move = pending, None
        else:
            self._move = pending

    def take(self) -> PendingWrite | None:
        """The letter whose turn it is, which then waits no more."""
        pending = self.pending
        if pending is not None and pending.is_stop:
            self._stop = None
        else:
            self._move = None
        return pending

    def drop_stop(self) -> None:
        """Forget a stop that waits: the unit has been told already."""
        self._stop = None

    def clear(self) -> None:
        """Forget whatever waits."""
        self._stop = self._move = None
