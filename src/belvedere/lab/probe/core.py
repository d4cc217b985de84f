"""Decides what the probed unit is told, and when: a pure state machine whose every way out is a stop.

Whatever happens in whatever order: a motion ends at its bound at the latest, at any key, when the link or the observer
is lost, and when anything fails; and the last thing that the unit is told is a stop. What to try is the script's.
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

REST_S = 0.8  # after a stop: its repeats are out, and whatever was turning has run down
MAX_REST_S = 4.0  # a unit that answers nothing cannot show that it has its stop; a link that is bad is lost by then
RECHECK_S = 0.1
MAX_ATTEMPTS = 3  # of a step that a lost link spoils
MAX_TRIAL_S = 1.0  # a try of a fixed length is never longer, whatever the script says
MAX_TURN_S = 60.0  # nor a turn that somebody times
MAX_DOWN_S = 10.0  # nor the time that the link is down on purpose


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a whole probe may take, and how long the unit may be out of reach."""

    total_s: float = 1200.0
    reconnect_s: float = 60.0


class Stop(msgspec.Struct, frozen=True):
    """Tell the unit to stop, again and again for a moment; if the link is down on purpose, open it for that."""


class Move(msgspec.Struct, frozen=True):
    """Let this frame through to the unit, until that time and not a moment longer."""

    frame: bytes
    until_s: float


class DropLink(msgspec.Struct, frozen=True):
    """Drop the link, and open it again when it was down for `down_s`, or at a Stop."""

    down_s: float


class SetWriteMode(msgspec.Struct, frozen=True):
    """Connect anew and write in this mode."""

    mode: WriteMode


class Ask(msgspec.Struct, frozen=True):
    """Ask whoever watches."""

    step: Step
    question: Question


class Finish(msgspec.Struct, frozen=True):
    """Nothing more will be told to the unit than stops."""

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
    """One probe of one unit; every time is seconds of one monotonic clock.

    Each `receive_*` and `tick` returns what to do now, in order; `tick` wants to be called at `deadline`.
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
        """When `tick` has something to say, if nothing happens before; None when all is over."""
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
        """The unit is connected, and has been told to stop."""
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
        """The unit is out of reach; when it is back it will have been told to stop."""
        effects = self.tick(now)
        self._is_ready = False
        if self.state not in {State.MOVING, State.RESTING}:
            return effects
        self._attempts += 1
        self._was_dropped = False
        return [*effects, Stop(), *self._wait_for_the_link(now)]

    def receive_stopped(self) -> None:
        """The unit has shown that it has its newest stop; what is seen from now on is what came of the motion."""
        if self.state is not State.MOVING:
            self._is_stop_known = True

    def receive_key(self, now: float) -> list[Effect]:
        """Whoever watches wants it to stand still."""
        effects = self.tick(now)
        if self.state is State.MOVING:
            self._was_stopped_by_observer = True
            return effects + self._rest(now)
        return effects if self.state is State.ENDED else [*effects, Stop()]

    def receive_answer(self, answer: Answer, now: float) -> list[Effect]:
        """Whoever watches answered the question that was asked last."""
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
        """It is over: a signal, the terminal is gone, something failed."""
        effects = self.tick(now)
        return effects if self.state is State.ENDED else effects + self._end(outcome)

    def _timed_out(self, now: float) -> list[Effect]:
        """What the state waited for is over, or did not come."""
        match self.state:
            case State.CONNECTING:
                return self._end(Outcome.UNREACHABLE)
            case State.MOVING:
                return self._end_motion(now)
            case State.DOWN:
                return [Stop(), *self._wait_for_the_link(now)]
            case State.RESTING:
                return self._rested(now)
        return []  # people may take their time to answer

    def _take_next(self, result: Result | None, now: float) -> list[Effect]:
        """Go on with the script's next step."""
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
            return [Stop(), SetWriteMode(step.mode), *self._wait_for_the_link(now)]
        if not self._is_ready:
            return self._wait_for_the_link(now)
        if step.before is not None:
            self.state = State.ASKING_BEFORE
            return [Ask(step, step.before)]
        return self._move(now)

    def _wait_for_the_link(self, now: float) -> list[Effect]:
        self.state = State.CONNECTING
        self._until = now + self._limits.reconnect_s
        return []

    def _move(self, now: float) -> list[Effect]:
        step = self.step
        if step is None or step.frame is None:
            return self._rest(now)
        if not self._is_ready:
            return self._wait_for_the_link(now)
        longest_s = MAX_TRIAL_S if step.angle_deg is None else MAX_TURN_S
        self.state = State.MOVING
        self._is_stop_known = False
        self._moved_at = now
        self._until = min(now + min(step.bound_s, longest_s), self._ends_at)
        return [Move(step.frame, self._until)]

    def _end_motion(self, now: float) -> list[Effect]:
        """The bound of a motion: a stop; or the link is dropped, and the stop comes with the next."""
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
