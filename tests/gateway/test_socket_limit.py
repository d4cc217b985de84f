"""Seats come back when they are left."""

from belvedere.gateway.socket_limit import SocketLimit


def test_a_visitor_has_a_number_of_seats() -> None:
    socket_limit = SocketLimit(in_all=10, for_each=2)
    assert socket_limit.take("ana", "1")
    assert socket_limit.take("ana", "2")
    assert not socket_limit.take("ana", "3")
    assert socket_limit.take("ben", "4")
    socket_limit.release("1")
    assert socket_limit.take("ana", "3")


def test_there_are_only_so_many_seats_in_all() -> None:
    socket_limit = SocketLimit(in_all=2, for_each=2)
    assert socket_limit.take("ana", "1")
    assert socket_limit.take("ben", "2")
    assert not socket_limit.take("cem", "3")


def test_a_seat_is_taken_until_it_is_given_back() -> None:
    socket_limit = SocketLimit(in_all=2, for_each=2)
    socket_limit.take("ana", "1")
    assert socket_limit.is_taken("1")
    socket_limit.release("1")
    socket_limit.release("1")
    assert not socket_limit.is_taken("1")
