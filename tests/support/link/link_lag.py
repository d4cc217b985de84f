"""Measures the age of commands when a simulated unit receives them, which cannot be measured on the sender's side.

Every velocity differs from those before and after it, so that a received frame shows when it was put.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.link.simulated_unit import SimulatedUnit
from tests.support.link.unit_rig import LAYOUT, UnitRig, supervised

from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import pack
from belvedere.link.supervisor import LinkPhase

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.support.link.simulated_unit import SimulatedRadio

SLOWEST, FASTEST = 100, 999  # 15 s of different velocities at 60 Hz, far longer than any command may take


@dataclass(slots=True)
class Lag:
    """What was measured, in seconds.

    Attributes:
        ages_s: for each axis, how old each move was when the unit received it, in order of arrival.
        stops_s: how long each stop took from being put to arriving.
        deepest: the longest queue of packets to one unit.
    """

    ages_s: dict[Axis, list[float]] = field(default_factory=lambda: {axis: [] for axis in AXES})
    stops_s: list[float] = field(default_factory=list)
    deepest: int = 0

    def age_s(self, share: float) -> float:
        """The age that this share of all moves does not exceed."""
        ages = sorted(age for axis in AXES for age in self.ages_s[axis])
        return ages[min(len(ages) - 1, int(share * len(ages)))]


class Stick:
    """A held stick: puts velocities to both axes at a steady rate."""

    def __init__(self, rigs: dict[Axis, UnitRig], units: dict[Axis, SimulatedUnit]) -> None:
        self.lag = Lag()
        self._rigs = rigs
        self._units = units
        self._put_at: dict[Axis, dict[bytes, float]] = {axis: {} for axis in AXES}
        self._seen = {axis: len(units[axis].frames) for axis in AXES}
        self._count = 0

    async def hold(self, seconds: float, rate_hz: float) -> None:
        """Hold the stick, moving it all the time."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            self._count += 1
            velocity = (SLOWEST + self._count % (FASTEST - SLOWEST)) / FASTEST
            for axis, rig in self._rigs.items():
                self._put_at[axis][pack(LAYOUT, velocity)] = loop.time()
                rig.put(velocity)
            await asyncio.sleep(1 / rate_hz)
            self._look()

    async def stop(self, timeout_s: float) -> None:
        """Release the stick, and wait until both units have the stop."""
        loop = asyncio.get_running_loop()
        put_at = loop.time()
        for rig in self._rigs.values():
            rig.put(0.0)
        await asyncio.sleep(timeout_s)
        for unit in self._units.values():
            arrived = [one.at_s for one in unit.frames if one.frame == UnitRig.stop and one.at_s >= put_at]
            self.lag.stops_s.append(arrived[0] - put_at if arrived else float("inf"))
        self._look()

    def _look(self) -> None:
        for axis, unit in self._units.items():
            self.lag.deepest = max(self.lag.deepest, unit.waiting)
            for one in list(unit.frames)[self._seen[axis] :]:
                if one.frame in self._put_at[axis]:
                    self.lag.ages_s[axis].append(one.at_s - self._put_at[axis][one.frame])
            self._seen[axis] = len(unit.frames)


async def measure_lag(
    radio: SimulatedRadio,
    chance: Random,
    *,
    seconds: float,
    rate_hz: float = 60.0,
    hold_s: float | None = None,
    during: Callable[[dict[Axis, SimulatedUnit]], None] = lambda _units: None,
) -> Lag:
    """Drive two units that share a radio for `seconds`.

    The stick is released after about `hold_s` each time, or never if None; then `during` is called after a third.
    """
    units = {axis: SimulatedUnit(radio) for axis in AXES}
    async with (
        supervised(units[Axis.PAN], axis=Axis.PAN) as pan,
        supervised(units[Axis.TILT], axis=Axis.TILT) as tilt,
    ):
        for rig in (pan, tilt):
            await rig.until(LinkPhase.READY)
        stick = Stick({Axis.PAN: pan, Axis.TILT: tilt}, units)
        if hold_s is None:
            await stick.hold(seconds / 3, rate_hz)
            during(units)
            await stick.hold(seconds * 2 / 3, rate_hz)
        else:
            end = pan.now + seconds
            while pan.now < end:
                await stick.hold(hold_s * 2 * chance.random(), rate_hz)
                await asyncio.sleep(chance.random() / rate_hz)
                await stick.stop(timeout_s=10 * radio.interval_s)
    return stick.lag
