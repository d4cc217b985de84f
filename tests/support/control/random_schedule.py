"""Random schedules of events for the model harness, and the events that they must have caused to be meaningful."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tests.support.control.model_harness import LATE_TICK_S, OPTIONS, ModelHarness
from tests.support.control.reference_model import PEOPLE

from belvedere.control.lease import LeaseVerb
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

NAMES = tuple(PEOPLE)
EXPECTED = (
    "granted",
    *(f"refused: {why}" for why in ("not_ready", "not_driving", "someone_else_drives", "outranked", "bad_message")),
    *(f"refused: {why}" for why in ("old_epoch", "old_sequence", "too_late", "too_slow")),
    *(f"refused: {why}" for why in ("hold_ended", "hold_too_long")),
    *(f"cut: {why}" for why in ("hold_expired", "hold_too_long", "link_lost", "lease_lost", "stopped")),
    *(f"cut: {why}" for why in ("clock_jumped", "closing")),
    *(f"lease: {how}" for how in ("acquire", "take", "acquire while gone", "take while gone")),
    *(f"lease: {how}" for how in ("ask", "ask while gone", "answer", "give")),
    *(f"answer: {what}" for what in ("granted", "denied", "unanswered", "over")),
    *(f"refused: {why}" for why in ("too_fast", "no_question")),
    "limit: -1",
    "limit: +1",
    "beyond a limit",
    "reversed",
    "reached the target",
    "stop written three times",
    "turned out of reach for seconds",
    "turned out of reach for long",
    "lost with uncertainty",
    "not sure",
)


def missing_events(met: Iterable[str]) -> list[str]:
    """The expected events that did not happen."""
    return sorted(set(EXPECTED) - set(met))


def run_random_schedule(random: Random, steps: int) -> ModelHarness:
    """Run this many random events. Raises AssertionError if an invariant is broken."""
    harness = ModelHarness()
    _set_up(harness)
    for _ in range(steps):
        is_over = harness.pan.is_lost or not harness.pan.is_exact or harness.model.is_closing
        if is_over and random.random() < RESTART_PROBABILITY:
            harness.restart()
            _set_up(harness)
        _random_event(harness, random)
    harness.wait(OPTIONS.dead_man_s + LATE_TICK_S)
    assert all(unit.commanded == 0 for unit in harness.units.values()), "still moving after the dead-man time"
    return harness


def _set_up(harness: ModelHarness) -> None:
    harness.open_or_close("ann")
    for axis in AXES:
        harness.link(axis)
    harness.lease("ann", LeaseVerb.ACQUIRE)
    harness.press("ann", 1.0, -0.5)


def _random_event(harness: ModelHarness, random: Random) -> None:
    """One event, most often one of the driver."""
    name = random.choice(NAMES)
    driver = harness.model.lease.driver or name
    if random.random() < CLOSE_PROBABILITY:
        harness.close()
    else:
        random.choices(tuple(EVENTS), tuple(EVENTS.values()))[0](harness, random, name, driver)


def _velocities(random: Random) -> tuple[float, float]:
    """A pan and tilt velocity: often full speed, as from a key, and often no tilt."""
    return (
        random.choice((1.0, -1.0, random.uniform(-1, 1))),
        random.choice((0.0, -1.0, random.uniform(-1, 1))),
    )


def _for_s(random: Random) -> float:
    return random.choice((math.inf, math.inf, math.inf, 0.05, 0.2, 1.5))


def _late(random: Random) -> float:
    return random.uniform(0, LATE_TICK_S)


def _repeats_the_setpoint(harness: ModelHarness, random: Random, _name: str, driver: str) -> None:
    harness.wait(random.choice((0.02, 0.05, 0.05, 0.2, 0.4, 0.7)), _late(random))
    late_s = random.choice((0.0, 0.0, 0.0, 0.13, 0.95))
    server_time_age_s = random.choice((0.05, 0.05, 0.05, 0.05, 0.05, 0.3, 0.7, 0.85, 3.0, -5.0))
    harness.hold(driver, *_velocities(random), late_s=late_s, for_s=_for_s(random), server_time_age_s=server_time_age_s)


def _keeps_holding(harness: ModelHarness, random: Random, _name: str, driver: str) -> None:
    harness.keep_holding(driver, random.choice((0.2, 0.6, 0.6, 2.5)), _late(random))


def _presses(harness: ModelHarness, random: Random, _name: str, driver: str) -> None:
    harness.press(driver, *_velocities(random), _for_s(random))


def _replays(harness: ModelHarness, random: Random, _name: str, driver: str) -> None:
    harness.replay(driver, random.choice((0, 0, 1)), random.choice((0, 0, 1, 2)), random.randrange(4))


def _waits(harness: ModelHarness, random: Random, _name: str, _driver: str) -> None:
    harness.wait(random.choice((0.3, 0.9, 1.5, 2.5, 6.0)), _late(random))


def _presses_repeatedly(harness: ModelHarness, random: Random, _name: str, driver: str) -> None:
    """New presses in a row, with pauses that are too short to be a rest."""
    for _ in range(random.randrange(4, 12)):
        harness.press(driver, *_velocities(random), random.choice((math.inf, 0.2)))
        harness.wait(random.choice((0.1, 0.4, 0.79)), _late(random))


def _connects_and_its_first_press_is_delayed(harness: ModelHarness, random: Random, _name: str, driver: str) -> None:
    """A session opens, its heartbeat arrives in time, and its first press is delayed."""
    if harness.visitors[driver].is_connected:
        harness.open_or_close(driver)
    harness.open_or_close(driver)
    harness.ping(driver, 0.0)
    harness.lease(driver, LeaseVerb.ACQUIRE)
    harness.press(driver, *_velocities(random), late_s=random.choice((0.3, 0.9)))


def _loses_the_connection(harness: ModelHarness, random: Random, name: str, driver: str) -> None:
    """The driver's connection breaks, and another session asks to drive, perhaps of the same person."""
    if harness.visitors[driver].is_connected:
        harness.open_or_close(driver)
    harness.wait(random.choice((0.0, 0.3, 2.9, 3.1)), _late(random))
    asking = random.choice((driver, "ann-again", name))
    if not harness.visitors[asking].is_connected:
        harness.open_or_close(asking)
    harness.lease(asking, random.choice((LeaseVerb.ACQUIRE, LeaseVerb.TAKE)))
    harness.press(asking, *_velocities(random))


