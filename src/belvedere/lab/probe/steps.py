"""The steps, questions and answers of a probe, as plain values."""

from __future__ import annotations

import enum

import msgspec

from belvedere.head.profile import WriteMode


class Answer(enum.StrEnum):
    """An observer's answer. LOST comes from the core itself, where losing the link spoiled a step repeatedly."""

    GO = "go"
    SKIP = "skip"
    YES = "yes"
    NO = "no"
    RIGHT = "right"
    LEFT = "left"
    UP = "up"
    DOWN = "down"
    NOTHING = "nothing"
    OTHER = "something else"
    FIRST = "the first"
    SECOND = "the second"
    SAME = "both the same"
    UNSURE = "cannot tell"
    TURNING = "still turning"
    QUIT = "quit"
    LOST = "link lost"


DIRECTIONS = (Answer.RIGHT, Answer.LEFT, Answer.UP, Answer.DOWN)


class QuestionKind(enum.Enum):
    """What a question is about."""

    STILL = enum.auto()
    GO = enum.auto()
    SEEN = enum.auto()
    FASTER_RATIO = enum.auto()
    DROPPED = enum.auto()
    REACHED = enum.auto()


CHOICES: dict[QuestionKind, tuple[Answer, ...]] = {
    QuestionKind.STILL: (Answer.YES, Answer.NO),
    QuestionKind.GO: (Answer.GO, Answer.SKIP),
    QuestionKind.SEEN: (*DIRECTIONS, Answer.NOTHING, Answer.OTHER),
    QuestionKind.FASTER_RATIO: (Answer.FIRST, Answer.SECOND, Answer.SAME, Answer.UNSURE),
    QuestionKind.DROPPED: (Answer.YES, Answer.NO, Answer.UNSURE),
    QuestionKind.REACHED: (Answer.YES, Answer.NO),
}


class Question(msgspec.Struct, frozen=True):
    """A question for the observer. Any may be answered with TURNING or QUIT as well."""

    kind: QuestionKind
    text: str

    @property
    def choices(self) -> tuple[Answer, ...]:
        """The possible answers."""
        return (*CHOICES[self.kind], Answer.TURNING, Answer.QUIT)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One trial, or one question.

    Attributes:
        title: what will happen, in a sentence for the observer.
        frame: makes the unit turn; None for no motion.
        bound_s: the unit is told to stop after this time, whatever happens.
        angle_deg: for a timed turn, the angle at which the observer stops it; None for a trial of fixed length.
        down_s: drop the link at the end of the motion, for this long; None for not.
        mode: how to write from this step on; None for no change.
        before: asked first; any answer but GO skips the step.
        after: asked after the unit was told to stop.
    """

    title: str = ""
    frame: bytes | None = None
    bound_s: float = 0.0
    angle_deg: float | None = None
    down_s: float | None = None
    mode: WriteMode | None = None
    before: Question | None = None
    after: Question | None = None


class Result(msgspec.Struct, frozen=True):
    """The result of a step: the answer, how long the unit was told to turn, and whether the observer stopped it."""

    answer: Answer
    duration_s: float = 0.0
    was_stopped_by_observer: bool = False


class Outcome(enum.StrEnum):
    """How a probe ended."""

    DONE = "done"
    QUIT = "ended by you"
    STOP_UNPROVEN = "the stop frame was not confirmed to work"
    RUNAWAY = "the unit kept turning after the stop"
    TIME_UP = "the time limit was reached"
    UNREACHABLE = "the unit could not be reached"
    FAILED = "the probe failed"
