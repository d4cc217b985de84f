"""Runs two supervised units on one radio under random commands and faults, and checks the invariants of the link.

Commands are recorded and compared with what is written and with what the units receive.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.support.link.simulated_unit import Call, SimulatedRadio, SimulatedUnit
from tests.support.link.unit_rig import LAYOUT, UnitRig, supervised

from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import pack
from belvedere.link.supervisor import LinkPhase
from belvedere.testing.clock import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

INTERVAL_S = 0.040
EPSILON_S = 1e-6
RECOVERY_S = 40.0  # opening times out after 15 s, closing after 3 s, and the longest wait is 5 s
SPEEDS = 999
HALF = 0.5


class CheckedUnit(SimulatedUnit):
    """A simulated unit that checks and records each frame when it is written.

    Attributes:
        wanted: the frame of the newest command.
        last_written: the newest frame written, if any.
        began_with: for each connection, its first frame.
    """

    def __init__(self, radio: SimulatedRadio, *, can_keep_alive: bool = True) -> None:
        super().__init__(radio, can_keep_alive=can_keep_alive)
        self.wanted = UnitRig.stop
        self.last_written: bytes | None = None
        self.began_with: dict[int, bytes] = {}

    async def write(self, frame: bytes, *, response: bool) -> None:
        """Check, then write."""
        assert frame in {UnitRig.stop, self.wanted}, "an old move was written"
        self.last_written = frame
        self.began_with.setdefault(self.connections, frame)
        await super().write(frame, response=response)


class LinkHarness:
    """A radio, two units, their supervisors, and commands to them."""

    def __init__(self, units: dict[Axis, CheckedUnit], rigs: dict[Axis, UnitRig]) -> None:
        self.units = units
        self.rigs = rigs
        self.is_faulty = dict.fromkeys(AXES, False)
        self._speed = 0
        self._stops: list[tuple[Axis, float]] = []
        self._fault_at = dict.fromkeys(AXES, 0.0)

    @property
    def now(self) -> float:
        """The loop's time."""
        return asyncio.get_running_loop().time()

    def move(self, axis: Axis) -> None:
        """Command a velocity that differs from the recent ones."""
        self._speed = self._speed % SPEEDS + 1
        self._put(axis, self._speed / SPEEDS)

    def stop(self, axis: Axis) -> None:
        """Command a stop; if the unit was sent a move, the stop must arrive within two intervals."""
        unit = self.units[axis]
        is_urgent = unit.last_written not in {None, UnitRig.stop}
        if self.rigs[axis].is_ready and is_urgent and not self.is_faulty[axis]:
            self._stops.append((axis, self.now))
        self._put(axis, 0.0)

    def inject(self, axis: Axis, fault: Callable[[SimulatedUnit], None]) -> None:
        """Inject a fault into a unit, for which nothing is guaranteed from now on."""
        self.is_faulty[axis] = True
        self._fault_at[axis] = self.now
        fault(self.units[axis])

    async def wait(self, seconds: float) -> None:
        """Let time pass, then check the invariants."""
        await asyncio.sleep(seconds)
        self.check()

    async def recover(self) -> None:
        """Clear all faults; after a while both units must be READY and execute commands again."""
        for unit in self.units.values():
            unit.release()
            unit.come_back()
            unit.is_silent = unit.is_refusing = False
            unit.connects_to_fail = 0
        for rest_s in (
            RECOVERY_S,
            RECOVERY_S,
            4 * INTERVAL_S,
        ):  # several rounds: a dead link that looks connected is detected only by a write
            for axis in AXES:
                self.move(axis)
            await self.wait(rest_s)
        for axis, unit in self.units.items():
            assert self.rigs[axis].is_ready, f"{axis} did not recover"
            assert unit.frames[-1].frame == unit.wanted, f"{axis} ignores commands"
        self.is_faulty = dict.fromkeys(AXES, False)

    def check(self) -> None:
        """Check the invariants."""
        for axis, unit in self.units.items():
            if self.rigs[axis].task.done():
                self.rigs[axis].task.result()
            assert set(unit.began_with.values()) <= {UnitRig.stop}, f"{axis}: a connection began with a move"
            if not self._fault_at[axis]:
                assert LinkPhase.WAITING not in self.rigs[axis].phases, f"{axis} was lost without a fault"
        self._check_stops()

    def _check_stops(self) -> None:
        due = [one for one in self._stops if self.now >= one[1] + 2 * INTERVAL_S + EPSILON_S]
        self._stops = [one for one in self._stops if one not in due]
        for axis, put_at in due:
            if self._fault_at[axis] >= put_at:
                continue
            latest = put_at + 2 * INTERVAL_S + EPSILON_S
            arrived = [one for one in self.units[axis].frames if put_at <= one.at_s <= latest]
            assert UnitRig.stop in [one.frame for one in arrived], f"{axis}: a stop came late"

    def _put(self, axis: Axis, velocity: float) -> None:
        self.units[axis].wanted = pack(LAYOUT, velocity)
        self.rigs[axis].put(velocity)


