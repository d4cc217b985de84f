"""A ticket opens one socket, within half a minute, from the origin that asked for it."""

from belvedere.access.tickets import MAX_TICKETS, TICKET_S, Tickets
from belvedere.testing.clock import FakeClock

SITE = "https://family.example"


def test_a_ticket_works_once() -> None:
    tickets = Tickets(FakeClock())
    ticket = tickets.issue("a1", SITE)
    assert tickets.find(ticket, SITE) == "a1"
    assert tickets.use(ticket, SITE) == "a1"
    assert tickets.use(ticket, SITE) is None
    assert tickets.find(ticket, SITE) is None


def test_a_ticket_works_for_half_a_minute() -> None:
    clock = FakeClock()
    tickets = Tickets(clock)
    early, late = tickets.issue("a1", SITE), tickets.issue("a1", SITE)
    clock.advance(TICKET_S - 0.1)
    assert tickets.use(early, SITE) == "a1"
    clock.advance(0.1)
    assert tickets.use(late, SITE) is None


def test_a_ticket_that_is_shown_by_another_origin_is_refused_and_used_up() -> None:
    tickets = Tickets(FakeClock())
    ticket = tickets.issue("a1", SITE)
    assert tickets.use(ticket, "https://other.example") is None
    assert tickets.use(ticket, SITE) is None


def test_a_guess_uses_no_ticket_up() -> None:
    tickets = Tickets(FakeClock())
    ticket = tickets.issue("a1", SITE)
    assert tickets.use("guessed", SITE) is None
    assert tickets.use(ticket, SITE) == "a1"


def test_a_session_has_a_bounded_number_of_tickets_and_cannot_displace_those_of_others() -> None:
    tickets = Tickets(FakeClock())
    bens = tickets.issue("b1", SITE)
    anas = [tickets.issue("a1", SITE) for _ in range(MAX_TICKETS + 1)]
    assert [tickets.find(each, SITE) for each in anas] == [None, *["a1"] * MAX_TICKETS]
    assert tickets.use(bens, SITE) == "b1"


def test_expired_tickets_count_no_more() -> None:
    clock = FakeClock()
    tickets = Tickets(clock)
    for _ in range(MAX_TICKETS):
        tickets.issue("a1", SITE)
    clock.advance(TICKET_S)
    fresh = [tickets.issue("a1", SITE) for _ in range(MAX_TICKETS)]
    assert [tickets.use(each, SITE) for each in fresh] == ["a1"] * MAX_TICKETS
