"""Parks the head: turns it to where the owner chose, and lets it rest there. The room's curtain starts it.

Nobody holds a stick meanwhile, and still somebody means it: who closes the curtain, in the room, now. One tap is one
move, which is bounded like any driver's and less patient than any: it drives as a session of the engine, so setpoints
expire if this code hangs, soft limits and the longest time of a hold count, and a stop ends it. Its rank is above all,
so nobody else drives until it has ended. Whatever comes between ends it, and it never goes on by itself: the head then
stays where it was stopped, and the curtain is closed all the same.

    start --> resting --> moving --> settling --> parked
                 |           |           |
                 +-----------+-----------+------> any other ParkingEnd

The whole move is one hold, from before the head rests until after it has arrived, so a stop counts in every phase.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from belvedere.control.lease import LeaseVerb
from belvedere.control.setpoint import Setpoint
from belvedere.errors import InternalError, VisitorError
from belvedere.events import ParkingEnded, ignore
from belvedere.head.axes import AXES, Axis
from belvedere.link.phases import LinkPhase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from belvedere.control.options import ControlOptions, ParkPosition
    from belvedere.engine.engine import Engine
    from belvedere.engine.status import AxisState, EngineStatus
    from belvedere.events import Event

logger = logging.getLogger(__name__)

SESSION: Final = "parking"  # sockets and programs have names with a dash
PERSON: Final = "(parking)"  # neither a person's id nor a program's name has parentheses
RANK: Final = 1000  # above every role
HOLD: Final = 1
ARRIVED_DEG = 0.5  # from here on the axis is stopped; one write later it has turned a little further
PARKED_DEG = 1.0  # dead reckoning is not more accurate
SLOWING_S = 0.6  # the speed falls to the one that would arrive in this time, so that a late write matters little
SLOWEST = 0.05  # share of full speed; below it a motor may not turn
UNSURE_S = 0.5  # a position is unsure while a write is in progress; one that stays so is unknown
ANSWER_S = 2.0  # a unit in reach completes the write of a stop far sooner


class ParkingEnd(enum.StrEnum):
    """How a move to the parking position ended; the head is at rest after each, or its unit is out of reach.

    Attributes:
        PARKED: the head stands there, within PARKED_DEG.
        NOT_SET: the owner chose no position, so nothing moved.
        NOT_CALIBRATED: the full speed of an axis is not known, so nothing moved.
        UNSURE: where an axis stands is not known: at the start nothing moved.
        UNIT_AWAY: a unit is out of reach, or does not answer.
        AT_LIMIT: a soft limit is in the way.
        MISSED: it came to rest somewhere else.
        TOO_LONG: it took as long as a hold may last.
        STOPPED: somebody pressed stop, or a fail-safe cut the hold; the event before says which.
        CANCELLED: the curtain was opened, or the program ends.
        FAILED: an error of ours, which is logged.
    """

    PARKED = "parked"
    NOT_SET = "not_set"
    NOT_CALIBRATED = "not_calibrated"
    UNSURE = "unsure"
    UNIT_AWAY = "unit_away"
    AT_LIMIT = "at_limit"
    MISSED = "missed"
    TOO_LONG = "too_long"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ParksHead(Protocol):
    """What the room's curtain needs of parking. Everything returns at once and never raises."""

    @property
    def is_running(self) -> bool:
        """Whether the head is being parked: then nobody drives."""
        ...

    def start(self) -> None:
        """Begin to park; does nothing while that is in progress."""
        ...

    def cancel(self) -> None:
        """Stop parking within this call; does nothing unless it is in progress."""
        ...


class Velocities(msgspec.Struct, frozen=True):
    """What to ask of the axes next, as shares of full speed."""

    pan: float = 0.0
    tilt: float = 0.0


