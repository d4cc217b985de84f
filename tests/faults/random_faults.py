"""Random schedules of faults on the whole server: visitors drive while the units fail, and no rule may be broken.

A run is a series of episodes. In each, drivers press, release, stop sending, disconnect and take the lease from each
other, while faults are injected into the units, one at a time or several at once. Then the faults end, and the rules
are checked. The same seed gives the same run.
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
LEASE_NOTICE_S = 0.06  # a change of the lease is sent within 50 ms
LOOK_EVERY_S = 0.01  # of virtual time
LONGEST_DELAY_S = 0.3
BACKLOGS = {"delay", "loss"}  # the faults that leave packets queued in the radio
BACKLOG_FOUND_S = 1.0  # the keep-alive read every half second finds them, since its response comes after them
ON_THE_AIR_S = (
    LINUX_SUPERVISION_S + LONGEST_DELAY_S + 10 * LINUX_INTERVAL_S
)  # a command may wait for a bad radio so long
BACK_TIMEOUT_S = 30.0  # after any fault, the unit takes commands again by then
RESPONDS_S = 1.0  # a press turns a healthy unit within two intervals; this only bounds the wait
STEADY_S = 4.0  # a link that only seems to be up has failed by then
STANDS_STILL_S = 0.3  # what the motors need to stop from full speed
EPSILON_S = 0.002


@dataclass
class Press:
    """One press: its velocities, and from when to when it was held."""

    began_s: float
    pan: float
    tilt: float
    ended_s: float = float("inf")

    def means(self, axis: Axis, velocity: float, at_s: float) -> bool:
        """Whether this press can be the cause of a frame with this velocity that reached a unit at this time."""
        meant = self.pan if axis is Axis.PAN else self.tilt
        return meant * velocity > 0 and self.began_s <= at_s <= self.ended_s + DEAD_MAN_S + ON_THE_AIR_S


@dataclass
class FaultRun:
    """The results of a run.

    Attributes:
        recoveries: for each fault that left a unit out of reach, the seconds from its end until the unit took commands
            for good.
        met: how often each kind of fault, and each way of ending a press, occurred.
        presses: all presses of all drivers.
        virtual_s: how long it took in virtual time.
    """

    recoveries: list[tuple[str, float]] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    presses: list[Press] = field(default_factory=list)
    virtual_s: float = 0.0


FAULT_KINDS: dict[str, tuple[Callable[[Faults, Axis, Random], None], Callable[[Faults, Axis], None]]] = {
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
    """Observes both links all the time, and records the effects of the faults."""

    def __init__(self, server: Stack) -> None:
        self.server = server
        self.not_ready_s = dict.fromkeys(AXES, 0.0)
        self.last_fault: dict[Axis, tuple[str, float]] = {}
        self.slow_until_s = dict.fromkeys(AXES, 0.0)

    async def run(self) -> None:
        """Observe until cancelled."""
        while True:
            for axis in AXES:
                if self.server.phase(axis) is not LinkPhase.READY:
                    self.not_ready_s[axis] = self.server.now
            await asyncio.sleep(LOOK_EVERY_S)

    def receive_over(self, kind: str, axis: Axis) -> None:
        """A fault ended; one of the adapter affects both axes."""
        if kind in BACKLOGS:
            self.slow_until_s[axis] = self.server.now
        for one in AXES if kind == "adapter" else (axis,):
            self.last_fault[one] = kind, self.server.now

    async def steady(self) -> None:
        """Wait until both units have been ready for a while, from now on."""
        quiet_s = self.server.now
        timeout_at_s = quiet_s + BACK_TIMEOUT_S
        while self.server.now < max(quiet_s, *self.not_ready_s.values()) + STEADY_S:
            assert self.server.now < timeout_at_s, f"not ready: {[self.server.phase(axis) for axis in AXES]}"
            await asyncio.sleep(LOOK_EVERY_S)

    def recoveries(self) -> Iterator[tuple[str, float]]:
        """For each unit that was out of reach when its last fault ended: the fault, and how long it stayed so."""
        for axis, (kind, over_s) in self.last_fault.items():
            if self.not_ready_s[axis] > over_s:
                yield kind, self.not_ready_s[axis] - over_s
        self.last_fault = {}


async def inject_faults(watch: Watch, run: FaultRun, axis: Axis, chance: Random) -> None:
    """Inject one to three faults into a unit, one after the other, and end each."""
    for _ in range(chance.choice([1, 1, 2, 3])):
        await asyncio.sleep(chance.choice([0.1, 1.0, 3.0]) * chance.random())
        kind = chance.choice(list(FAULT_KINDS))
        begin, end = FAULT_KINDS[kind]
        run.met[kind] += 1
        faults = watch.server.head.faults
        begin(faults, axis, chance)
        await asyncio.sleep(chance.choice([0.0, 0.3, 1.0, 5.0, 15.0]) * chance.random())
        end(faults, axis)
        watch.receive_over(kind, axis)


class RandomDriver:
    """A visitor's window that drives at random, and takes the lease back from the other whenever it is lost."""

    def __init__(self, server: Stack, run: FaultRun, chance: Random, cookie: str) -> None:
        self._server, self._run, self._chance, self._cookie = server, run, chance, cookie
        self._press: Press | None = None
        self._visitor: Visitor | None = None
        self._page = AsyncExitStack()
        self._is_holder = False

    async def open_page(self) -> Visitor:
        """Open the page, if it is not open."""
        if self._visitor is None:
            self._visitor = await self._page.enter_async_context(self._server.visitor(cookie=self._cookie))
        return self._visitor

    async def close_page(self) -> None:
        """Close the page's connection, without a release."""
        if self._visitor is not None:
            await self._visitor.stop_sending()
            self._end_press()
            self._visitor, self._is_holder = None, False
            await self._page.aclose()

    async def press(self, pan: float, tilt: float) -> None:
        """Take the lease, and press."""
        visitor = await self.open_page()
        await visitor.stop_sending()
        self._end_press()
        await self._take_lease(visitor)
        self._press = Press(self._server.now, pan, tilt)
        self._run.presses.append(self._press)
        await visitor.press(pan, tilt)

    async def release(self) -> None:
        """Release the press."""
        if self._visitor is not None:
            await self._visitor.release()
        self._end_press()

    async def stop_sending(self) -> None:
        """Go on without sending anything, not even a release."""
        if self._visitor is not None:
            await self._visitor.stop_sending()
        self._end_press()

    async def drive(self) -> None:
        """Press and end the press in some way, until cancelled."""
        chance = self._chance
        while True:
            await asyncio.sleep(chance.choice([0.05, 0.5, 3.0]) * chance.random())
            await self.press(*(chance.choice([-1.0, -0.3, 0.0, 0.3, 1.0]) for _ in AXES))
            await asyncio.sleep(chance.choice([0.05, 0.5, 3.0]) * chance.random())
            ending = chance.choice([self.release, self.release, self.stop_sending, self.close_page, None])
            self._run.met[ending.__name__ if ending else "press over press"] += 1
            if ending:
                await ending()

    async def _take_lease(self, visitor: Visitor) -> None:
        """Take the lease, unless this driver has it: then the server would not announce it again."""
        self._receive(visitor)
        timeout_at_s = self._server.now + RESPONDS_S
        while not self._is_holder:  # the other driver may take it back before its notice arrives
            assert self._server.now < timeout_at_s, f"no lease: {visitor.peer.close_code} {visitor.peer.close_reason}"
            visitor.send("lease.take")
            await asyncio.sleep(LEASE_NOTICE_S)
            self._receive(visitor)

    def _receive(self, visitor: Visitor) -> None:
        for message in visitor.peer.received_by_now():
            if message["type"] == "lease":
                self._is_holder, visitor.epoch = message["holder"] == "you", message["epoch"]

    def _end_press(self) -> None:
        if self._press is not None:
            self._press.ended_s = self._server.now
        self._press = None


