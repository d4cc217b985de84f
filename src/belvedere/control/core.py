"""The fail-safe core: decides who may drive, which setpoint counts, and when every motion must end.

The caller reports each event through a `receive_*` method, then calls `tick` and carries out the effects that it
returns, and calls `tick` again at `deadline()` at the latest. A refused request raises VisitorError and changes
nothing, except that it may end a hold that must not go on.

A **lease** is the exclusive right to drive; one session at a time has it. Every grant raises the **epoch**, so a
setpoint sent under an earlier lease can be recognised and refused. A **setpoint** is one message with the wanted
velocity of both axes; its `seq` rises within an epoch. A **hold** is one press of the stick, from pressing to
releasing: all setpoints of one press carry the same hold number, which rises with every press. A **stamp** says which
session's setpoint a write carries, so that its latency can be reported back.

                    setpoint with a higher hold number than any before in this epoch
       +----------+ ---------------------------------------------------------> +----------+ ---+  setpoint of the same
       | no hold  |                                                            |   held   |    |  hold: new velocity,
       +----------+ <--------------------------------------------------------- +----------+ <--+  `expires_at` renewed
                    released, or cut by a fail-safe:
                      HOLD_EXPIRED   no setpoint for the dead-man time (or the shorter `for_s`), or one that is too old
                      HOLD_TOO_LONG  the hold, or motion without a rest, has lasted for `hold_ceiling_s`
                      STOPPED        somebody pressed stop, driver or not
                      LEASE_LOST     the lease was taken or became stale (no notice if its driver returned it)
                      CLOCK_JUMPED   the clock went backwards
                      CLOSING        the program is about to end
                      (no notice)    the driver's connection closed
                    LINK_LOST ends the hold for the axis whose unit went out of reach; the other axis goes on.
                    A setpoint with a higher hold number replaces the hold without a stop in between.

A hold that has ended never resumes: `_last_hold` remembers its number, and only a higher one moves the head. What ended
it often goes away by itself (the network recovers, the unit reconnects, a burst of delayed setpoints arrives), and by
then nobody may be looking. Only a new press shows that somebody, right now, means the head to move.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from belvedere.control.age import age_bound_s, top_speed
from belvedere.control.ceiling import Ceiling
from belvedere.control.effects import Effect, NoticeCode, Notify, QuestionEnded
from belvedere.control.handover import Handover, QuestionEnd
from belvedere.control.lease import Driver, Lease, LeaseStatus, LeaseVerb
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
        velocity: the newest commanded velocity, a share of full speed.
        position_deg: the dead-reckoned position; None without a calibrated full speed.
        limit: the soft limit that the axis has reached: -1, 0 for none, or 1.
        written: the velocity of the last completed write: the unit keeps turning at it until it takes another command,
            whether it is in reach or not.
        is_position_sure: false if the unit may have turned without being counted (out of reach, or by a lost write).
    """

    velocity: float
    position_deg: float | None
    limit: int
    written: float = 0.0
    is_position_sure: bool = True


