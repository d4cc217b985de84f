"""Subscribers hear of each change in their order, whatever one of them does."""

import pytest

from belvedere.access.rights import NO_RIGHTS, VISITOR_RIGHTS, Right, Role
from belvedere.access.session_events import SessionChange, SessionEvents
from belvedere.access.sessions import EndReason, Session

ANA = Session(id="a1", person="ana", role=Role.VISITOR, rights=VISITOR_RIGHTS, ends_at_s=1.0)


def test_a_lost_right_is_taken_and_no_other() -> None:
    change = SessionChange(session=ANA, lost=frozenset({Right.DRIVE}))
    assert [right for right in Right if change.takes(right)] == [Right.DRIVE]


def test_the_end_takes_every_right_even_those_that_the_session_never_had() -> None:
    change = SessionChange(session=ANA, lost=NO_RIGHTS, end=EndReason.LEFT)
    assert all(change.takes(right) for right in Right)


@pytest.mark.parametrize(("end", "said"), [(None, "session a1 changed"), (EndReason.LEFT, "session a1 ended (left)")])
def test_a_subscriber_that_fails_is_logged_and_the_next_is_called(
    end: EndReason | None, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    events, received = SessionEvents(), []

    def fail(_: SessionChange) -> None:
        received.append("first")
        raise RuntimeError("broken")

    events.subscribe(fail)
    events.subscribe(lambda _: received.append("second"))
    events.publish(SessionChange(session=ANA, lost=VISITOR_RIGHTS, end=end))
    assert received == ["first", "second"]
    assert said in caplog.text
