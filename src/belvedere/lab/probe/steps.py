"""What a probe does and asks: steps, questions and answers, as plain values."""

from __future__ import annotations

import enum

import msgspec

from belvedere.head.profile import WriteMode


class Answer(enum.StrEnum):
    """What an observer says; the core gives LOST itself, where the link spoiled a step again and again."""

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
    SAME = "both alike"
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
    """Something that only who watches can know. Any question may be answered TURNING or QUIT as well."""

    kind: QuestionKind
    text: str

    @property
    def choices(self) -> tuple[Answer, ...]:
        """What may be answered."""
        return (*CHOICES[self.kind], Answer.TURNING, Answer.QUIT)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to try, or to ask.

    Attributes:
        title: what will happen, in a sentence for the owner.
        frame: what makes the unit turn, or None where nothing is tried.
        bound_s: after so long it is told to stop, whatever else happens.
        angle_deg: how far it is to turn until somebody stops it; None for a try of fixed length.
        down_s: how long the link stays down once it was dropped on purpose at the end of the motion; None for not.
        mode: how to write from here on, or None for as before.
        before: asked first; anything but GO skips the step.
        after: asked when the unit was told to stop.
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
    """How a step went: what was answered, how long the unit was made to turn, and whether somebody ended that."""

    answer: Answer
    duration_s: float = 0.0
    was_stopped_by_observer: bool = False


class Outcome(enum.StrEnum):
    """How a probe ended."""

    DONE = "done"
    QUIT = "ended by you"
    STOP_UNPROVEN = "the stop frame could not be shown to work"
    RUNAWAY = "the unit went on turning after the stop"
    TIME_UP = "the time limit was reached"
    UNREACHABLE = "the unit could not be reached"
    FAILED = "the probe failed"
