"""What the room withholds is asked each time, and each loss is told once; a rule that fails withholds the room."""

import pytest

from belvedere.access.rights import NO_RIGHTS, VISITOR_RIGHTS, Right, Rights, Role
from belvedere.access.sessions import Session
from belvedere.access.withheld import WithheldRights

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


def test_a_rule_that_fails_withholds_what_shows_the_room_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Session) -> Rights:
        raise RuntimeError("broken")

    withheld = WithheldRights()
    withheld.set(fail)
    assert withheld.granted(OWNER, OWNER.rights) == {Right.MANAGE}
    assert withheld.granted(ANA, ANA.rights) == NO_RIGHTS
    assert len(caplog.records) == 1
