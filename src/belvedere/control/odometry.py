"""Dead reckoning: the position of an axis, added up from the velocities written to its unit, and its uncertainty.

Units do not report their position. A unit keeps turning until it executes another command, whether its link is up or
not, so the last written velocity, times full speed, times the time until the next write, is the angle that it turned.

The uncertainty is an interval: the unit stands somewhere in [position - below_deg, position + above_deg]. It widens
while the unit's velocity is uncertain itself, and that happens in two ways:

1. A write began and has not completed. The unit may turn at the old velocity or at the new one. When the write
   completes, the velocity is known, and with the short duration of a write the interval that it left is dropped. When
   the link is lost first, the interval stays, and widens until a stop is written after the reconnect.
2. A write completed, but the link was already dead. Linux reports a dead link only after the supervision timeout, so
   the unit may have missed every write of the last `UNHEARD_S` seconds. Those writes are remembered, and when the link
   is lost, the interval is widened as if the unit had executed any of them and missed the rest.

                  write begins       write completes         link lost            reconnect, stop written
    velocity      old..new           new                     old..new             0
    interval  ----+++++++++++++++++++|______________________|++++++++++++++++++++|------------------------->  time
                  widens             dropped                 widens (2.)          stays as wide as it is
"""

from __future__ import annotations

import math
from collections import deque

import msgspec

UNHEARD_S = 0.5  # a link may be dead for this long before it is reported: Linux's supervision timeout is 0.42 s
KEPT_OUTAGE_S = 5.0  # a unit that turned out of reach for longer may have met its end stop or been switched off
SURE_DEG = 1.0  # an uncertainty smaller than this is less than the drift of a motor in a day


class _Uncertainty(msgspec.Struct):
    """The interval of velocities at which the unit may be turning, and the interval of positions that results.

    Attributes:
        slowest, fastest: bounds of the velocity, with its sign, as shares of full speed.
        below_deg, above_deg: how far the unit may stand below and above the reckoned position; both at least 0.
    """

    slowest: float = 0.0
    fastest: float = 0.0
    below_deg: float = 0.0
    above_deg: float = 0.0

    @property
    def may_turn(self) -> bool:
        return self.slowest != 0 or self.fastest != 0

    def advance(self, velocity: float, full_deg: float) -> None:
        """Widen by the time in which full speed turns `full_deg`, while `velocity` was assumed in the reckoning."""
        self.below_deg += (velocity - self.slowest) * full_deg
        self.above_deg += (self.fastest - velocity) * full_deg

    def receive(self, velocity: float) -> None:
        """The unit may be turning at this velocity, too."""
        self.slowest, self.fastest = min(self.slowest, velocity), max(self.fastest, velocity)

    def resolve(self, velocity: float) -> None:
        """The unit is known to turn at this velocity; the position interval stays, but widens no more."""
        self.slowest = self.fastest = velocity

    def copy(self) -> _Uncertainty:
        return msgspec.structs.replace(self)


