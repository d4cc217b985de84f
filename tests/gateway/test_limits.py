"""Seats come back when they are left."""

from belvedere.gateway.limits import Seats


def test_a_visitor_has_a_number_of_seats() -> None:
    seats = Seats(in_all=10, for_each=2)
    assert seats.take("ana", "1")
    assert seats.take("ana", "2")
    assert not seats.take("ana", "3")
    assert seats.take("ben", "4")
    seats.give_back("1")
    assert seats.take("ana", "3")


def test_there_are_only_so_many_seats_in_all() -> None:
    seats = Seats(in_all=2, for_each=2)
    assert seats.take("ana", "1")
    assert seats.take("ben", "2")
    assert not seats.take("cem", "3")


def test_a_seat_is_taken_until_it_is_given_back() -> None:
    seats = Seats(in_all=2, for_each=2)
    seats.take("ana", "1")
    assert seats.is_taken("1")
    seats.give_back("1")
    seats.give_back("1")
    assert not seats.is_taken("1")
