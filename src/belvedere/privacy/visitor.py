"""One person before the room: has knocked, was refused, or was let in for a visit.

                 knock                       yes, always
    nothing -------------> waiting ------------------------> let in
       ^                   |                                 |   |
       |                   | no, or no answer for            |   | no
       |                   v KNOCK_TIMEOUT_S                 |   v
       +------------- refused <------------------------------|---+
       |  ASK_AGAIN_S                                        |
       +-----------------------------------------------------+
          away for VISIT_GRACE_S, the curtain closes, or quiet hours begin

The room may answer in any of these states; a visit that it permits in quiet hours goes on when they end.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from belvedere.privacy.moment import Moment

KNOCK_TIMEOUT_S = 60.0  # no answer for so long is a no
ASK_AGAIN_S = 300.0  # a person who was refused may knock again after that
VISIT_GRACE_S = 300.0  # who loses the connection for less than that does not knock again


class Visitor:
    """What the room has said to one person. All times are of the monotonic clock, those of `*_utc_s` of the wall clock.

    Attributes:
        knocked_utc_s: when the knock that waits for an answer came; None if none does.
        refused_utc_s: until when the person is refused; None if not.
        is_let_in: whether a visit was permitted.
    """

    def __init__(self) -> None:
        self.knocked_utc_s: float | None = None
        self.refused_utc_s: float | None = None
        self.is_let_in = False
        self._ends_at = math.inf  # of the present state

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to remember."""
        return self.knocked_utc_s is None and self.refused_utc_s is None and not self.is_let_in

    def receive_knock(self, at: Moment) -> None:
        """The person knocks."""
        self._reset(at.now + KNOCK_TIMEOUT_S)
        self.knocked_utc_s = at.utc_s

    def let_in(self, at: Moment, *, is_here: bool) -> None:
        """The room says yes."""
        self._reset(math.inf if is_here else at.now + VISIT_GRACE_S)
        self.is_let_in = True

    def refuse(self, at: Moment) -> None:
        """The room says no."""
        self._reset(at.now + ASK_AGAIN_S)
        self.refused_utc_s = at.utc_s + ASK_AGAIN_S

    def receive_presence(self, at: Moment, *, is_here: bool) -> None:
        """The person looks, hears or drives, or does nothing of that."""
        if self.is_let_in:
            self._ends_at = math.inf if is_here else min(self._ends_at, at.now + VISIT_GRACE_S)

    def end_visit(self) -> None:
        """The curtain closes, or quiet hours begin: a knock and a permitted visit are over, a refusal is not."""
        if self.refused_utc_s is None:
            self._reset(math.inf)

    def tick(self, at: Moment) -> bool:
        """Do what is due; returns whether anything changed."""
        if at.now < self._ends_at:
            return False
        if self.knocked_utc_s is not None:
            self.refuse(at)
        else:
            self._reset(math.inf)
        return True

    def deadline(self) -> float:
        """When `tick` must be called; infinite if never."""
        return self._ends_at

    def _reset(self, ends_at: float) -> None:
        self.knocked_utc_s = self.refused_utc_s = None
        self.is_let_in = False
        self._ends_at = ends_at
