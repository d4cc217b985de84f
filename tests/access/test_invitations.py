"""An invitation is redeemed once for a session, which ends in time, by displacement, or on request."""

from typing import Any

import msgspec
import pytest

from belvedere.access.invitations import MAX_REDEEM_AGAIN, REDEEM_AGAIN_S, AccessOptions, Invitations
from belvedere.access.rights import NO_RIGHTS, VISITOR_RIGHTS, Right, Role
from belvedere.access.session_events import SessionChange
from belvedere.access.sessions import EndReason, IssuedSession, Session
from belvedere.events import Event, RightsChanged, SessionEnded, SessionOpened, SessionRestored
from belvedere.testing.clock import FakeClock


def test_an_invitation_is_redeemed_once() -> None:
    invitations = Invitations(FakeClock())
    token = invitations.invite("ana")
    issued = invitations.redeem(token)
    assert issued is not None
    assert invitations.session(issued.cookie) == issued.session
    assert invitations.redeem(token) is None


def test_the_start_and_the_end_of_a_session_are_recorded_once() -> None:
    events: list[Event] = []
    invitations = Invitations(FakeClock(), record=events.append)
    token = invitations.invite("ana")
    issued = invitations.redeem(token, "ana's browser")
    assert invitations.redeem(token, "ana's browser") is not None
    assert invitations.redeem("no token") is None
    assert issued is not None
    session = issued.session.id
    invitations.end(session, EndReason.LEFT)
    invitations.end(session, EndReason.LEFT)
    assert events == [SessionOpened(session, "ana"), SessionEnded(session, "ana", "left")]


def test_the_token_is_not_the_cookie() -> None:
    invitations = Invitations(FakeClock())
    token = invitations.invite()
    issued = invitations.redeem(token)
    assert issued is not None
    assert invitations.session(token) is None
    assert invitations.redeem(issued.cookie) is None


@pytest.mark.parametrize("token", ["", "x", "☃", "\ud800", "a" * 100_000])
def test_an_unknown_token_is_refused(token: str) -> None:
    invitations = Invitations(FakeClock())
    invitations.invite()
    assert invitations.redeem(token) is None


@pytest.mark.parametrize("cookie", [None, "", "x", "☃", "\ud800"])
def test_an_unknown_cookie_has_no_session(cookie: str | None) -> None:
    assert Invitations(FakeClock()).session(cookie) is None


def test_an_invitation_expires() -> None:
    clock = FakeClock()
    invitations = Invitations(clock)
    token = invitations.invite()
    clock.advance(AccessOptions().invite_s)
    assert invitations.redeem(token) is None


def test_where_there_are_too_many_invitations_the_oldest_is_deleted() -> None:
    invitations = Invitations(FakeClock(), AccessOptions(max_invitations=2))
    first, second, third = (invitations.invite() for _ in range(3))
    assert invitations.redeem(first) is None
    assert invitations.redeem(second) is not None
    assert invitations.redeem(third) is not None


def ended(session: Session, reason: EndReason) -> SessionChange:
    return SessionChange(session=session, lost=session.rights, end=reason)


def open_session(invitations: Invitations) -> IssuedSession:
    issued = invitations.redeem(invitations.invite())
    assert issued is not None
    return issued


def test_the_browser_that_used_a_link_may_redeem_it_again_for_a_while_for_the_same_session() -> None:
    clock = FakeClock()
    invitations = Invitations(clock)
    token, other = invitations.invite(), invitations.invite()
    first, again = invitations.redeem(token, "ana's browser"), invitations.redeem(token, "ana's browser")
    assert first is not None
    assert again is not None
    assert first.session == again.session
    assert first.cookie != again.cookie
    assert invitations.is_invited(token, "ana's browser")
    assert not invitations.is_invited(token, "ben's browser")
    assert not invitations.is_invited(token)
    assert invitations.session(first.cookie) == invitations.session(again.cookie) == first.session
    assert invitations.redeem(token, "ben's browser") is None
    assert invitations.redeem(token) is None
    second = invitations.redeem(other, "ana's browser")
    assert second is not None
    assert second.session != first.session
    clock.advance(REDEEM_AGAIN_S)
    assert invitations.redeem(token, "ana's browser") is None


