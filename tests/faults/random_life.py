"""Random lives of the whole house: visitors drive while everything goes wrong, and no rule may break.

A life is a row of episodes. In each, hands press, let go, fall silent, vanish and take the lease from each other while
troubles befall the units, alone and together. Then the troubles end, and what must be true is looked at: the same seed
lives the same life.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.faults.stack import open_stack

from belvedere.head.axes import AXES, Axis
from belvedere.link.supervisor import LinkPhase
from belvedere.sim.radio import LINUX_INTERVAL_S, LINUX_SUPERVISION_S
from belvedere.testing.clock import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from random import Random

    from tests.faults.stack import Stack, Visitor

    from belvedere.sim.head import Faults

EPISODES = 3
DEAD_MAN_S = 0.5
TWO_INTERVALS_S = 2 * LINUX_INTERVAL_S
TELLING_S = 0.06  # a change of the lease is told within 50 ms
LOOK_EVERY_S = 0.01  # of virtual time
LONGEST_DELAY_S = 0.3
BACKLOGS = {"delay", "loss"}  # what leaves packets waiting before the radio
BACKLOG_FOUND_S = 1.0  # a question every half second finds them, and its answer comes behind them
ON_THE_AIR_S = (
    LINUX_SUPERVISION_S + LONGEST_DELAY_S + 10 * LINUX_INTERVAL_S
)  # a command may wait for a bad radio so long
BACK_TIMEOUT_S = 30.0  # whatever happened, the unit is driven again by then
OBEYS_S = 1.0  # a press turns a healthy unit within two intervals; this only bounds the wait
STEADY_S = 4.0  # a link that looked good and was not has shown so by then
STANDS_STILL_S = 0.3  # what the motors take from full speed
EPSILON_S = 0.002


@dataclass
class Press:
    """A hand on the picture, from when to when, and which way."""

    began_s: float
    pan: float
    tilt: float
    ended_s: float = float("inf")

    def means(self, axis: Axis, velocity: float, at_s: float) -> bool:
        """Whether somebody who moved like this may have meant a frame that came to a unit at this time."""
        meant = self.pan if axis is Axis.PAN else self.tilt
        return meant * velocity > 0 and self.began_s <= at_s <= self.ended_s + DEAD_MAN_S + ON_THE_AIR_S


@dataclass
class Life:
    """What came of a life.

    Attributes:
        recoveries: for each trouble that left a unit out of reach, how many seconds after its end the unit took
            commands for good.
        met: how often each kind of trouble and of ending a press was met.
    """

    recoveries: list[tuple[str, float]] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    presses: list[Press] = field(default_factory=list)
    virtual_s: float = 0.0


TROUBLES: dict[str, tuple[Callable[[Faults, Axis, Random], None], Callable[[Faults, Axis], None]]] = {
    "drop": (lambda faults, axis, _: faults.drop(axis), lambda _faults, _axis: None),
    "vanish": (lambda faults, axis, _: faults.vanish(axis), lambda faults, axis: faults.come_back(axis)),
    "hang": (lambda faults, axis, _: faults.hang(axis), lambda faults, axis: faults.resume(axis)),
    "refuse": (
        lambda faults, axis, _: faults.refuse(axis, on=True),
        lambda faults, axis: faults.refuse(axis, on=False),
    ),
    "delay": (
        lambda faults, axis, chance: faults.delay(axis, LONGEST_DELAY_S * chance.random()),
        lambda faults, axis: faults.delay(axis, 0.0),
    ),
    "loss": (
        lambda faults, axis, chance: faults.lose(axis, 0.7 * chance.random()),
        lambda faults, axis: faults.lose(axis, 0.0),
    ),
    "adapter": (
        lambda faults, _axis, _chance: faults.switch_adapter(on=False),
        lambda faults, _axis: faults.switch_adapter(on=True),
    ),
}


class Watch:
    """Looks at both links all the time, and keeps what the troubles did."""

    def __init__(self, config: Stack) -> None:
        self.config = config
        self.not_ready_s = dict.fromkeys(AXES, 0.0)
        self.troubled: dict[Axis, tuple[str, float]] = {}
        self.slow_until_s = dict.fromkeys(AXES, 0.0)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            for axis in AXES:
                if self.config.phase(axis) is not LinkPhase.READY:
                    self.not_ready_s[axis] = self.config.now
            await asyncio.sleep(LOOK_EVERY_S)

    def receive_over(self, kind: str, axis: Axis) -> None:
        """A trouble is over; that of the adapter was everybody's."""
        if kind in BACKLOGS:
            self.slow_until_s[axis] = self.config.now
        for one in AXES if kind == "adapter" else (axis,):
            self.troubled[one] = kind, self.config.now

    async def steady(self) -> None:
        """Wait until both units have been ready for a while, from now on."""
        quiet_s = self.config.now
        give_up_s = quiet_s + BACK_TIMEOUT_S
        while self.config.now < max(quiet_s, *self.not_ready_s.values()) + STEADY_S:
            assert self.config.now < give_up_s, f"not ready: {[self.config.phase(axis) for axis in AXES]}"
            await asyncio.sleep(LOOK_EVERY_S)

    def recoveries(self) -> Iterator[tuple[str, float]]:
        """For each unit that was out of reach when its last trouble ended: that, and how long it stayed so."""
        for axis, (kind, over_s) in self.troubled.items():
            if self.not_ready_s[axis] > over_s:
                yield kind, self.not_ready_s[axis] - over_s
        self.troubled = {}


