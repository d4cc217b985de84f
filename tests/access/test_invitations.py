"""An invitation is redeemed once for a session, which ends in time, by displacement, or on request."""

import pytest
from tests.access.joining import invite, join

from belvedere.access.invitations import MAX_SESSIONS_OF_PERSON, AccessOptions, Invitations
from belvedere.access.links import MAX_REDEEM_AGAIN, REDEEM_AGAIN_S
from belvedere.access.rights import NO_RIGHTS, VISITOR_RIGHTS, Right, Role, rights_of_role
from belvedere.access.session_events import SessionChange
from belvedere.access.sessions import EndReason, IssuedSession, Session
from belvedere.errors import VisitorError
from belvedere.events import Event, RightsChanged, SessionEnded, SessionOpened
from belvedere.testing.clock import FakeClock


def redeem(invitations: Invitations, secret: str, browser: str = "") -> IssuedSession:
    redemption = invitations.redeem(secret, browser)
    assert redemption is not None
    return redemption.issued


def test_an_invitation_is_redeemed_once() -> None:
    invitations = Invitations(FakeClock())
    secret = invite(invitations, "Ana")
    issued = redeem(invitations, secret)
    assert invitations.session(issued.cookie) == issued.session
    assert invitations.redeem(secret) is None


def test_the_start_and_the_end_of_a_session_are_recorded_once() -> None:
    events: list[Event] = []
    invitations = Invitations(FakeClock(), record=events.append)
    secret = invite(invitations, "Ana")
    session = redeem(invitations, secret, "ana's browser").session
    redeem(invitations, secret, "ana's browser")
    assert invitations.redeem("no secret") is None
    invitations.end(session.id, EndReason.LEFT)
    invitations.end(session.id, EndReason.LEFT)
    assert events == [SessionOpened(session.id, session.person), SessionEnded(session.id, session.person, "left")]


def test_the_secret_is_not_the_cookie() -> None:
    invitations = Invitations(FakeClock())
    secret = invite(invitations)
    issued = redeem(invitations, secret)
    assert invitations.session(secret) is None
    assert invitations.redeem(issued.cookie) is None


@pytest.mark.parametrize("secret", ["", "x", "☃", "\ud800", "a" * 100_000])
def test_an_unknown_secret_is_refused(secret: str) -> None:
    invitations = Invitations(FakeClock())
    invite(invitations)
    assert invitations.redeem(secret) is None


@pytest.mark.parametrize("cookie", [None, "", "x", "☃", "\ud800"])
def test_an_unknown_cookie_has_no_session(cookie: str | None) -> None:
    assert Invitations(FakeClock()).session(cookie) is None


def test_an_invitation_expires() -> None:
    clock = FakeClock()
    invitations = Invitations(clock)
    secret = invite(invitations)
    clock.advance(AccessOptions().invite_s)
    assert invitations.redeem(secret) is None


def test_nobody_can_be_invited_who_is_not_known() -> None:
    with pytest.raises(VisitorError, match="not known"):
        Invitations(FakeClock()).invite("0123456789ab")


def test_a_session_has_the_person_role_and_rights_of_its_invitation() -> None:
    invitations = Invitations(FakeClock())
    secret = invite(invitations, "Rosa", Role.RESIDENT)
    person = invitations.invited(secret)
    session = redeem(invitations, secret).session
    assert person is not None
    assert (person.name, person.has_joined) == ("Rosa", False)
    assert (session.person, session.role, session.rights) == (person.id, Role.RESIDENT, rights_of_role(Role.RESIDENT))
    assert [each.has_joined for each in invitations.people.all()] == [True]


def test_another_role_voids_the_invitations_that_were_made_for_the_old_one() -> None:
    invitations = Invitations(FakeClock())
    secret = invite(invitations, "Ana", Role.VISITOR)
    (ana,) = invitations.people.all()
    invitations.change_role(ana.id, Role.OWNER)
    assert invitations.redeem(secret) is None


def test_whoever_is_removed_cannot_use_an_invitation_any_more() -> None:
    invitations = Invitations(FakeClock())
    secret = invite(invitations, "Ana")
    (ana,) = invitations.people.all()
    invitations.remove(ana.id)
    assert invitations.redeem(secret) is None


def test_an_invitation_that_is_withdrawn_lets_nobody_in() -> None:
    invitations = Invitations(FakeClock())
    secret = invite(invitations)
    invitations.withdraw(secret)
    invitations.withdraw(secret)
    assert invitations.redeem(secret) is None


