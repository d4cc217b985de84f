"""The questions of those who would like to drive ("may I?"), until the driver answers.

    ask                     the driver says yes: the lease is the asker's now            GRANTED
    -------> open question  the driver says no                                           DENIED
                            nobody answers for ANSWER_S                                  UNANSWERED
                            the lease went to somebody else, or is free                  OVER
                            the asker's session closed, or may not drive any more        (no answer)

A question changes nothing about who drives: only the answer does, and `Control` carries it out. No answer is a no.
"""

from __future__ import annotations

import enum

import msgspec

from belvedere.errors import Refusal, VisitorError

ANSWER_S = 15.0  # long enough to read the question and to finish a move
ASK_AGAIN_S = 30.0  # after a no, so that nobody is worn down into a yes
MAX_OPEN = 4  # questions at a time: no driver reads more


class QuestionEnd(enum.StrEnum):
    """How a question ended, as the protocol says it."""

    GRANTED = "granted"
    DENIED = "denied"
    UNANSWERED = "unanswered"
    OVER = "over"


class Question(msgspec.Struct, frozen=True):
    """Somebody asks the driver for the lease.

    Attributes:
        session, person: those of the asker.
        ends_at_s: when it counts as unanswered.
    """

    session: str
    person: str
    ends_at_s: float


class Handover:
    """The open questions; a person has one at most, and may ask again only `ask_again_s` after a no.

    No answer within `answer_s` is a no.
    """

    def __init__(self, answer_s: float = ANSWER_S, ask_again_s: float = ASK_AGAIN_S) -> None:
        self._answer_s = answer_s
        self._ask_again_s = ask_again_s
        self._open: dict[str, Question] = {}  # by the asker's session, oldest first
        self._refused_until: dict[str, float] = {}  # by person

    @property
    def questions(self) -> tuple[Question, ...]:
        """The open questions, oldest first."""
        return tuple(self._open.values())

    def receive_ask(self, now: float, session: str, person: str) -> None:
        """Open a question; asking again while it is open changes nothing.

        Raises VisitorError (TOO_FAST) if this person has asked in another window or was refused a moment ago, or if too
        many others are asking.
        """
        if session in self._open:
            return
        wait_s = self._refused_until.get(person, now) - now
        if wait_s > 0:
            raise VisitorError(Refusal.TOO_FAST, f"the driver has answered: ask again in {wait_s:.0f} s")
        if any(question.person == person for question in self._open.values()):
            raise VisitorError(Refusal.TOO_FAST, "you have asked already, in another window")
        if len(self._open) >= MAX_OPEN:
            raise VisitorError(Refusal.TOO_FAST, "others are asking already: ask again in a moment")
        self._open[session] = Question(session, person, now + self._answer_s)

    def receive_answer(self, now: float, session: str, *, is_granted: bool) -> bool:
        """The driver answers this session's question. Returns whether it was open."""
        question = self._open.pop(session, None)
        if question is not None and not is_granted:
            self._refused_until[question.person] = now + self._ask_again_s
        return question is not None

    def receive_withdrawn(self, now: float, session: str) -> None:
        """The asker is gone or may not drive: its question is over, and counts as one that was refused.

        Otherwise somebody could ask any number of times by connecting anew.
        """
        self.receive_answer(now, session, is_granted=False)

    def receive_driver_changed(self) -> list[Question]:
        """The lease has another holder, or none: whatever was asked of the former is over, and returned."""
        ended, self._open = self.questions, {}
        return list(ended)

    def tick(self, now: float) -> list[Question]:
        """Remove and return the questions that nobody answered in time; forget the refusals that are over."""
        self._refused_until = {person: until for person, until in self._refused_until.items() if now < until}
        expired = [question for question in self._open.values() if now >= question.ends_at_s]
        for question in expired:
            self.receive_answer(now, question.session, is_granted=False)
        return expired

    def deadline(self) -> float | None:
        """When `tick` will end the next question; None without questions."""
        return min((question.ends_at_s for question in self._open.values()), default=None)

    def receive_clock_jump(self, now: float) -> None:
        """The clock went backwards to `now`: every wait lasts for its full time from now on at most."""
        self._open = {
            session: msgspec.structs.replace(question, ends_at_s=min(question.ends_at_s, now + self._answer_s))
            for session, question in self._open.items()
        }
        self._refused_until = {
            person: min(until, now + self._ask_again_s) for person, until in self._refused_until.items()
        }
