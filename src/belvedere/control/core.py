"""The core that decides every motion: who may drive, which setpoint counts, and when it must end.

Whoever runs it calls a `receive_*` for everything that happens, then `tick`, carries out the effects, and calls `tick`
again at `deadline()` at the latest. A request that may not be is a VisitorError and changes nothing, but for ending a
hold that must not go on. A clock that goes backwards stops the head.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from belvedere.control.age import age_bound_s, top_speed
from belvedere.control.ceiling import Ceiling
from belvedere.control.effects import Effect, NoticeCode, Notify
from belvedere.control.lease import Driver, Lease, LeaseVerb
from belvedere.control.motion import NO_HOLD, AxisMotion, AxisSetup
from belvedere.control.relative_delay import RelativeDelay
from belvedere.control.setpoint import Setpoint, Stamp
from belvedere.errors import Refusal, VisitorError
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from belvedere.control.options import ControlOptions


class AxisStatus(msgspec.Struct, frozen=True):
    """One axis as the core sees it.

    Attributes:
        velocity: what it was told last.
        position_deg: where it stands, as far as that is known.
        limit: the soft limit it stands at: -1, 0 for none, or 1.
        written: what the radio took last: its unit turns so until it takes something else, in reach or not.
        is_position_sure: whether it stands there, or somewhere since it turned out of reach or unheard of.
    """

    velocity: float
    position_deg: float | None
    limit: int
    written: float = 0.0
    is_position_sure: bool = True


class LeaseStatus(msgspec.Struct, frozen=True):
    """Who drives; `session` is None for nobody."""

    epoch: int
    session: str | None
    rank: int


class _Hold:
    """The press that is being held: its number, its beginning and its newest setpoint's end."""

    def __init__(self, number: int, now: float) -> None:
        self.number = number
        self.began_at = now
        self.expires_at = now


