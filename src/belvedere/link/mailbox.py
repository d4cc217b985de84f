"""The one place where a command may wait: a single slot, in which a newer command replaces an older one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
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


class Mailbox:
    """Holds the newest letter until it is taken. What is replaced is gone: only the newest command counts."""

    def __init__(self) -> None:
        self._letter: Letter | None = None

    @property
    def letter(self) -> Letter | None:
        """The letter that waits."""
        return self._letter

    def put(self, letter: Letter) -> None:
        """Replace whatever waits."""
        self._letter = letter

    def take(self) -> Letter | None:
        """The letter that waits, which then waits no more."""
        letter, self._letter = self._letter, None
        return letter
