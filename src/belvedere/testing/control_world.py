"""A small world around the fail-safe core, in which anything may happen in any order, and what must never be true.

It keeps its own books of what visitors meant (who presses what, since when) without asking the core, and compares them
with what the core does. Hypothesis drives it in the tests, a plain random generator in the long runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from belvedere.control.core import Control
from belvedere.control.effects import Write
from belvedere.control.lease import Driver, LeaseVerb
from belvedere.control.motion import AxisSetup
from belvedere.control.options import AxisLimits, ControlOptions
from belvedere.control.setpoint import Setpoint
from belvedere.errors import VisitorError
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from random import Random

FULL_SPEED_DEG_PER_S = 30.0
LIMITS = AxisLimits(min_deg=-40, max_deg=40)
PEOPLE = {"ann": 0, "ann-again": 0, "bob": 0, "room": 1}
LATE_TICK_S = 0.02  # how late a busy loop may come
SLACK_DEG = FULL_SPEED_DEG_PER_S * 0.05  # what a late tick may add to the travel


@dataclass
class Visitor:
    """One session's hand and memory."""

    name: str
    is_connected: bool = False
    epoch: int = -1
    hold: int = 0
    seq: int = 0
    pressed: dict[Axis, float] | None = None
    sent_at: float = -1e9
    began_at: float = -1e9
    is_cut: dict[Axis, bool] = field(default_factory=lambda: dict.fromkeys(AXES, False))