async def befall(watch: Watch, life: Life, axis: Axis, chance: Random) -> None:
    """One after the other, one to three troubles come over a unit, and end."""
    for _ in range(chance.choice([1, 1, 2, 3])):
        await asyncio.sleep(chance.choice([0.1, 1.0, 3.0]) * chance.random())
        kind = chance.choice(list(TROUBLES))
        begin, end = TROUBLES[kind]
        life.met[kind] += 1
        faults = watch.config.head.faults
        begin(faults, axis, chance)
        await asyncio.sleep(chance.choice([0.0, 0.3, 1.0, 5.0, 15.0]) * chance.random())
        end(faults, axis)
        watch.receive_over(kind, axis)


class Hand:
    """Somebody who drives, as long as they are let."""

    def __init__(self, config: Stack, life: Life, chance: Random) -> None:
        self._house, self._life, self._chance = config, life, chance
        self._press: Press | None = None
        self._visitor: Visitor | None = None
        self._inside = AsyncExitStack()
        self._is_holder = False

    async def come_in(self) -> Visitor:
        """Open the page, if it is not open."""
        if self._visitor is None:
            self._visitor = await self._inside.enter_async_context(self._house.visitor())
        return self._visitor

    async def leave(self) -> None:
        """The page is gone, without a goodbye."""
        if self._visitor is not None:
            await self._visitor.fall_silent()
            self._lift()
            self._visitor, self._is_holder = None, False
            await self._inside.aclose()

    async def press(self, pan: float, tilt: float) -> None:
        """Take the lease, and press."""
        visitor = await self.come_in()
        await visitor.fall_silent()
        self._lift()
        await self._take_lease(visitor)
        self._press = Press(self._house.now, pan, tilt)
        self._life.presses.append(self._press)
        await visitor.press(pan, tilt)

    async def cancel(self) -> None:
        """Lift the finger."""
        if self._visitor is not None:
            await self._visitor.cancel()
        self._lift()

    async def fall_silent(self) -> None:
        """Say nothing any more."""
        if self._visitor is not None:
            await self._visitor.fall_silent()
        self._lift()

    async def drive(self) -> None:
        """Press and end the press in some way, until cancelled."""
        chance = self._chance
        while True:
            await asyncio.sleep(chance.choice([0.05, 0.5, 3.0]) * chance.random())
            await self.press(*(chance.choice([-1.0, -0.3, 0.0, 0.3, 1.0]) for _ in AXES))
            await asyncio.sleep(chance.choice([0.05, 0.5, 3.0]) * chance.random())
            ending = chance.choice([self.cancel, self.cancel, self.fall_silent, self.leave, None])
            self._life.met[ending.__name__ if ending else "press over press"] += 1
            if ending:
                await ending()

    async def _take_lease(self, visitor: Visitor) -> None:
        """Take the lease, unless it is there: then nobody would say so again."""
        self._receive(visitor)
        give_up_s = self._house.now + OBEYS_S
        while not self._is_holder:  # somebody may take it back before that is heard
            assert self._house.now < give_up_s, f"no lease: {visitor.peer.close_code} {visitor.peer.close_reason}"
            visitor.say("lease.take")
            await asyncio.sleep(TELLING_S)
            self._receive(visitor)

    def _receive(self, visitor: Visitor) -> None:
        for message in visitor.peer.heard_by_now():
            if message["type"] == "lease":
                self._is_holder, visitor.epoch = message["holder"] == "you", message["epoch"]

    def _lift(self) -> None:
        if self._press is not None:
            self._press.ended_s = self._house.now
        self._press = None


