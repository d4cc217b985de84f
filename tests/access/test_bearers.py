"""A bearer is good for one origin and some hours, is renewed while it is used, and is saved as a digest."""

import pytest

from belvedere.access.bearers import BEARER_S, GRACE_S, MAX_BEARERS, PREFIX, Bearers
from belvedere.access.sessions import digest
from belvedere.testing.clock import FakeClock

SITE = "https://family.example"
ANA, BEN = "a1a1a1a1a1a1", "b1b1b1b1b1b1"


class Rig:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.changes = 0
        self.bearers = Bearers(self.clock, self.receive_changed)

    def receive_changed(self) -> None:
        self.changes += 1

    def issue(self, session: str = ANA) -> str:
        return self.bearers.issue(session, SITE).bearer


def test_a_bearer_proves_its_session_to_its_origin_only() -> None:
    rig = Rig()
    bearer = rig.issue()
    assert bearer.startswith(PREFIX)
    assert rig.bearers.find(bearer, SITE) == ANA
    for origin in ("https://other.example", "https://family.example:444", "http://family.example", "", "null"):
        assert rig.bearers.find(bearer, origin) is None
    assert rig.bearers.find(bearer + "x", SITE) is None
    assert rig.bearers.find("", SITE) is None


def test_an_unused_bearer_ends_after_its_lifetime() -> None:
    rig = Rig()
    issued = rig.bearers.issue(ANA, SITE)
    assert issued.lifetime_s == BEARER_S
    rig.clock.advance(BEARER_S - 0.1)
    assert rig.bearers.find(issued.bearer, SITE) == ANA
    rig.clock.advance(0.1)
    assert rig.bearers.find(issued.bearer, SITE) is None
    assert rig.bearers.renew(issued.bearer, SITE) is None


def test_a_renewed_bearer_works_a_moment_longer_and_the_new_one_for_a_whole_lifetime() -> None:
    rig = Rig()
    old = rig.issue()
    rig.clock.advance(1000)
    new = rig.bearers.renew(old, SITE)
    assert new is not None
    assert new.bearer != old
    rig.clock.advance(GRACE_S - 0.1)
    assert rig.bearers.find(old, SITE) == ANA
    rig.clock.advance(0.1)
    assert rig.bearers.find(old, SITE) is None
    rig.clock.advance(BEARER_S - GRACE_S - 0.1)
    assert rig.bearers.find(new.bearer, SITE) == ANA


def test_renewing_twice_because_a_response_was_lost_does_not_lengthen_the_old_one() -> None:
    rig = Rig()
    old = rig.issue()
    assert rig.bearers.renew(old, SITE) is not None
    rig.clock.advance(GRACE_S - 1)
    assert rig.bearers.renew(old, SITE) is not None
    rig.clock.advance(1)
    assert rig.bearers.find(old, SITE) is None


def test_another_origin_cannot_renew() -> None:
    rig = Rig()
    bearer = rig.issue()
    assert rig.bearers.renew(bearer, "https://other.example") is None
    rig.clock.advance(GRACE_S)
    assert rig.bearers.find(bearer, SITE) == ANA


def test_the_end_of_a_session_ends_its_bearers_and_no_others() -> None:
    rig = Rig()
    anas, bens = rig.issue(), rig.issue(BEN)
    assert (rig.bearers.origin_of(ANA), rig.bearers.origin_of("c1")) == (SITE, "")
    rig.bearers.end(ANA)
    rig.bearers.end("c1")
    assert rig.bearers.find(anas, SITE) is None
    assert rig.bearers.find(bens, SITE) == BEN
    assert (rig.bearers.origin_of(ANA), rig.bearers.origin_of(BEN)) == ("", SITE)


def test_a_session_has_a_bounded_number_of_bearers_and_cannot_displace_those_of_others() -> None:
    rig = Rig()
    bens = rig.issue(BEN)
    anas = [rig.issue() for _ in range(MAX_BEARERS + 1)]
    assert [rig.bearers.find(each, SITE) for each in anas] == [None, *[ANA] * MAX_BEARERS]
    assert rig.bearers.find(bens, SITE) == BEN
    assert len(rig.bearers.saved()) == MAX_BEARERS + 1


def test_each_new_bearer_is_to_be_saved() -> None:
    rig = Rig()
    bearer = rig.issue()
    assert rig.changes == 1
    rig.bearers.renew(bearer, SITE)
    assert rig.changes == 2


def test_a_restart_keeps_bearers_with_what_they_had_left() -> None:
    before, after = Rig(), Rig()
    bearer = before.issue()
    before.clock.advance(10)
    saved = before.bearers.saved()
    assert [(each.digest, each.session, each.origin) for each in saved] == [(digest(bearer), ANA, SITE)]
    after.bearers.restore(saved)
    assert after.bearers.origin_of(ANA) == SITE
    after.clock.advance(BEARER_S - 10 - 0.1)
    assert after.bearers.find(bearer, SITE) == ANA
    after.clock.advance(0.1)
    assert after.bearers.find(bearer, SITE) is None


@pytest.mark.parametrize("left_s", [0.5, 0.0, -1.0])
def test_what_ends_now_is_not_saved(left_s: float) -> None:
    rig = Rig()
    rig.issue()
    rig.clock.advance(BEARER_S - left_s)
    assert rig.bearers.saved() == []


def test_a_last_second_is_saved() -> None:
    rig = Rig()
    rig.issue()
    rig.clock.advance(BEARER_S - 1)
    assert [each.left_s for each in rig.bearers.saved()] == [1]
