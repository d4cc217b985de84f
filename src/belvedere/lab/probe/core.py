"""Decides what the probed unit is told, and when: a pure state machine in which every way to the end writes a stop.

Whatever happens, in whatever order: a motion ends at its time limit at the latest, at any key, when the link or the
observer is lost, and when anything fails; and the last frame written is a stop. What to try is up to the script.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from belvedere.head.profile import WriteMode
from belvedere.lab.probe.steps import Answer, Outcome, Question, Result, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from belvedere.link.port import LinkDetails

    Script: TypeAlias = Generator[Step, Result, Outcome]

REST_S = 0.8  # after a stop: its repetitions are written, and the motor has run down
MAX_REST_S = 4.0  # a unit that acknowledges nothing cannot confirm its stop; a bad link is lost by then
RECHECK_S = 0.1
MAX_ATTEMPTS = 3  # of a step during which the link is lost
MAX_TRIAL_S = 1.0  # upper limit for a trial of fixed length, whatever the script says
MAX_TURN_S = 60.0  # for a timed turn
MAX_DOWN_S = 10.0  # for a deliberate drop of the link


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Time limits of a probe: for the whole, and for being out of reach."""

    total_s: float = 1200.0
    reconnect_s: float = 60.0


class Stop(msgspec.Struct, frozen=True):
    """Write a stop and repeat it a few times; if the link was dropped on purpose, open it for that."""


class Move(msgspec.Struct, frozen=True):
    """Write this frame for motion, until that time at the latest."""

    frame: bytes
    until_s: float


class DropLink(msgspec.Struct, frozen=True):
    """Drop the link, and open it again after `down_s`, or at a Stop."""

    down_s: float


class SetWriteMode(msgspec.Struct, frozen=True):
    """Reconnect and write in this mode."""

    mode: WriteMode


class Ask(msgspec.Struct, frozen=True):
    """Ask the observer."""

    step: Step
    question: Question


class Finish(msgspec.Struct, frozen=True):
    """The probe has ended; only stops are written from now on."""

    outcome: Outcome


Effect: TypeAlias = Stop | Move | DropLink | SetWriteMode | Ask | Finish


class State(enum.Enum):
    """What the core waits for."""

    CONNECTING = enum.auto()
    ASKING_BEFORE = enum.auto()
    MOVING = enum.auto()
    DOWN = enum.auto()
    RESTING = enum.auto()
    ASKING_AFTER = enum.auto()
    ENDED = enum.auto()