class ControlWorld:
    """Visitors, a clock, two units, and the core between them; every method is something that may happen."""

    def __init__(self) -> None:
        self.options = ControlOptions(pan=LIMITS)
        setup = AxisSetup(full_speed_deg_per_s=FULL_SPEED_DEG_PER_S, limits=LIMITS)
        self.core = Control(self.options, {Axis.PAN: setup})
        self.now = 1000.0
        self.visitors = {name: Visitor(name) for name in PEOPLE}
        self.is_ready = dict.fromkeys(AXES, False)
        self.told = dict.fromkeys(AXES, 0.0)  # the newest effect of each axis
        self.turning = dict.fromkeys(AXES, 0.0)  # what each unit does: it never stops by itself
        self.pan_deg = 0.0
        self.is_adrift = False  # the pan unit moved while nobody could stop it in time
        self._step()

    def come_or_go(self, name: str) -> None:
        """A session opens, or closes."""
        visitor = self.visitors[name]
        visitor.is_connected = not visitor.is_connected
        if visitor.is_connected:
            person = name.removesuffix("-again")
            self.core.receive_session_opened(self.now, Driver(name, person, PEOPLE[name]))
        else:
            self._forget(visitor)
            self.core.receive_session_closed(self.now, name)
        self._step()

    def lease(self, name: str, verb: LeaseVerb) -> None:
        """A session asks for the lease, takes it or returns it."""
        before = self.core.lease_status.epoch
        try:
            self.core.receive_lease(self.now, name, verb)
        except VisitorError:
            pass
        else:
            changed = self.core.lease_status.epoch != before
            for visitor in self.visitors.values():
                if changed or (verb is LeaseVerb.RETURN and visitor.name == name):
                    self._forget(visitor)
        if self.core.lease_status.session == name:
            self.visitors[name].epoch = self.core.lease_status.epoch
        self._step()

    def press(self, name: str, pan: float, tilt: float) -> None:
        """A fresh press: whatever was held before is over."""
        visitor = self.visitors[name]
        visitor.hold += 1
        visitor.began_at = self.now
        visitor.is_cut = {axis: not self.is_ready[axis] for axis in AXES}
        visitor.pressed = {Axis.PAN: pan, Axis.TILT: tilt}
        self._send(visitor, late_s=0)

    def hold(self, name: str, pan: float, tilt: float, late_s: float = 0.0) -> None:
        """The same press again, perhaps with another wish, perhaps held up on its way."""
        visitor = self.visitors[name]
        if visitor.pressed is not None:
            visitor.pressed = {Axis.PAN: pan, Axis.TILT: tilt}
            self._send(visitor, late_s)

    def replay(self, name: str, epochs_ago: int, holds_ago: int) -> None:
        """A packet from long ago comes after all: it may move nothing."""
        visitor = self.visitors[name]
        visitor.seq += 1
        if epochs_ago == 0 and (holds_ago == 0 or visitor.hold - holds_ago < 0):
            return
        self._offer(visitor, visitor.epoch - epochs_ago, visitor.hold - holds_ago, {Axis.PAN: 1.0, Axis.TILT: -1.0}, 0)

    def release(self, name: str) -> None:
        """The visitor lets go."""
        visitor = self.visitors[name]
        self.core.receive_release(self.now, name, visitor.epoch, visitor.hold)
        if visitor.pressed is not None:
            visitor.pressed = None
        self._step()

    def stop(self, name: str) -> None:
        """Somebody presses stop: nobody's press counts any more."""
        self.core.receive_stop(self.now, name)
        self._cut_all(AXES)
        self._step()
        assert self.told == dict.fromkeys(AXES, 0.0), "a stop was queued"

    def ping(self, name: str) -> None:
        """A sign of life without a wish."""
        self.core.receive_sign_of_life(self.now, name, self.now)
        self._step()

    def link(self, axis: Axis) -> None:
        """A unit goes out of reach, still turning; or comes back, and is told to stop first."""
        self.is_ready[axis] = not self.is_ready[axis]
        if self.is_ready[axis]:
            self.turning[axis] = 0.0
            self.core.receive_written(self.now, axis, 0.0)
        else:
            self._cut_all((axis,))
            self.is_adrift |= axis is Axis.PAN and self.turning[axis] != 0
        self.core.receive_link(self.now, axis, is_ready=self.is_ready[axis])
        self._step()

    def clock_jumps_back(self, seconds: float) -> None:
        """The clock misbehaves, and the core has seen the later time: every press is over."""
        self._step()
        self.now -= seconds
        self._cut_all(AXES)
        for visitor in self.visitors.values():
            visitor.sent_at = min(visitor.sent_at, self.now)
            visitor.began_at = min(visitor.began_at, self.now)
        self._step()
        assert self.told == dict.fromkeys(AXES, 0.0)

    def wait(self, seconds: float, late_s: float = 0.0) -> None:
        """Time passes; the core is woken when it asked to be, or a little later."""
        end = self.now + seconds
        while (deadline := self.core.deadline()) is not None and deadline + late_s <= end:
            self._pass_to(max(self.now, deadline + late_s))
            self._step(late_s)
        self._pass_to(end)
        self.check(late_s)

    def stall(self, seconds: float) -> None:
        """Time passes and nobody wakes the core: what comes next finds everything as it was."""
        self.is_adrift |= self.turning[Axis.PAN] != 0
        self._pass_to(self.now + seconds)
        for visitor in self.visitors.values():
            if self.now >= visitor.sent_at + self.options.dead_man_s:
                visitor.is_cut = dict.fromkeys(AXES, True)

    def check(self, late_s: float = LATE_TICK_S) -> None:
        """What must be true at any instant."""
        for axis in AXES:
            if self.told[axis] != 0:
                self._check_is_meant(axis, late_s)
        if not self.is_adrift:
            assert LIMITS.min_deg is not None
            assert LIMITS.max_deg is not None
            assert LIMITS.min_deg - SLACK_DEG <= self.pan_deg <= LIMITS.max_deg + SLACK_DEG, f"pan at {self.pan_deg}"

    def _check_is_meant(self, axis: Axis, late_s: float) -> None:
        lease = self.core.lease_status
        assert lease.session is not None, f"{axis} moves without a lease"
        driver = self.visitors[lease.session]
        assert driver.is_connected, f"{axis} moves for a session that left"
        assert driver.epoch == lease.epoch, f"{axis} moves for an old epoch"
        assert driver.pressed is not None, f"{axis} moves though nothing is pressed"
        assert not driver.is_cut[axis], f"{axis} moves by a hold that was cut"
        assert self.now - driver.sent_at <= self.options.dead_man_s + late_s + 1e-6, f"{axis} moves by an old setpoint"
        assert self.now - driver.began_at <= self.options.hold_ceiling_s + late_s + 1e-6, f"{axis}: hold without end"
        wanted = driver.pressed[axis]
        assert (self.told[axis] > 0) == (wanted > 0), f"{axis} moves the wrong way"
        assert abs(self.told[axis]) <= abs(wanted) + 1e-9, f"{axis} moves faster than it was asked to"

    def _send(self, visitor: Visitor, late_s: float) -> None:
        visitor.seq += 1
        if self.now - visitor.sent_at > self.options.dead_man_s and visitor.began_at < self.now:
            visitor.is_cut = dict.fromkeys(AXES, True)
        if self.now - visitor.began_at >= self.options.hold_ceiling_s:
            visitor.is_cut = dict.fromkeys(AXES, True)
        for axis in AXES:
            visitor.is_cut[axis] |= not self.is_ready[axis]
        assert visitor.pressed is not None
        self._offer(visitor, visitor.epoch, visitor.hold, visitor.pressed, late_s)

    def _offer(self, visitor: Visitor, epoch: int, hold: int, wish: dict[Axis, float], late_s: float) -> None:
        is_current = epoch == visitor.epoch and hold == visitor.hold
        before = dict(self.told)
        setpoint = Setpoint(
            epoch=epoch,
            hold=hold,
            seq=visitor.seq,
            pan=wish[Axis.PAN],
            tilt=wish[Axis.TILT],
            sent_at_s=self.now - late_s,
        )
        try:
            self.core.receive_setpoint(self.now, visitor.name, setpoint)
        except VisitorError:
            self._step()
            for axis in AXES:  # what already moves may go on growing, and is checked like any motion
                is_as_before = (self.told[axis] > 0) == (before[axis] > 0) and before[axis] != 0
                assert self.told[axis] == 0 or is_as_before, "a refused setpoint moved something"
            return
        assert is_current, "an old packet was taken for a new one"
        visitor.sent_at = self.now
        self._step()

    def _step(self, late_s: float = LATE_TICK_S) -> None:
        for effect in self.core.tick(self.now):
            if isinstance(effect, Write):
                self.told[effect.axis] = effect.velocity
                if self.is_ready[effect.axis]:
                    self.turning[effect.axis] = effect.velocity
                    self.core.receive_written(self.now, effect.axis, effect.velocity)
        self.check(late_s)

    def _pass_to(self, time: float) -> None:
        self.pan_deg += self.turning[Axis.PAN] * FULL_SPEED_DEG_PER_S * (time - self.now)
        self.now = time

    def _forget(self, visitor: Visitor) -> None:
        visitor.pressed = None
        visitor.hold = 0
        visitor.seq = 0

    def _cut_all(self, axes: tuple[Axis, ...]) -> None:
        for visitor in self.visitors.values():
            for axis in axes:
                visitor.is_cut[axis] = True


