"""Ways in which the fail-safe core could be wrong: each is one edit of its source that the model harness must detect.

Edits without an observable effect are left out:
- `AxisMotion.receive_clock_jump` without setting `_shaped_at` back: the hold is cut at the same instant, and a motion
  starts from rest whatever that says.
- `Control.receive_session_closed` without removing the session's relative delay: opening the session resets it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """In `module` of `belvedere.control`, `old` becomes `new` where it occurs first."""

    name: str
    module: str
    old: str
    new: str = ""


MUTATIONS = (
    # the hold and its ends
    Mutation(
        "a hold has no longest time",
        "core",
        "elif self._hold is not None and now >= self._too_long_at(now, self._hold):",
        "elif False:",
    ),
    Mutation(
        "the deadline leaves out the longest time of a hold",
        "core",
        "min(self._hold.expires_at, self._too_long_at(self._now, self._hold))",
        "self._hold.expires_at",
    ),
    Mutation(
        "a new press begins the longest time anew",
        "core",
        "min(hold.began_at + self.options.hold_ceiling_s, self._ceiling.ends_at(now))",
        "hold.began_at + self.options.hold_ceiling_s",
    ),
    Mutation(
        "a hold at rest has no longest time",
        "core",
        "min(hold.began_at + self.options.hold_ceiling_s, self._ceiling.ends_at(now))",
        "self._ceiling.ends_at(now)",
    ),
    Mutation(
        "a press without a rest moves the head again after the ceiling",
        "core",
        "if not is_held and now >= self._ceiling.ends_at(now):",
        "if False:",
    ),
    Mutation(
        "a press refused for the ceiling moves the head later",
        "core",
        "            self._last_hold = setpoint.hold\n",
    ),
    Mutation(
        "any pause counts as a rest",
        "ceiling",
        "now - self._at_rest_since >= self._rest_s",
        "now > self._at_rest_since",
    ),
    Mutation(
        "no pause counts as a rest",
        "ceiling",
        "now - self._at_rest_since >= self._rest_s",
        "self._at_rest_since == -math.inf",
    ),
    Mutation(
        "a rest begins anew at every tick",
        "ceiling",
        "now if self._at_rest_since is None else self._at_rest_since",
        "now",
    ),
    Mutation("a clock jump shortens the time of motion", "ceiling", "        self._began_at -= before - now\n"),
    Mutation(
        "a clock jump shortens a rest",
        "ceiling",
        "            self._at_rest_since -= before - now\n",
        "            pass\n",
    ),
    Mutation(
        "a setpoint lives a little longer",
        "core",
        "now >= self._hold.expires_at:",
        "now >= self._hold.expires_at + 0.3:",
    ),
    Mutation(
        "a setpoint's own end is ignored",
        "core",
        "min(setpoint.for_s, self.options.dead_man_s)",
        "self.options.dead_man_s",
    ),
    Mutation(
        "a setpoint's own end may be late", "core", "min(setpoint.for_s, self.options.dead_man_s)", "setpoint.for_s"
    ),
    Mutation(
        "a setpoint renews a hold that expired unseen",
        "core",
        "        self._advance(now)\n        self._check(now, session, setpoint)",
        "        self._check(now, session, setpoint)",
    ),
    Mutation("a hold that ended resumes", "core", "if not is_held and setpoint.hold <= self._last_hold:", "if False:"),
    Mutation(
        "a release does nothing",
        "core",
        "        if self._hold is not None and hold >= self._hold.number:\n            self._end_hold(stamp)\n",
    ),
    Mutation("a release of an old epoch counts", "core", "or epoch != self._lease.epoch:", "or False:"),
    Mutation("a release is not remembered", "core", "        self._last_hold = max(self._last_hold, hold)\n"),
    Mutation(
        "the end of a hold forgets tilt",
        "core",
        "        for motion in self._axes.values():\n            motion.receive_cut(self._last_hold, stamp)",
        "        for motion in list(self._axes.values())[:1]:\n            motion.receive_cut(self._last_hold, stamp)",
    ),
    # what is refused
    Mutation(
        "relative delay is ignored",
        "core",
        "and late_s <= self.options.dead_man_s:",
        ":",
    ),
    Mutation(
        "heartbeats do not measure the relative delay",
        "core",
        "            self._relative_delay[session].receive(now, sent_at_s)\n",
        "            pass\n",
    ),
    Mutation("the age of a setpoint is ignored", "core", "age_s <= self.options.max_age_s and ", ""),
    Mutation("a time that was never sent is believed", "age", "if age_s >= -GRAIN_S else math.inf", "if True else 0.0"),
    Mutation("a distant driver is never slowed", "core", "slowed.velocity(axis)", "setpoint.velocity(axis)"),
    Mutation("a distant driver is slowed too late", "age", "2 * age_s / max_age_s - 1", "4 * age_s / max_age_s - 3"),
    Mutation(
        "a distant driver is slowed twice as much",
        "age",
        "1 - (1 - SLOWEST) * beyond",
        "1 - 2 * (1 - SLOWEST) * beyond",
    ),
    Mutation("a clock that stood still is trusted", "relative_delay", "if late_s > max_s + JUMP_S:", "if False:"),
    Mutation(
        "a clock that stood still is trusted for a while",
        "relative_delay",
        "            self._smallest.clear()\n",
        "            pass\n",
    ),
    Mutation(
        "a late setpoint does not end its hold",
        "core",
        "        self._last_hold = max(self._last_hold, setpoint.hold)\n"
        "        if self._hold is not None and self._hold.number <= setpoint.hold:\n"
        "            self._cut(NoticeCode.HOLD_EXPIRED)\n",
    ),
    Mutation(
        "relative delay is measured against the last message",
        "relative_delay",
        "self._smallest[-1][1] >= difference",
        "True",
    ),
    Mutation("fast messages are forgotten soon", "relative_delay", "WINDOW_S = 30.0", "WINDOW_S = 1.0"),
    Mutation(
        "relative delay survives a clock jump",
        "core",
        "            self._relative_delay = {session: RelativeDelay() for session in self._relative_delay}\n",
    ),
    Mutation("the order of setpoints is ignored", "core", "if setpoint.seq <= self._last_seq:", "if False:"),
    Mutation(
        "a setpoint may come twice", "core", "if setpoint.seq <= self._last_seq:", "if setpoint.seq < self._last_seq:"
    ),
    Mutation("an old epoch drives", "core", "if setpoint.epoch != self._lease.epoch:", "if False:"),
    Mutation("impossible numbers drive", "core", "if not setpoint.is_possible:", "if False:"),
    Mutation("setpoints count while closing", "core", "        if self._is_closing:\n", "        if False:\n"),
    Mutation("closing cuts nothing", "core", "        self._cut(NoticeCode.CLOSING)\n"),
    # the lease
    Mutation("a lease is never stale", "lease", "if self.driver is None or now < self._ends_at:", "if True:"),
    Mutation(
        "a stale lease does not end its hold",
        "core",
        "        if lost is not None:\n"
        "            self._lease_changed(lost, is_notified=lost.session in self._drivers)\n",
    ),
    Mutation(
        "a heartbeat does not renew the lease",
        "core",
        "        self._lease.receive_heartbeat(now, session)\n        if session in self._relative_delay",
        "        if session in self._relative_delay",
    ),
    Mutation("a higher rank takes nothing", "lease", " or self.rank < rank"),
    Mutation("an equal takes", "lease", "self.rank < rank", "self.rank <= rank"),
    Mutation("a lower rank is not told so", "lease", "if self.driver.rank > asking.rank:", "if False:"),
    Mutation("an idle driver keeps the lease", "lease", " or self.is_idle"),
    Mutation("a person cannot take from their other window", "lease", " or self.person == person"),
    Mutation(
        "a driver who moves the head is idle",
        "core",
        "            self._lease.receive_motion(now)\n",
        "            pass\n",
    ),
    Mutation("a stick at rest counts as motion", "core", "if slowed.pan != 0 or slowed.tilt != 0:", "if True:"),
    Mutation(
        "a fresh driver is idle",
        "lease",
        "        self._moved_at = now\n\n    def _idle_at",
        "\n    def _idle_at",
    ),
    Mutation("a clock jump puts idleness off", "lease", "        self._moved_at = min(self._moved_at, now)\n"),
    Mutation(
        "the deadline leaves out idleness",
        "lease",
        "return min(self._ends_at, idle_at) if idle_at > now else self._ends_at",
        "return self._ends_at",
    ),
    Mutation(
        "idleness is always due", "lease", "min(self._ends_at, idle_at) if idle_at > now else self._ends_at", "idle_at"
    ),
    Mutation("acquiring steals", "lease", "if self.driver is not None and not is_back:", "if False:"),
    Mutation("the same person cannot resume the lease", "lease", "self.driver.person == asking.person", "False"),
    Mutation("any person can resume the lease", "lease", "self.driver.person == asking.person", "True"),
    Mutation(
        "there is no grace",
        "lease",
        "now + self._options.lease_grace_s\n        return True",
        "now\n        return True",
    ),
    Mutation("epochs do not rise", "lease", "        self.epoch += 1\n"),
    Mutation(
        "a lease that is returned is kept",
        "lease",
        "        self.driver = None\n        return True",
        "        return True",
    ),
    Mutation(
        "a closed session goes on driving",
        "lease",
        "self.driver.session == session and not self._is_gone",
        "self.driver.session == session",
    ),
    Mutation(
        "a session that closes stops nothing",
        "core",
        "        if self._lease.receive_gone(now, session):\n            self._cut(None)\n",
        "        self._lease.receive_gone(now, session)\n",
    ),
    Mutation(
        "a new driver inherits the motion",
        "core",
        "        self._cut(None)\n        for question",
        "        for question",
    ),
    Mutation(
        "a new driver inherits the ended holds", "core", "        self._last_seq, self._last_hold = -1, NO_HOLD\n"
    ),
    Mutation(
        "a new driver inherits an axis's ended holds",
        "core",
        "        for motion in self._axes.values():\n            motion.ended_hold = NO_HOLD\n",
    ),
    Mutation(
        "any session that closes ends the lease",
        "lease",
        "        if not self.is_held_by(session):\n            return False\n        self._is_gone = True",
        "        self._is_gone = True",
    ),
    # handing over
    Mutation("a question never ends", "handover", "if now >= question.ends_at_s]", "if False]"),
    Mutation("the deadline leaves out the questions", "core", ", self._handover.deadline()]", "]"),
    Mutation(
        "a no is forgotten",
        "handover",
        "            self._refused_until[question.person] = now + self._ask_again_s\n",
        "            pass\n",
    ),
    Mutation("a no lasts for ever", "handover", " if now < until}", "}"),
    Mutation(
        "a yes counts as a no", "handover", "if question is not None and not is_granted:", "if question is not None:"
    ),
    Mutation("a person asks in two windows", "handover", "if any(question.person == person", "if any(False"),
    Mutation("asking again is refused", "handover", "        if session in self._open:\n            return\n"),
    Mutation(
        "a clock jump prolongs a question",
        "handover",
        "min(question.ends_at_s, now + self._answer_s)",
        "question.ends_at_s",
    ),
    Mutation("a clock jump prolongs a no", "handover", "min(until, now + self._ask_again_s)", "until"),
    Mutation(
        "an asker who is gone still asks",
        "core",
        "        self._handover.receive_withdrawn(now, session)\n        self._drivers.pop",
        "        self._drivers.pop",
    ),
    Mutation(
        "an asker who may not drive still asks",
        "core",
        "        self._handover.receive_withdrawn(now, session)\n        if self._lease.receive_return",
        "        if self._lease.receive_return",
    ),
    Mutation(
        "a driver who may not drive keeps the lease",
        "core",
        "        if self._lease.receive_return(session):\n            self._lease_changed(None, is_notified=False)\n",
    ),
    Mutation(
        "a driver who may not drive keeps the hold",
        "core",
        "        if self._lease.receive_return(session):\n            self._lease_changed(None, is_notified=False)\n",
        "        self._lease.receive_return(session)\n",
    ),
    Mutation("a yes gives nothing", "core", "        if is_granted:\n            self._give(now, asker)\n"),
    Mutation(
        "a no gives the lease",
        "core",
        "        if is_granted:\n            self._give(now, asker)\n",
        "        self._give(now, asker)\n",
    ),
    Mutation(
        "anybody answers",
        "core",
        "        self._check_gives(session)\n        if not self._handover",
        "        if not self._handover",
    ),
    Mutation(
        "anybody gives the lease away",
        "core",
        "        self._check_gives(session)\n        if to not in",
        "        if to not in",
    ),
    Mutation(
        "the lease is given to who is gone", "core", "        if to not in self._drivers:\n", "        if False:\n"
    ),
    Mutation(
        "a lease that is given keeps the hold",
        "core",
        "        self._lease.grant(now, self._drivers[to])\n        self._lease_changed(None, is_notified=False)\n",
        "        self._lease.grant(now, self._drivers[to])\n",
    ),
    Mutation("the next driver is asked, too", "core", "in self._handover.receive_driver_changed():", "in ():"),
    Mutation("everybody who asks is told yes", "core", " if self._lease.is_held_by(asker) else QuestionEnd.OVER"),
    Mutation(
        "asking takes",
        "core",
        "if not self._lease.is_held_by(session) and not status.may_be",
        "if False and not status.may_be",
    ),
    # stops
    Mutation("stop cuts nothing", "core", "        self._cut(NoticeCode.STOPPED)\n"),
    Mutation("a stop is written once", "options", "STOP_WRITES = 3", "STOP_WRITES = 1"),
    Mutation("a stop is written twice", "options", "STOP_WRITES = 3", "STOP_WRITES = 2"),
    Mutation("a stop is repeated late", "options", "STOP_REPEAT_S = 0.05", "STOP_REPEAT_S = 0.2"),
    Mutation(
        "an explicit stop is not written again",
        "motion",
        "            self._stops_left, self._next_stop_at = STOP_WRITES, now\n\n    def receive_ready",
        "            pass\n\n    def receive_ready",
    ),
    Mutation(
        "the deadline leaves out the repetition of a stop",
        "motion",
        "return self._next_stop_at if self._stops_left else None",
        "return None",
    ),
    # units
    Mutation(
        "a lost unit's part of a hold goes on",
        "core",
        "if not is_ready and motion.receive_cut(self._last_hold):",
        "if False:",
    ),
    Mutation(
        "a lost unit's part of a hold resumes",
        "core",
        "if not is_ready and motion.receive_cut(self._last_hold):",
        "if not is_ready and motion.receive_cut(NO_HOLD):",
    ),
    Mutation(
        "a press moves a unit out of reach",
        "motion",
        "        if not self.is_ready:\n            # A hold",
        "        if False:\n            # A hold",
    ),
    Mutation(
        "a press waits for a unit out of reach",
        "motion",
        "            self.receive_cut(hold)\n            return\n        self._target",
        "            return\n        self._target",
    ),
    # speeds
    Mutation("speeds jump", "shaping", "if abs(target) <= from_rest:", "if True:"),
    Mutation("speeds never grow", "motion", "        self._shaped_at = now\n"),
    Mutation(
        "speeds grow twice as fast", "shaping", "from_rest + acceleration_per_s", "from_rest + 2 * acceleration_per_s"
    ),
    Mutation(
        "speeds jump after a time without ticks",
        "motion",
        "min(now - self._shaped_at, UNSEEN_S)",
        "now - self._shaped_at",
    ),
    Mutation(
        "the deadline leaves out acceleration",
        "motion",
        "if is_growing or self._limits.is_limited",
        "if self._limits.is_limited",
    ),
    Mutation(
        "a reversal keeps its speed",
        "shaping",
        "from_rest = abs(current) if is_same_way else 0.0",
        "from_rest = abs(current)",
    ),
    # limits
    Mutation(
        "nothing slows down before a limit",
        "shaping",
        "    max_speed = max(CREEP, distance_deg / full_speed_deg_per_s / max(TAPER_S, 2 * REACTION_S))\n"
        "    return math.copysign(min(abs(velocity), max_speed), velocity)",
        "    return velocity",
    ),
    Mutation(
        "there are no limits",
        "shaping",
        "    if distance_deg <= CREEP * full_speed_deg_per_s * REACTION_S:\n        return 0.0\n",
        "    return velocity\n",
    ),
    Mutation(
        "there is no upper limit",
        "shaping",
        "limits.max_deg if velocity > 0 else limits.min_deg",
        "None if velocity > 0 else limits.min_deg",
    ),
    Mutation(
        "there is no lower limit",
        "shaping",
        "limits.max_deg if velocity > 0 else limits.min_deg",
        "limits.max_deg if velocity > 0 else None",
    ),
    Mutation("limits are mixed up", "shaping", "limits.max_deg if velocity > 0", "limits.max_deg if velocity < 0"),
    Mutation("the deadline leaves out limits", "motion", "if is_growing or self._limits.is_limited", "if is_growing"),
    Mutation(
        "a limit is kept from the reckoned position without its uncertainty",
        "motion",
        "farthest_deg(now, velocity, self._limits.max_uncertainty_deg)",
        "position_deg(now)",
    ),
    # odometry
    Mutation(
        "half of the rotation is counted",
        "odometry",
        "(self.full_speed_deg_per_s or 0.0) * max(0.0, now - self._since)",
        "0.5 * (self.full_speed_deg_per_s or 0.0) * max(0.0, now - self._since)",
    ),
    Mutation(
        "the rotation is counted backwards",
        "odometry",
        "return self._position_deg + self.velocity",
        "return self._position_deg - self.velocity",
    ),
    Mutation("a clock jump counts as rotation", "motion", "        self.odometer.receive_clock_jump(before, now)\n"),
    Mutation("rotation before a clock jump is forgotten", "odometry", "        self._advance(before)\n"),
    Mutation("a clock jump cuts nothing", "core", "            self._cut(NoticeCode.CLOCK_JUMPED)\n"),
    Mutation("a clock jump leaves a lease without end", "core", "            self._lease.receive_clock_jump(now)\n"),
    Mutation(
        "every outage clamps the position to the limit",
        "odometry",
        "        if self._was_away_long:",
        "        if True:",
    ),
    Mutation(
        "the position is sure after a long outage",
        "odometry",
        "self._was_away_long, self._is_count_kept = False, False",
        "self._was_away_long = False",
    ),
    Mutation("an outage is never long", "odometry", "            self._was_away_long = True\n", "            pass\n"),
    Mutation("attempts are ignored", "odometry", "        self._open.receive(velocity)\n\n", "\n"),
    Mutation(
        "a lost link resolves the write in progress",
        "odometry",
        "        self._add_recent_uncertainty(now)\n        self._kept = self._open.copy()\n",
        "        self._add_recent_uncertainty(now)\n",
    ),
    Mutation("a dead link is noticed at once", "odometry", "        self._add_recent_uncertainty(now)\n"),
    Mutation(
        "uncertainty is never resolved",
        "odometry",
        "        self._kept.resolve(velocity)\n        self._open = self._kept.copy()\n",
        "        self._kept.resolve(velocity)\n",
    ),
)