def ended(session: Session, reason: EndReason) -> SessionChange:
    return SessionChange(session=session, lost=session.rights, end=reason)


def test_the_browser_that_used_a_link_may_redeem_it_again_for_a_while_for_the_same_session() -> None:
    clock = FakeClock()
    invitations = Invitations(clock)
    secret, other = invite(invitations), invite(invitations)
    first, again = redeem(invitations, secret, "ana's browser"), redeem(invitations, secret, "ana's browser")
    assert first.session == again.session
    assert first.cookie != again.cookie
    assert invitations.invited(secret, "ana's browser") is not None
    assert invitations.invited(secret, "ben's browser") is None
    assert invitations.invited(secret) is None
    assert invitations.session(first.cookie) == invitations.session(again.cookie) == first.session
    assert invitations.redeem(secret, "ben's browser") is None
    assert invitations.redeem(secret) is None
    assert redeem(invitations, other, "ana's browser").session != first.session
    clock.advance(REDEEM_AGAIN_S)
    assert invitations.redeem(secret, "ana's browser") is None


def test_a_link_can_be_redeemed_again_only_so_often() -> None:
    invitations = Invitations(FakeClock())
    secret = invite(invitations)
    succeeded = [invitations.redeem(secret, "ana's browser") is not None for _ in range(100)]
    assert sum(succeeded) == 1 + MAX_REDEEM_AGAIN


def test_a_link_does_not_bring_back_a_session_that_ended() -> None:
    invitations = Invitations(FakeClock())
    secret = invite(invitations)
    issued = redeem(invitations, secret, "ana's browser")
    invitations.end(issued.session.id, EndReason.LEFT)
    assert invitations.redeem(secret, "ana's browser") is None


def test_a_redemption_that_could_not_be_saved_is_undone_and_may_be_tried_again() -> None:
    invitations = Invitations(FakeClock())
    secret = invite(invitations)
    redemption = invitations.redeem(secret, "ana's browser")
    assert redemption is not None
    invitations.take_back(redemption)
    assert invitations.session(redemption.issued.cookie) is None
    again = invitations.redeem(secret, "ana's browser")
    assert again is not None
    third = invitations.redeem(secret, "ana's browser")
    assert third is not None
    invitations.take_back(third)  # it has a session from before
    assert invitations.is_live(again.issued.session)


def test_asking_about_a_link_does_not_use_it_up() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(invite_s=60))
    secret, old = invite(invitations), invite(invitations)
    assert [invitations.invited(secret) is not None for _ in range(3)] == [True] * 3
    assert invitations.invited("x") is None
    redeem(invitations, secret)
    assert invitations.invited(secret) is None
    clock.advance(60)
    assert invitations.invited(old) is None


def test_the_end_of_an_expired_session_is_published_once() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(session_s=60))
    received: list[SessionChange] = []
    invitations.events.subscribe(received.append)
    issued = join(invitations)
    invitations.tick()
    assert received == []
    clock.advance(60)
    assert invitations.session(issued.cookie) is None
    assert not invitations.is_live(issued.session)
    invitations.tick()
    invitations.tick()
    assert received == [ended(issued.session, EndReason.EXPIRED)]


def test_a_session_that_is_not_used_ends_and_one_that_is_used_lives_to_its_end() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(session_s=1000, idle_s=100))
    idle, asking, driving = (join(invitations) for _ in range(3))
    for _ in range(9):
        clock.advance(99)
        invitations.receive_use(driving.session)
        assert invitations.session(asking.cookie) is not None
        invitations.tick()
    assert not invitations.is_live(idle.session)
    assert invitations.is_live(driving.session)
    clock.advance(109)
    assert invitations.session(asking.cookie) is None
    invitations.receive_use(driving.session)
    assert not invitations.is_live(driving.session)


def test_the_end_of_a_displaced_session_is_published_within_the_call_that_displaces_it() -> None:
    invitations = Invitations(FakeClock(), AccessOptions(max_sessions=1))
    received: list[SessionChange] = []
    first = join(invitations)
    invitations.events.subscribe(received.append)
    second = join(invitations)
    assert received == [ended(first.session, EndReason.DISPLACED)]
    assert invitations.session(first.cookie) is None
    assert not invitations.is_live(first.session)
    assert invitations.is_live(second.session)


