"""The observer interface of a probe, and an observer that measures the unit's angle."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from belvedere.head.axes import Axis
from belvedere.lab.probe.steps import Answer, Question, QuestionKind, Step

if TYPE_CHECKING:
    from collections.abc import Callable

REST_CHECK_S = 0.5  # how long the angle is observed to distinguish rest from motion
REST_TOLERANCE_DEG = 0.02  # above measuring noise; the slowest usable unit turns 0.1 degrees in that time
MIN_TURN_DEG = 0.1  # a smaller change does not count as a turn
FASTER_RATIO = 1.2  # a turn that goes this much further in the same time was faster
RUNNING_RATIO = 0.3  # of the speed before the link dropped; below it the unit has stopped
POLL_S = 0.005


class Observer(Protocol):
    """Watches the unit and answers questions, on the event loop; its coroutines may be cancelled at any time."""

    def receive_step(self, step: Step) -> None:
        """The step's motion is about to begin; must return quickly."""
        ...

    def receive_link(self, is_up: bool) -> None:  # noqa: FBT001 - a state, passed on from the link
        """The link was opened, or dropped on purpose."""
        ...

    async def answer(self, step: Step, question: Question) -> Answer:
        """One of the question's choices."""
        ...

    async def wants_stop(self) -> None:
        """Return as soon as the motion must end: a key was pressed, the mark is reached, or the observer is gone."""
        ...


class AngleObserver:
    """Answers from a measured angle.

    Args:
        angle_deg: returns the camera's current angle; positive is right or up.
        axis: whether the angle is of pan or of tilt.
        clock: seconds, monotonic.
        on_answer: called with each step, question and answer.
    """

    def __init__(
        self,
        angle_deg: Callable[[], float],
        axis: Axis,
        clock: Callable[[], float],
        on_answer: Callable[[Step, Question, Answer], None] = lambda _step, _question, _answer: None,
    ) -> None:
        self._angle_deg = angle_deg
        self._names = (Answer.RIGHT, Answer.LEFT) if axis is Axis.PAN else (Answer.UP, Answer.DOWN)
        self._clock = clock
        self._on_answer = on_answer
        self._step = Step()
        self._begun = self._at()
        self._dropped = self._begun
        self._back = self._begun
        self._former_deg = 0.0

    def receive_step(self, step: Step) -> None:
        """Remember where the unit is, and how far it turned in the step before."""
        self._step = step
        self._former_deg = abs(self._turned_deg())
        self._begun = self._at()

    def receive_link(self, is_up: bool) -> None:  # noqa: FBT001 - the interface's
        """Remember where the unit is."""
        if is_up:
            self._back = self._at()
        else:
            self._dropped = self._at()

    async def answer(self, step: Step, question: Question) -> Answer:
        """The answer that follows from the angle."""
        if question.kind is QuestionKind.GO:
            return self._report(step, question, Answer.GO)
        before = self._angle_deg()
        await asyncio.sleep(REST_CHECK_S)
        if abs(self._angle_deg() - before) > REST_TOLERANCE_DEG:
            return self._report(step, question, Answer.NO if question.kind is QuestionKind.STILL else Answer.TURNING)
        return self._report(step, question, self._answer_for(question.kind))

    async def wants_stop(self) -> None:
        """Return when the angle of a timed turn is reached; a trial of fixed length ends by itself."""
        wanted = self._step.angle_deg
        if wanted is None:
            await asyncio.get_running_loop().create_future()
            return
        while abs(self._turned_deg()) < wanted:  # noqa: ASYNC110 - an angle can only be polled
            await asyncio.sleep(POLL_S)

    def _answer_for(self, kind: QuestionKind) -> Answer:
        turned_deg = self._turned_deg()
        match kind:
            case QuestionKind.SEEN:
                return Answer.NOTHING if abs(turned_deg) < MIN_TURN_DEG else self._names[turned_deg < 0]
            case QuestionKind.FASTER_RATIO:
                return self._faster(self._former_deg, abs(turned_deg))
            case QuestionKind.DROPPED:
                before, while_down = _rate(self._begun, self._dropped), _rate(self._dropped, self._back)
                return Answer.NO if while_down > RUNNING_RATIO * before else Answer.YES
        return Answer.YES

    def _turned_deg(self) -> float:
        return self._angle_deg() - self._begun[1]

    @staticmethod
    def _faster(first: float, second: float) -> Answer:
        if second > FASTER_RATIO * first:
            return Answer.SECOND
        return Answer.FIRST if first > FASTER_RATIO * second else Answer.SAME

    def _report(self, step: Step, question: Question, answer: Answer) -> Answer:
        self._on_answer(step, question, answer)
        return answer

    def _at(self) -> tuple[float, float]:
        return self._clock(), self._angle_deg()


def _rate(since: tuple[float, float], until: tuple[float, float]) -> float:
    """Degrees per second between two measurements."""
    seconds = until[0] - since[0]
    return abs(until[1] - since[1]) / seconds if seconds > 0 else 0.0
