"""Where an axis stands, dead-reckoned from what was written to its unit, and how far that may be from the truth.

A unit keeps turning until it takes another command, whether its link lives or not, so the velocity that was written
last counts until the next write. A command that was handed over and of which nothing was heard may have been taken, or
not: while it is on its way that is a doubt that the end of the write settles, but when the link is lost before that,
the doubt stays, and grows until the unit is told to stop.
"""

from __future__ import annotations

import math
from collections import deque

import msgspec

UNHEARD_S = 0.5  # a link may be dead for so long before it shows: Linux's supervision timeout is 0.42 s
KEPT_OUTAGE_S = 5.0  # a unit that turned out of reach for longer may have met its own end, or a hand, or stopped
SURE_DEG = 1.0  # a doubt smaller than this is less than what a motor drifts in a day


class _Uncertainty(msgspec.Struct):
    """Between which velocities the unit may turn, and how much lower or higher it may stand than is reckoned."""

    slowest: float = 0.0
    fastest: float = 0.0
    below_deg: float = 0.0
    above_deg: float = 0.0

    @property
    def may_turn(self) -> bool:
        return self.slowest != 0 or self.fastest != 0

    def advance(self, velocity: float, full_deg: float) -> None:
        """Time passed in which full speed turns `full_deg`, and in which `velocity` was reckoned."""
        self.below_deg += (velocity - self.slowest) * full_deg
        self.above_deg += (self.fastest - velocity) * full_deg

    def receive(self, velocity: float) -> None:
        """The unit may have taken this, too."""
        self.slowest, self.fastest = min(self.slowest, velocity), max(self.fastest, velocity)

    def resolve(self, velocity: float) -> None:
        """The unit took this."""
        self.slowest = self.fastest = velocity

    def copy(self) -> _Uncertainty:
        return msgspec.structs.replace(self)


class Odometer:
    """Adds up written velocities over time.

    Positions are in degrees of view, and None where the full speed is not known.

    Attributes:
        velocity: what was written last, a share of full speed.
    """

    def __init__(
        self, full_speed_deg_per_s: float | None, position_deg: float = 0.0, *, is_position_sure: bool = True
    ) -> None:
        self.full_speed_deg_per_s = full_speed_deg_per_s
        self.velocity = 0.0
        self._position_deg = position_deg
        self._since = 0.0
        self._kept = _Uncertainty()  # what no write will settle any more
        self._open = _Uncertainty()  # the same, and what is on its way now
        self._recent: deque[tuple[float, float]] = deque([(-math.inf, 0.0)])  # (when, velocity) of the last writes
        self._lost_at: float | None = None
        self._at_loss, self._stood_deg = _Uncertainty(), position_deg
        self._was_away_long = False
        self._is_count_kept = is_position_sure

    # what happens

    def receive_attempted(self, now: float, velocity: float) -> None:
        """The unit is being told to turn at this share of full speed, and may do so from now on, or never."""
        self._advance(now)
        self._open.receive(velocity)

    def receive_written(self, now: float, velocity: float) -> None:
        """The unit was told to turn at this share of full speed from now on; what was on its way before is settled."""
        self._advance(now)
        if self._lost_at is not None and self._kept.may_turn and now - self._lost_at > KEPT_OUTAGE_S:
            self._was_away_long = True
        self.velocity = velocity
        self._recent.append((now, velocity))
        while self._recent[1][0] <= now - UNHEARD_S:
            self._recent.popleft()
        self._kept.resolve(velocity)
        self._open = self._kept.copy()

    def receive_lost(self, now: float) -> None:
        """The unit is out of reach, or still is: what was on its way to it will never be heard of."""
        self._advance(now)
        is_news = self._lost_at is None
        self._lost_at = now if self._lost_at is None else self._lost_at
        self._add_recent_uncertainty(now)
        self._kept = self._open.copy()
        if is_news:
            self._at_loss, self._stood_deg = self._open.copy(), self._position_deg

    def receive_found(self, now: float, min_deg: float | None, max_deg: float | None) -> None:
        """The unit is in reach again, and was told to stop.

        What it turned meanwhile counts, beyond the limits too, but not if it may have turned for very long: then it
        stands somewhere, and the limit is as good a guess as any, or where it stood beyond that; what was doubtful
        before stays so.
        """
        self._advance(now)
        self._lost_at = None
        self._recent = deque([(now, self.velocity)])
        if self._was_away_long:
            self._was_away_long, self._is_count_kept = False, False
            if max_deg is not None:
                self._position_deg = min(self._position_deg, max(max_deg, self._stood_deg))
            if min_deg is not None:
                self._position_deg = max(self._position_deg, min(min_deg, self._stood_deg))
            self._kept = self._at_loss.copy()  # nobody knows what it turned since; what was doubtful before still is
            self._kept.resolve(self.velocity)
            self._open = self._kept.copy()

    def receive_clock_jump(self, before: float, now: float) -> None:
        """The clock went backwards from `before`: what was turned until then counts, and it goes on from `now`."""
        self._advance(before)
        self._since = now
        if self._lost_at is not None:
            self._lost_at -= before - now
        self._recent = deque((written_at - (before - now), velocity) for written_at, velocity in self._recent)

    # what is known

    @property
    def is_sure(self) -> bool:
        """Whether it is known what the unit does, and where it stands, but for the motor's drift."""
        is_known = self._open.slowest == self._open.fastest and not (self._lost_at is not None and self._kept.may_turn)
        return is_known and self._is_count_kept and self._kept.below_deg + self._kept.above_deg <= SURE_DEG

    def position_deg(self, now: float) -> float | None:
        """Where the axis stands at `now`, by what was written."""
        if self.full_speed_deg_per_s is None:
            return None
        return self._position_deg + self.velocity * self._full_deg(now)

    def farthest_deg(self, now: float, velocity: float, max_deg: float) -> float | None:
        """Where it may stand at worst for going on in the direction of `velocity`; of the doubt, at most `most_deg`."""
        position = self.position_deg(now)
        if position is None:
            return None
        full_deg = self._full_deg(now)
        if velocity > 0:
            return position + min(self._open.above_deg + (self._open.fastest - self.velocity) * full_deg, max_deg)
        return position - min(self._open.below_deg + (self.velocity - self._open.slowest) * full_deg, max_deg)

    def _advance(self, now: float) -> None:
        turned_deg = self._full_deg(now)
        self._position_deg += self.velocity * turned_deg
        self._kept.advance(self.velocity, turned_deg)
        self._open.advance(self.velocity, turned_deg)
        self._since = now

    def _add_recent_uncertainty(self, now: float) -> None:
        """The link may have been dead for a while before that showed: the unit may have missed the last writes."""
        begins_at = now - UNHEARD_S
        recent = [(max(at, begins_at), velocity) for at, velocity in self._recent]
        ends = [*(at for at, _velocity in recent[1:]), now]
        missed = _Uncertainty(self.velocity, self.velocity)
        for (_at, velocity), ends_at in zip(recent, ends, strict=True):
            if ends_at > begins_at:
                self._open.receive(velocity)
                missed.receive(velocity)
        for (at, velocity), ends_at in zip(recent, ends, strict=True):
            missed.advance(velocity, (self.full_speed_deg_per_s or 0.0) * (ends_at - at))
        self._open.below_deg += missed.below_deg
        self._open.above_deg += missed.above_deg
        self._recent = deque([(now, self.velocity)])

    def _full_deg(self, now: float) -> float:
        """How far full speed turns from the last event until `now`."""
        return (self.full_speed_deg_per_s or 0.0) * max(0.0, now - self._since)
