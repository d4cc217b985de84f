"""Allowances refill with time, and only with time; seats come back."""

import hypothesis.strategies as st
from hypothesis import given

from belvedere.gateway.limits import Allowance, Allowances, Seats


def test_a_burst_is_granted_and_no_more() -> None:
    allowance = Allowance(rate_per_s=1, burst=3)
    assert [allowance.take(0.0) for _ in range(5)] == [True, True, True, False, False]


def test_what_was_used_comes_back_at_the_rate() -> None:
    allowance = Allowance(rate_per_s=2, burst=2)
    assert allowance.take(0.0, 2)
    assert not allowance.take(0.4)
    assert allowance.take(0.5)
    assert not allowance.take(0.6)


def test_a_refusal_uses_nothing() -> None:
    allowance = Allowance(rate_per_s=1, burst=2)
    assert not allowance.take(0.0, 3)
    assert allowance.take(0.0, 2)


def test_a_clock_that_goes_backwards_grants_nothing() -> None:
    allowance = Allowance(rate_per_s=1, burst=1)
    assert allowance.take(10.0)
    assert not allowance.take(5.0)
    assert not allowance.take(5.9)
    assert allowance.take(6.0)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 5)), max_size=50))
def test_never_more_than_burst_and_rate_allow(steps: list[tuple[float, float]]) -> None:
    allowance = Allowance(rate_per_s=3, burst=7)
    now = granted = 0.0
    for pause, amount in steps:
        now += pause
        if allowance.take(now, amount):
            granted += amount
    assert granted <= 7 + 3 * now + 1e-6


def test_names_do_not_share() -> None:
    allowances = Allowances(rate_per_s=1, burst=1)
    assert allowances.take(0.0, "ana")
    assert not allowances.take(0.0, "ana")
    assert allowances.take(0.0, "ben")


def test_names_with_a_full_allowance_are_forgotten() -> None:
    allowances = Allowances(rate_per_s=1, burst=2)
    for name in "abcdef":
        allowances.take(0.0, name)
    assert len(allowances) == 6
    allowances.take(1.0, "g")
    assert len(allowances) == 1


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