def test_a_link_can_be_redeemed_again_only_so_often() -> None:
    invitations = Invitations(FakeClock())
    token = invitations.invite()
    open_session = [invitations.redeem(token, "ana's browser") is not None for _ in range(100)]
    assert sum(open_session) == 1 + MAX_REDEEM_AGAIN


def test_a_browser_without_a_secret_uses_a_link_once() -> None:
    invitations = Invitations(FakeClock())
    token = invitations.invite()
    assert invitations.redeem(token) is not None
    assert invitations.redeem(token) is None


def test_a_link_does_not_bring_back_a_session_that_ended() -> None:
    invitations = Invitations(FakeClock())
    token = invitations.invite()
    issued = invitations.redeem(token, "ana's browser")
    assert issued is not None
    invitations.end(issued.session.id, EndReason.LEFT)
    assert invitations.redeem(token, "ana's browser") is None


def test_checking_a_link_does_not_use_it_up() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(invite_s=10))
    token, old = invitations.invite(), invitations.invite()
    assert [invitations.is_invited(token) for _ in range(3)] == [True] * 3
    assert not invitations.is_invited("x")
    assert invitations.redeem(token) is not None
    assert not invitations.is_invited(token)
    clock.advance(10)
    assert not invitations.is_invited(old)


def test_the_end_of_an_expired_session_is_published_once() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(session_s=10))
    received: list[SessionChange] = []
    invitations.events.subscribe(received.append)
    issued = open_session(invitations)
    invitations.tick()
    assert received == []
    clock.advance(10)
    assert invitations.session(issued.cookie) is None
    assert not invitations.is_live(issued.session)
    invitations.tick()
    invitations.tick()
    assert received == [ended(issued.session, EndReason.EXPIRED)]


def test_the_end_of_a_displaced_session_is_published_within_the_call_that_displaces_it() -> None:
    invitations = Invitations(FakeClock(), AccessOptions(max_sessions=1))
    received: list[SessionChange] = []
    first = open_session(invitations)
    invitations.events.subscribe(received.append)
    second = open_session(invitations)
    assert received == [ended(first.session, EndReason.DISPLACED)]
    assert invitations.session(first.cookie) is None
    assert not invitations.is_live(first.session)
    assert invitations.is_live(second.session)


@pytest.mark.parametrize("reason", [EndReason.LEFT, EndReason.REVOKED])
def test_a_session_can_be_ended_once_for_a_reason(reason: EndReason) -> None:
    invitations = Invitations(FakeClock())
    received: list[SessionChange] = []
    invitations.events.subscribe(received.append)
    ana, ben = open_session(invitations), open_session(invitations)
    invitations.end(ana.session.id, reason)
    invitations.end(ana.session.id, reason)
    invitations.end("unknown", reason)
    assert received == [ended(ana.session, reason)]
    assert invitations.session(ana.cookie) is None
    assert invitations.session(ben.cookie) == ben.session


def test_subscribers_are_called_when_the_cookie_is_already_invalid() -> None:
    invitations = Invitations(FakeClock())
    issued = open_session(invitations)
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
    open_session(invitations)
    assert invitations.session(open_session(invitations).cookie) is not None
    assert received == ["first", "second"]
    assert "a subscriber failed to handle it" in caplog.text


def test_the_watcher_is_called_for_every_new_session_and_for_nothing_else() -> None:
    clock = FakeClock(100)
    invitations = Invitations(clock, AccessOptions(session_s=10))
    received: list[float | None] = []
    invitations.watch(lambda: received.append(invitations.deadline()))
    token = invitations.invite()
    invitations.redeem("wrong")
    assert invitations.deadline() is None
    invitations.redeem(token)
    invitations.redeem(token)
    assert received == [110]


def test_expired_invitations_are_deleted() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, AccessOptions(invite_s=10))
    token = invitations.invite()
    clock.advance(9)
    invitations.tick()
    young = invitations.invite()
    clock.advance(1)
    invitations.tick()
    assert invitations.redeem(token) is None
    assert invitations.redeem(young) is not None