def run_random_schedule(random: Random, steps: int) -> ControlWorld:
    """One life of the world: `steps` things that happen, chosen by `random`; raises AssertionError on a broken rule."""
    world = ControlWorld()
    names = list(PEOPLE)
    world.come_or_go("ann")
    world.link(Axis.PAN)
    world.link(Axis.TILT)
    world.lease("ann", LeaseVerb.ACQUIRE)
    world.press("ann", 1.0, -0.5)
    for _ in range(steps):
        _something_happens(world, random, random.choice(names))
    world.wait(world.options.dead_man_s + LATE_TICK_S)
    assert world.told == dict.fromkeys(AXES, 0.0), "still moving after the dead-man time"
    return world


def _something_happens(world: ControlWorld, random: Random, name: str) -> None:
    """One thing; the likely ones are those of a visitor who drives."""
    pan, tilt = random.uniform(-1, 1), random.choice((0.0, random.uniform(-1, 1)))
    driver = world.core.lease_status.session or name
    happening = random.randrange(25)
    if happening < 8:  # noqa: PLR2004 - a third of what happens is a hand that goes on holding
        world.wait(random.choice((0.02, 0.05, 0.05, 0.2)), random.uniform(0, LATE_TICK_S))
        world.hold(driver, pan, tilt, random.choice((0.0, 0.0, 0.1, 0.6)))
    elif happening < 12:  # noqa: PLR2004 - a sixth is a fresh press
        world.press(driver, pan, tilt)
    else:
        rest = (
            lambda: world.come_or_go(name),
            lambda: world.lease(name, LeaseVerb.ACQUIRE),
            lambda: world.lease(name, LeaseVerb.TAKE),
            lambda: world.lease(driver, LeaseVerb.RETURN),
            lambda: world.release(driver),
            lambda: world.stop(name),
            lambda: world.ping(driver),
            lambda: world.link(random.choice(AXES)),
            lambda: world.clock_jumps_back(random.choice((0.001, 0.3, 40.0))),
            lambda: world.replay(driver, random.randrange(2), random.randrange(3)),
            lambda: world.wait(random.choice((0.3, 0.6, 3.0, 12.0)), random.uniform(0, LATE_TICK_S)),
            lambda: world.hold(name, pan, tilt),
            lambda: world.stall(random.choice((0.1, 0.7))),
        )
        rest[happening - 12]()