class Odometer:
    """Adds up written velocities over time.

    Positions are in degrees, and None if the full speed is not calibrated.

    Attributes:
        velocity: the last written velocity, a share of full speed.
    """

    def __init__(
        self, full_speed_deg_per_s: float | None, position_deg: float = 0.0, *, is_position_sure: bool = True
    ) -> None:
        self.full_speed_deg_per_s = full_speed_deg_per_s
        self.velocity = 0.0
        self._position_deg = position_deg
        self._since = 0.0
        # Two uncertainties side by side. `_kept` is what no write can remove any more; `_open` adds the write in
        # progress. A write that completes sets `_open` back to `_kept`; a lost link makes `_open` the new `_kept`.
        self._kept = _Uncertainty()
        self._open = _Uncertainty()
        # (time, velocity) of the writes that may still turn out to be missed, oldest first. The first one is older than
        # UNHEARD_S, so it arrived: it is the velocity at which the unit turned if it missed all the others.
        self._recent: deque[tuple[float, float]] = deque([(-math.inf, 0.0)])
        self._lost_at: float | None = None
        self._uncertainty_at_loss = _Uncertainty()
        self._position_at_loss_deg = position_deg
        self._was_away_long = False
        self._is_count_kept = is_position_sure  # False for good once the unit may have turned any distance

    # events

    def receive_attempted(self, now: float, velocity: float) -> None:
        """A write of this velocity began: the unit may turn at it from now on, or never."""
        self._advance(now)
        self._open.receive(velocity)

    def receive_written(self, now: float, velocity: float) -> None:
        """A write of this velocity completed: the unit turns at it from now on."""
        self._advance(now)
        # The first write after an outage is the stop. It comes before `receive_found`, which needs to know whether the
        # unit may have been turning until now.
        if self._lost_at is not None and self._kept.may_turn and now - self._lost_at > KEPT_OUTAGE_S:
            self._was_away_long = True
        self.velocity = velocity
        self._recent.append((now, velocity))
        # Drop the first entry as soon as the second one is old enough to have arrived for certain.
        while self._recent[1][0] <= now - UNHEARD_S:
            self._recent.popleft()
        self._kept.resolve(velocity)
        self._open = self._kept.copy()

    def receive_lost(self, now: float) -> None:
        """The link was lost, or an attempt to reconnect failed: a write in progress will never complete."""
        self._advance(now)
        is_first_report = self._lost_at is None
        self._lost_at = now if self._lost_at is None else self._lost_at
        self._add_recent_uncertainty(now)
        self._kept = self._open.copy()
        if is_first_report:
            self._uncertainty_at_loss = self._open.copy()
            self._position_at_loss_deg = self._position_deg

    def receive_found(self, now: float, min_deg: float | None, max_deg: float | None) -> None:
        """The link is up again, and a stop was written.

        What the unit turned meanwhile counts, even beyond the limits: from there it can only be driven back. If it may
        have turned for longer than KEPT_OUTAGE_S, the reckoned position is meaningless, so it is clamped to the limits
        (or to where the unit stood before, if that was beyond them), and `is_sure` is False from then on.
        """
        self._advance(now)
        self._lost_at = None
        self._recent = deque([(now, self.velocity)])
        if self._was_away_long:
            self._was_away_long, self._is_count_kept = False, False
            if max_deg is not None:
                self._position_deg = min(self._position_deg, max(max_deg, self._position_at_loss_deg))
            if min_deg is not None:
                self._position_deg = max(self._position_deg, min(min_deg, self._position_at_loss_deg))
            # Clamping replaced what was reckoned during the outage, so its uncertainty goes too; the older one stays.
            self._kept = self._uncertainty_at_loss.copy()
            self._kept.resolve(self.velocity)
            self._open = self._kept.copy()

    def receive_clock_jump(self, before: float, now: float) -> None:
        """The clock went backwards from `before` to `now`: count until `before`, go on from `now`, keep durations."""
        self._advance(before)
        self._since = now
        if self._lost_at is not None:
            self._lost_at -= before - now
        self._recent = deque((written_at - (before - now), velocity) for written_at, velocity in self._recent)

    # results

    @property
    def is_sure(self) -> bool:
        """Whether the unit's velocity and position are known, apart from the drift of its motor."""
        is_known = self._open.slowest == self._open.fastest and not (self._lost_at is not None and self._kept.may_turn)
        return is_known and self._is_count_kept and self._kept.below_deg + self._kept.above_deg <= SURE_DEG

    def position_deg(self, now: float) -> float | None:
        """The reckoned position at `now`, or None without a calibrated full speed."""
        if self.full_speed_deg_per_s is None:
            return None
        return self._position_deg + self.velocity * self._full_deg(now)

    def farthest_deg(self, now: float, velocity: float, max_deg: float) -> float | None:
        """The end of the position interval in the direction of `velocity`, from which a limit must be kept.

        At most `max_deg` of the uncertainty counts. None without a calibrated full speed.
        """
        position = self.position_deg(now)
        if position is None:
            return None
        full_deg = self._full_deg(now)
        if velocity > 0:
            return position + min(self._open.above_deg + (self._open.fastest - self.velocity) * full_deg, max_deg)
        return position - min(self._open.below_deg + (self.velocity - self._open.slowest) * full_deg, max_deg)

    def _advance(self, now: float) -> None:
        """Add what the unit turned since the last event; every event calls this before it changes a velocity."""
        turned_deg = self._full_deg(now)
        self._position_deg += self.velocity * turned_deg
        self._kept.advance(self.velocity, turned_deg)
        self._open.advance(self.velocity, turned_deg)
        self._since = now

    def _add_recent_uncertainty(self, now: float) -> None:
        """Widen the uncertainty by the writes that the unit may have missed because the link was already dead.

        The reckoning assumed that each of them arrived. If the link failed right after one of them, the unit has turned
        at that velocity ever since. So in every interval between two writes it may have turned at any velocity of the
        window. That is more than is possible, since no write is executed before it is made, but never too little.
        """
        begins_at = now - UNHEARD_S
        recent = [(max(at, begins_at), velocity) for at, velocity in self._recent]
        ends = [*(at for at, _velocity in recent[1:]), now]
        missed = _Uncertainty(self.velocity, self.velocity)
        # First the bounds of the velocity: from now on the unit may turn at any of these until a write arrives.
        for (_at, velocity), ends_at in zip(recent, ends, strict=True):
            if ends_at > begins_at:
                self._open.receive(velocity)
                missed.receive(velocity)
        # Then the past: each interval was reckoned at its own velocity, and may have been turned at any of them.
        for (at, velocity), ends_at in zip(recent, ends, strict=True):
            missed.advance(velocity, (self.full_speed_deg_per_s or 0.0) * (ends_at - at))
        self._open.below_deg += missed.below_deg
        self._open.above_deg += missed.above_deg
        # Counted once: a second loss must not widen the interval by the same writes again.
        self._recent = deque([(now, self.velocity)])

    def _full_deg(self, now: float) -> float:
        """The angle that full speed turns from the last event until `now`."""
        return (self.full_speed_deg_per_s or 0.0) * max(0.0, now - self._since)
