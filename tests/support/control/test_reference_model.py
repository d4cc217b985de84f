"""Examples of the second reading of the rules; that both readings agree is what the random lives show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.control.reference_model import Books, LatenessBook, MotionBook, person_of

from belvedere.control.lease import LeaseVerb
from belvedere.control.options import ControlOptions
from belvedere.control.setpoint import Setpoint
from belvedere.errors import Refusal
from belvedere.head.axes import AXES, Axis

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS = ControlOptions()


def books_in_which_ann_drives() -> Books:
    books = Books(OPTIONS)
    for session in ("ann", "bob", "room"):
        books.come(session)
    for axis in AXES:
        books.link(axis, is_ready=True)
    assert books.ask(0.0, "ann", LeaseVerb.ACQUIRE) is None
    return books


def a_setpoint(hold: int = 1, seq: int = 1, *, epoch: int = 1, pan: float = 0.5, heard_s: float = 0.5) -> Setpoint:
    return Setpoint(epoch=epoch, hold=hold, seq=seq, pan=pan, tilt=0.0, sent_at_s=0.0, heard_s=heard_s)


def test_a_press_counts_until_it_is_too_old() -> None:
    books = books_in_which_ann_drives()
    assert books.receive(1.0, "ann", a_setpoint(), 0.0) is None
    books.pass_time(1.0 + OPTIONS.dead_man_s - 0.01)
    assert books.wish(Axis.PAN) == 0.5
    books.pass_time(1.0 + OPTIONS.dead_man_s)
    assert books.wish(Axis.PAN) == 0


@pytest.mark.parametrize(
    ("session", "setpoint", "late_s", "expected"),
    [
        ("stranger", a_setpoint(), 0.0, Refusal.NOT_READY),
        ("bob", a_setpoint(), 0.0, Refusal.SOMEONE_ELSE_DRIVES),
        ("ann", a_setpoint(epoch=0), 0.0, Refusal.OLD_EPOCH),
        ("ann", a_setpoint(pan=2.0), 0.0, Refusal.BAD_MESSAGE),
        ("ann", a_setpoint(seq=1), 0.0, Refusal.OLD_SEQUENCE),
        ("ann", a_setpoint(seq=9), 0.6, Refusal.TOO_LATE),
        ("ann", a_setpoint(seq=9, heard_s=0.05), 0.0, Refusal.TOO_SLOW),
        ("ann", a_setpoint(seq=9, heard_s=1.2), 0.0, Refusal.TOO_LATE),
        ("ann", a_setpoint(hold=0, seq=9), 0.0, Refusal.HOLD_ENDED),
    ],
)
def test_each_reason_to_refuse(session: str, setpoint: Setpoint, late_s: float, expected: Refusal) -> None:
    books = books_in_which_ann_drives()
    assert books.receive(1.0, "ann", a_setpoint(hold=1, seq=1), 0.0) is None
    assert books.receive(1.1, session, setpoint, late_s) is expected


ENDS: dict[str, Callable[[Books], None]] = {
    "release": lambda books: books.release(1.1, "ann", 1, 1),
    "stop": lambda books: books.stop(1.1, "bob"),
    "clock": lambda books: books.jump(0.1, 1.0),
    "time": lambda books: books.pass_time(3.0),
}


@pytest.mark.parametrize("end", ENDS)
def test_whatever_ends_a_press_ends_it_for_good(end: str) -> None:
    books = books_in_which_ann_drives()
    books.receive(1.0, "ann", a_setpoint(), 0.0)
    ENDS[end](books)
    assert books.press is None
    assert books.receive(3.0, "ann", a_setpoint(seq=2, heard_s=3.0), 0.0) is Refusal.HOLD_ENDED


def test_an_axis_that_was_lost_is_out_of_the_press() -> None:
    books = books_in_which_ann_drives()
    books.receive(1.0, "ann", a_setpoint(), 0.0)
    for is_ready in (False, True):
        books.link(Axis.PAN, is_ready=is_ready)
    books.receive(1.1, "ann", a_setpoint(seq=2), 0.0)
    assert books.wish(Axis.PAN) == 0


def test_a_closing_house_grants_nothing() -> None:
    books = books_in_which_ann_drives()
    books.close()
    assert books.receive(1.0, "ann", a_setpoint(), 0.0) is Refusal.NOT_READY


def test_the_lease_goes_by_rank_and_comes_back_to_the_same_person() -> None:
    books = books_in_which_ann_drives()
    assert books.ask(0.1, "bob", LeaseVerb.ACQUIRE) is Refusal.SOMEONE_ELSE_DRIVES
    assert books.ask(0.1, "room", LeaseVerb.TAKE) is None
    assert books.lost_it == {"ann"}
    assert books.ask(0.2, "ann", LeaseVerb.TAKE) is Refusal.OUTRANKED
    books.leave(0.3, "room")
    books.pass_time(0.3 + OPTIONS.lease_grace_s)
    assert books.ask(20, "ann", LeaseVerb.ACQUIRE) is None
    books.leave(21, "ann")
    books.come("ann-again")
    assert books.ask(22, "ann-again", LeaseVerb.ACQUIRE) is None
    books.hear(23, "ann-again", 0.0)
    assert books.ask(24, "ann-again", LeaseVerb.RETURN) is None
    assert books.lease.driver is None


def test_lateness_is_measured_against_the_quickest_of_the_last_while() -> None:
    book = LatenessBook()
    assert [book.apparent_s(now, late) for now, late in ((0, 0.2), (1, 0.1), (2, 0.5), (40, 0.5))] == [0, 0, 0.4, 0]


def test_what_cannot_be_so_late_comes_from_a_clock_that_stood_still() -> None:
    book = LatenessBook()
    assert [book.apparent_s(now, late, 0.2) for now, late in ((0, 0), (1, 0.15), (2, 40), (3, 40.125))] == [
        0,
        0.15,
        0,
        0.125,
    ]


def test_a_wish_is_slowed_by_its_age() -> None:
    books = books_in_which_ann_drives()
    for seq, (heard_s, most) in enumerate(((0.5, 1.0), (0.25, 0.625), (0.0, 0.25))):
        assert books.receive(1.0, "ann", a_setpoint(seq=seq, pan=-1.0, heard_s=heard_s), 0.0) is None
        assert books.wish(Axis.PAN) == -most


def test_motion_is_counted_from_the_last_rest_that_was_one() -> None:
    book = MotionBook(rest_s=0.5)
    assert book.began_at(0.0) is None
    for at, is_moving in ((1, True), (2, True), (3, False), (3.4, True), (6, False)):
        book.note(at, is_moving=is_moving)
    assert (book.began_at(6.4), book.began_at(6.5)) == (1, None)
    book.jump(1.0)
    assert (book.began_at(5.4), book.began_at(5.5)) == (0, None)
    book.note(7, is_moving=True)
    assert book.began_at(7) == 7


def test_a_press_after_too_long_a_motion_is_none_until_the_head_has_rested() -> None:
    books = books_in_which_ann_drives()
    books.motion.note(1.0, is_moving=True)
    books.motion.note(30.9, is_moving=False)
    assert books.receive(31.2, "ann", a_setpoint(heard_s=31.2), 0.0) is Refusal.HOLD_TOO_LONG
    assert books.receive(31.5, "ann", a_setpoint(seq=2, heard_s=31.5), 0.0) is Refusal.HOLD_ENDED
    assert books.receive(31.5, "ann", a_setpoint(2, seq=3, heard_s=31.5), 0.0) is None


def test_two_sessions_are_anns() -> None:
    assert person_of("ann-again") == person_of("ann") == "ann"
