"""A socket hears of the end of its own access session, as long as it is open."""

import pytest

from belvedere.access.sessions import EndedSession, EndReason, Session
from belvedere.gateway.control_sockets import ControlSockets


class Socket:
    """A socket that notes what it is told; `failure` is raised then."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.told: list[EndReason] = []
        self._failure = failure

    def receive_session_ended(self, reason: EndReason) -> None:
        self.told.append(reason)
        if self._failure is not None:
            raise self._failure


def ended(session_id: str) -> EndedSession:
    session = Session(id=session_id, person="ana", rank=0, ends_at_s=1.0)
    return EndedSession(session, EndReason.DISPLACED)


def test_the_sockets_of_a_session_are_told_and_no_others() -> None:
    sockets = ControlSockets()
    first, second, other = Socket(), Socket(), Socket()
    with (
        sockets.registered("ana", first),
        sockets.registered("ana", second),
        sockets.registered("ben", other),
    ):
        sockets.receive_session_ended(ended("ana"))
        sockets.receive_session_ended(ended("nobody"))
    assert first.told == second.told == [EndReason.DISPLACED]
    assert other.told == []


def test_a_socket_that_fails_keeps_no_other_from_being_told(caplog: pytest.LogCaptureFixture) -> None:
    sockets = ControlSockets()
    broken, sound = Socket(RuntimeError("broken")), Socket()
    with sockets.registered("ana", broken), sockets.registered("ana", sound):
        sockets.receive_session_ended(ended("ana"))
    assert sound.told == [EndReason.DISPLACED]
    assert "failed to end its drive" in caplog.text


def test_a_socket_that_is_closed_is_not_told_and_not_remembered() -> None:
    sockets = ControlSockets()
    closed, still_open = Socket(), Socket()
    with sockets.registered("ana", still_open):
        with sockets.registered("ana", closed):
            pass
        sockets.receive_session_ended(ended("ana"))
    assert closed.told == []
    assert still_open.told == [EndReason.DISPLACED]
    assert sockets._by_session == {}
