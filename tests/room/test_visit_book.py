"""A visit is one person's continuous presence, however many devices, gaps and jumps of the clock there are in it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from hypothesis import given

from belvedere.events import (
    DriverChanged,
    Event,
    KnockAnswered,
    Knocked,
    SessionEnded,
    SessionOpened,
    StillTaken,
    TalkBegan,
    TalkEnded,
    ViewerJoined,
    ViewerLeft,
)
from belvedere.room.visit_book import GAP_S, WAITING_S, VisitBook

if TYPE_CHECKING:
    from belvedere.store.visits import SavedVisit

UTC_S = 1_800_000_000.0
NAMES = {"ana": "Ana", "ben": "Ben"}


class Book:
    """A book and two clocks, and the newest row of each visit, as the store would have them."""

    def __init__(self) -> None:
        ids = itertools.count()
        self.book = VisitBook(lambda person: NAMES.get(person, person), lambda: f"{next(ids):012x}")
        self.now, self.utc = 1000.0, UTC_S
        self.rows: dict[str, SavedVisit] = {}
        self.arrivals = 0
        for person in NAMES:
            self.receive(SessionOpened(f"{person}-tab", person))

    def receive(self, *events: Event) -> None:
        for event in events:
            changes = self.book.receive(event, self.now, self.utc)
            self._save(*changes.rows)
            self.arrivals += changes.has_arrived

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.utc += seconds

    def tick(self) -> None:
        self._save(*self.book.tick(self.now, self.utc))

    def _save(self, *rows: SavedVisit) -> None:
        self.rows.update((row.id, row) for row in rows)

    @property
    def visits(self) -> list[SavedVisit]:
        return list(self.rows.values())


def joined(viewer: str = "v1", session: str = "ana-tab", way: str = "webrtc") -> ViewerJoined:
    return ViewerJoined(viewer, session, way)


def left(viewer: str = "v1", session: str = "ana-tab") -> ViewerLeft:
    return ViewerLeft(viewer, session, 0.0)


def test_a_visit_says_who_was_here_when_how_long_and_by_which_ways() -> None:
    book = Book()
    book.receive(joined("v1", way="stream"))
    book.wait(2)
    book.receive(joined("v2", way="webrtc"), left("v1"))
    book.wait(58)
    book.receive(left("v2"))
    (visit,) = book.visits
    assert (visit.person, visit.name, visit.began_utc_s) == ("ana", "Ana", UTC_S)
    assert (visit.lasted_s, visit.looked_s, visit.ways) == (60, 60, ("stream", "webrtc"))
    assert book.arrivals == 1


def test_gaps_under_half_a_minute_are_part_of_the_visit_and_longer_ones_end_it() -> None:
    book = Book()
    for pause in (GAP_S - 1, GAP_S):
        book.receive(joined())
        book.wait(10)
        book.receive(left())
        book.wait(pause)
    book.receive(joined())
    first, second = book.visits
    assert (first.lasted_s, first.looked_s) == (10 + GAP_S - 1 + 10, 20)
    assert (second.lasted_s, second.began_utc_s) == (0, UTC_S + 20 + 2 * GAP_S - 1)
    assert book.arrivals == 2


def test_all_devices_of_a_person_are_one_visit_and_other_people_have_their_own() -> None:
    book = Book()
    book.receive(SessionOpened("ana-phone", "ana"), joined("v1"), joined("v2", "ana-phone"), joined("v3", "ben-tab"))
    book.wait(10)
    book.receive(left("v1"), left("v3"))
    book.wait(10)
    book.receive(left("v2"))
    assert [(each.name, each.lasted_s, each.looked_s) for each in book.visits] == [("Ana", 20, 20), ("Ben", 10, 10)]


def test_time_that_is_billed_is_counted_for_each_device_also_while_it_goes_on() -> None:
    book = Book()
    book.receive(joined("v1", way="IVS"), joined("v2", way="IVS"), joined("v3", way="stream"))
    book.wait(10)
    book.tick()
    assert [each.participant_s for each in book.visits] == [20]
    book.receive(left("v1"), left("v3"))
    book.wait(5)
    book.receive(left("v2"))
    book.wait(5)
    book.receive(joined("v4", way="stream"))
    assert [(each.participant_s, each.looked_s) for each in book.visits] == [(25, 15)]


def test_a_session_that_ends_while_it_looks_still_counts_for_its_person() -> None:
    book = Book()
    book.receive(joined())
    book.wait(5)
    book.receive(SessionEnded("ana-tab", "ana", "revoked"), left())
    assert [(each.person, each.looked_s) for each in book.visits] == [("ana", 5)]
    assert not book.book.is_watched


def test_a_program_of_the_settings_is_named_by_its_session() -> None:
    book = Book()
    book.receive(joined("v1", "player-tv"))
    assert [(each.person, each.name) for each in book.visits] == [("player-tv", "player-tv")]


def test_who_drove_and_for_how_long_is_counted_for_each() -> None:
    book = Book()
    book.receive(joined("v1"), joined("v2", "ben-tab"), DriverChanged(1, "ana-tab-1", "ana"))
    book.wait(20)
    book.receive(DriverChanged(2, "ben-tab-1", "ben"))
    book.wait(5)
    book.receive(DriverChanged(3, "ben-tab-2", "ben"))
    book.wait(5)
    book.receive(DriverChanged(4, None, None))
    book.wait(100)
    book.tick()
    assert [(each.name, each.drove_s, each.looked_s) for each in book.visits] == [("Ana", 20, 130), ("Ben", 10, 130)]


def test_a_program_that_drives_without_looking_is_present_too() -> None:
    book = Book()
    book.receive(DriverChanged(1, "script", "script-lamp"))
    book.wait(40)
    assert [(each.person, each.lasted_s, each.drove_s) for each in book.book.rows(book.now)] == [
        ("script-lamp", 40, 40)
    ]
    assert book.arrivals == 1


def test_stills_are_counted() -> None:
    book = Book()
    book.receive(joined(), StillTaken("ana-tab", "ana"), StillTaken("ana-tab", "ana"))
    assert [each.stills for each in book.visits] == [2]


def test_whoever_knocks_and_is_refused_is_in_the_book_without_a_length() -> None:
    book = Book()
    book.receive(Knocked("ana"))
    book.wait(60)
    book.receive(KnockAnswered("ana", "no"))
    (visit,) = book.visits
    assert (visit.knocks, visit.refusals, visit.lasted_s, visit.looked_s) == (1, 1, 0, 0)
    assert book.book.rows(book.now) == []
    assert book.arrivals == 0


def test_whoever_is_let_in_has_been_here_since_the_knock_and_is_announced_only_by_it() -> None:
    book = Book()
    book.receive(Knocked("ana"))
    book.wait(50)
    book.receive(KnockAnswered("ana", "yes"))
    book.wait(GAP_S - 1)
    book.receive(joined())
    book.wait(10)
    book.receive(left())
    (visit,) = book.visits
    assert (visit.began_utc_s, visit.lasted_s, visit.looked_s, visit.refusals) == (UTC_S, 50 + GAP_S - 1 + 10, 10, 0)
    assert book.arrivals == 0


def test_a_knock_that_nobody_ever_answers_does_not_keep_a_visit_open() -> None:
    book = Book()
    book.receive(Knocked("ana"))
    book.wait(WAITING_S)
    book.receive(joined())
    assert len(book.visits) == 2


def test_a_deleted_visit_is_not_written_again_while_it_goes_on_and_the_next_one_is() -> None:
    book = Book()
    book.receive(joined())
    (visit,) = book.visits
    book.book.delete(visit.id)
    book.rows.clear()
    book.receive(StillTaken("ana-tab", "ana"))
    book.tick()
    assert book.visits == book.book.rows(book.now) == []
    assert book.book.is_watched
    book.receive(left())
    book.wait(GAP_S)
    book.receive(joined())
    assert len(book.visits) == 1


def test_a_wall_clock_that_jumps_changes_no_length_and_a_late_correction_is_taken_over() -> None:
    book = Book()
    book.utc = 0.0  # a Raspberry Pi without a network
    book.receive(joined())
    book.wait(10)
    book.utc = UTC_S
    book.tick()
    book.wait(10)
    book.utc -= 1e6
    book.receive(left())
    (visit,) = book.visits
    assert (visit.began_utc_s, visit.lasted_s, visit.looked_s) == (UTC_S - 10, 20, 20)


def test_events_that_are_unknown_come_twice_or_too_late_change_nothing() -> None:
    book = Book()
    book.receive(left(), DriverChanged(1, None, None), SessionEnded("none", "none", "left"))
    book.receive(joined(), joined())
    book.wait(10)
    book.receive(left(), left())
    book.wait(10)
    book.receive(left())
    assert [(each.lasted_s, each.looked_s) for each in book.visits] == [(10, 10)]


def test_visits_that_have_ended_are_forgotten() -> None:
    book = Book()
    for number in range(100):
        book.receive(joined(f"v{number}", f"player-{number}"), left(f"v{number}"))
    book.wait(GAP_S)
    book.tick()
    assert len(book.book._visits) == 0


EVENTS = st.sampled_from(
    [
        joined(),
        left(),
        joined("v2"),
        left("v2"),
        DriverChanged(1, "s", "ana"),
        DriverChanged(2, "s", "ben"),
        DriverChanged(3, None, None),
        StillTaken("ana-tab", "ana"),
        Knocked("ana"),
        KnockAnswered("ana", "no"),
        KnockAnswered("ana", "yes"),
    ]
)
TIMES = st.floats(0, 100)
JUMPS = st.sampled_from([0.0, 0.0, 0.0, -1e12, 1e12, -3600.0, 3600.0])


@given(st.lists(st.tuples(EVENTS, TIMES, JUMPS), max_size=30))
def test_whatever_happens_no_length_is_negative_or_longer_than_the_time_that_passed(
    steps: list[tuple[Event, float, float]],
) -> None:
    book = Book()
    began_at = book.now
    for event, seconds, jump in steps:
        book.receive(event)
        book.wait(seconds)
        book.utc += jump
        book.tick()
    for visit in book.visits:
        assert 0 <= visit.lasted_s <= book.now - began_at
        assert max(visit.looked_s, visit.drove_s) <= visit.lasted_s
        assert visit.began_utc_s >= 0


def test_parking_the_head_is_nobodys_visit() -> None:
    book = Book()
    book.receive(DriverChanged(1, "parking", "(parking)"))
    book.wait(3)
    book.receive(DriverChanged(2, None, None))
    assert (book.visits, book.arrivals) == ([], 0)


def test_who_talked_for_how_long_and_when_is_part_of_the_visit() -> None:
    book = Book()
    book.receive(joined())
    book.wait(10)
    book.receive(TalkBegan("ana-tab", "ana"))
    (visit,) = book.visits
    assert (visit.talked_s, visit.talked_utc_s) == (0, int(UTC_S) + 10)
    book.wait(3)
    book.receive(TalkEnded("ana-tab", "ana", 3.0))
    book.wait(60)
    book.receive(TalkBegan("ana-tab", "ana"))
    book.wait(2)
    book.receive(TalkEnded("ana-tab", "ana", 2.0))
    (visit,) = book.visits
    assert (visit.talked_s, visit.talked_utc_s) == (5, int(UTC_S) + 75)