def _asks_the_driver(harness: ModelHarness, random: Random, name: str, driver: str) -> None:
    """A session asks for the lease while the driver is there, who often answers."""
    if not harness.visitors[name].is_connected:
        harness.open_or_close(name)
    harness.lease(name, LeaseVerb.ASK)
    if random.random() < 0.5:
        harness.keep_holding(driver, random.choice((0.2, 1.2)), _late(random))
    if random.random() < 0.7:
        _answer(harness, random, random.choice((driver, driver, name)), name)
    harness.press(name, *_velocities(random))


def _holds_at_rest(harness: ModelHarness, random: Random, _name: str, driver: str) -> None:
    """The driver holds the stick in its middle, for long enough to be idle."""
    harness.press(driver, 0.0, 0.0)
    harness.keep_holding(driver, random.choice((0.4, 1.7)), _late(random))


def _answer(harness: ModelHarness, random: Random, name: str, asker: str) -> None:
    """A session answers another's question, as only the driver may."""
    now, is_granted = harness.now, random.random() < 0.5
    harness.change_lease(
        "answer",
        lambda: harness.model.answer(now, name, asker, is_granted=is_granted),
        lambda: harness.core.receive_answer(now, name, asker, is_granted=is_granted),
    )


def _gives_the_lease(harness: ModelHarness, random: Random, name: str, driver: str) -> None:
    """A session gives the lease to another, as only the driver may."""
    now, giver = harness.now, random.choice((driver, driver, name))
    harness.change_lease(
        "give",
        lambda: harness.model.give(now, giver, name),
        lambda: harness.core.receive_give(now, giver, name),
    )


def _loses_the_right_to_drive(harness: ModelHarness, random: Random, name: str, driver: str) -> None:
    now, loser = harness.now, random.choice((driver, name))
    harness.change_lease(
        "withdraw",
        lambda: harness.model.withdraw(now, loser),
        lambda: harness.core.receive_withdrawn(now, loser),
    )


