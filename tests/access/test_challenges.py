"""A challenge serves once, for one purpose, in time; and asking for them costs the server nothing."""

from __future__ import annotations

import pytest

from belvedere.access.challenges import CHALLENGE_BYTES, LIFETIME_S, MAX_USED, Challenges
from belvedere.errors import Refusal, VisitorError


def refusal(challenges: Challenges, now: float, challenge: bytes, purpose: str = "login") -> Refusal | None:
    try:
        challenges.use(now, challenge, purpose)
    except VisitorError as error:
        return error.refusal
    return None


def test_a_challenge_is_used_once_within_its_time() -> None:
    challenges = Challenges()
    first, second = challenges.issue(100, "login"), challenges.issue(100, "login")
    assert first != second
    assert refusal(challenges, 100 + LIFETIME_S - 0.01, first) is None
    assert refusal(challenges, 100, first) is Refusal.TOO_LATE
    assert refusal(challenges, 100 + LIFETIME_S, second) is Refusal.TOO_LATE


def test_it_is_for_one_purpose_and_of_this_run_only() -> None:
    challenges = Challenges()
    challenge = challenges.issue(0, "login")
    for other in ("", "registration in session 1", "logi", "login "):
        assert refusal(challenges, 0, challenge, other) is Refusal.TOO_LATE
    assert refusal(Challenges(), 0, challenge) is Refusal.TOO_LATE
    assert refusal(challenges, 0, challenge) is None


@pytest.mark.parametrize("at", range(CHALLENGE_BYTES))
def test_no_byte_of_it_can_be_changed(at: int) -> None:
    challenges = Challenges()
    challenge = bytearray(challenges.issue(0, "login"))
    challenge[at] ^= 1
    assert refusal(challenges, 0, bytes(challenge)) is Refusal.TOO_LATE


@pytest.mark.parametrize("wrong", [b"", bytes(CHALLENGE_BYTES), bytes(5000)])
def test_what_is_none_is_refused(wrong: bytes) -> None:
    assert refusal(Challenges(), 0, wrong) is Refusal.TOO_LATE


def test_requested_challenges_are_not_kept_and_used_ones_only_until_they_end() -> None:
    challenges = Challenges()
    before = repr(vars(challenges))
    issued = [challenges.issue(0, "login") for _ in range(MAX_USED + 2)]
    assert repr(vars(challenges)) == before
    for each in issued[:MAX_USED]:
        challenges._used[each] = LIFETIME_S
    assert refusal(challenges, 1, issued[MAX_USED]) is Refusal.TOO_FAST
    late = challenges.issue(LIFETIME_S, "login")
    assert refusal(challenges, LIFETIME_S, late) is None
    assert refusal(challenges, LIFETIME_S, issued[0]) is Refusal.TOO_LATE
