"""Who talks to the room: granted when asked for, after a chime, and over once nothing more is heard of it.

    silent --asks--> waiting (only before the first words of a visit) --CHIME_S--> heard
       ^                |                                                            |
       +----------------+--------- says that it is over, or ALIVE_S without a word --+

A page asks, repeats that for as long as its visitor talks, and says when it is over. What is not repeated ends by
itself, as a held stick does: a page that crashed, or lost its network, leaves no microphone open. The caller reports
each event, and calls `tick` after each and at `deadline()` at the latest.

Whether a person may talk at all is not decided here: whoever loses that is ended by `receive_end`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import Refusal, VisitorError
from belvedere.privacy.words import TalkMode

if TYPE_CHECKING:
    from collections.abc import Collection

ALIVE_S = 3.0  # a page repeats it every second: one may be lost, and the next be late
CHIME_S = 0.9  # how long the chime takes, after which the room is ready for words
MOST_TALKERS = 4  # more voices at once are not understood, and each costs a decoder
MOST_OF_PERSON = 2  # a page that was opened anew before the old one is given up
SAME_VISIT_S = 30.0  # who is back sooner needs no chime again; as long as a gap within a visit of the visit book


class Talker(msgspec.Struct, frozen=True):
    """A page whose visitor talks, or is about to.

    Attributes:
        page: the name of its control session.
        session: the access session that it belongs to.
        person: whose that is.
        mode: how the visitor talks.
        heard_from: when the room begins to hear the visitor.
    """

    page: str
    session: str
    person: str
    mode: TalkMode
    heard_from: float


class FloorChanges(msgspec.Struct, frozen=True):
    """Who is to be heard from now on, and who has fallen silent without a word."""

    begun: tuple[Talker, ...] = ()
    ended: tuple[Talker, ...] = ()


class Floor:
    """Who talks; not thread-safe. All times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._talkers: dict[str, Talker] = {}  # by page
        self._alive_until: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._chimed: dict[str, float] = {}  # the person, and until when no chime is due; infinite while here
        self._here: frozenset[str] = frozenset()

    @property
    def talkers(self) -> list[Talker]:
        """Who talks now, or waits for the chime, in the order in which they asked."""
        return list(self._talkers.values())

    def has(self, page: str) -> bool:
        """Whether this page's visitor talks, or waits for the chime."""
        return page in self._talkers

    def receive_talk(self, now: float, page: str, session: str, person: str, mode: TalkMode) -> Talker | None:
        """A page asks for its visitor to be heard, or repeats that; returns the talker if a chime is due.

        Raises VisitorError (TOO_MANY) if too many talk already, or this person does on two other pages.
        """
        known = self._talkers.get(page)
        of_person = sum(each.person == person for each in self._talkers.values())
        is_full = len(self._talkers) >= MOST_TALKERS or of_person >= MOST_OF_PERSON
        if known is None and is_full:
            raise VisitorError(Refusal.TOO_MANY, "too many people are talking")
        self._alive_until[page] = now + ALIVE_S
        if known is not None:
            self._talkers[page] = msgspec.structs.replace(known, mode=mode)
            return None
        is_chime_due = now >= self._chimed.get(person, -math.inf)
        self._chimed[person] = math.inf if person in self._here else now + SAME_VISIT_S
        talker = Talker(page, session, person, mode, now + CHIME_S if is_chime_due else now)
        self._talkers[page] = talker
        self._waiting.add(page)
        return talker if is_chime_due else None

    def receive_presence(self, now: float, here: Collection[str]) -> None:
        """Everybody who is in the room now."""
        self._here = frozenset(here)
        for person, until in tuple(self._chimed.items()):
            if now >= until:
                del self._chimed[person]
            elif person in self._here:
                self._chimed[person] = math.inf
            elif until == math.inf:
                self._chimed[person] = now + SAME_VISIT_S

    def receive_end(self, page: str) -> Talker | None:
        """A page's visitor has stopped talking, or must; returns who talked, or was about to."""
        self._alive_until.pop(page, None)
        self._waiting.discard(page)
        return self._talkers.pop(page, None)

    def tick(self, now: float) -> FloorChanges:
        """Do what is due."""
        silent = [page for page, until in self._alive_until.items() if now >= until]
        ended = [talker for page in silent if (talker := self.receive_end(page)) is not None]
        begun = [self._talkers[page] for page in sorted(self._waiting) if now >= self._talkers[page].heard_from]
        self._waiting.difference_update(talker.page for talker in begun)
        return FloorChanges(tuple(begun), tuple(ended))

    def deadline(self) -> float:
        """When `tick` must be called; infinite if never."""
        waiting = (self._talkers[page].heard_from for page in self._waiting)
        return min((*waiting, *self._alive_until.values()), default=math.inf)