def _turns_out_of_reach_for_long(harness: ModelHarness, random: Random, _name: str, driver: str) -> None:
    """A unit goes out of reach while it turns, and reconnects after it may have reached its end stop."""
    if harness.units[Axis.PAN].is_ready:
        harness.press(driver, random.choice((0.1, -0.1)), 0.0)
        harness.keep_holding(driver, 0.8, _late(random))
        harness.link(Axis.PAN)
        harness.wait(random.choice((4.5, 5.5)), _late(random))
        harness.link(Axis.PAN)


def _loses_the_link_silently(harness: ModelHarness, random: Random, _name: str, driver: str) -> None:
    """A link fails, which is detected only after a while, and reconnects, most often soon."""
    axis = random.choice((Axis.PAN, Axis.PAN, Axis.TILT))
    if not harness.units[axis].is_ready:
        return
    harness.lose_link_silently(axis)
    harness.wait(random.uniform(0, 0.2), _late(random))
    random.choice((harness.release, harness.stop, lambda name: harness.hold(name, *_velocities(random))))(driver)
    harness.wait(random.uniform(0, 0.2), _late(random))
    harness.link(axis)
    harness.wait(random.choice((0.05, 0.2, 1.0)), _late(random))
    harness.link(axis)


def _has_a_write_hang(harness: ModelHarness, random: Random, _name: str, driver: str) -> None:
    """A write never completes, and the link is lost because of that."""
    axis = random.choice((Axis.PAN, Axis.PAN, Axis.TILT))
    if not harness.units[axis].is_ready:
        return
    harness.hang(axis, is_executed=random.random() < 0.5)
    random.choice((harness.release, lambda name: harness.hold(name, *_velocities(random))))(driver)
    harness.wait(random.uniform(0, 0.3), _late(random))
    harness.link(axis)
    harness.wait(random.choice((0.05, 0.2, 1.0)), _late(random))
    harness.link(axis)


EVENTS: dict[Callable[[ModelHarness, Random, str, str], None], int] = {
    _repeats_the_setpoint: 8,
    _keeps_holding: 2,
    _presses: 4,
    _presses_repeatedly: 1,
    _connects_and_its_first_press_is_delayed: 1,
    _replays: 1,
    _waits: 1,
    _loses_the_link_silently: 1,
    _turns_out_of_reach_for_long: 1,
    _has_a_write_hang: 1,
    _loses_the_connection: 2,
    lambda harness, _random, name, _driver: harness.open_or_close(name): 2,
    lambda harness, _random, name, _driver: harness.lease(name, LeaseVerb.ACQUIRE): 1,
    lambda harness, _random, name, _driver: harness.lease(name, LeaseVerb.TAKE): 1,
    _asks_the_driver: 3,
    lambda harness, random, name, driver: _answer(harness, random, driver, name): 1,
    _gives_the_lease: 1,
    _holds_at_rest: 1,
    _loses_the_right_to_drive: 1,
    lambda harness, _random, _name, driver: harness.lease(driver, LeaseVerb.RETURN): 1,
    lambda harness, random, _name, driver: harness.release(driver, random.choice((0, 0, 0, 1))): 1,
    lambda harness, random, _name, driver: harness.release_before_press(driver, *_velocities(random)): 1,
    lambda harness, _random, name, _driver: harness.stop(name): 1,
    lambda harness, random, _name, driver: harness.ping(driver, random.choice((0.0, 0.0, 0.3))): 1,
    lambda harness, random, _name, _driver: harness.link(random.choice(AXES)): 2,
    lambda harness, random, _name, _driver: harness.clock_jumps_back(random.choice((0.001, 0.3, 40.0))): 1,
    lambda harness, random, name, _driver: harness.hold(name, *_velocities(random)): 1,
    lambda harness, random, _name, _driver: harness.stall(random.choice((0.1, 0.9, 2.5))): 1,
    lambda harness, _random, name, _driver: harness.garbage(name): 1,
    lambda harness, random, _name, driver: harness.sleep(driver, random.choice((0.3, 1.7, 12.0))): 1,
}
RESTART_PROBABILITY = 0.15  # per event, once the position cannot be known any more, or the program is closing
CLOSE_PROBABILITY = 0.01  # rare, because a schedule in which the program closes is over
