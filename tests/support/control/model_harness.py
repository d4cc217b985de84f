"""Runs the fail-safe core beside a reference model, passes both any event in any order, and checks the invariants.

What the visitors ask for (`reference_model`) and what the units truly do (`true_state`) are computed independently of
the core, and compared with what the core does after every event. `random_schedule` generates the events.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tests.support.control.reference_model import PEOPLE, ReferenceModel, person_of
from tests.support.control.true_state import PanState, UnitState, VisitorState

from belvedere.control.core import Control
from belvedere.control.effects import NoticeCode, Notify, QuestionEnded, Write
from belvedere.control.handover import Handover
from belvedere.control.lease import Driver, LeaseVerb
from belvedere.control.motion import AxisSetup
from belvedere.control.options import AxisLimits, ControlOptions
from belvedere.control.setpoint import Setpoint
from belvedere.errors import Refusal, VisitorError
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Callable

PAN, TILT = AXES  # looked up once: in Python 3.11 each access to a member of an enumeration takes long
FULL_SPEED_DEG_PER_S = 30.0
LIMIT_DEG = 6.0  # narrow enough to be reached often
LIMITS = AxisLimits(min_deg=-LIMIT_DEG, max_deg=LIMIT_DEG)
OPTIONS = ControlOptions(
    pan=LIMITS,
    dead_man_s=0.8,  # longer than the last half second before a limit, in which the core slows down
    hold_ceiling_s=2.0,  # these are short enough to be reached
    lease_stale_s=2.0,
    lease_grace_s=3.0,
    lease_idle_s=1.5,
)
ANSWER_S = 1.0
ASK_AGAIN_S = 2.0
MAX_UNCERTAINTY_DEG = LIMIT_DEG / 2  # with a larger error the core cannot be expected to keep a limit
NEAR_DEG = 0.375 + 1e-6  # the core stops so far before a limit: a twentieth of full speed for a quarter of a second
SURE_DEG = 1.0 + 1e-6  # the largest error of a position that the core calls sure
UNHEARD_S = 0.5  # writes this shortly before a lost link may have been missed
LONG_OUTAGE_S = 5.0  # after this the core does not know where a turning unit is
STOPS = 3
STOPS_TIMEOUT_S = 0.2
FIRST_STEP = 0.1  # the speed that may be reached at once from rest
MAX_STEP_S = 0.05  # the longest time of acceleration in one step
FULL_SPEED_AFTER_S = 0.35  # from rest to full speed, with late ticks
SERVER_TIME_AGE_S = 0.05  # the age of the newest server time in the messages of a page near by
LATE_TICK_S = 0.02  # how late a busy loop may tick
MAX_TURNS = 10_000  # a core whose deadline is always due would never sleep
EPSILON = 1e-6


@dataclass
class ModelHarness:
    """Visitors, a clock, two units, and the core between them; every public method is an event.

    `met` counts what the core has been through: every refusal, every kind of cut, every limit.
    """

    now: float = 1000.0
    met: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """The program starts again, with the head at rest in the middle of its travel."""
        setup = AxisSetup(full_speed_deg_per_s=FULL_SPEED_DEG_PER_S, limits=LIMITS)
        self.core = Control(OPTIONS, {PAN: setup})
        self.core._handover = Handover(ANSWER_S, ASK_AGAIN_S)  # the real times are too long for a schedule
        self._odometer = self.core._axes[PAN].odometer
        self.model = ReferenceModel(OPTIONS, ANSWER_S, ASK_AGAIN_S)
        self.visitors = {name: VisitorState(name, 1000.0 * place) for place, name in enumerate(PEOPLE)}
        self.units = {axis: UnitState(stops_since=self.now) for axis in AXES}
        self.pan = PanState()
        self._step()

    # events from visitors

    def open_or_close(self, name: str) -> None:
        """A session opens, or closes."""
        visitor = self.visitors[name]
        visitor.is_connected = not visitor.is_connected
        self.model.pass_time(self.now)
        if visitor.is_connected:
            self.model.open(name)
            self.core.receive_session_opened(self.now, Driver(name, person_of(name), PEOPLE[name]))
        else:
            _reset_counters(visitor)
            self.model.close_session(self.now, name)
            self.core.receive_session_closed(self.now, name)
        self._step()

    def lease(self, name: str, verb: LeaseVerb) -> None:
        """A session asks for the lease, takes it or returns it."""
        self.model.pass_time(self.now)
        was_gone = self.model.lease.is_gone and self.model.lease.driver is not None
        ask, request = partial(self.model.ask, self.now, name, verb), partial(self.core.receive_lease, self.now, name)
        self.change_lease(f"{verb}{' while gone' if was_gone else ''}", ask, partial(request, verb))

    def change_lease(self, how: str, expect: Callable[[], Refusal | None], request: Callable[[], None]) -> None:
        """Pass the same request to the model and to the core; the page of a former driver begins to count anew."""
        self.model.pass_time(self.now)
        before = self.model.lease.epoch, self.model.lease.driver
        self._compare(expect(), request)
        driver, is_new = self.model.lease.driver, self.model.lease.epoch != before[0]
        self.met[f"lease: {how}"] += is_new
        if (self.model.lease.epoch, driver) != before:
            for visitor in self.visitors.values():
                if is_new or visitor.name == before[1]:
                    _reset_counters(visitor)
        if driver is not None and not self.model.lease.is_gone:
            self.visitors[driver].epoch = self.model.lease.epoch
        self._step()

    def press(self, name: str, pan: float, tilt: float, for_s: float = math.inf, late_s: float = 0.0) -> None:
        """A new press, perhaps delayed by the network; any hold before it is over."""
        visitor = self.visitors[name]
        visitor.hold += 1
        visitor.pressed = {PAN: pan, TILT: tilt}
        self._send(visitor, late_s, for_s)

    def hold(
        self,
        name: str,
        pan: float,
        tilt: float,
        *,
        late_s: float = 0.0,
        for_s: float = math.inf,
        server_time_age_s: float = SERVER_TIME_AGE_S,
    ) -> None:
        """The same press again, perhaps with another target, perhaps delayed, perhaps from far away."""
        visitor = self.visitors[name]
        if visitor.pressed is not None:
            visitor.pressed = {PAN: pan, TILT: tilt}
            self._send(visitor, late_s, for_s, server_time_age_s)

    def sleep(self, name: str, seconds: float) -> None:
        """A visitor's computer sleeps, and its clock stands still."""
        self.visitors[name].slept_s += seconds
        self.wait(seconds)

    def keep_holding(self, name: str, seconds: float, late_s: float) -> None:
        """Send the setpoint repeatedly, as a page does while its stick is held."""
        visitor, end = self.visitors[name], self.now + seconds
        while visitor.pressed is not None and self.now < end:
            self._send(visitor)
            self.wait(0.05, late_s)

    def release_before_press(self, name: str, pan: float, tilt: float) -> None:
        """A tap whose release overtakes its press on the network."""
        self.visitors[name].hold += 1
        self.release(name)
        self.visitors[name].pressed = {PAN: pan, TILT: tilt}
        self._send(self.visitors[name])

    def replay(self, name: str, epochs_ago: int, holds_ago: int, seqs_ago: int) -> None:
        """An old packet arrives late, or a packet arrives twice."""
        visitor = self.visitors[name]
        target = {PAN: 1.0, TILT: -1.0}
        visitor.seq += seqs_ago == 0
        seq = max(0, visitor.seq - max(0, seqs_ago - 1))
        self._offer(visitor, self._setpoint(visitor, target, epochs_ago=epochs_ago, holds_ago=holds_ago, seq=seq), 0.0)

    def garbage(self, name: str) -> None:
        """A setpoint with invalid numbers."""
        visitor = self.visitors[name]
        visitor.seq += 1
        self._offer(visitor, self._setpoint(visitor, {PAN: 1.5, TILT: math.nan}, seq=visitor.seq), 0.0)

    def release(self, name: str, epochs_ago: int = 0) -> None:
        """The visitor releases the press; or an old release arrives late."""
        visitor = self.visitors[name]
        self.model.pass_time(self.now)
        self.model.release(self.now, name, visitor.epoch - epochs_ago, visitor.hold)
        self.core.receive_release(self.now, name, visitor.epoch - epochs_ago, visitor.hold)
        if epochs_ago == 0:
            visitor.pressed = None
        self._step()

    def stop(self, name: str) -> None:
        """A session requests a stop: it is written at once, and three times, even to units believed to be at rest."""
        self.model.pass_time(self.now)
        self.model.stop(self.now, name)
        for unit in self.units.values():
            unit.stops_since, unit.stops = self.now, 0
        self.core.receive_stop(self.now, name)
        self._step()
        assert all(unit.stops == 1 for unit in self.units.values()), "a stop was delayed"

    def ping(self, name: str, late_s: float) -> None:
        """A heartbeat without a setpoint."""
        self.model.pass_time(self.now)
        self.model.renew(self.now, name, late_s + self.visitors[name].slept_s)
        self.core.receive_heartbeat(self.now, name, self._sent_at(self.visitors[name], late_s))
        self._step()

    # events from the program, the units and the clock

    def close(self) -> None:
        """The program is about to end."""
        self.model.pass_time(self.now)
        self.model.close()
        self.core.receive_closing(self.now)
        self._step()

    def link(self, axis: Axis) -> None:
        """A unit goes out of reach, perhaps turning; or it reconnects, and a stop is written first."""
        unit = self.units[axis]
        self.model.pass_time(self.now)
        unit.is_ready = not unit.is_ready
        if unit.is_ready:
            self._find(axis, unit)
        else:
            self._lose(axis, unit)
            unit.lost_at, unit.is_hung, unit.is_link_dead, unit.hangs_next = self.now, False, False, None
        self.model.link(axis, is_ready=unit.is_ready)
        self.core.receive_link(self.now, axis, is_ready=unit.is_ready)
        self._step()

    def hang(self, axis: Axis, *, is_executed: bool) -> None:
        """The next write to a unit never completes; whether the unit executes it is unknown to the core."""
        self.units[axis].hangs_next = is_executed if self.units[axis].is_ready else None

    def lose_link_silently(self, axis: Axis) -> None:
        """The link to a unit is dead, but writes still complete without an error."""
        unit = self.units[axis]
        unit.is_link_dead = unit.is_ready
        if axis is PAN and unit.is_link_dead:
            self.pan.is_exact = False

    def clock_jumps_back(self, seconds: float) -> None:
        """The clock goes backwards, after the core has seen the later time: every press is over."""
        self.model.pass_time(self.now)
        self._step()
        self.now -= seconds
        self.model.jump(seconds, self.now)
        self.model.pass_time(self.now)
        for unit in self.units.values():
            unit.lost_at -= seconds
            unit.stops_since = None if unit.stops_since is None else self.now
        self._step()

    def wait(self, seconds: float, late_s: float = 0.0) -> None:
        """Time passes; the core ticks at its deadlines, or a little later."""
        end = self.now + seconds
        turns = 0
        while (deadline := self.core.deadline()) is not None and deadline + late_s <= end:
            turns += 1
            assert turns < MAX_TURNS, "the core never sleeps: its deadline is always due"
            self._pass_to(max(self.now, deadline + late_s))
            self.model.pass_time(self.now)
            self._step()
        self._pass_to(end)
        self._check_asleep(late_s)

    def stall(self, seconds: float) -> None:
        """Time passes without a tick: the next event finds the core as it was before."""
        self.pan.may_overrun |= self.units[PAN].turning != 0
        self._pass_to(self.now + seconds)
        for unit in self.units.values():
            unit.stops_since = None if unit.stops_since is None else self.now
        if self.model.press is not None:
            self.model.press.changed_at = self.now

    # messages of visitors

    def _send(
        self,
        visitor: VisitorState,
        late_s: float = 0.0,
        for_s: float = math.inf,
        server_time_age_s: float = SERVER_TIME_AGE_S,
    ) -> None:
        assert visitor.pressed is not None
        visitor.seq += 1
        heard_s = self.now - late_s - server_time_age_s
        setpoint = self._setpoint(
            visitor, visitor.pressed, seq=visitor.seq, late_s=late_s, for_s=for_s, heard_s=heard_s
        )
        self._offer(visitor, setpoint, late_s)

    def _setpoint(
        self,
        visitor: VisitorState,
        target: dict[Axis, float],
        *,
        seq: int,
        epochs_ago: int = 0,
        holds_ago: int = 0,
        late_s: float = 0.0,
        for_s: float = math.inf,
        heard_s: float | None = None,
    ) -> Setpoint:
        return Setpoint(
            epoch=visitor.epoch - epochs_ago,
            hold=visitor.hold - holds_ago,
            seq=seq,
            pan=target[PAN],
            tilt=target[TILT],
            sent_at_s=self._sent_at(visitor, late_s),
            heard_s=self.now if heard_s is None else heard_s,
            for_s=for_s,
        )

    def _sent_at(self, visitor: VisitorState, late_s: float) -> float:
        return self.now + visitor.clock_offset_s - visitor.slept_s - late_s

    def _offer(self, visitor: VisitorState, setpoint: Setpoint, late_s: float) -> None:
        self.model.pass_time(self.now)
        expected = self.model.receive(self.now, visitor.name, setpoint, late_s + visitor.slept_s)
        self._compare(expected, lambda: self.core.receive_setpoint(self.now, visitor.name, setpoint))
        self._step()

    def _compare(self, expected: Refusal | None, request: Callable[[], None]) -> None:
        """The core must refuse exactly what the model refuses, for the same reason."""
        refusal = None
        try:
            request()
        except VisitorError as error:
            refusal = error.refusal
        self.met[f"refused: {refusal}" if refusal is not None else "granted"] += 1
        assert refusal is expected, f"the core refused with {refusal}, the model with {expected}"

    # behaviour of units

    def _lose(self, axis: Axis, unit: UnitState) -> None:
        self.met["lost with uncertainty"] += unit.is_hung or unit.is_link_dead
        if axis is PAN:
            self.pan.may_overrun |= unit.turning != 0
            unit.may_have_missed = self.now - unit.changed_at <= UNHEARD_S + EPSILON
            self.pan.may_be_unsure |= not self.pan.is_exact or unit.may_have_missed

    def _find(self, axis: Axis, unit: UnitState) -> None:
        was_turning, away_s = unit.turning != 0, self.now - unit.lost_at
        self.core.receive_attempted(self.now, axis, 0.0)
        unit.turning = 0.0
        self.core.receive_written(self.now, axis, 0.0)
        is_long = away_s > LONG_OUTAGE_S
        if axis is PAN and is_long and (was_turning or unit.may_have_missed):
            self.pan.is_exact, self.pan.may_be_unsure = False, True
        if axis is PAN and was_turning:
            self.pan.is_lost |= is_long
            self.pan.is_anywhere |= is_long
            self.met[f"turned out of reach {'for long' if is_long else 'for seconds'}"] += 1

    def _write(self, axis: Axis, velocity: float) -> None:
        unit = self.units[axis]
        if not unit.is_ready or unit.is_hung:
            return
        self.core.receive_attempted(self.now, axis, velocity)
        if unit.hangs_next is not None:
            unit.is_hung = True
            if axis is PAN:
                self.pan.may_overrun, self.pan.is_exact = True, False
        if not unit.is_link_dead and unit.hangs_next is not False:
            unit.turning = velocity
        if not unit.is_hung:
            self.core.receive_written(self.now, axis, velocity)

    def _pass_to(self, time: float) -> None:
        self.pan.deg += self.units[PAN].turning * FULL_SPEED_DEG_PER_S * (time - self.now)
        self.now = time

    # invariants

    def _step(self) -> None:
        """Let the core do what is due, and check every effect."""
        notified, answered = set(), set()
        for effect in self.core.tick(self.now):
            if isinstance(effect, Write):
                self._check_write(self.units[effect.axis], effect.velocity)
                self._write(effect.axis, effect.velocity)
            elif isinstance(effect, Notify):
                self.met[f"cut: {effect.code}"] += 1
                if effect.code is NoticeCode.LEASE_LOST:
                    notified.add(effect.session)
            elif isinstance(effect, QuestionEnded):
                self.met[f"answer: {effect.end}"] += 1
                answered.add((effect.session, effect.end))
        pan, tilt = self.units[PAN], self.units[TILT]
        self.model.motion.note(self.now, is_moving=pan.commanded != 0 or tilt.commanded != 0)
        assert notified == self.model.to_notify, (
            f"{notified} were notified of losing the lease, instead of {self.model.to_notify}"
        )
        self.model.to_notify.clear()
        assert answered == self.model.to_answer, f"{answered} were answered, instead of {self.model.to_answer}"
        self.model.to_answer.clear()
        assert self.core.lease_status == self.model.status(self.now), "the wrong session drives, or asks"
        self._check_is_meant(PAN)
        self._check_is_meant(TILT)
        self._check_stops(pan)
        self._check_stops(tilt)
        # From the odometer itself: the whole status, which `_check_asleep` checks, takes a third of the harness's time.
        self._check_position(self._odometer.position_deg(self.now), is_sure=self._odometer.is_sure)
        self._check_limits()

    def _check_write(self, unit: UnitState, velocity: float) -> None:
        """A speed increases slowly, and a stop is written three times and no more."""
        from_rest = abs(unit.commanded) if unit.commanded * velocity > 0 else 0.0
        max_speed = from_rest + OPTIONS.acceleration_per_s * min(max(0.0, self.now - unit.commanded_at), MAX_STEP_S)
        assert abs(velocity) <= max(FIRST_STEP, from_rest, max_speed) + EPSILON, (
            f"a jump from {unit.commanded} to {velocity}"
        )
        if unit.commanded * velocity < 0:
            self.met["reversed"] += 1
        if velocity != 0:
            unit.stops_since = None
        elif unit.commanded != 0:
            unit.stops_since, unit.stops = self.now, 1
        else:
            assert unit.stops_since is not None, "a stop without a reason"
            unit.stops += 1
            assert unit.stops <= STOPS, "a stop is repeated too often"
        if velocity != unit.commanded:
            unit.changed_at = self.now
        unit.commanded, unit.commanded_at = velocity, self.now

    def _check_is_meant(self, axis: Axis) -> None:
        commanded, target = self.units[axis].commanded, self.model.target(axis)
        if commanded == target:
            return
        assert commanded == 0 or target != 0, f"{axis} moves without a press"
        assert commanded * target >= 0, f"{axis} moves in the wrong direction"
        assert abs(commanded) <= abs(target) + EPSILON, f"{axis} moves faster than it was asked to"
        if commanded == 0 and target != 0:
            is_known = self.pan.is_exact and not self.pan.may_be_unsure
            is_near = LIMIT_DEG - self.pan.deg * math.copysign(1, target) <= NEAR_DEG
            assert axis is PAN, f"{axis} does not move although a press asks for it"
            assert is_near or not is_known, f"pan does not move at {self.pan.deg} although a press asks for it"
            self.met[f"limit: {math.copysign(1, target):+.0f}"] += is_known

    def _check_stops(self, unit: UnitState) -> None:
        if unit.stops_since is not None and self.now - unit.stops_since > STOPS_TIMEOUT_S:
            assert unit.stops == STOPS, f"a stop was written {unit.stops} times"
            unit.stops_since = None
            self.met["stop written three times"] += 1

    def _check_position(self, position_deg: float | None, *, is_sure: bool) -> None:
        """The reckoned position is right, and called sure only with reason."""
        pan, unit = self.pan, self.units[PAN]
        assert position_deg is not None
        error_deg = abs(position_deg - pan.deg)
        pan.is_lost |= error_deg > MAX_UNCERTAINTY_DEG
        if pan.is_exact:
            assert error_deg < EPSILON * 10, f"reckoned {position_deg}, and truly {pan.deg}"
            assert is_sure or pan.may_be_unsure or not unit.is_ready, "not sure without a reason"
        elif unit.is_ready and not unit.is_link_dead and is_sure:
            assert error_deg <= SURE_DEG, f"sure of {position_deg}, and truly {pan.deg}"
        assert not (pan.is_anywhere and is_sure), "sure after a long outage"
        if not is_sure:
            self.met["not sure"] += 1

    def _check_limits(self) -> None:
        """Pan is never driven outward beyond a limit, and only gets there while no stop could reach it."""
        unit = self.units[PAN]
        if self.pan.is_lost or unit.is_link_dead:
            return
        if abs(self.pan.deg) > LIMIT_DEG:
            assert unit.commanded * self.pan.deg <= 0, f"pan is driven outward at {self.pan.deg}"
            assert self.pan.may_overrun, f"pan at {self.pan.deg}"
            self.met["beyond a limit"] += 1
        elif not unit.is_hung and unit.is_ready:
            self.pan.may_overrun = False

    def _check_asleep(self, late_s: float) -> None:
        """Whatever moves at the end of a wait must be wanted until now, and nothing about the lease may be overdue."""
        is_overdue = self.model.is_overdue(self.now - late_s - EPSILON, is_idle=self.core.lease_status.is_idle)
        assert not is_overdue, "a deadline was left out"
        for axis, unit in self.units.items():
            if unit.commanded != 0:
                assert self.model.press is not None
                assert self.now <= self.model.ends_at(self.now) + late_s + EPSILON, (
                    f"{axis} moves after the end of its press"
                )
            self._check_stops(unit)
        press = self.model.press
        is_settled = press is not None and self.now - press.changed_at > FULL_SPEED_AFTER_S
        if is_settled and self.now < self.model.ends_at(self.now):
            tilt = self.model.target(TILT)
            assert abs(self.units[TILT].commanded - tilt) < EPSILON, "a speed never reaches its target"
            self.met["reached the target"] += tilt != 0
        status = self.core.axis_status(self.now, PAN)
        assert status.velocity == self.units[PAN].commanded, f"the status reports {status.velocity}"
        self._check_position(status.position_deg, is_sure=status.is_position_sure)
        self._check_limits()


def _reset_counters(visitor: VisitorState) -> None:
    """The page numbers its holds and messages from 0 again, as it does under a new lease."""
    visitor.pressed, visitor.hold, visitor.seq = None, 0, 0