class ProbeCore:
    """One probe of one unit; all times are seconds of one monotonic clock.

    Each `receive_*` and `tick` returns the effects to perform, in order; `tick` must be called at `deadline`.
    """

    def __init__(self, script_for: Callable[[LinkDetails], Script], limits: Limits, now: float) -> None:
        self.state = State.CONNECTING
        self.step: Step | None = None
        self._script_for = script_for
        self._script: Script | None = None
        self._limits = limits
        self._ends_at = now + limits.total_s
        self._until = now + limits.reconnect_s
        self._mode: WriteMode | None = None
        self._is_ready = False
        self._attempts = 0
        self._moved_at = 0.0
        self._duration_s = 0.0
        self._was_stopped_by_observer = False
        self._was_dropped = False
        self._is_stop_known = True
        self._ask_by = 0.0

    def deadline(self) -> float | None:
        """When `tick` must be called, if nothing happens before; None when the probe has ended."""
        if self.state is State.ENDED:
            return None
        is_asking = self.state in {State.ASKING_BEFORE, State.ASKING_AFTER}
        return self._ends_at if is_asking else min(self._ends_at, self._until)

    def tick(self, now: float) -> list[Effect]:
        """Let time pass."""
        if self.state is State.ENDED:
            return []
        if now >= self._ends_at:
            return self._end(Outcome.TIME_UP)
        return self._timed_out(now) if now >= self._until else []

    def receive_ready(self, details: LinkDetails, now: float) -> list[Effect]:
        """The unit is connected, and was told to stop."""
        effects = self.tick(now)
        if self.state is State.ENDED:
            return effects
        self._is_ready = True
        if self._script is None:
            self._script = self._script_for(details)
            return effects + self._take_next(None, now)
        if self.state is State.DOWN or (self.state is State.CONNECTING and self._was_dropped):
            return effects + self._rest(now)
        if self.state is State.CONNECTING:
            return effects + self._begin(now)
        return effects

    def receive_lost(self, now: float) -> list[Effect]:
        """The link is lost; the supervisor writes a stop first when it reconnects."""
        effects = self.tick(now)
        self._is_ready = False
        if self.state not in {State.MOVING, State.RESTING}:
            return effects
        self._attempts += 1
        self._was_dropped = False
        return [*effects, Stop(), *self._wait_for_link(now)]

    def receive_stopped(self) -> None:
        """The unit has acknowledged its newest stop; what the observer sees from now on is the result of the motion."""
        if self.state is not State.MOVING:
            self._is_stop_known = True

    def receive_key(self, now: float) -> list[Effect]:
        """The observer pressed a key: stop."""
        effects = self.tick(now)
        if self.state is State.MOVING:
            self._was_stopped_by_observer = True
            return effects + self._rest(now)
        return effects if self.state is State.ENDED else [*effects, Stop()]

    def receive_answer(self, answer: Answer, now: float) -> list[Effect]:
        """The observer answered the last question."""
        effects = self.tick(now)
        if self.state is State.ENDED:
            return effects
        if answer is Answer.QUIT:
            return effects + self._end(Outcome.QUIT)
        if answer is Answer.TURNING:
            return effects + self._end(Outcome.RUNAWAY)
        if self.state is State.ASKING_AFTER:
            effects += self._take_next(self._result(answer), now)
        elif self.state is State.ASKING_BEFORE and answer is Answer.GO:
            effects += self._move(now)
        elif self.state is State.ASKING_BEFORE:
            effects += self._take_next(Result(Answer.SKIP), now)
        return effects

    def receive_end(self, outcome: Outcome, now: float) -> list[Effect]:
        """The probe must end: a signal, a closed terminal, a failure."""
        effects = self.tick(now)
        return effects if self.state is State.ENDED else effects + self._end(outcome)

    def _timed_out(self, now: float) -> list[Effect]:
        """The current state's time is over."""
        match self.state:
            case State.CONNECTING:
                return self._end(Outcome.UNREACHABLE)
            case State.MOVING:
                return self._end_motion(now)
            case State.DOWN:
                return [Stop(), *self._wait_for_link(now)]
            case State.RESTING:
                return self._rested(now)
        return []  # a person may take any time to answer

    def _take_next(self, result: Result | None, now: float) -> list[Effect]:
        """Go to the script's next step."""
        assert self._script is not None  # noqa: S101 - there is a step only once there is a script
        try:
            self.step = self._script.send(result) if result is not None else next(self._script)
        except StopIteration as ended:
            return self._end(ended.value)
        self._attempts = 0
        return self._begin(now)

    def _begin(self, now: float) -> list[Effect]:
        step = self.step
        assert step is not None  # noqa: S101 - begun only with a step
        self._duration_s = 0.0
        self._was_stopped_by_observer = self._was_dropped = False
        if self._attempts >= MAX_ATTEMPTS:
            return self._take_next(Result(Answer.LOST), now)
        if step.mode is not None and step.mode is not self._mode:
            self._mode = step.mode
            self._is_ready = False
            return [Stop(), SetWriteMode(step.mode), *self._wait_for_link(now)]
        if not self._is_ready:
            return self._wait_for_link(now)
        if step.before is not None:
            self.state = State.ASKING_BEFORE
            return [Ask(step, step.before)]
        return self._move(now)

    def _wait_for_link(self, now: float) -> list[Effect]:
        self.state = State.CONNECTING
        self._until = now + self._limits.reconnect_s
        return []

    def _move(self, now: float) -> list[Effect]:
        step = self.step
        if step is None or step.frame is None:
            return self._rest(now)
        if not self._is_ready:
            return self._wait_for_link(now)
        longest_s = MAX_TRIAL_S if step.angle_deg is None else MAX_TURN_S
        self.state = State.MOVING
        self._is_stop_known = False
        self._moved_at = now
        self._until = min(now + min(step.bound_s, longest_s), self._ends_at)
        return [Move(step.frame, self._until)]

    def _end_motion(self, now: float) -> list[Effect]:
        """A motion's time is over: stop; or drop the link, and stop with the next one."""
        step = self.step
        if step is None or step.down_s is None:
            return self._rest(now)
        down_s = min(step.down_s, MAX_DOWN_S)
        self._duration_s = now - self._moved_at
        self._is_ready = False
        self._was_dropped = True
        self.state = State.DOWN
        self._until = now + MAX_DOWN_S
        return [DropLink(down_s)]

    def _rest(self, now: float) -> list[Effect]:
        if self.state is State.MOVING:
            self._duration_s = now - self._moved_at
        self.state = State.RESTING
        self._until = now + REST_S
        self._ask_by = now + MAX_REST_S
        return [Stop()]

    def _rested(self, now: float) -> list[Effect]:
        step = self.step
        if not self._is_stop_known and now < self._ask_by:
            self._until = now + RECHECK_S
            return [Stop()]
        if step is None or step.after is None:
            return self._take_next(self._result(Answer.YES), now)
        self.state = State.ASKING_AFTER
        return [Ask(step, step.after)]

    def _result(self, answer: Answer) -> Result:
        return Result(answer, self._duration_s, self._was_stopped_by_observer)

    def _end(self, outcome: Outcome) -> list[Effect]:
        self.state = State.ENDED
        return [Stop(), Finish(outcome)]