def _is(chance: Random) -> bool:
    return chance.random() < HALF


FAULTS: tuple[Callable[[SimulatedUnit, Random], None], ...] = (
    lambda unit, _chance: unit.drop(),
    lambda unit, _chance: unit.vanish(),
    lambda unit, _chance: unit.come_back(),
    lambda unit, chance: setattr(unit, "is_silent", _is(chance)),
    lambda unit, chance: setattr(unit, "is_refusing", _is(chance)),
    lambda unit, _chance: setattr(unit, "is_zombie", unit.is_connected),
    lambda unit, _chance: setattr(unit, "connects_to_fail", 2),
    lambda unit, chance: unit.hang(chance.choice(list(Call)), even_when_cancelled=_is(chance)),
    lambda unit, _chance: unit.release(),
)


async def run_schedule(chance: Random, steps: int) -> LinkHarness:
    """Run `steps` random events, then clear all faults, then end the supervisors."""
    radio = SimulatedRadio(interval_s=INTERVAL_S)
    units = {axis: CheckedUnit(radio, can_keep_alive=_is(chance)) for axis in AXES}
    async with (
        supervised(units[Axis.PAN], axis=Axis.PAN) as pan,
        supervised(units[Axis.TILT], axis=Axis.TILT) as tilt,
    ):
        harness = LinkHarness(units, {Axis.PAN: pan, Axis.TILT: tilt})
        await harness.wait(chance.random())  # both units are ready after 0.7 s, if nothing happens before
        for _ in range(steps):
            await random_event(harness, chance)
        await harness.recover()
    for axis, unit in units.items():
        await asyncio.sleep(1)
        assert unit.frames[-1].frame == UnitRig.stop, f"{axis} was left turning"
    return harness


def other(axis: Axis) -> Axis:
    """The other axis."""
    return Axis.TILT if axis is Axis.PAN else Axis.PAN


async def random_event(harness: LinkHarness, chance: Random) -> None:
    """Run one random event."""
    axis = chance.choice(AXES)
    match chance.choices(["hold", "move", "stop", "wait", "fault"], [5, 3, 4, 4, 4])[0]:
        case "hold":
            for _ in range(chance.randrange(1, 60)):
                harness.move(axis)
                if chance.random() < HALF:
                    harness.move(other(axis))
                await harness.wait(1 / 60)
        case "move":
            harness.move(axis)
        case "stop":
            harness.stop(axis)
        case "wait":
            await harness.wait(chance.choice([0.0, 0.01, 0.05, 0.3, 3.0]) * chance.random())
        case _:
            fault = chance.choice(FAULTS)
            harness.inject(axis, lambda unit: fault(unit, chance))


def run_random_schedule(chance: Random, steps: int) -> LinkHarness:
    """Run a random schedule in virtual time."""
    return run_in_virtual_time(run_schedule(chance, steps))
