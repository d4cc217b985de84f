"""Ended logins are remembered until they expire, and only so many."""

from __future__ import annotations

from belvedere.access.ended_logins import MAX_ENDED, EndedLogins


def name(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_what_was_ended_is_saved_until_it_expires_and_known_after_a_restart() -> None:
    before, after = EndedLogins(), EndedLogins()
    before.add(name(1), 1000.5)
    before.add(name(2), 3000.0)
    assert [each.digest for each in before.saved(1000.9)] == [name(1), name(2)]
    after.restore(before.saved(2000.0))
    assert (name(1) in after, name(2) in after) == (False, True)


def test_where_there_are_too_many_the_one_that_expires_first_is_forgotten() -> None:
    ended = EndedLogins()
    ended.add(name(0), 10.0)
    for number in range(1, MAX_ENDED + 1):
        ended.add(name(number), 1000.0 + number)
    assert name(0) not in ended
    assert len(ended.saved(0.0)) == MAX_ENDED
