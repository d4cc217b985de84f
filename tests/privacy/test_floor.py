"""Who talks to the room: granted after a chime, kept alive, and over without a word."""

from __future__ import annotations

import math

import pytest

from belvedere.errors import Refusal, VisitorError
from belvedere.privacy.floor import ALIVE_S, CHIME_S, MOST_TALKERS, SAME_VISIT_S, Floor, FloorChanges
from belvedere.privacy.words import TalkMode

HOLD, OPEN = TalkMode.HOLD, TalkMode.OPEN


def ask(floor: Floor, now: float, page: str = "ann-1", person: str = "ann", mode: TalkMode = HOLD) -> bool:
    """A page asks; returns whether a chime is due."""
    return floor.receive_talk(now, page, f"session of {person}", person, mode) is not None


def begun(changes: FloorChanges) -> list[str]:
    return [talker.page for talker in changes.begun]


def ended(changes: FloorChanges) -> list[str]:
    return [talker.page for talker in changes.ended]


def test_before_the_first_words_of_a_visit_a_chime_sounds_and_the_room_hears_what_follows_it() -> None:
    floor = Floor()
    assert ask(floor, 10.0)
    assert begun(floor.tick(10.0)) == []
    assert floor.deadline() == 10.0 + CHIME_S
    assert begun(floor.tick(10.0 + CHIME_S)) == ["ann-1"]
    assert begun(floor.tick(10.0 + CHIME_S)) == []


def test_the_next_words_of_the_visit_need_none_and_are_heard_at_once() -> None:
    floor = Floor()
    floor.receive_presence(0.0, {"ann"})
    ask(floor, 0.0)
    floor.tick(1.0)
    assert floor.receive_end("ann-1") is not None
    assert not ask(floor, 600.0)
    assert begun(floor.tick(600.0)) == ["ann-1"]


@pytest.mark.parametrize(("away_s", "is_due"), [(SAME_VISIT_S - 1, False), (SAME_VISIT_S, True)])
def test_a_chime_is_due_again_in_the_next_visit(away_s: float, *, is_due: bool) -> None:
    floor = Floor()
    floor.receive_presence(0.0, {"ann", "bo"})
    ask(floor, 0.0)
    floor.receive_end("ann-1")
    floor.receive_presence(100.0, {"bo"})
    floor.receive_presence(100.0 + away_s, {"ann", "bo"})
    assert ask(floor, 100.0 + away_s) is is_due


def test_who_comes_back_in_time_goes_on_and_who_is_forgotten_leaves_nothing() -> None:
    floor = Floor()
    ask(floor, 0.0)  # by a page whose picture is not there yet
    floor.receive_end("ann-1")
    floor.receive_presence(1.0, {"ann"})
    floor.receive_presence(500.0, set())
    floor.receive_presence(510.0, {"ann"})
    assert not ask(floor, 10_000.0)
    floor.receive_end("ann-1")
    floor.receive_presence(10_000.0, set())
    floor.receive_presence(10_000.0 + SAME_VISIT_S, set())
    assert ask(floor, 10_000.0 + SAME_VISIT_S)


def test_what_is_repeated_goes_on_and_what_is_not_is_over() -> None:
    floor = Floor()
    ask(floor, 0.0)
    for second in range(1, 60):
        ask(floor, float(second))
        assert ended(floor.tick(float(second))) == []
    assert floor.deadline() == 59 + ALIVE_S
    assert ended(floor.tick(59 + ALIVE_S - 0.1)) == []
    assert ended(floor.tick(59 + ALIVE_S)) == ["ann-1"]
    assert (floor.talkers, floor.deadline()) == ([], math.inf)


def test_a_page_that_falls_silent_during_its_chime_is_never_heard() -> None:
    floor = Floor()
    ask(floor, 0.0)
    changes = floor.tick(ALIVE_S)
    assert (begun(changes), ended(changes)) == ([], ["ann-1"])


def test_an_end_counts_once_and_may_come_for_nothing() -> None:
    floor = Floor()
    assert floor.receive_end("ann-1") is None
    ask(floor, 0.0)
    assert floor.receive_end("ann-1") is not None
    assert floor.receive_end("ann-1") is None
    assert begun(floor.tick(CHIME_S)) == []


def test_a_page_may_change_how_its_visitor_talks() -> None:
    floor = Floor()
    ask(floor, 0.0)
    ask(floor, 0.5, mode=OPEN)
    assert [talker.mode for talker in floor.talkers] == [OPEN]


def test_only_so_many_talk_at_once_and_those_who_do_are_not_disturbed() -> None:
    floor = Floor()
    for number in range(MOST_TALKERS):
        ask(floor, 0.0, page=f"page-{number}", person=f"person-{number}")
    with pytest.raises(VisitorError) as refused:
        ask(floor, 0.0, page="one more", person="one more")
    assert refused.value.refusal is Refusal.TOO_MANY
    ask(floor, 1.0, page="page-0", person="person-0")
    floor.receive_end("page-1")
    ask(floor, 1.0, page="one more", person="one more")
    assert len(floor.talkers) == MOST_TALKERS


def test_nobody_takes_all_places() -> None:
    floor = Floor()
    ask(floor, 0.0, page="ann-1")
    ask(floor, 0.0, page="ann-2")
    with pytest.raises(VisitorError):
        ask(floor, 0.0, page="ann-3")
    ask(floor, 0.0, page="bob-1", person="bob")
    floor.receive_end("ann-1")
    ask(floor, 1.0, page="ann-3")
    assert [talker.page for talker in floor.talkers] == ["ann-2", "bob-1", "ann-3"]
