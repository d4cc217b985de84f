"""Which visits go on, and what each person has done in theirs. Pure: typed events and time in, rows of the book out.

A visit is a person's continuous presence, on however many devices: as long as there is a picture or the person is the
driver, and over gaps of less than GAP_S. Whoever only knocks has a visit without length; one who is let in has been
here since the knock. Lengths are measured by a monotonic clock, so a wall clock that jumps changes none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.engine.parking import PERSON as PARKING
from belvedere.events import (
    DriverChanged,
    Event,
    KnockAnswered,
    Knocked,
    SessionEnded,
    SessionOpened,
    SessionRestored,
    StillTaken,
    TalkBegan,
    TalkEnded,
    ViewerJoined,
    ViewerLeft,
)
from belvedere.store.visits import MAX_NAME_CHARS, MAX_S, SavedVisit

if TYPE_CHECKING:
    from collections.abc import Callable

GAP_S: Final = 30.0  # a reload of the page, or a train in a tunnel, does not end a visit
WAITING_S: Final = 120.0  # a knock is answered by then, by the room or by its silence, and whoever is let in has come
REFUSAL: Final = "no"
PAID_WAY: Final = "IVS"  # stage.ivs.participants.WAY: those who watch by it are billed


@dataclass
class _Visit:
    id: str
    person: str
    name: str
    began_at: float
    began_utc_s: float
    last_at: float  # when there was last a sign of presence
    kept_until: float = 0.0  # also without a sign of presence
    looking_since: float | None = None
    driving_since: float | None = None
    looked_s: float = 0.0
    drove_s: float = 0.0
    viewers: set[str] = field(default_factory=set)
    participants: dict[str, float] = field(default_factory=dict)  # of Amazon IVS, and since when
    participant_s: float = 0.0
    ways: list[str] = field(default_factory=list)
    stills: int = 0
    knocks: int = 0
    refusals: int = 0
    talked_s: float = 0.0
    talked_utc_s: float = 0.0
    is_deleted: bool = False

    @property
    def is_present(self) -> bool:
        return self.looking_since is not None or self.driving_since is not None

    def goes_on(self, now: float) -> bool:
        return self.is_present or now < max(self.last_at + GAP_S, self.kept_until)

    def receive_time(self, now: float, utc: float) -> None:
        """The person is here, or leaves now."""
        self.last_at = max(self.last_at, now)
        # A Raspberry Pi starts with a clock that is behind, and sets it forward once it has a network.
        self.began_utc_s = max(self.began_utc_s, utc - (now - self.began_at))

    def row(self, now: float) -> SavedVisit:
        looking_s = 0.0 if self.looking_since is None else now - self.looking_since
        driving_s = 0.0 if self.driving_since is None else now - self.driving_since
        participating_s = sum(now - since for since in self.participants.values())
        last_at = now if self.is_present else self.last_at
        return SavedVisit(
            id=self.id,
            person=self.person,
            name=self.name,
            began_utc_s=_seconds(self.began_utc_s),
            lasted_s=_seconds(last_at - self.began_at),
            looked_s=_seconds(self.looked_s + looking_s),
            drove_s=_seconds(self.drove_s + driving_s),
            ways=tuple(self.ways),
            stills=self.stills,
            knocks=self.knocks,
            refusals=self.refusals,
            participant_s=_seconds(self.participant_s + participating_s),
            talked_s=_seconds(self.talked_s),
            talked_utc_s=_seconds(self.talked_utc_s),
        )


class Changes(msgspec.Struct, frozen=True):
    """What came of an event.

    Attributes:
        rows: the rows that changed, to be saved.
        has_arrived: whether somebody came who was not here before, and has not knocked.
    """

    rows: tuple[SavedVisit, ...] = ()
    has_arrived: bool = False


NOTHING: Final = Changes()


class VisitBook:
    """The visits that go on, and those that ended less than GAP_S ago.

    Args:
        name_of: the name of the person with this id; the id itself of somebody who is not known, such as a program.
        new_id: an id for a new visit.
    """

    def __init__(self, name_of: Callable[[str], str], new_id: Callable[[], str]) -> None:
        self._name_of = name_of
        self._new_id = new_id
        self._people: dict[str, str] = {}  # by session
        self._visits: dict[str, _Visit] = {}  # by person
        self._driver: str | None = None

    @property
    def is_watched(self) -> bool:
        """Whether anybody has a picture."""
        return any(visit.viewers for visit in self._visits.values())

    def rows(self, now: float) -> list[SavedVisit]:
        """The visits that go on, as they are now, without those that were deleted."""
        return [visit.row(now) for visit in self._visits.values() if visit.is_present and not visit.is_deleted]

    def delete(self, visit_id: str) -> None:
        """A row was deleted: if its visit goes on, nothing more of it is written down."""
        for visit in self._visits.values():
            if visit.id == visit_id:
                visit.is_deleted = True

    def tick(self, now: float, utc: float) -> list[SavedVisit]:
        """Forget visits that have ended; returns the rows of the others, which have become longer."""
        self._visits = {person: each for person, each in self._visits.items() if each.goes_on(now)}
        for visit in self._visits.values():
            if visit.is_present:
                visit.receive_time(now, utc)
        return self.rows(now)

    def receive(self, event: Event, now: float, utc: float) -> Changes:
        """Take note of an event that happened at `now`, which was `utc` in seconds since 1970."""
        match event:
            case SessionOpened(session=session, person=person) | SessionRestored(session=session, person=person):
                self._people[session] = person
            case SessionEnded(session=session):
                self._people.pop(session, None)
            case ViewerJoined(viewer=viewer, session=session, way=way):
                return self._receive_viewer(self._people.get(session, session), viewer, way, now, utc)
            case ViewerLeft(viewer=viewer):
                return self._receive_viewer_left(viewer, now, utc)
            case DriverChanged(person=person):
                return self._receive_driver(None if person == PARKING else person, now, utc)
            case StillTaken() | Knocked() | KnockAnswered() | TalkBegan() | TalkEnded():
                return self._count(event, now, utc)
            case _:
                pass
        return NOTHING

    def _count(
        self, event: StillTaken | Knocked | KnockAnswered | TalkBegan | TalkEnded, now: float, utc: float
    ) -> Changes:
        visit, _ = self._visit_of(event.person, now, utc)
        match event:
            case StillTaken():
                visit.stills += 1
            case Knocked():
                visit.knocks += 1
                visit.kept_until = now + WAITING_S
            case KnockAnswered(answer=answer):
                visit.refusals += answer == REFUSAL
            case TalkBegan():
                visit.talked_utc_s = utc
            case TalkEnded(talked_s=talked_s):
                visit.talked_s += talked_s
                visit.talked_utc_s = utc
        return self._changes(now, visit)

    def _receive_viewer(self, person: str, viewer: str, way: str, now: float, utc: float) -> Changes:
        visit, is_new = self._visit_of(person, now, utc)
        visit.viewers.add(viewer)
        if visit.looking_since is None:
            visit.looking_since = now
        if way == PAID_WAY:
            visit.participants.setdefault(viewer, now)
        if way not in visit.ways:
            visit.ways.append(way)
        return self._changes(now, visit, has_arrived=is_new)

    def _receive_viewer_left(self, viewer: str, now: float, utc: float) -> Changes:
        visit = next((each for each in self._visits.values() if viewer in each.viewers), None)
        if visit is None:
            return NOTHING
        visit.receive_time(now, utc)
        visit.viewers.discard(viewer)
        visit.participant_s += max(0.0, now - visit.participants.pop(viewer, now))
        if not visit.viewers and visit.looking_since is not None:
            visit.looked_s += max(0.0, now - visit.looking_since)
            visit.looking_since = None
        return self._changes(now, visit)

    def _receive_driver(self, person: str | None, now: float, utc: float) -> Changes:
        before, self._driver = self._driver, person
        changed = []
        left = self._visits.get(before) if before is not None else None
        if left is not None and left.driving_since is not None:
            left.receive_time(now, utc)
            left.drove_s += max(0.0, now - left.driving_since)
            left.driving_since = None
            changed.append(left)
        has_arrived = False
        if person is not None:
            visit, has_arrived = self._visit_of(person, now, utc)
            visit.driving_since = now
            changed.append(visit)
        return self._changes(now, *changed, has_arrived=has_arrived)

    def _visit_of(self, person: str, now: float, utc: float) -> tuple[_Visit, bool]:
        """The person's visit that goes on, or a new one; and whether it is new."""
        visit = self._visits.get(person)
        if visit is not None and visit.goes_on(now):
            if visit.is_present:
                visit.receive_time(now, utc)
            return visit, False
        name = self._name_of(person)[:MAX_NAME_CHARS] or person
        visit = self._visits[person] = _Visit(self._new_id(), person, name, now, utc, last_at=now)
        return visit, True

    @staticmethod
    def _changes(now: float, *visits: _Visit, has_arrived: bool = False) -> Changes:
        return Changes(tuple(visit.row(now) for visit in visits if not visit.is_deleted), has_arrived)


def _seconds(seconds: float) -> int:
    return int(min(max(seconds, 0.0), MAX_S))