def test_a_session_has_the_name_role_and_rights_of_its_invitation() -> None:
    invitations = Invitations(FakeClock())
    watching = frozenset({Right.LOOK})
    resident = invitations.redeem(invitations.invite("resident", Role.RESIDENT, watching))
    anonymous = invitations.redeem(invitations.invite())
    assert resident is not None
    assert anonymous is not None
    first, second = resident.session, anonymous.session
    assert (first.person, first.role, first.rights) == ("resident", Role.RESIDENT, watching)
    assert (second.person, second.role, second.rights) == (second.id, Role.VISITOR, VISITOR_RIGHTS)
    assert invitations.rights_of(first) == watching


def test_a_change_of_rights_is_published_once_they_are_in_force_with_what_was_lost() -> None:
    events: list[Event] = []
    invitations = Invitations(FakeClock(), record=events.append)
    issued = open_session(invitations)
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
    invitations = Invitations(clock, AccessOptions(session_s=10))
    left, late = open_session(invitations).session, open_session(invitations).session
    invitations.end(left.id, EndReason.LEFT)
    clock.advance(10)
    invitations.change_rights(left.id, VISITOR_RIGHTS)
    invitations.change_rights(late.id, VISITOR_RIGHTS)
    assert invitations.rights_of(left) == invitations.rights_of(late) == NO_RIGHTS


HOUR_S = 3600.0
UTC_S = 1_800_000_000.0


class Machine:
    """A computer with both clocks; `restart` is a new run with the sessions that were saved."""

    def __init__(self, options: AccessOptions | None = None) -> None:
        self.clock, self.utc = FakeClock(50), FakeClock(UTC_S)
        self.options = options or AccessOptions(session_s=12 * HOUR_S)
        self.events: list[Event] = []
        self.invitations = Invitations(self.clock, self.options, self.events.append, self.utc)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.utc.advance(seconds)
        self.invitations.tick()

    def restart(self, off_s: float = 60.0, utc: float | None = None) -> Invitations:
        saved = self.invitations.saved()
        self.clock = FakeClock(7)
        self.utc = FakeClock(self.utc.now + off_s if utc is None else utc)
        self.invitations = Invitations(self.clock, self.options, self.events.append, self.utc)
        self.invitations.restore(saved)
        return self.invitations


def test_a_session_survives_a_restart_with_all_its_cookies_and_what_was_left_of_its_time() -> None:
    machine = Machine()
    token = machine.invitations.invite("ana", Role.RESIDENT, frozenset({Right.LOOK}))
    first = machine.invitations.redeem(token, "browser")
    again = machine.invitations.redeem(token, "browser")
    assert first is not None
    assert again is not None
    machine.pass_time(2 * HOUR_S)
    invitations = machine.restart(off_s=HOUR_S)
    session = invitations.session(first.cookie)
    assert session is not None
    assert session == invitations.session(again.cookie)
    assert (session.id, session.person, session.role) == (first.session.id, "ana", Role.RESIDENT)
    assert invitations.rights_of(session) == {Right.LOOK}
    assert machine.events[-1] == SessionRestored(session.id, "ana")
    machine.pass_time(9 * HOUR_S - 1)
    assert invitations.session(first.cookie) is not None
    machine.pass_time(1)
    assert invitations.session(first.cookie) is None
    assert not invitations.is_live(session)
    assert invitations.rights_of(session) == NO_RIGHTS


def test_an_ended_session_and_an_invitation_do_not_survive_a_restart() -> None:
    machine = Machine()
    issued, token = open_session(machine.invitations), machine.invitations.invite()
    machine.invitations.end(issued.session.id, EndReason.REVOKED)
    invitations = machine.restart()
    assert invitations.session(issued.cookie) is None
    assert not invitations.is_invited(token)
    assert invitations.deadline() is None


@pytest.mark.parametrize("start_utc", [0.0, UTC_S - 1e6, UTC_S + 1.0])
def test_no_clock_at_the_start_and_no_number_of_restarts_makes_a_session_longer(start_utc: float) -> None:
    machine = Machine()
    issued = open_session(machine.invitations)
    lived_s = 0.0
    while machine.restart(utc=start_utc).session(issued.cookie) is not None:
        machine.pass_time(HOUR_S)
        lived_s += HOUR_S
        assert lived_s <= 12 * HOUR_S
    assert lived_s >= 11 * HOUR_S