class _Hold:
    """The current hold: its number, when it began, and when its newest setpoint expires."""

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
        self._handover = Handover()
        self._drivers: dict[str, Driver] = {}
        self._relative_delay: dict[str, RelativeDelay] = {}
        self._hold: _Hold | None = None
        self._ceiling = Ceiling(options.hold_ceiling_s, rest_s=options.dead_man_s)
        self._last_seq = -1
        self._last_hold = NO_HOLD
        self._now = -math.inf
        self._is_closing = False
        self._notices: list[Notify | QuestionEnded] = []

    @property
    def now(self) -> float:
        """The time of the newest event; minus infinity before the first one."""
        return self._now

    # events from sessions

    def receive_session_opened(self, now: float, driver: Driver) -> None:
        """A session opened; from now on it may ask for the lease."""
        self._advance(now)
        self._drivers[driver.session] = driver
        self._relative_delay[driver.session] = RelativeDelay()

    def receive_session_closed(self, now: float, session: str) -> None:
        """A session closed: its hold ends now, and its lease is kept for the same person for the grace time."""
        self._advance(now)
        if self._lease.receive_gone(now, session):
            self._cut(None)
        self._handover.receive_withdrawn(now, session)
        self._drivers.pop(session, None)
        self._relative_delay.pop(session, None)

    def receive_lease(self, now: float, session: str, verb: LeaseVerb) -> None:
        """A session asks for the lease or returns it. Raises VisitorError if it may not have the lease, or not ask."""
        self._advance(now)
        asking = self._driver_of(session)
        before = self._lease.driver
        if verb is LeaseVerb.ASK:
            status = self.lease_status
            if not self._lease.is_held_by(session) and not status.may_be_taken_by(asking.person, asking.rank):
                self._handover.receive_ask(now, session, asking.person)
                return
            verb = LeaseVerb.TAKE
        if verb is LeaseVerb.RETURN:
            changed = self._lease.receive_return(session)
        elif verb is LeaseVerb.TAKE:
            changed = self._lease.receive_take(now, asking)
        else:
            changed = self._lease.receive_acquire(now, asking)
        if changed:
            self._lease_changed(before, is_notified=before is not None and before.session != session)

    def receive_answer(self, now: float, session: str, asker: str, *, is_granted: bool) -> None:
        """The driver answers the question of another session: a yes gives it the lease.

        Raises VisitorError: NOT_DRIVING if this session has no lease to give, NO_QUESTION if that one asks no more.
        """
        self._advance(now)
        self._check_gives(session)
        if not self._handover.receive_answer(now, asker, is_granted=is_granted):
            raise VisitorError(Refusal.NO_QUESTION, "this question is over")
        self._notices.append(QuestionEnded(asker, QuestionEnd.GRANTED if is_granted else QuestionEnd.DENIED))
        if is_granted:
            self._give(now, asker)

    def receive_give(self, now: float, session: str, to: str) -> None:
        """The driver gives the lease to another session, which has not asked for it.

        Raises VisitorError: NOT_DRIVING if this session has no lease to give, NOT_READY if the other is not open.
        """
        self._advance(now)
        self._check_gives(session)
        if to not in self._drivers:
            raise VisitorError(Refusal.NOT_READY, "this visitor is not here any more")
        if to != session:
            self._give(now, to)

    def receive_withdrawn(self, now: float, session: str) -> None:
        """A session may not drive any more: what it asks is over, and it has no lease."""
        self._advance(now)
        self._handover.receive_withdrawn(now, session)
        if self._lease.receive_return(session):
            self._lease_changed(None, is_notified=False)

    def receive_heartbeat(self, now: float, session: str, sent_at_s: float) -> None:
        """A session sent a heartbeat: its lease is renewed, and the delay of its connection is measured."""
        self._advance(now)
        self._lease.receive_heartbeat(now, session)
        if session in self._relative_delay and math.isfinite(sent_at_s):
            self._relative_delay[session].receive(now, sent_at_s)

    def receive_setpoint(self, now: float, session: str, setpoint: Setpoint) -> None:
        """Begin or renew a hold with this velocity, reduced if the sender's delay is large.

        Raises VisitorError; `_check` says for what, and in which order.
        """
        self._advance(now)
        self._check(now, session, setpoint)
        if self._hold is None or setpoint.hold > self._hold.number:
            self._hold, self._last_hold = _Hold(setpoint.hold, now), setpoint.hold
        self._hold.expires_at = now + min(setpoint.for_s, self.options.dead_man_s)
        stamp = Stamp(session, setpoint.seq, setpoint.sent_at_s)
        slowed = setpoint.slowed(top_speed(age_bound_s(now, setpoint.heard_s), self.options.max_age_s))
        if slowed.pan != 0 or slowed.tilt != 0:
            self._lease.receive_motion(now)
        for axis, motion in self._axes.items():
            motion.receive_target(slowed.velocity(axis), setpoint.hold, stamp)

    def receive_release(self, now: float, session: str, epoch: int, hold: int, stamp: Stamp | None = None) -> None:
        """The driver released the stick: this hold, and any before it, ends.

        Releases from an earlier epoch, repeated ones, and those of sessions that do not drive change nothing.
        """
        self._advance(now)
        if not self._lease.is_held_by(session) or epoch != self._lease.epoch:
            return
        self._lease.receive_heartbeat(now, session)
        # Also for a hold that is not known yet: if the release overtook its press, the press must not move the head.
        self._last_hold = max(self._last_hold, hold)
        if self._hold is not None and hold >= self._hold.number:
            self._end_hold(stamp)

    def receive_stop(self, now: float, session: str) -> None:
        """Any session, driving or not, asked for a stop: the hold ends, and units at rest get the stop again too."""
        self._advance(now)
        self._lease.receive_heartbeat(now, session)
        self._cut(NoticeCode.STOPPED)
        for motion in self._axes.values():
            motion.receive_stop(now)

    def receive_closing(self, now: float) -> None:
        """The program is about to end: stop, and refuse every setpoint from now on."""
        self._advance(now)
        self._is_closing = True
        self._cut(NoticeCode.CLOSING)

    # events from units

    def receive_link(self, now: float, axis: Axis, *, is_ready: bool) -> None:
        """The link to an axis's unit came up or went down; going down ends the hold for that axis."""
        self._advance(now)
        motion = self._axes[axis]
        motion.receive_ready(now, is_ready=is_ready)
        if not is_ready and motion.receive_cut(self._last_hold):
            self._notify(NoticeCode.LINK_LOST, axis, self._last_hold)

    def receive_written(self, now: float, axis: Axis, velocity: float) -> None:
        """A write of this velocity completed: from now on the unit is taken to turn at it."""
        self._advance(now)
        self._axes[axis].odometer.receive_written(now, velocity)

    def receive_attempted(self, now: float, axis: Axis, velocity: float) -> None:
        """A write of this velocity began: the unit may execute it even if `receive_written` never follows."""
        self._advance(now)
        self._axes[axis].odometer.receive_attempted(now, velocity)

    # effects and status

    def tick(self, now: float) -> list[Effect]:
        """End whatever has expired by `now`, and return the writes and notices that are due."""
        self._advance(now)
        writes = [write for motion in self._axes.values() if (write := motion.tick(now)) is not None]
        self._ceiling.receive(now, is_moving=any(motion.commanded != 0 for motion in self._axes.values()))
        notices, self._notices = self._notices, []
        return [*writes, *notices]

    def deadline(self) -> float | None:
        """The latest time for the next `tick` if no event comes before; None if nothing is due."""
        times = [motion.deadline() for motion in self._axes.values()]
        times += [self._lease.deadline(self._now), self._handover.deadline()]
        if self._hold is not None:
            times.append(min(self._hold.expires_at, self._too_long_at(self._now, self._hold)))
        return min((time for time in times if time is not None), default=None)

    def axis_status(self, now: float, axis: Axis) -> AxisStatus:
        """The axis's commanded velocity and its position at `now`."""
        motion = self._axes[axis]
        odometer = motion.odometer
        return AxisStatus(
            motion.commanded, odometer.position_deg(now), motion.limit(now), odometer.velocity, odometer.is_sure
        )

    @property
    def lease_status(self) -> LeaseStatus:
        """Who drives, and who would like to."""
        return self._lease.status(self._now, self._handover.questions)

    # decisions

    def _check(self, now: float, session: str, setpoint: Setpoint) -> None:
        """Refuse a setpoint that must not move the head. Raises VisitorError.

        The order is a rule. Steps 1 to 5 change nothing, so a session that does not drive, a late packet of an earlier
        lease or a malformed message cannot affect the driver's state. From step 6 on, a setpoint changes state even if
        it is refused: it uses up its sequence number, and may end its hold. It must have passed all steps above first.
        """
        # 1. An unknown session: nothing below may look up its delay or compare it with the lease's holder.
        self._driver_of(session)
        # 2. Closing is final. Before the lease: otherwise a client would be told to acquire it, which is useless now.
        if self._is_closing:
            raise VisitorError(Refusal.NOT_READY, "the server is shutting down")
        # 3. Not the driver: everything below is about the driver's own counters.
        if not self._lease.is_held_by(session):
            is_other = self._lease.driver is not None
            refusal = Refusal.SOMEONE_ELSE_DRIVES if is_other else Refusal.NOT_DRIVING
            raise VisitorError(refusal, "someone else is driving" if is_other else "ask to drive first")
        # 4. Another epoch: hold and sequence numbers begin again with every lease, so they cannot be compared.
        if setpoint.epoch != self._lease.epoch:
            raise VisitorError(Refusal.OLD_EPOCH, f"epoch {setpoint.epoch} is not {self._lease.epoch}")
        # 5. Impossible numbers: before any is compared or stored, because every comparison with NaN is false.
        if not setpoint.is_possible:
            raise VisitorError(Refusal.BAD_MESSAGE, "pan and tilt must be in [-1, 1], times finite, for_s above 0")
        # From here on it is a valid message of the present driver. Even if it is refused below, the driver is there:
        # losing a hold must not cost the lease as well. Garbage and late packets of an earlier lease do not renew it.
        self._lease.receive_heartbeat(now, session)
        # 6. Duplicates and overtaken setpoints: before the age, which ends the hold, although a newer setpoint has
        # already shown that the hold goes on. The number counts as used even if the setpoint is refused below.
        if setpoint.seq <= self._last_seq:
            raise VisitorError(Refusal.OLD_SEQUENCE, f"sequence {setpoint.seq} came after {self._last_seq}")
        self._last_seq = setpoint.seq
        # 7. Too old: before the hold is looked at, because this ends it, and also one that has not begun yet. Otherwise
        # the next setpoint of a press that arrived too late would begin it after all. Even a late setpoint of rest
        # stops the head in this way.
        self._check_age(now, session, setpoint)
        is_held = self._hold is not None and setpoint.hold == self._hold.number
        # 8. An ended hold never resumes. Before the ceiling, which sets `_last_hold`: an older number would lower it,
        # and holds that have ended since could resume.
        if not is_held and setpoint.hold <= self._last_hold:
            raise VisitorError(Refusal.HOLD_ENDED, f"hold {setpoint.hold} has ended: let go and press again")
        # 9. A new hold before the head has rested (`_advance` ends a running one). Last, because it uses up the number:
        # the same press must not begin to move the head as soon as the rest is over.
        if not is_held and now >= self._ceiling.ends_at(now):
            self._last_hold = setpoint.hold
            raise VisitorError(Refusal.HOLD_TOO_LONG, "the head was moved for too long without rest: let go first")

    def _check_age(self, now: float, session: str, setpoint: Setpoint) -> None:
        """Refuse a setpoint that is too old, and end its hold: its sender may have released the stick long ago.

        Two measures, because neither is enough: `age_s` is an upper bound by our own clock, but includes the time that
        the sender has not heard from us; `late_s` is sharper, but compares with the client's clock, which may be wrong.
        """
        age_s = age_bound_s(now, setpoint.heard_s)
        late_s = self._relative_delay[session].receive(now, setpoint.sent_at_s, age_s)
        if age_s <= self.options.max_age_s and late_s <= self.options.dead_man_s:
            return
        self._last_hold = max(self._last_hold, setpoint.hold)
        if self._hold is not None and self._hold.number <= setpoint.hold:
            self._cut(NoticeCode.HOLD_EXPIRED)
        if self.options.max_age_s < age_s < math.inf:
            raise VisitorError(Refusal.TOO_SLOW, f"the connection is too slow to drive: {age_s:.1f} s", delay_s=age_s)
        raise VisitorError(Refusal.TOO_LATE, "this setpoint arrived later than the dead-man time")

    def _driver_of(self, session: str) -> Driver:
        driver = self._drivers.get(session)
        if driver is None:
            raise VisitorError(Refusal.NOT_READY, "this session is not open: send hello first")
        return driver

    def _check_gives(self, session: str) -> None:
        """Only the driver gives the lease away. Raises VisitorError (NOT_DRIVING)."""
        if not self._lease.is_held_by(session):
            raise VisitorError(Refusal.NOT_DRIVING, "only the driver can give the lease to somebody")

    def _give(self, now: float, to: str) -> None:
        self._lease.grant(now, self._drivers[to])
        self._lease_changed(None, is_notified=False)

    def _lease_changed(self, before: Driver | None, *, is_notified: bool) -> None:
        """End the former driver's hold; hold and sequence numbers begin again for the next driver.

        What others asked of the former driver is over, too: the next one was not asked.
        """
        self._cut(None)
        for question in self._handover.receive_driver_changed():
            self._notices.append(QuestionEnded(question.session, self._end_by_change(question.session)))
        if is_notified and before is not None:
            self._notices.append(Notify(before.session, NoticeCode.LEASE_LOST, None, self._last_hold))
        self._last_seq, self._last_hold = -1, NO_HOLD
        for motion in self._axes.values():
            motion.ended_hold = NO_HOLD

    def _end_by_change(self, asker: str) -> QuestionEnd:
        """What the change of the driver means for one who asked for the lease."""
        return QuestionEnd.GRANTED if self._lease.is_held_by(asker) else QuestionEnd.OVER

    def _cut(self, code: NoticeCode | None) -> None:
        """Fail-safe: end the hold on both axes for good, and notify its driver with `code`, unless that is None."""
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
            self._notices.append(Notify(self._lease.driver.session, code, axis, hold))

    def _advance(self, now: float) -> None:
        """Move the clock to `now`, and end whatever has expired by then.

        Every event calls this first. Otherwise a setpoint that arrives after a stall of the process would renew a hold
        that had expired before. A clock that goes backwards ends the hold: no duration across it can be trusted.
        """
        if now < self._now:
            self._cut(NoticeCode.CLOCK_JUMPED)
            self._lease.receive_clock_jump(now)
            self._handover.receive_clock_jump(now)
            for motion in self._axes.values():
                motion.receive_clock_jump(self._now, now)
            self._ceiling.receive_clock_jump(self._now, now)
            self._relative_delay = {session: RelativeDelay() for session in self._relative_delay}
        self._now = now
        lost = self._lease.tick(now)
        if lost is not None:
            self._lease_changed(lost, is_notified=lost.session in self._drivers)
        for question in self._handover.tick(now):
            self._notices.append(QuestionEnded(question.session, QuestionEnd.UNANSWERED))
        if self._hold is not None and now >= self._hold.expires_at:
            self._cut(NoticeCode.HOLD_EXPIRED)
        elif self._hold is not None and now >= self._too_long_at(now, self._hold):
            self._cut(NoticeCode.HOLD_TOO_LONG)