class ParkingMove:
    """Decides, without a clock or I/O, how fast each axis turns next, and when the move is over.

    Args:
        target: where each axis should stand, in degrees; an axis that is not named does not move.
        full_speed: degrees a second of each axis; None where it is not calibrated.
        began_at: the time of the start.
        rest_s: the head rests for this long first, so that the time that it may move for begins anew.
        most_s: the longest time that all of it may take.
    """

    def __init__(
        self,
        target: Mapping[Axis, float],
        full_speed: Mapping[Axis, float | None],
        *,
        began_at: float,
        rest_s: float,
        most_s: float,
    ) -> None:
        self._target = target
        self._full_speed = full_speed
        self._began_at = began_at
        self._rest_s = rest_s
        self._most_s = most_s
        self._sure_at = dict.fromkeys(target, began_at)
        self._is_resting = True
        self._direction: dict[Axis, float] = {}  # of each axis that has not arrived, while the head moves
        self._arrived_at: float | None = None

    def step(self, now: float, axes: Mapping[Axis, AxisState]) -> Velocities | ParkingEnd:
        """What to ask of the axes now, or how the move ended."""
        obstacle = self._obstacle(now, axes)
        if obstacle is not None:
            return obstacle
        if self._is_resting:
            return self._rest(now, axes)
        if self._arrived_at is None:
            return self._move(now, axes)
        return self._settle(now, self._arrived_at, axes)

    def _obstacle(self, now: float, axes: Mapping[Axis, AxisState]) -> ParkingEnd | None:
        if now - self._began_at >= self._most_s:
            return ParkingEnd.TOO_LONG
        for axis in self._target:
            state = axes[axis]
            if not self._full_speed.get(axis) or state.position_deg is None:
                return ParkingEnd.NOT_CALIBRATED
            if state.phase is not LinkPhase.READY:
                return ParkingEnd.UNIT_AWAY
            if state.is_position_sure:
                self._sure_at[axis] = now
            elif now - self._sure_at[axis] >= UNSURE_S:
                return ParkingEnd.UNSURE
        return None

    def _rest(self, now: float, axes: Mapping[Axis, AxisState]) -> Velocities | ParkingEnd:
        is_known = all(axes[axis].is_position_sure for axis in self._target)
        if self._are_at_rest(axes) and is_known and now - self._began_at >= self._rest_s:
            self._is_resting = False
            self._direction = {axis: self._remaining_deg(axis, axes) for axis in self._target}
            return self._move(now, axes)
        return ParkingEnd.UNIT_AWAY if now - self._began_at >= self._rest_s + ANSWER_S else Velocities()

    def _move(self, now: float, axes: Mapping[Axis, AxisState]) -> Velocities | ParkingEnd:
        speeds = dict.fromkeys(AXES, 0.0)
        for axis in tuple(self._direction):
            remaining = self._remaining_deg(axis, axes)
            # Also where it went past the target: it must not go back and forth around it.
            if abs(remaining) <= ARRIVED_DEG or remaining * self._direction[axis] < 0:
                del self._direction[axis]
            elif axes[axis].limit * remaining > 0:
                return ParkingEnd.AT_LIMIT
            else:
                speeds[axis] = self._speed(axis, remaining)
        if not self._direction:
            self._arrived_at = now
        return Velocities(speeds[Axis.PAN], speeds[Axis.TILT])

    def _settle(self, now: float, arrived_at: float, axes: Mapping[Axis, AxisState]) -> Velocities | ParkingEnd:
        if self._are_at_rest(axes) and all(axes[axis].is_position_sure for axis in self._target):
            is_near = all(abs(self._remaining_deg(axis, axes)) <= PARKED_DEG for axis in self._target)
            return ParkingEnd.PARKED if is_near else ParkingEnd.MISSED
        return ParkingEnd.UNIT_AWAY if now - arrived_at >= ANSWER_S else Velocities()

    def _speed(self, axis: Axis, remaining_deg: float) -> float:
        full_deg_per_s = self._full_speed[axis] or 1.0
        speed = min(1.0, max(SLOWEST, abs(remaining_deg) / (full_deg_per_s * SLOWING_S)))
        return speed if remaining_deg > 0 else -speed

    def _remaining_deg(self, axis: Axis, axes: Mapping[Axis, AxisState]) -> float:
        return self._target[axis] - (axes[axis].position_deg or 0.0)

    def _are_at_rest(self, axes: Mapping[Axis, AxisState]) -> bool:
        return all(axes[axis].is_at_rest for axis in self._target)