def test_a_flood_of_sessions_of_one_person_ends_only_that_persons_own() -> None:
    invitations = Invitations(FakeClock(), AccessOptions(max_sessions=20))
    others = [join(invitations, name).session for name in ("Ana", "Ben")]
    mallory = invitations.people.add("Mallory", Role.VISITOR)
    for _ in range(100):
        invitations.open_session(mallory.id)
    assert all(invitations.is_live(each) for each in others)
    assert len(invitations.sessions()) == 2 + MAX_SESSIONS_OF_PERSON
    crowd = [join(invitations, f"Person {number}").session for number in range(10)]
    assert all(invitations.is_live(each) for each in (*others, *crowd))


@pytest.mark.parametrize("reason", [EndReason.LEFT, EndReason.REVOKED])
def test_a_session_can_be_ended_once_for_a_reason(reason: EndReason) -> None:
    invitations = Invitations(FakeClock())
    received: list[SessionChange] = []
    invitations.events.subscribe(received.append)
    ana, ben = join(invitations), join(invitations)
    invitations.end(ana.session.id, reason)
    invitations.end(ana.session.id, reason)
    invitations.end("unknown", reason)
    assert received == [ended(ana.session, reason)]
    assert invitations.session(ana.cookie) is None
    assert invitations.session(ben.cookie) == ben.session


def test_subscribers_are_called_when_the_cookie_is_already_invalid() -> None:
    invitations = Invitations(FakeClock())
    issued = join(invitations)
    seen: list[bool] = []
    invitations.events.subscribe(lambda ended: seen.append(invitations.is_live(ended.session)))
    invitations.events.subscribe(lambda _: seen.append(invitations.session(issued.cookie) is not None))
    invitations.end(issued.session.id, EndReason.LEFT)
    assert seen == [False, False]


def test_a_subscriber_that_fails_does_not_keep_others_from_being_called(caplog: pytest.LogCaptureFixture) -> None:
    invitations = Invitations(FakeClock(), AccessOptions(max_sessions=1))
    received: list[str] = []

    def fail(_: SessionChange) -> None:
        received.append("first")
        raise RuntimeError("broken")

    invitations.events.subscribe(fail)
    invitations.events.subscribe(lambda _: received.append("second"))
    join(invitations)
    assert invitations.session(join(invitations).cookie) is not None
    assert received == ["first", "second"]
    assert "a subscriber failed to handle it" in caplog.text


def test_the_watcher_is_called_for_every_new_session_and_for_nothing_else() -> None:
    clock = FakeClock(100)
    invitations = Invitations(clock, AccessOptions(session_s=60))
    received: list[float | None] = []
    invitations.watch(lambda: received.append(invitations.deadline()))
    secret = invite(invitations)
    invitations.redeem("wrong")
    assert invitations.deadline() is None
    invitations.redeem(secret)
    invitations.redeem(secret)
    assert received == [160]


def test_a_change_of_rights_is_published_once_they_are_in_force_with_what_was_lost() -> None:
    events: list[Event] = []
    invitations = Invitations(FakeClock(), record=events.append)
    issued = join(invitations)
    received: list[tuple[SessionChange, frozenset[Right]]] = []
    invitations.events.subscribe(lambda change: received.append((change, invitations.rights_of(issued.session))))
    watching = frozenset({Right.LOOK, Right.TALK})
    invitations.change_rights(issued.session.id, watching)
    invitations.change_rights("unknown", watching)
    ((change, in_force),) = received
    assert (change.lost, change.session.rights, in_force) == (frozenset({Right.DRIVE}), watching, watching)
    assert change.end is None
    assert change.takes(Right.DRIVE)
    assert not change.takes(Right.LOOK)
    assert invitations.session(issued.cookie) == change.session
    assert invitations.is_live(issued.session)
    assert events[1:] == [RightsChanged(issued.session.id, issued.session.person, "look talk")]


def test_a_session_that_ended_has_no_rights_left_and_gets_none() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(session_s=60))
    left, late = join(invitations).session, join(invitations).session
    invitations.end(left.id, EndReason.LEFT)
    clock.advance(60)
    invitations.change_rights(left.id, VISITOR_RIGHTS)
    invitations.change_rights(late.id, VISITOR_RIGHTS)
    assert invitations.rights_of(left) == invitations.rights_of(late) == NO_RIGHTS
