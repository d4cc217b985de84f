"""What the room withholds is asked each time, and each loss is told once; a rule that fails withholds the room."""

import pytest

from belvedere.access.invitations import Invitations
from belvedere.access.programs import Player, Programs, player_session
from belvedere.access.rights import NO_RIGHTS, VISITOR_RIGHTS, Right, Rights, Role, rights_of_role
from belvedere.access.sessions import Session
from belvedere.access.withheld import WithheldRights
from belvedere.errors import Refusal, VisitorError
from belvedere.secret import Secret
from belvedere.testing.clock import FakeClock

ANA = Session(id="a1", person="ana", role=Role.VISITOR, rights=VISITOR_RIGHTS, ends_at_s=1.0)
OWNER = Session(id="o1", person="olga", role=Role.OWNER, rights=VISITOR_RIGHTS | {Right.MANAGE}, ends_at_s=1.0)
LOOK: Rights = frozenset({Right.LOOK})


def test_nothing_is_withheld_without_a_rule() -> None:
    withheld = WithheldRights()
    withheld.begin(ANA)
    assert withheld.granted(ANA, ANA.rights) == VISITOR_RIGHTS
    assert withheld.losses([ANA]) == []


def test_each_loss_is_told_once_and_again_after_it_was_given_back() -> None:
    withheld, closed = WithheldRights(), [LOOK]
    withheld.begin(ANA)
    withheld.set(lambda _: closed[0])
    assert withheld.granted(ANA, ANA.rights) == VISITOR_RIGHTS - LOOK
    assert withheld.losses([ANA]) == [(ANA, LOOK)]
    assert withheld.losses([ANA]) == []
    closed[0] = NO_RIGHTS
    assert withheld.losses([ANA]) == []
    assert withheld.granted(ANA, ANA.rights) == VISITOR_RIGHTS
    closed[0] = LOOK | {Right.MANAGE}
    assert withheld.losses([ANA]) == [(ANA, LOOK)]  # it never had the other


def test_a_session_that_begins_without_a_right_does_not_lose_it_later() -> None:
    withheld = WithheldRights()
    withheld.set(lambda _: LOOK)
    withheld.begin(ANA)
    assert withheld.losses([ANA]) == []
    withheld.forget(ANA.id)
    assert withheld.losses([ANA]) == [(ANA, LOOK)]


def test_a_right_that_was_granted_in_between_is_lost_anew() -> None:
    withheld, closed = WithheldRights(), [LOOK]
    withheld.set(lambda _: closed[0])
    withheld.begin(ANA)
    closed[0] = NO_RIGHTS
    assert Right.LOOK in withheld.granted(ANA, ANA.rights)  # and so it begins to look
    closed[0] = LOOK
    assert withheld.losses([ANA]) == [(ANA, LOOK)]


def test_the_reason_is_that_of_the_rule_and_never_fails(caplog: pytest.LogCaptureFixture) -> None:
    withheld = WithheldRights()
    assert withheld.reason(ANA).refusal is Refusal.NOT_PERMITTED
    withheld.set(lambda _: LOOK, lambda session: VisitorError(Refusal.QUIET_HOURS, session.person))
    assert withheld.reason(ANA).refusal is Refusal.QUIET_HOURS
    assert str(withheld.reason(ANA)) == "ana"

    def fail(_: Session) -> VisitorError:
        raise RuntimeError("broken")

    withheld.set(lambda _: LOOK, fail)
    assert withheld.reason(ANA).refusal is Refusal.NOT_PERMITTED
    assert "broken" in caplog.text


def test_a_rule_that_fails_withholds_what_shows_the_room_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Session) -> Rights:
        raise RuntimeError("broken")

    withheld = WithheldRights()
    withheld.set(fail)
    assert withheld.granted(OWNER, OWNER.rights) == {Right.MANAGE}
    assert withheld.granted(ANA, ANA.rights) == NO_RIGHTS
    assert len(caplog.records) == 1


def test_what_the_room_withholds_is_lost_at_once_by_visitors_and_programs_and_comes_back() -> None:
    token = Secret("a-token-of-the-settings")
    tv = player_session(Player(name="tv", token=token))
    invitations = Invitations(FakeClock(), programs=Programs([(tv, token)]))
    visitor, resident = (invitations.people.add("Ana", role) for role in (Role.VISITOR, Role.RESIDENT))
    ana, rosa = invitations.open_session(visitor.id).session, invitations.open_session(resident.id).session
    received: list[tuple[str, frozenset[Right], frozenset[Right]]] = []
    invitations.events.subscribe(
        lambda change: received.append((change.session.id, change.lost, invitations.rights_of(change.session)))
    )
    closed = frozenset({Right.LOOK, Right.DRIVE, Right.TALK})
    curtain = [closed]
    invitations.withhold(lambda session: NO_RIGHTS if session.role is Role.RESIDENT else curtain[0])
    assert received == [
        (ana.id, closed, NO_RIGHTS),
        (tv.id, {Right.LOOK}, NO_RIGHTS),
        ("local", closed, {Right.MANAGE, Right.ROOM}),
    ]
    assert invitations.rights_of(rosa) == rights_of_role(Role.RESIDENT)
    assert invitations.is_live(ana)
    late = invitations.open_session(visitor.id).session
    assert invitations.rights_of(late) == NO_RIGHTS
    curtain[0] = NO_RIGHTS
    invitations.receive_withheld_changed()
    assert invitations.rights_of(ana) == invitations.rights_of(late) == VISITOR_RIGHTS
    assert invitations.rights_of(tv) == {Right.LOOK}
    assert len(received) == 3
    curtain[0] = frozenset({Right.DRIVE})
    invitations.receive_withheld_changed()
    invitations.receive_withheld_changed()
    assert [(name, lost) for name, lost, _ in received[3:]] == [
        (name, curtain[0]) for name in (ana.id, late.id, "local")
    ]
