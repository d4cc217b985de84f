"""Random lives of the control world, and what must have happened in them for that to be a proof of anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tests.support.control.model_harness import LATE_TICK_S, OPTIONS, ControlWorld
from tests.support.control.reference_model import PEOPLE

from belvedere.control.lease import LeaseVerb
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

NAMES = tuple(PEOPLE)
TO_BE_MET = (
    "granted",
    *(f"refused: {why}" for why in ("not_ready", "not_driving", "someone_else_drives", "outranked", "bad_message")),
    *(f"refused: {why}" for why in ("old_epoch", "old_sequence", "too_late", "too_slow")),
    *(f"refused: {why}" for why in ("hold_ended", "hold_too_long")),
    *(f"cut: {why}" for why in ("hold_expired", "hold_too_long", "link_lost", "lease_lost", "stopped")),
    *(f"cut: {why}" for why in ("clock_jumped", "closing")),
    *(f"lease: {how}" for how in ("acquire", "take", "acquire while gone", "take while gone")),
    "limit: -1",
    "limit: +1",
    "beyond a limit",
    "reversed",
    "grown to what is wanted",
    "stop said three times",
    "turned out of reach for seconds",
    "turned out of reach for long",
    "lost with a doubt",
    "not sure",
)


def never_met(met: Iterable[str]) -> list[str]:
    """What should have happened and did not."""
    return sorted(set(TO_BE_MET) - set(met))


def run_random_schedule(random: Random, steps: int) -> ControlWorld:
    """One life of the world: `steps` things that happen, chosen by `random`; raises AssertionError on a broken rule."""
    world = ControlWorld()
    _begin(world)
    for _ in range(steps):
        is_over = world.pan.is_lost or not world.pan.is_exact or world.books.is_closing
        if is_over and random.random() < ANEW:
            world.begin_anew()
            _begin(world)
        _something_happens(world, random)
    world.wait(OPTIONS.dead_man_s + LATE_TICK_S)
    assert all(unit.told == 0 for unit in world.units.values()), "still moving after the dead-man time"
    return world


def _begin(world: ControlWorld) -> None:
    world.come_or_go("ann")
    for axis in AXES:
        world.link(axis)
    world.lease("ann", LeaseVerb.ACQUIRE)
    world.press("ann", 1.0, -0.5)


def _something_happens(world: ControlWorld, random: Random) -> None:
    """One thing; the likely ones are those of a visitor who drives."""
    name = random.choice(NAMES)
    driver = world.books.lease.driver or name
    if random.random() < RARELY:
        world.close()
    else:
        random.choices(tuple(THINGS), tuple(THINGS.values()))[0](world, random, name, driver)


def _wish(random: Random) -> tuple[float, float]:
    """Often all there is, as a key does, and often nothing on an axis."""
    return (
        random.choice((1.0, -1.0, random.uniform(-1, 1))),
        random.choice((0.0, -1.0, random.uniform(-1, 1))),
    )


def _for_s(random: Random) -> float:
    return random.choice((math.inf, math.inf, math.inf, 0.05, 0.2, 1.5))


def _late(random: Random) -> float:
    return random.uniform(0, LATE_TICK_S)


def _goes_on(world: ControlWorld, random: Random, _name: str, driver: str) -> None:
    world.wait(random.choice((0.02, 0.05, 0.05, 0.2, 0.4, 0.7)), _late(random))
    late_s = random.choice((0.0, 0.0, 0.0, 0.13, 0.95))
    unheard_s = random.choice((0.05, 0.05, 0.05, 0.05, 0.05, 0.3, 0.7, 0.85, 3.0, -5.0))
    world.hold(driver, *_wish(random), late_s=late_s, for_s=_for_s(random), unheard_s=unheard_s)


def _holds_on(world: ControlWorld, random: Random, _name: str, driver: str) -> None:
    world.hold_on(driver, random.choice((0.2, 0.6, 0.6, 2.5)), _late(random))


def _presses(world: ControlWorld, random: Random, _name: str, driver: str) -> None:
    world.press(driver, *_wish(random), _for_s(random))


def _replays(world: ControlWorld, random: Random, _name: str, driver: str) -> None:
    world.replay(driver, random.choice((0, 0, 1)), random.choice((0, 0, 1, 2)), random.randrange(4))


def _waits(world: ControlWorld, random: Random, _name: str, _driver: str) -> None:
    world.wait(random.choice((0.3, 0.9, 1.5, 2.5, 6.0)), _late(random))


def _presses_on_and_on(world: ControlWorld, random: Random, _name: str, driver: str) -> None:
    """A hand, or a program, that begins anew again and again, with rests that are none, or hardly any."""
    for _ in range(random.randrange(4, 12)):
        world.press(driver, *_wish(random), random.choice((math.inf, 0.2)))
        world.wait(random.choice((0.1, 0.4, 0.79)), _late(random))


def _comes_and_is_held_up(world: ControlWorld, random: Random, _name: str, driver: str) -> None:
    """Somebody comes, is heard of in time, and the first press is held up."""
    if world.visitors[driver].is_connected:
        world.come_or_go(driver)
    world.come_or_go(driver)
    world.ping(driver, 0.0)
    world.lease(driver, LeaseVerb.ACQUIRE)
    world.press(driver, *_wish(random), late_s=random.choice((0.3, 0.9)))


def _breaks(world: ControlWorld, random: Random, name: str, driver: str) -> None:
    """The driver's connection breaks, and somebody asks to drive: perhaps the same person again."""
    if world.visitors[driver].is_connected:
        world.come_or_go(driver)
    world.wait(random.choice((0.0, 0.3, 2.9, 3.1)), _late(random))
    asking = random.choice((driver, "ann-again", name))
    if not world.visitors[asking].is_connected:
        world.come_or_go(asking)
    world.lease(asking, random.choice((LeaseVerb.ACQUIRE, LeaseVerb.TAKE)))
    world.press(asking, *_wish(random))