class Parking:
    """Parks one head. Call it from the event loop's thread only.

    Args:
        engine: the head's engine.
        position: where to park; None where the owner chose no position.
        full_speed: degrees a second of each axis; None where it is not calibrated.
        options: those of the engine's core.
        clock: the engine's clock.
        record: called with an event when a move ends.

    Attributes:
        end: how the newest move ended; None before the first, and while one is in progress.
    """

    def __init__(
        self,
        engine: Engine,
        position: ParkPosition | None,
        full_speed: Mapping[Axis, float | None],
        options: ControlOptions,
        *,
        clock: Callable[[], float],
        record: Callable[[Event], None] = ignore,
    ) -> None:
        self._engine = engine
        self._target = {} if position is None else position.by_axis()
        self._full_speed = full_speed
        self._options = options
        self._clock = clock
        self._record = record
        self._task: asyncio.Task[None] | None = None
        self._seq = 0
        self.end: ParkingEnd | None = None

    @property
    def is_running(self) -> bool:
        """Whether a move is in progress."""
        return self._task is not None

    def start(self) -> None:
        """Stop the head and park it; does nothing while that is in progress. Returns at once, and never raises.

        When this returns nobody else drives. `end` tells later how it ended.
        """
        if self._task is not None:
            return
        self.end = None
        if not self._target:
            self._finish(ParkingEnd.NOT_SET)
            return
        try:
            self._engine.receive_session_opened(SESSION, PERSON, RANK)
            self._engine.receive_lease(SESSION, LeaseVerb.TAKE)
        except (InternalError, VisitorError):
            logger.exception("could not take the lease to park the head")
            self._finish(ParkingEnd.FAILED)
            return
        self._task = asyncio.get_running_loop().create_task(self._run(), name="parking")

    def cancel(self) -> None:
        """Stop the head within this call, if it is being parked; never raises."""
        if self._task is not None:
            self._task.cancel()
            self._finish(ParkingEnd.CANCELLED)

    async def close(self) -> None:
        """Cancel, and wait until nothing of it runs."""
        task = self._task
        self.cancel()
        if task is not None:
            await asyncio.wait([task])

    async def _run(self) -> None:
        task = asyncio.current_task()
        end = ParkingEnd.FAILED
        try:
            end = await self._park()
        except VisitorError as error:
            logger.warning("the head was stopped while it was being parked: %s", error)
            end = ParkingEnd.STOPPED
        except Exception:
            logger.exception("parking the head failed")
        finally:
            if self._task is task:  # else it was cancelled, and perhaps a new one has begun
                self._finish(end)

    async def _park(self) -> ParkingEnd:
        """Drive, at the rate of a page, until the move is over. Raises VisitorError once a setpoint is refused."""
        began_at = self._clock()
        options = self._options
        move = ParkingMove(
            self._target,
            self._full_speed,
            began_at=began_at,
            rest_s=options.dead_man_s,
            most_s=options.hold_ceiling_s - options.dead_man_s,
        )
        while True:
            now = self._clock()
            wanted = move.step(now, _axes(self._engine.status))
            if isinstance(wanted, ParkingEnd):
                return wanted
            self._engine.receive_drive(SESSION, self._setpoint(now, wanted))
            await asyncio.sleep(options.resend_s)

    def _setpoint(self, now: float, wanted: Velocities) -> Setpoint:
        self._seq += 1
        return Setpoint(
            epoch=self._engine.status.lease.epoch,
            hold=HOLD,
            seq=self._seq,
            pan=wanted.pan,
            tilt=wanted.tilt,
            sent_at_s=now,
            heard_s=now,
        )

    def _finish(self, end: ParkingEnd) -> None:
        """Return the lease, which stops the head, and tell how it ended."""
        self._task = None
        self.end = end
        with suppress(VisitorError, InternalError):  # no session was opened; or the engine has stopped the head already
            self._engine.receive_lease(SESSION, LeaseVerb.RETURN)
        with suppress(InternalError):
            self._engine.receive_session_closed(SESSION)
        if end is ParkingEnd.PARKED:
            logger.info("the head is parked")
        elif end not in {ParkingEnd.NOT_SET, ParkingEnd.CANCELLED}:
            logger.warning("the head is not parked: %s", end)
        self._record(ParkingEnded(end))


def _axes(status: EngineStatus) -> dict[Axis, AxisState]:
    return {Axis.PAN: status.pan, Axis.TILT: status.tilt}
