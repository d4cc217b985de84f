"""Whoever watches the unit while it is tried: the seam, and an observer who knows its angle, such as a camera."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from belvedere.head.axes import Axis
from belvedere.lab.probe.steps import Answer, Question, QuestionKind, Step

if TYPE_CHECKING:
    from collections.abc import Callable

REST_CHECK_S = 0.5  # looked at for so long, to tell rest from motion
REST_TOLERANCE_DEG = 0.02  # a camera's own noise; the slowest unit worth having turns 0.1 degrees in that time
MIN_TURN_DEG = 0.1  # less is not seen as a turn
FASTER_RATIO = 1.2  # a turn that goes this much further in the same time was faster
RUNNING_RATIO = 0.3  # of the speed before the link dropped: less is a stop
POLL_S = 0.005


class Observer(Protocol):
    """Whoever watches. All calls come from the event loop; what is asked may be given up at any time."""

    def receive_step(self, step: Step) -> None:
        """This motion begins now; must not take long."""
        ...

    def receive_link(self, is_up: bool) -> None:  # noqa: FBT001 - a state, handed on from link to eye
        """The link was opened, or is down on purpose."""
        ...

    async def answer(self, step: Step, question: Question) -> Answer:
        """One of the question's choices."""
        ...

    async def wants_stop(self) -> None:
        """Return as soon as the motion must end: a key, the mark is reached, or nobody is there any more."""
        ...


class AngleObserver:
    """Answers by an angle that something measures.

    Args:
        angle_deg: the camera's angle now; positive is right or up.
        axis: which way that angle is counted.
        clock: seconds, monotonic.
        on_answer: told each step and question with its answer.
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
        """Keep where it stands, and how far the motion before went."""
        self._step = step
        self._former_deg = abs(self._turned_deg())
        self._begun = self._at()

    def receive_link(self, is_up: bool) -> None:  # noqa: FBT001 - the seam's
        """Keep where it stands."""
        if is_up:
            self._back = self._at()
        else:
            self._dropped = self._at()

    async def answer(self, step: Step, question: Question) -> Answer:
        """What the angle says."""
        if question.kind is QuestionKind.GO:
            return self._report(step, question, Answer.GO)
        before = self._angle_deg()
        await asyncio.sleep(REST_CHECK_S)
        if abs(self._angle_deg() - before) > REST_TOLERANCE_DEG:
            return self._report(step, question, Answer.NO if question.kind is QuestionKind.STILL else Answer.TURNING)
        return self._report(step, question, self._answer_for(question.kind))

    async def wants_stop(self) -> None:
        """Return when the angle of a timed turn is reached; a try ends by itself."""
        wanted = self._step.angle_deg
        if wanted is None:
            await asyncio.get_running_loop().create_future()
            return
        while abs(self._turned_deg()) < wanted:  # noqa: ASYNC110 - an angle sets no event, it is looked at
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
    """Degrees per second between two looks."""
    seconds = until[0] - since[0]
    return abs(until[1] - since[1]) / seconds if seconds > 0 else 0.0