@asynccontextmanager
async def in_background(*jobs: Callable[[], Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """Run these until the end of the block; a mistake in one of them is one of the block."""
    tasks = {asyncio.create_task(job()) for job in jobs}
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def run_until_ended(seed: int, episodes: int = EPISODES) -> Life:
    """One life. Raises AssertionError with what was broken."""
    chance = random.Random(seed)
    random.seed(seed)  # waits between attempts are left to chance
    life = Life()
    began_s = asyncio.get_running_loop().time()
    with no_complaints():
        async with open_stack() as config:
            watch = Watch(config)
            hands = [Hand(config, life, chance) for _ in range(2)]
            async with in_background(watch.run):
                await config.ready()
                for _ in range(episodes):
                    await live_through(config, watch, life, hands, chance)
            for hand in hands:
                await hand.leave()
        life.virtual_s = config.now - began_s
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks were left behind: {left}"
    return life


async def live_through(config: Stack, watch: Watch, life: Life, hands: list[Hand], chance: Random) -> None:
    """One episode, and what must be true after it."""
    since_s = config.now
    async with in_background(*(hand.drive for hand in hands)):
        victims = [axis for axis in AXES if chance.random() < 0.7] or [Axis.PAN]
        await asyncio.gather(*(befall(watch, life, axis, chance) for axis in victims))
    for hand in hands:
        await (hand.cancel() if chance.random() < 0.5 else hand.fall_silent())
    quiet_s = config.now
    await watch.steady()
    check_rest(config, quiet_s, watch)
    life.recoveries.extend(watch.recoveries())
    check_moves(config, life, since_s)
    check_first_words(config, since_s)
    await check_obedience(config, hands[0], chance)


def check_rest(config: Stack, quiet_s: float, watch: Watch) -> None:
    """Nobody drives: within the dead-man time and two intervals of the link being up, every unit has its stop.

    Behind a radio that has just been slow, the stop waits for what that still owes: nobody can take it back.
    """
    for axis in AXES:
        by_s = max(quiet_s, watch.not_ready_s[axis]) + DEAD_MAN_S + TWO_INTERVALS_S + EPSILON_S
        if watch.slow_until_s[axis] > quiet_s - BACKLOG_FOUND_S:
            by_s += LONGEST_DELAY_S
        frames = config.frames(axis)
        late = [frame for frame in frames if frame.at_s > by_s and not config.is_stop(frame)]
        told = [frame for frame in frames if frame.at_s <= by_s]
        assert not late, f"{axis}: told to move {late[0].at_s - by_s:.3f} s too late"
        assert config.is_stop(told[-1]), f"{axis}: not told to stop in time"
        assert config.head.unit(axis).speed_at(config.now) == 0, f"{axis}: still turning"


def check_moves(config: Stack, life: Life, since_s: float) -> None:
    """Somebody meant every motion; a unit whose firmware hung obeys what was meant when it came."""
    for axis in AXES:
        for frame, velocity in zip(config.frames(axis, since_s), config.velocities(axis, since_s), strict=True):
            is_meant = not velocity or any(press.means(axis, velocity, frame.came_s) for press in life.presses)
            assert is_meant, f"{axis}: moved at {velocity:+.2f} though nobody meant it"


def check_first_words(config: Stack, since_s: float) -> None:
    """The first word on every connection is a stop."""
    for axis in AXES:
        frames = config.frames(axis)
        for connected_s in config.head.unit(axis).connected_at_s:
            first = next((frame for frame in frames if frame.came_s >= connected_s), None)
            is_stop = first is None or connected_s < since_s or config.is_stop(first)
            assert is_stop, f"{axis}: a connection began with a move"


async def check_obedience(config: Stack, hand: Hand, chance: Random) -> None:
    """A fresh press turns both units again, and letting go stops both at once."""
    status = config.belvedere.engine.status
    pan, tilt = (-axis.limit or chance.choice([-1.0, 1.0]) for axis in (status.pan, status.tilt))
    pressed_s = config.now
    await hand.press(pan, tilt)
    await config.until(lambda: all(any(config.velocities(axis, pressed_s)) for axis in AXES), OBEYS_S)
    await asyncio.sleep(chance.random())
    await hand.cancel()
    let_go_s = config.now
    for axis in AXES:
        stopped_after_s = await config.stopped(axis) - let_go_s
        assert stopped_after_s <= TWO_INTERVALS_S + EPSILON_S, f"{axis}: stopped only after {stopped_after_s:.3f} s"
    await asyncio.sleep(STANDS_STILL_S)


class Complaints(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record.getMessage())


class no_complaints:  # noqa: N801 - reads as what it is where it is used
    """Nothing in this block is logged as an error; bumble's own words do not count."""

    def __enter__(self) -> None:
        self._complaints = Complaints()
        logging.getLogger("belvedere").addHandler(self._complaints)
        logging.getLogger("asyncio").addHandler(self._complaints)

    def __exit__(self, kind: object, *_error: object) -> None:
        logging.getLogger("belvedere").removeHandler(self._complaints)
        logging.getLogger("asyncio").removeHandler(self._complaints)
        assert kind is not None or not self._complaints.records, f"complained: {self._complaints.records[0]}"


def run_random_life(seed: int, episodes: int = EPISODES) -> Life:
    """Live one life in virtual time. Raises AssertionError with what was broken."""
    return run_in_virtual_time(run_until_ended(seed, episodes))