def test_a_clock_that_starts_in_the_past_is_no_reason_to_end_a_visit_until_the_network_says_how_late_it_is() -> None:
    machine = Machine()
    issued = open_session(machine.invitations)
    invitations = machine.restart(utc=0.0)
    assert invitations.session(issued.cookie) is not None
    ended_for: list[EndReason | None] = []
    invitations.events.subscribe(lambda change: ended_for.append(change.end))
    machine.utc.now = UTC_S + 24 * HOUR_S  # the house was without power for a day
    assert invitations.session(issued.cookie) is None
    machine.clock.advance(60)
    invitations.tick()
    invitations.tick()
    assert ended_for == [EndReason.EXPIRED]


def test_a_moments_wrong_clock_ends_no_session_for_good() -> None:
    machine = Machine()
    issued = open_session(machine.invitations)
    assert machine.restart(utc=UTC_S + 1e9).session(issued.cookie) is None
    machine.pass_time(HOUR_S)
    assert machine.restart(utc=UTC_S + 1e9).session(issued.cookie) is None
    machine.utc.now = UTC_S + HOUR_S
    assert machine.invitations.session(issued.cookie) is not None
    assert machine.restart().session(issued.cookie) is not None


def test_a_clock_that_jumps_during_a_run_ends_no_session_of_that_run_and_its_end_is_saved_anew() -> None:
    machine = Machine()
    machine.utc.now = 1000.0  # 1970: the network has not set the clock yet
    issued = open_session(machine.invitations)
    machine.utc.now = UTC_S
    machine.pass_time(HOUR_S)
    assert machine.invitations.session(issued.cookie) is not None
    assert machine.restart().session(issued.cookie) is not None


def test_a_restored_session_lasts_no_longer_than_a_new_one_whatever_the_row_says() -> None:
    machine = Machine()
    issued = open_session(machine.invitations)
    (row,) = machine.invitations.saved()
    fresh = Invitations(machine.clock, machine.options, utc=machine.utc)
    fresh.restore([msgspec.structs.replace(row, left_s=2**39, ends_utc_s=2**39)])
    assert fresh.session(issued.cookie) is not None
    machine.clock.advance(12 * HOUR_S)
    assert fresh.session(issued.cookie) is None


@pytest.mark.parametrize("wrong", [{"role": "king"}, {"rights": ("look", "fly")}])
def test_a_saved_session_with_an_unknown_role_or_right_is_ended_and_the_others_are_not(
    wrong: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine()
    first, second = open_session(machine.invitations), open_session(machine.invitations)
    row, other = machine.invitations.saved()
    fresh = Invitations(machine.clock, machine.options, utc=machine.utc)
    fresh.restore([msgspec.structs.replace(row, **wrong), other])
    assert fresh.session(first.cookie) is None
    assert fresh.session(second.cookie) is not None
    assert "unknown role or right" in caplog.text


def test_where_more_sessions_were_saved_than_may_be_open_those_with_most_time_left_are_restored() -> None:
    machine = Machine(AccessOptions(max_sessions=2))
    first = open_session(machine.invitations)
    machine.pass_time(10)
    others = [open_session(machine.invitations)]
    rows = machine.invitations.saved()
    fresh = Invitations(machine.clock, AccessOptions(max_sessions=1), utc=machine.utc)
    fresh.restore(rows)
    assert fresh.session(first.cookie) is None
    assert [fresh.session(each.cookie) is not None for each in others] == [True]


def test_whoever_saves_is_called_after_each_change_and_for_nothing_else() -> None:
    machine = Machine()
    invitations, saved = machine.invitations, []
    invitations.watch_saved(lambda: saved.append(len(invitations.saved())))
    token = invitations.invite("ana")
    invitations.is_invited(token)
    invitations.redeem("wrong")
    assert saved == []
    issued = invitations.redeem(token, "browser")
    assert issued is not None
    invitations.redeem(token, "browser")
    invitations.change_rights(issued.session.id, NO_RIGHTS)
    invitations.change_rights("unknown", NO_RIGHTS)
    invitations.end("unknown", EndReason.LEFT)
    invitations.end(issued.session.id, EndReason.LEFT)
    assert saved == [1, 1, 1, 0]