@asynccontextmanager
async def in_background(*jobs: Callable[[], Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """Run these jobs until the end of the block, and raise the exception of a job that failed."""
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


async def run_schedule(seed: int, episodes: int = EPISODES) -> FaultRun:
    """One run. Raises AssertionError if a rule was broken."""
    chance = random.Random(seed)
    random.seed(seed)  # the backoff between connection attempts is random
    run = FaultRun()
    began_s = asyncio.get_running_loop().time()
    with no_errors_logged():
        async with open_stack() as server:
            watch = Watch(server)
            cookie = server.open_session()  # of one person: an equal could not take the lease
            drivers = [RandomDriver(server, run, chance, cookie) for _ in range(2)]
            async with in_background(watch.run):
                await server.ready()
                for _ in range(episodes):
                    await run_episode(server, watch, run, drivers, chance)
            for driver in drivers:
                await driver.close_page()
        run.virtual_s = server.now - began_s
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks were left behind: {left}"
    return run


async def run_episode(server: Stack, watch: Watch, run: FaultRun, drivers: list[RandomDriver], chance: Random) -> None:
    """One episode, and the checks after it."""
    since_s = server.now
    async with in_background(*(driver.drive for driver in drivers)):
        victims = [axis for axis in AXES if chance.random() < 0.7] or [Axis.PAN]
        await asyncio.gather(*(inject_faults(watch, run, axis, chance) for axis in victims))
    for driver in drivers:
        await (driver.release() if chance.random() < 0.5 else driver.stop_sending())
    quiet_s = server.now
    await watch.steady()
    check_stopped(server, quiet_s, watch)
    run.recoveries.extend(watch.recoveries())
    check_moves(server, run, since_s)
    check_first_writes(server, since_s)
    await check_responds(server, drivers[0], chance)


def check_stopped(server: Stack, quiet_s: float, watch: Watch) -> None:
    """Without a driver, every unit is stopped within the dead-man time and two intervals of its link being up.

    If the radio has just been slow, the stop waits for the packets queued before it, which cannot be withdrawn.
    """
    for axis in AXES:
        by_s = max(quiet_s, watch.not_ready_s[axis]) + DEAD_MAN_S + TWO_INTERVALS_S + EPSILON_S
        if watch.slow_until_s[axis] > quiet_s - BACKLOG_FOUND_S:
            by_s += LONGEST_DELAY_S
        frames = server.frames(axis)
        late = [frame for frame in frames if frame.at_s > by_s and not server.is_stop(frame)]
        in_time = [frame for frame in frames if frame.at_s <= by_s]
        assert not late, f"{axis}: executed a move {late[0].at_s - by_s:.3f} s too late"
        assert server.is_stop(in_time[-1]), f"{axis}: did not get a stop in time"
        assert server.head.unit(axis).speed_at(server.now) == 0, f"{axis}: still turning"


def check_moves(server: Stack, run: FaultRun, since_s: float) -> None:
    """Every motion was asked for by a press when its frame arrived; a unit that hung executes it later."""
    for axis in AXES:
        for frame, velocity in zip(server.frames(axis, since_s), server.velocities(axis, since_s), strict=True):
            is_meant = not velocity or any(press.means(axis, velocity, frame.came_s) for press in run.presses)
            assert is_meant, f"{axis}: moved at {velocity:+.2f} without a press"


def check_first_writes(server: Stack, since_s: float) -> None:
    """The first write on every connection is a stop."""
    for axis in AXES:
        frames = server.frames(axis)
        for connected_s in server.head.unit(axis).connected_at_s:
            first = next((frame for frame in frames if frame.came_s >= connected_s), None)
            is_stop = first is None or connected_s < since_s or server.is_stop(first)
            assert is_stop, f"{axis}: a connection began with a move"


async def check_responds(server: Stack, driver: RandomDriver, chance: Random) -> None:
    """A new press turns both units again, and its release stops both at once."""
    status = server.belvedere.engine.status
    pan, tilt = (-axis.limit or chance.choice([-1.0, 1.0]) for axis in (status.pan, status.tilt))
    pressed_s = server.now
    await driver.press(pan, tilt)
    await server.until(lambda: all(any(server.velocities(axis, pressed_s)) for axis in AXES), RESPONDS_S)
    await asyncio.sleep(chance.random())
    await driver.release()
    released_s = server.now
    for axis in AXES:
        stopped_after_s = await server.stopped(axis) - released_s
        assert stopped_after_s <= TWO_INTERVALS_S + EPSILON_S, f"{axis}: stopped only after {stopped_after_s:.3f} s"
    await asyncio.sleep(STANDS_STILL_S)


class ErrorRecorder(logging.Handler):
    """Records the messages that are logged as errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Record the message."""
        self.records.append(record.getMessage())


class no_errors_logged:  # noqa: N801 - it is used like a function
    """Assert that nothing in this block is logged as an error; bumble's log is ignored."""

    def __enter__(self) -> None:
        self._recorder = ErrorRecorder()
        logging.getLogger("belvedere").addHandler(self._recorder)
        logging.getLogger("asyncio").addHandler(self._recorder)

    def __exit__(self, kind: object, *_error: object) -> None:
        logging.getLogger("belvedere").removeHandler(self._recorder)
        logging.getLogger("asyncio").removeHandler(self._recorder)
        assert kind is not None or not self._recorder.records, f"logged an error: {self._recorder.records[0]}"


def run_random_faults(seed: int, episodes: int = EPISODES) -> FaultRun:
    """One run in virtual time. Raises AssertionError if a rule was broken."""
    return run_in_virtual_time(run_schedule(seed, episodes))