class Control:
    """The fail-safe core of one head; not thread-safe, all times in seconds of one monotonic clock."""

    def __init__(self, options: ControlOptions, axes: Mapping[Axis, AxisSetup]) -> None:
        self.options = options
        self._axes = {axis: AxisMotion(axis, axes.get(axis, AxisSetup()), options.acceleration_per_s) for axis in AXES}
        self._lease = Lease(options)
        self._drivers: dict[str, Driver] = {}
        self._relative_delay: dict[str, RelativeDelay] = {}
        self._hold: _Hold | None = None
        self._ceiling = Ceiling(options.hold_ceiling_s, rest_s=options.dead_man_s)
        self._last_seq = -1
        self._last_hold = NO_HOLD
        self._now = -math.inf
        self._is_closing = False
        self._tells: list[Notify] = []

    @property
    def now(self) -> float:
        """Until when everything is decided; before anything happened, minus infinity."""
        return self._now

    # what sessions do

    def receive_session_opened(self, now: float, driver: Driver) -> None:
        """A session came; it may ask for the lease from now on."""
        self._advance(now)
        self._drivers[driver.session] = driver
        self._relative_delay[driver.session] = RelativeDelay()

    def receive_session_closed(self, now: float, session: str) -> None:
        """A session went: whatever it held ends now, and the lease waits for it for the grace time."""
        self._advance(now)
        if self._lease.receive_gone(now, session):
            self._cut(None)
        self._drivers.pop(session, None)
        self._relative_delay.pop(session, None)

    def receive_lease(self, now: float, session: str, verb: LeaseVerb) -> None:
        """A session asks for the lease or returns it. Raises VisitorError."""
        self._advance(now)
        asking = self._driver_of(session)
        before = self._lease.driver
        if verb is LeaseVerb.RETURN:
            changed = self._lease.receive_return(session)
        elif verb is LeaseVerb.TAKE:
            changed = self._lease.receive_take(now, asking)
        else:
            changed = self._lease.receive_acquire(now, asking)
        if changed:
            self._lease_changed(before, is_told=before is not None and before.session != session)

    def receive_heartbeat(self, now: float, session: str, sent_at_s: float) -> None:
        """A session said that it is there: its lease is retained, and the speed of its way is learned."""
        self._advance(now)
        self._lease.receive_heartbeat(now, session)
        if session in self._relative_delay and math.isfinite(sent_at_s):
            self._relative_delay[session].receive(now, sent_at_s)

    def receive_setpoint(self, now: float, session: str, setpoint: Setpoint) -> None:
        """A held stick's wanted velocity; the newest wins, slower where its sender is far away. Raises VisitorError."""
        self._advance(now)
        self._check(now, session, setpoint)
        if self._hold is None or setpoint.hold > self._hold.number:
            self._hold, self._last_hold = _Hold(setpoint.hold, now), setpoint.hold
        self._hold.expires_at = now + min(setpoint.for_s, self.options.dead_man_s)
        stamp = Stamp(session, setpoint.seq, setpoint.sent_at_s)
        slowed = setpoint.slowed(top_speed(age_bound_s(now, setpoint.heard_s), self.options.max_age_s))
        for axis, motion in self._axes.items():
            motion.receive_target(slowed.velocity(axis), setpoint.hold, stamp)

    def receive_release(self, now: float, session: str, epoch: int, hold: int, stamp: Stamp | None = None) -> None:
        """The visitor let go; late and repeated releases, and those of others, change nothing."""
        self._advance(now)
        if not self._lease.is_held_by(session) or epoch != self._lease.epoch:
            return
        self._lease.receive_heartbeat(now, session)
        self._last_hold = max(self._last_hold, hold)
        if self._hold is not None and hold >= self._hold.number:
            self._end_hold(stamp)

    def receive_stop(self, now: float, session: str) -> None:
        """Somebody in the house, driving or not, wants everything to stop."""
        self._advance(now)
        self._lease.receive_heartbeat(now, session)
        self._cut(NoticeCode.STOPPED)
        for motion in self._axes.values():
            motion.receive_stop(now)

    def receive_closing(self, now: float) -> None:
        """The program is about to end: stop, and move nothing any more."""
        self._advance(now)
        self._is_closing = True
        self._cut(NoticeCode.CLOSING)

    # what units do

    def receive_link(self, now: float, axis: Axis, *, is_ready: bool) -> None:
        """The unit of an axis came into reach, or went out of it: then its part of the hold ends."""
        self._advance(now)
        motion = self._axes[axis]
        motion.receive_ready(now, is_ready=is_ready)
        if not is_ready and motion.receive_cut(self._last_hold):
            self._notify(NoticeCode.LINK_LOST, axis, self._last_hold)

    def receive_written(self, now: float, axis: Axis, velocity: float) -> None:
        """A velocity was handed to the radio: from now on the unit turns like that."""
        self._advance(now)
        self._axes[axis].odometer.receive_written(now, velocity)

    def receive_attempted(self, now: float, axis: Axis, velocity: float) -> None:
        """A velocity is on its way to the unit, which may take it even if `receive_written` never comes."""
        self._advance(now)
        self._axes[axis].odometer.receive_attempted(now, velocity)

    # what to do

    def tick(self, now: float) -> list[Effect]:
        """End what must end by now, and return what must be done now."""
        self._advance(now)
        writes = [write for motion in self._axes.values() if (write := motion.tick(now)) is not None]
        self._ceiling.receive(now, is_moving=any(motion.commanded != 0 for motion in self._axes.values()))
        tells, self._tells = self._tells, []
        return [*writes, *tells]

    def deadline(self) -> float | None:
        """When `tick` has something to do at the latest, if nothing happens before; None while all is at rest."""
        times = [motion.deadline() for motion in self._axes.values()]
        times.append(self._lease.deadline())
        if self._hold is not None:
            times.append(min(self._hold.expires_at, self._too_long_at(self._now, self._hold)))
        return min((time for time in times if time is not None), default=None)

    def axis_status(self, now: float, axis: Axis) -> AxisStatus:
        """What this axis was told and where it stands."""
        motion = self._axes[axis]
        odometer = motion.odometer
        return AxisStatus(
            motion.commanded, odometer.position_deg(now), motion.limit(now), odometer.velocity, odometer.is_sure
        )

    @property
    def lease_status(self) -> LeaseStatus:
        """Who drives."""
        driver = self._lease.driver
        return LeaseStatus(self._lease.epoch, driver.session if driver else None, driver.rank if driver else 0)

    # how it decides

    def _check(self, now: float, session: str, setpoint: Setpoint) -> None:
        self._driver_of(session)
        if self._is_closing:
            raise VisitorError(Refusal.NOT_READY, "the house is closing")
        if not self._lease.is_held_by(session):
            is_other = self._lease.driver is not None
            refusal = Refusal.SOMEONE_ELSE_DRIVES if is_other else Refusal.NOT_DRIVING
            raise VisitorError(refusal, "someone else is driving" if is_other else "ask to drive first")
        if setpoint.epoch != self._lease.epoch:
            raise VisitorError(Refusal.OLD_EPOCH, f"epoch {setpoint.epoch} is not {self._lease.epoch}")
        if not setpoint.is_possible:
            raise VisitorError(Refusal.BAD_MESSAGE, "pan and tilt must be in [-1, 1], times finite and positive")
        self._lease.receive_heartbeat(now, session)
        if setpoint.seq <= self._last_seq:
            raise VisitorError(Refusal.OLD_SEQUENCE, f"sequence {setpoint.seq} came after {self._last_seq}")
        self._last_seq = setpoint.seq
        self._check_age(now, session, setpoint)
        is_held = self._hold is not None and setpoint.hold == self._hold.number
        if not is_held and setpoint.hold <= self._last_hold:
            raise VisitorError(Refusal.HOLD_ENDED, f"hold {setpoint.hold} has ended: let go and press again")
        if not is_held and now >= self._ceiling.ends_at(now):
            self._last_hold = setpoint.hold
            raise VisitorError(Refusal.HOLD_TOO_LONG, "the head was moved for too long without rest: let go first")

    def _check_age(self, now: float, session: str, setpoint: Setpoint) -> None:
        """What is too old ends its hold, because whoever sent it may have let go long ago."""
        age_s = age_bound_s(now, setpoint.heard_s)
        late_s = self._relative_delay[session].receive(now, setpoint.sent_at_s, age_s)
        if age_s <= self.options.max_age_s and late_s <= self.options.dead_man_s:
            return
        self._last_hold = max(self._last_hold, setpoint.hold)
        if self._hold is not None and self._hold.number <= setpoint.hold:
            self._cut(NoticeCode.HOLD_EXPIRED)
        if self.options.max_age_s < age_s < math.inf:
            raise VisitorError(Refusal.TOO_SLOW, f"the way here is too slow to steer: {age_s:.1f} s", delay_s=age_s)
        raise VisitorError(Refusal.TOO_LATE, "this came later than the dead-man time")

    def _driver_of(self, session: str) -> Driver:
        driver = self._drivers.get(session)
        if driver is None:
            raise VisitorError(Refusal.NOT_READY, "say hello first")
        return driver

    def _lease_changed(self, before: Driver | None, *, is_told: bool) -> None:
        """Nothing of the former driver's may go on; the next one's holds and sequences start afresh."""
        self._cut(None)
        if is_told and before is not None:
            self._tells.append(Notify(before.session, NoticeCode.LEASE_LOST, None, self._last_hold))
        self._last_seq, self._last_hold = -1, NO_HOLD
        for motion in self._axes.values():
            motion.ended_hold = NO_HOLD

    def _cut(self, code: NoticeCode | None) -> None:
        """A fail-safe: the hold ends on both axes and never resumes; its driver is told the code, if there is one."""
        if self._hold is None:
            return
        number = self._hold.number
        self._end_hold(None)
        if code is not None:
            self._notify(code, None, number)

    def _end_hold(self, stamp: Stamp | None) -> None:
        self._hold = None
        for motion in self._axes.values():
            motion.receive_cut(self._last_hold, stamp)

    def _too_long_at(self, now: float, hold: _Hold) -> float:
        return min(hold.began_at + self.options.hold_ceiling_s, self._ceiling.ends_at(now))

    def _notify(self, code: NoticeCode, axis: Axis | None, hold: int) -> None:
        if self._lease.driver is not None:
            self._tells.append(Notify(self._lease.driver.session, code, axis, hold))

    def _advance(self, now: float) -> None:
        """Let time pass: end what must end by now, before anything that comes after it is looked at.

        Time may stand still but never go backwards: if it does, everything stops and counts afresh.
        """
        if now < self._now:
            self._cut(NoticeCode.CLOCK_JUMPED)
            self._lease.receive_clock_jump(now)
            for motion in self._axes.values():
                motion.receive_clock_jump(self._now, now)
            self._ceiling.receive_clock_jump(self._now, now)
            self._relative_delay = {session: RelativeDelay() for session in self._relative_delay}
        self._now = now
        lost = self._lease.tick(now)
        if lost is not None:
            self._lease_changed(lost, is_told=lost.session in self._drivers)
        if self._hold is not None and now >= self._hold.expires_at:
            self._cut(NoticeCode.HOLD_EXPIRED)
        elif self._hold is not None and now >= self._too_long_at(now, self._hold):
            self._cut(NoticeCode.HOLD_TOO_LONG)