def _is_lost_for_long(world: ControlWorld, random: Random, _name: str, driver: str) -> None:
    """A unit goes out of reach while it turns steadily, and comes back after it may have met its own end."""
    if world.units[Axis.PAN].is_ready:
        world.press(driver, random.choice((0.1, -0.1)), 0.0)
        world.hold_on(driver, 0.8, _late(random))
        world.link(Axis.PAN)
        world.wait(random.choice((4.5, 5.5)), _late(random))
        world.link(Axis.PAN)


def _deafens(world: ControlWorld, random: Random, _name: str, driver: str) -> None:
    """A link dies, shows it only after a while, and is reached again, most often soon."""
    axis = random.choice((Axis.PAN, Axis.PAN, Axis.TILT))
    if not world.units[axis].is_ready:
        return
    world.go_deaf(axis)
    world.wait(random.uniform(0, 0.2), _late(random))
    random.choice((world.release, world.stop, lambda name: world.hold(name, *_wish(random))))(driver)
    world.wait(random.uniform(0, 0.2), _late(random))
    world.link(axis)
    world.wait(random.choice((0.05, 0.2, 1.0)), _late(random))
    world.link(axis)


def _hangs(world: ControlWorld, random: Random, _name: str, driver: str) -> None:
    """A write never ends, and the link is given up for that."""
    axis = random.choice((Axis.PAN, Axis.PAN, Axis.TILT))
    if not world.units[axis].is_ready:
        return
    world.hang(axis, is_taken=random.random() < 0.5)
    random.choice((world.release, lambda name: world.hold(name, *_wish(random))))(driver)
    world.wait(random.uniform(0, 0.3), _late(random))
    world.link(axis)
    world.wait(random.choice((0.05, 0.2, 1.0)), _late(random))
    world.link(axis)


THINGS: dict[Callable[[ControlWorld, Random, str, str], None], int] = {
    _goes_on: 8,
    _holds_on: 2,
    _presses: 4,
    _presses_on_and_on: 1,
    _comes_and_is_held_up: 1,
    _replays: 1,
    _waits: 1,
    _deafens: 1,
    _is_lost_for_long: 1,
    _hangs: 1,
    _breaks: 2,
    lambda world, _random, name, _driver: world.come_or_go(name): 2,
    lambda world, _random, name, _driver: world.lease(name, LeaseVerb.ACQUIRE): 1,
    lambda world, _random, name, _driver: world.lease(name, LeaseVerb.TAKE): 1,
    lambda world, _random, _name, driver: world.lease(driver, LeaseVerb.RETURN): 1,
    lambda world, random, _name, driver: world.release(driver, random.choice((0, 0, 0, 1))): 1,
    lambda world, random, _name, driver: world.press_and_let_go(driver, *_wish(random)): 1,
    lambda world, _random, name, _driver: world.stop(name): 1,
    lambda world, random, _name, driver: world.ping(driver, random.choice((0.0, 0.0, 0.3))): 1,
    lambda world, random, _name, _driver: world.link(random.choice(AXES)): 2,
    lambda world, random, _name, _driver: world.clock_jumps_back(random.choice((0.001, 0.3, 40.0))): 1,
    lambda world, random, name, _driver: world.hold(name, *_wish(random)): 1,
    lambda world, random, _name, _driver: world.stall(random.choice((0.1, 0.9, 2.5))): 1,
    lambda world, _random, name, _driver: world.garbage(name): 1,
    lambda world, random, _name, driver: world.sleep(driver, random.choice((0.3, 1.7, 12.0))): 1,
}
ANEW = 0.15  # what cannot be known any more ends with a fresh start: soon, not at once
RARELY = 0.01  # the program ends: not in every life, which would be short otherwise
